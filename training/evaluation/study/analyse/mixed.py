"""Linear mixed models with crossed random intercepts, by restricted maximum likelihood (REML).

    y = X b + Z1 u1 + ... + Zk uk + e,  uj ~ N(0, s_j^2),  e ~ N(0, s^2)

The profiled criterion of Bates, Mächler, Bolker and Walker (2015, doi:10.18637/jss.v067.i01): for given ratios of
variances everything else has a closed form, and only cross-products of the random effects are factored, so that
14,000 ratings with 300 random effects take a second. statsmodels' MixedLM gives the same values where it is quick
enough to compare (a test does). Knows no ratings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Any

import numpy
from numpy.typing import NDArray
from scipy import linalg, optimize, stats

from training.evaluation.statistics import LEVEL

Numbers = NDArray[numpy.float64]
_TINY = 1e-10
_WORST = 1e12


class NotFitted(ValueError):
    """Why there is no model, as the end of a sentence."""


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """covariance: (p, p) of the estimates. variances: of each grouping; residual: s^2. deviance: -2 log REML."""

    names: tuple[str, ...]
    estimates: Numbers
    covariance: Numbers
    variances: Mapping[str, float]
    residual: float
    deviance: float
    rows: int

    def estimate(self, name: str) -> float:
        return float(self.estimates[self.names.index(name)])

    def error(self, name: str) -> float:
        """Standard error."""
        at = self.names.index(name)
        return float(numpy.sqrt(self.covariance[at, at]))

    def p(self, *names: str) -> float:
        """Wald test that all of these are 0: normal for one, chi-squared for several."""
        at = [self.names.index(name) for name in names]
        part = self.estimates[at]
        statistic = float(part @ linalg.solve(self.covariance[numpy.ix_(at, at)], part, assume_a="pos"))
        return float(stats.chi2.sf(statistic, len(at)))

    def interval(self, name: str) -> tuple[float, float]:
        """95%, Wald."""
        reach = float(stats.norm.ppf((1 + LEVEL) / 2)) * self.error(name)
        return self.estimate(name) - reach, self.estimate(name) + reach


@dataclass(frozen=True, eq=False, slots=True)
class _Products:
    """Cross-products of X (n, p), Z (n, q) and y (n,). group: (q,) which grouping a column of Z belongs to."""

    zz: Numbers
    zx: Numbers
    zy: Numbers
    xx: Numbers
    xy: Numbers
    yy: float
    group: NDArray[numpy.int64]
    rows: int


@dataclass(frozen=True, eq=False, slots=True)
class _Solved:
    estimates: Numbers
    factor: Numbers  # lower Cholesky factor of X' V^-1 X, times s
    squares: float  # penalised residual sum of squares
    deviance: float


def fit(y: Numbers, fixed: Mapping[str, Numbers], groups: Mapping[str, NDArray[Any]]) -> Fit:
    """fixed: name to column (n,); an intercept is added. groups: name to labels (n,); with one label they are left out.

    Raises NotFitted for too few or constant ratings and for columns that say the same.
    """
    names = ("intercept", *fixed)
    x = numpy.column_stack([numpy.ones(len(y)), *fixed.values()])
    _check(y, x)
    used = {name: numpy.unique(labels, return_inverse=True)[1] for name, labels in groups.items()}
    used = {name: codes for name, codes in used.items() if 1 < codes.max() + 1 < len(y)}
    used = dict(sorted(used.items(), key=lambda one: -one[1].max()))
    middle = float(y.mean())  # against cancellation
    products = _products(y - middle, x, list(used.values()))
    ratios = _best(products, len(used))
    solved = _solve(products, ratios)
    if solved is None or solved.squares < _TINY * len(y):
        raise NotFitted("nothing is left to chance in these ratings")
    scale = solved.squares / (len(y) - x.shape[1])
    inverse = linalg.solve_triangular(solved.factor, numpy.eye(len(names)), lower=True)
    estimates = solved.estimates + middle * (numpy.arange(len(names)) == 0)
    ratio = dict(zip(used, ratios, strict=True))
    variances = {name: float(scale * ratio[name]) for name in groups if name in ratio}
    return Fit(names, estimates, scale * inverse.T @ inverse, variances, scale, solved.deviance, len(y))


def _check(y: Numbers, x: Numbers) -> None:
    if len(y) <= x.shape[1] + 1:
        raise NotFitted(f"{len(y)} ratings are too few")
    if numpy.ptp(y) == 0:
        raise NotFitted("all ratings are the same")
    if numpy.linalg.matrix_rank(x) < x.shape[1]:
        raise NotFitted("a group that is compared is empty")


def _products(y: Numbers, x: Numbers, codes: Sequence[NDArray[Any]]) -> _Products:
    """Z is never made: its products are counts and sums by label."""
    sizes = [int(one.max()) + 1 for one in codes]
    group = numpy.repeat(numpy.arange(len(codes)), sizes)
    blocks = [
        [_counts(a, b, m, n) for b, n in zip(codes, sizes, strict=True)] for a, m in zip(codes, sizes, strict=True)
    ]
    zz = numpy.block(blocks) if codes else numpy.zeros((0, 0))
    zx = numpy.vstack([_sums(one, x, m) for one, m in zip(codes, sizes, strict=True)] or [numpy.zeros((0, x.shape[1]))])
    zy = numpy.concatenate(
        [_sums(one, y[:, None], m)[:, 0] for one, m in zip(codes, sizes, strict=True)] or [numpy.zeros(0)]
    )
    return _Products(zz, zx, zy, x.T @ x, x.T @ y, float(y @ y), group, len(y))


def _counts(a: NDArray[Any], b: NDArray[Any], m: int, n: int) -> Numbers:
    return numpy.bincount(a * n + b, minlength=m * n).reshape(m, n).astype(float)


def _sums(codes: NDArray[Any], columns: Numbers, size: int) -> Numbers:
    return numpy.column_stack([numpy.bincount(codes, column, size) for column in columns.T])


def _best(products: _Products, count: int) -> Numbers:
    """(count,) the ratios s_j^2 / s^2 with the least deviance."""
    if not count:
        return numpy.zeros(0)

    def deviance(ratios: Numbers) -> float:
        solved = _solve(products, ratios)
        return _WORST if solved is None else solved.deviance

    start = numpy.full(count, 0.1)
    found: Numbers = optimize.minimize(deviance, start, method="L-BFGS-B", bounds=[(0, 1e6)] * count).x
    return found


def _solve(products: _Products, ratios: Numbers) -> _Solved | None:
    """For given ratios. None: no positive definite factor, or nothing left over."""
    weights = numpy.sqrt(ratios)[products.group] if len(ratios) else numpy.zeros(0)
    right = weights[:, None] * numpy.column_stack([products.zx, products.zy])  # (q, p + 1)
    try:
        half, log_det = _reduced(products, weights, right)
        cx, cy = half[:, :-1], half[:, -1]
        factor = linalg.cholesky(products.xx - cx.T @ cx, lower=True)  # (p, p)
    except linalg.LinAlgError:
        return None
    solved = linalg.solve_triangular(factor, products.xy - cx.T @ cy, lower=True)
    squares = products.yy - float(cy @ cy) - float(solved @ solved)
    if squares <= 0:
        return None
    free = products.rows - len(factor)
    logs = log_det + 2 * float(numpy.log(numpy.diag(factor)).sum())
    estimates = linalg.solve_triangular(factor.T, solved, lower=False)
    return _Solved(estimates, factor, squares, logs + free * (1 + log(2 * pi * squares / free)))


def _reduced(products: _Products, weights: Numbers, right: Numbers) -> tuple[Numbers, float]:
    """L^-1 times `right`, and log det L L', where L L' = W Z'Z W + I.

    The first grouping, the largest, has a diagonal block: only what is left after it has to be factored.
    """
    first = int((products.group == 0).sum())
    diagonal = numpy.sqrt(weights[:first] ** 2 * numpy.diag(products.zz)[:first] + 1)
    below = weights[first:, None] * products.zz[first:, :first] * (weights[:first] / diagonal)
    rest = weights[first:, None] * products.zz[first:, first:] * weights[first:] + numpy.eye(len(weights) - first)
    lower = linalg.cholesky(rest - below @ below.T, lower=True)
    top = right[:first] / diagonal[:, None]
    bottom = linalg.solve_triangular(lower, right[first:] - below @ top, lower=True)
    log_det = 2 * float(numpy.log(diagonal).sum() + numpy.log(numpy.diag(lower)).sum())
    return numpy.vstack([top, bottom]), log_det
