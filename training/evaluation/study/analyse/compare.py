"""Two or more groups of ratings, compared as the paper does: each rating as if it were independent of all others.

It is not (a rater gives 120), so these p values are too small; `mixed` and `resample` are the remedy. Every function
gives None where the numbers do not carry the statistic.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from scipy import stats

from training.evaluation import statistics

Numbers = NDArray[numpy.float64]


@dataclass(frozen=True, slots=True)
class Welch:
    """Of the first group against the second. d: Cohen's, with the pooled standard deviation."""

    t: float
    df: float
    p: float
    d: float


@dataclass(frozen=True, slots=True)
class Anova:
    """eta2: the share of all variance that lies between the groups."""

    f: float
    between: int
    within: int
    p: float
    eta2: float


@dataclass(frozen=True, slots=True)
class Sign:
    """A two-sided exact binomial test of `wins` among `of`, with the exact 95% interval of the share."""

    share: float
    low: float
    high: float
    p: float


def welch(first: Numbers, second: Numbers) -> Welch | None:
    """Unequal variances."""
    if min(len(first), len(second)) < 2 or numpy.ptp(first) == numpy.ptp(second) == 0:
        return None
    found = stats.ttest_ind(first, second, equal_var=False)
    d = statistics.cohens_d(first, second)
    return None if d is None else Welch(float(found.statistic), float(found.df), float(found.pvalue), d)


def signed_rank(before: Numbers, after: Numbers) -> float | None:
    """p of Wilcoxon's test. None below five pairs that differ."""
    found = statistics.wilcoxon(before.tolist(), after.tolist())
    return found.p if found.n >= 5 else None


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's adjustment over those that are there."""
    known = iter(statistics.holm([p for p in ps if p is not None]))
    return [None if p is None else next(known) for p in ps]


def anova(groups: Sequence[Numbers]) -> Anova | None:
    """One way. Groups of fewer than two are left out."""
    groups = [one for one in groups if len(one) > 1]
    if len(groups) < 2 or all(numpy.ptp(one) == 0 for one in groups):
        return None
    found = stats.f_oneway(*groups)
    everything = numpy.concatenate(groups)
    between = sum(len(one) * (one.mean() - everything.mean()) ** 2 for one in groups)
    eta2 = float(between / (numpy.var(everything) * len(everything)))
    return Anova(float(found.statistic), len(groups) - 1, len(everything) - len(groups), float(found.pvalue), eta2)


def sign_test(wins: int, of: int) -> Sign | None:
    if not of:
        return None
    found = stats.binomtest(wins, of)
    interval = found.proportion_ci(method="exact")
    return Sign(wins / of, float(interval.low), float(interval.high), float(found.pvalue))
