"""How far the calls of a judge agree with each other. It says how steady a judge is, not how right."""

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy

    Matrix = numpy.ndarray[Any, Any]

Values = Sequence[Sequence[float | None]]  # (calls, replies)


def spearman(one: Sequence[float | None], other: Sequence[float | None]) -> tuple[float | None, int]:
    """Rank correlation over what both have, and how many that are; None: fewer than 3, or one of them is constant."""
    from scipy import stats

    both = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    if len(both) < 3 or any(len(set(side)) == 1 for side in zip(*both, strict=True)):
        return None, len(both)
    return float(stats.spearmanr(both).statistic), len(both)


def pairwise(calls: Values) -> list[float | None]:
    """Spearman of every two calls: 1 and 2, 1 and 3, 2 and 3."""
    return [spearman(one, other)[0] for one, other in combinations(calls, 2)]


def alpha(calls: Values) -> float | None:
    """Krippendorff's alpha for interval data. None: nothing was judged twice, or all values are alike."""
    import numpy

    return _alpha(numpy.array([[numpy.nan if v is None else v for v in call] for call in calls], float), "interval")


def alpha_of_verdicts(calls: Sequence[Sequence[str | None]]) -> float | None:
    """Krippendorff's alpha for nominal data, as `alpha`."""
    import numpy

    names = sorted({v for call in calls for v in call if v is not None})
    rows = [[numpy.nan if v is None else names.index(v) for v in call] for call in calls]
    return _alpha(numpy.array(rows, float), "nominal")


def _alpha(matrix: "Matrix", level: Literal["interval", "nominal"]) -> float | None:
    import krippendorff
    import numpy

    if matrix.ndim != 2 or not matrix.size:
        return None
    twice = matrix[:, (~numpy.isnan(matrix)).sum(axis=0) > 1]
    if len(numpy.unique(twice[~numpy.isnan(twice)])) < 2:
        return None
    return float(krippendorff.alpha(reliability_data=twice, level_of_measurement=level))
