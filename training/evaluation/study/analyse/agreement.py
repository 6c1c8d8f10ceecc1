"""How far raters agree: Krippendorff's alpha for ordinal ratings, and intraclass correlations. Knows no raters."""

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from training.evaluation.study.records import SCALE

Numbers = NDArray[numpy.float64]
_POINTS = list(range(SCALE[0], SCALE[1] + 1))


@dataclass(frozen=True, slots=True)
class Icc:
    """Two-way random effects, absolute agreement (Shrout and Fleiss 1979): of one rater, of the mean of `raters`."""

    single: float
    average: float
    raters: int
    replies: int


def counts(matrix: Numbers) -> Numbers:
    """(replies, points of the scale) how often each was given. matrix: (raters, replies), nan for no rating."""
    return numpy.column_stack([(matrix == point).sum(axis=0) for point in _POINTS]).astype(float)


def alpha(given: Numbers) -> float | None:
    """Ordinal, from `counts`. None: no reply was rated twice, or all ratings of such replies are alike."""
    import krippendorff

    pairable = given[given.sum(axis=1) > 1]
    if (pairable.sum(axis=0) > 0).sum() < 2:
        return None
    found = krippendorff.alpha(value_counts=pairable, value_domain=_POINTS, level_of_measurement="ordinal")
    return float(found)


def icc(matrix: Numbers) -> Icc | None:
    """ICC(2,1) and ICC(2,k) over the raters who rated all replies. None: fewer than two of either, or no variance."""
    whole = matrix[~numpy.isnan(matrix).any(axis=1)].T if matrix.size else matrix.T  # (n replies, k raters)
    n, k = whole.shape
    if n < 2 or k < 2 or numpy.ptp(whole) == 0:
        return None
    mean = whole.mean()
    rows = k * ((whole.mean(axis=1) - mean) ** 2).sum() / (n - 1)
    columns = n * ((whole.mean(axis=0) - mean) ** 2).sum() / (k - 1)
    left = whole - whole.mean(axis=1, keepdims=True) - whole.mean(axis=0) + mean
    error = (left**2).sum() / ((n - 1) * (k - 1))
    single = rows + (k - 1) * error + k * (columns - error) / n
    average = rows + (columns - error) / n
    if min(single, average) <= 0:
        return None
    return Icc(float((rows - error) / single), float((rows - error) / average), k, n)
