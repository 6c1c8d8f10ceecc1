"""Intervals, tests and effect sizes over arrays, thin over scipy. Knows nothing of replies or ratings.

Arrays in, frozen values out. What cannot be computed (too few values) is None, never NaN.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Floats = Sequence[float] | Array

LEVEL, RESAMPLES = 0.95, 5_000
_BATCH = 100  # resamples at once: some MB for thousands of values
_FEWEST = 3  # units from which an interval means something


@dataclass(frozen=True, slots=True)
class Summary:
    """sd: of the sample (n - 1)."""

    n: int
    mean: float | None
    sd: float | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A bootstrap interval. units: what was drawn, values or clusters; low and high are None with fewer than three."""

    value: float
    low: float | None
    high: float | None
    units: int


@dataclass(frozen=True, slots=True)
class Wilcoxon:
    """n: pairs that differ. rank_biserial: -1 to 1, positive where `after` is larger."""

    n: int
    statistic: float
    p: float
    rank_biserial: float


@dataclass(frozen=True, slots=True)
class Paired:
    """`after` against `before` for the same items. d: mean difference over the sd of the differences (Cohen's d_z)."""

    before: Summary
    after: Summary
    difference: Interval
    test: Wilcoxon
    d: float | None


def summary(values: "Floats") -> Summary:
    import numpy as np

    array = _array(values)
    if not array.size:
        return Summary(0, None, None)
    return Summary(array.size, float(array.mean()), float(np.std(array, ddof=1)) if array.size > 1 else None)


def bootstrap_mean(
    values: "Floats",
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean with a bias-corrected and accelerated interval (Efron, 1987).

    clusters: one a value (a persona, a rater); whole clusters are drawn, and the mean is that of all values in them.
    Raises ValueError without values, or when the lengths differ.
    """
    import numpy as np
    from scipy import stats

    array = _array(values)
    if not array.size:
        raise ValueError("there is no value to take the mean of")
    sums, counts = _by_cluster(array, clusters)
    mean = float(array.mean())
    if len(sums) < _FEWEST or np.allclose(sums / counts, mean, rtol=1e-12, atol=1e-15):
        alike = None if len(sums) < _FEWEST else mean
        return Interval(mean, alike, alike, len(sums))
    found = stats.bootstrap(
        (sums, counts),
        lambda s, c, axis: s.sum(axis) / c.sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        batch=_BATCH,
        confidence_level=LEVEL,
        method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high), len(sums))


def wilcoxon(before: "Floats", after: "Floats") -> Wilcoxon:
    """Signed-rank test, two-sided, pairs without a difference left out; exact for few pairs without ties.

    Raises ValueError when the lengths differ. Treats the pairs as independent.
    """
    from scipy import stats

    gaps = _gaps(before, after)
    gaps = gaps[gaps != 0]
    if not gaps.size:
        return Wilcoxon(0, 0.0, 1.0, 0.0)
    ranks = stats.rankdata(abs(gaps))
    up, down = float(ranks[gaps > 0].sum()), float(ranks[gaps < 0].sum())
    p = float(stats.wilcoxon(gaps, zero_method="wilcox").pvalue)
    return Wilcoxon(gaps.size, min(up, down), p, (up - down) / (up + down))


def paired(
    before: "Floats",
    after: "Floats",
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int = 0,
) -> Paired:
    """Everything about the difference of two conditions on the same items. Raises ValueError."""
    gaps = _gaps(before, after)
    return Paired(
        summary(before),
        summary(after),
        bootstrap_mean(gaps, clusters, seed=seed),
        wilcoxon(before, after),
        cohens_d_paired(before, after),
    )


def cohens_d_paired(before: "Floats", after: "Floats") -> float | None:
    """d_z; None where all differences are the same."""
    gaps = summary(_gaps(before, after))
    return _ratio(gaps.mean, gaps.sd)


def cohens_d(one: "Floats", other: "Floats") -> float | None:
    """Of two independent groups, with the pooled sd; positive where `one` is larger."""
    a, b = summary(one), summary(other)
    if a.mean is None or b.mean is None or a.sd is None or b.sd is None:
        return None
    pooled = math.sqrt(((a.n - 1) * a.sd**2 + (b.n - 1) * b.sd**2) / (a.n + b.n - 2))
    return _ratio(a.mean - b.mean, pooled)


def holm(p_values: "Floats") -> tuple[float, ...]:
    """Adjusted p values in the same order (Holm, 1979). statsmodels has it, and takes two seconds to load."""
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return tuple(adjusted)


def _array(values: "Floats") -> "Array":
    import numpy as np

    return np.asarray(values, dtype=np.float64)


def _gaps(before: "Floats", after: "Floats") -> "Array":
    if len(before) != len(after):
        raise ValueError(f"pairs need equally many values, got {len(before)} and {len(after)}")
    gaps: Array = _array(after) - _array(before)
    return gaps


def _by_cluster(values: "Array", clusters: Sequence[Hashable] | None) -> "tuple[Array, Array]":
    """Sum and number of the values of each cluster; every value is one when there are none."""
    import numpy as np

    if clusters is None:
        return values, np.ones_like(values)
    if len(clusters) != len(values):
        raise ValueError(f"each value needs a cluster, got {len(clusters)} for {len(values)}")
    numbers = {cluster: number for number, cluster in enumerate(dict.fromkeys(clusters))}
    places = np.array([numbers[cluster] for cluster in clusters])
    return np.bincount(places, weights=values), np.bincount(places).astype(np.float64)


def _ratio(value: float | None, sd: float | None) -> float | None:
    return value / sd if value is not None and sd else None
