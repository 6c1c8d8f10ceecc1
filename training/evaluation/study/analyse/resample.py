"""Intervals by drawing whole raters with replacement: what one rater gave belongs together."""

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from training.evaluation.statistics import LEVEL

Numbers = NDArray[numpy.float64]
Codes = NDArray[numpy.int64]


@dataclass(frozen=True, slots=True)
class Draws:
    """How many times, and from which seed. The same for every figure, so that each can be had alone."""

    count: int = 2000
    seed: int = 0


def mean_interval(values: Numbers, raters: Codes, draws: Draws) -> tuple[float, float] | None:
    """Of the mean. values, raters: (n,). None below two raters."""
    return interval(_means(values, raters, numpy.random.default_rng(draws.seed), draws.count))


def between_interval(
    first: tuple[Numbers, Codes], second: tuple[Numbers, Codes], draws: Draws
) -> tuple[float, float] | None:
    """Of the difference of means of two groups of different raters, each drawn by itself. Pairs: values, raters."""
    random = numpy.random.default_rng(draws.seed)
    one, two = (_means(*group, random, draws.count) for group in (first, second))
    return interval(None if one is None or two is None else one - two)


def within_interval(
    first: tuple[Numbers, Codes], second: tuple[Numbers, Codes], draws: Draws
) -> tuple[float, float] | None:
    """Of the difference of means that the same raters gave to two kinds of replies."""
    raters = numpy.unique(numpy.concatenate([first[1], second[1]]))
    if len(raters) < 2:
        return None
    weights = _weights(len(raters), numpy.random.default_rng(draws.seed), draws.count)
    sums = [_sums(values, numpy.searchsorted(raters, codes), len(raters)) for values, codes in (first, second)]
    counts = [weights @ count for _, count in sums]
    drawn = (counts[0] > 0) & (counts[1] > 0)
    one, two = ((weights[drawn] @ total) / count[drawn] for (total, _), count in zip(sums, counts, strict=True))
    return interval(one - two)


def interval(drawn: Numbers | None) -> tuple[float, float] | None:
    """95% of what was drawn. None: nothing was."""
    if drawn is None or not len(drawn):
        return None
    low, high = numpy.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _means(values: Numbers, raters: Codes, random: numpy.random.Generator, count: int) -> Numbers | None:
    """(count,) means of drawn raters."""
    known, codes = numpy.unique(raters, return_inverse=True)
    if len(known) < 2:
        return None
    totals, counts = _sums(values, codes, len(known))
    weights = _weights(len(known), random, count)
    drawn: Numbers = (weights @ totals) / (weights @ counts)
    return drawn


def _weights(raters: int, random: numpy.random.Generator, count: int) -> Numbers:
    """(count, raters) how often each was drawn."""
    return random.multinomial(raters, numpy.full(raters, 1 / raters), size=count).astype(float)


def _sums(values: Numbers, codes: Codes, raters: int) -> tuple[Numbers, Numbers]:
    """Of values, and of rows, by rater."""
    totals = numpy.bincount(codes, values, raters).astype(float)
    return totals, numpy.bincount(codes, minlength=raters).astype(float)
