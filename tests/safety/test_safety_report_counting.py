"""The statistics of the safety report, against cases worked out elsewhere."""

import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation.safety.counting import (
    Bin,
    Detection,
    Share,
    calibration_error,
    macro_f1,
    percentile,
    reliability,
    wilson,
)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_examples(part: int, whole: int, low: float, high: float) -> None:
    """Newcombe 1998, Two-sided confidence intervals for the single proportion, method 3."""
    assert wilson(part, whole) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("part", "whole"), [(1, 2), (3, 11), (215, 220), (900, 1000)])
def test_the_ends_of_an_interval_solve_its_equation(part: int, whole: int) -> None:
    for end in wilson(part, whole):
        assert (part / whole - end) ** 2 == pytest.approx(3.841458820694124 * end * (1 - end) / whole)


@pytest.mark.skipif(importlib.util.find_spec("scipy") is None, reason="scipy is not installed")
@pytest.mark.parametrize(("part", "whole"), [(0, 7), (3, 11), (500, 1000), (220, 220)])
def test_wilson_agrees_with_scipy(part: int, whole: int) -> None:
    from scipy.stats import binomtest

    theirs = binomtest(part, whole).proportion_ci(0.95, "wilson")
    assert wilson(part, whole) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(st.integers(1, 2000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_an_interval_holds_its_share(pair: tuple[int, int]) -> None:
    low, high = wilson(*pair)
    assert 0.0 <= low <= pair[0] / pair[1] <= high <= 1.0


def test_of_nothing_there_is_no_share() -> None:
    assert Share(0, 0).as_json() == {"share": None, "part": 0, "whole": 0, "wilson95": None}
    assert Share(1, 2).as_json()["wilson95"] == [0.0945, 0.9055]


def test_f1_leaves_out_what_is_neither_wanted_nor_given() -> None:
    assert Detection(4, 2, 2).f1 == pytest.approx(2 / 3)
    assert Detection(0, 3, 0).f1 == 0.0
    assert macro_f1([Detection(4, 2, 2), Detection(0, 3, 0), Detection(0, 0, 0)]) == pytest.approx(1 / 3)
    assert macro_f1([Detection(0, 0, 0)]) is None


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(value) for value in range(20, 0, -1)]
    assert [percentile(values, percent) for percent in (0, 50, 95, 100)] == [1.0, 10.0, 19.0, 20.0]
    assert percentile([7.0], 95) == 7.0


def test_calibration() -> None:
    bins = reliability([(0.05, False), (0.15, True), (0.17, False), (1.0, True)])
    assert [(one.low, one.count, one.held) for one in bins] == [(0.0, 1, 0.0), (0.1, 2, 0.5), (0.9, 1, 1.0)]
    assert [one.chance for one in bins] == pytest.approx([0.05, 0.16, 1.0])
    assert calibration_error(bins) == pytest.approx((0.05 + 2 * 0.34) / 4)
    assert calibration_error([]) is None
    assert calibration_error([Bin(0.0, 0.1, 5, 0.04, 0.04)]) == 0.0
