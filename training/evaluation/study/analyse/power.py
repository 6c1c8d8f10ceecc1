"""What a study of this size can find. The unit is a rater's mean: the ratings of one rater are no sample of people.

Two-sided t tests by the noncentral t distribution; statsmodels gives the same (a test does the comparison).
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy
from numpy.typing import NDArray
from scipy import optimize, stats

Numbers = NDArray[numpy.float64]
WANTED, ALPHA = 0.8, 0.05
_CERTAIN = 200.0  # a shift of so many standard errors is always found
_MOST_RATERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Power:
    """In points of the scale. smallest: the difference found with 80% power. chance: of finding `difference`.

    needed: raters in all for 80% power at `difference`, groups in the shares they have now.
    """

    raters: int
    sd: float
    smallest: float
    difference: float
    chance: float
    needed: int


def paired(differences: Numbers, difference: float) -> Power | None:
    """differences: a rater's mean of one kind of reply minus that of the other. None: no variance, or under three."""
    if len(differences) < 3 or numpy.ptp(differences) < 1e-9:
        return None
    sd = float(numpy.std(differences, ddof=1))
    return _power(len(differences), sd, difference, sqrt, lost=1)


def two_groups(first: Numbers, second: Numbers, difference: float) -> Power | None:
    """first, second: raters' means. None: no variance, or under two in a group."""
    m, n = len(first), len(second)
    squares = float(numpy.var(first) * m + numpy.var(second) * n) if min(m, n) > 1 else 0.0
    if squares < 1e-9:
        return None
    sd = sqrt(squares / (m + n - 2))
    return _power(m + n, sd, difference, lambda total: sqrt(total * m * n) / (m + n), lost=2)


def smallest_share(of: int) -> float | None:
    """The true share of wins, above a half, that a two-sided sign test of `of` contests finds with 80% power."""
    least = next((k for k in range(of // 2 + 1, of + 1) if 2 * stats.binom.sf(k - 1, of, 0.5) <= ALPHA), None)
    if least is None:
        return None
    return float(optimize.brentq(lambda share: stats.binom.sf(least - 1, of, share) - WANTED, 0.5, 1))


def _power(raters: int, sd: float, difference: float, root: Callable[[float], float], lost: int) -> Power:
    """root: the square root of how many raters a standard error counts. lost: degrees of freedom."""
    size = difference / sd
    shift = float(optimize.brentq(lambda shift: _chance(shift, raters - lost) - WANTED, 0, _CERTAIN))
    needed = bisect_left(
        range(_MOST_RATERS), WANTED, lo=lost + 1, key=lambda total: _chance(size * root(total), total - lost)
    )
    chance = _chance(size * root(raters), raters - lost)
    return Power(raters, sd, shift / root(raters) * sd, difference, chance, needed)


def _chance(shift: float, df: int) -> float:
    """Of |t| beyond its limit, when the true difference is so many standard errors."""
    if shift >= _CERTAIN:
        return 1.0
    limit = float(stats.t.ppf(1 - ALPHA / 2, df))
    below = float(stats.nct.cdf(-limit, df, shift)) if shift < 4 else 0.0
    return float(stats.nct.sf(limit, df, shift)) + below
