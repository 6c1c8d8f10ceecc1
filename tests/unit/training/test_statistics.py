"""Statistics against scipy, and against cases worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from training.evaluation import statistics

RNG = np.random.default_rng(7)
BEFORE = RNG.normal(0.5, 0.2, 40)
AFTER = BEFORE + RNG.normal(0.05, 0.1, 40)


def test_summary_by_hand() -> None:
    four = statistics.summary([1, 2, 3, 4])
    assert (four.n, four.mean, four.sd) == pytest.approx((4, 2.5, math.sqrt(5 / 3)))
    assert statistics.summary([2]) == statistics.Summary(1, 2.0, None)
    assert statistics.summary([]) == statistics.Summary(0, None, None)


def test_bootstrap_is_scipys() -> None:
    gaps = AFTER - BEFORE
    theirs = stats.bootstrap((gaps,), np.mean, n_resamples=statistics.RESAMPLES, rng=np.random.default_rng(0))
    ours = statistics.bootstrap_mean(gaps)
    assert ours.units == 40
    assert ours.value == pytest.approx(gaps.mean())
    assert [ours.low, ours.high] == pytest.approx([*theirs.confidence_interval])


def test_the_seed_decides() -> None:
    one, same, other = (statistics.bootstrap_mean(BEFORE, seed=seed) for seed in (1, 1, 2))
    assert one == same != other


def test_clusters_that_are_alike_inside_count_once() -> None:
    """Five values said twenty times each know no more than five values."""
    values = np.repeat([0.1, 0.4, 0.2, 0.9, 0.6], 20)
    clustered = statistics.bootstrap_mean(values, [place // 20 for place in range(100)])
    alone = statistics.bootstrap_mean([0.1, 0.4, 0.2, 0.9, 0.6])
    assert (clustered.low, clustered.high, clustered.units) == pytest.approx((alone.low, alone.high, 5))
    independent = statistics.bootstrap_mean(values)
    assert independent.high - independent.low < (clustered.high - clustered.low) / 3  # type: ignore[operator]


def test_clusters_of_unequal_size_weigh_by_their_values() -> None:
    found = statistics.bootstrap_mean([1.0, 1.0, 1.0, 0.0, 0.5], ["a", "a", "a", "b", "c"])
    assert found.value == pytest.approx(0.7)
    assert found.units == 3


@pytest.mark.parametrize(("values", "low"), [([0.5, 0.5, 0.5], 0.5), ([0.2, 0.4], None), ([0.3], None)])
def test_nothing_to_draw_from(values: list[float], low: float | None) -> None:
    found = statistics.bootstrap_mean(values)
    assert (found.low, found.high) == (low, low)


def test_the_interval_covers_what_it_should() -> None:
    """95% of 200 samples of 30, within what chance allows: 3 standard errors below."""
    samples = np.random.default_rng(3).normal(1.0, 1.0, (200, 30))
    found = [statistics.bootstrap_mean(sample, resamples=500) for sample in samples]
    covered = sum(one.low < 1.0 < one.high for one in found)  # type: ignore[operator]
    assert covered / 200 > 0.95 - 3 * math.sqrt(0.95 * 0.05 / 200)


def test_wilcoxon_is_scipys() -> None:
    theirs = stats.wilcoxon(AFTER, BEFORE)
    ours = statistics.wilcoxon(BEFORE, AFTER)
    assert (ours.statistic, ours.p, ours.n) == pytest.approx((theirs.statistic, theirs.pvalue, 40))


def test_wilcoxon_by_hand() -> None:
    """Differences 1, 2, -3, 4 and 0: ranks up 1 + 2 + 4, down 3; (7 - 3) / 10."""
    found = statistics.wilcoxon([0, 0, 3, 0, 5], [1, 2, 0, 4, 5])
    assert (found.n, found.statistic, found.rank_biserial) == (4, 3.0, 0.4)
    assert found.p == pytest.approx(10 / 16)  # 5 of the 16 signs give a sum of 3 or less, on either side


def test_no_difference_at_all() -> None:
    found = statistics.paired([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])
    assert found.test == statistics.Wilcoxon(0, 0.0, 1.0, 0.0)
    assert (found.difference.value, found.difference.low, found.d) == (0.0, 0.0, None)


def test_effect_sizes_by_hand() -> None:
    assert statistics.cohens_d_paired([0, 0, 0], [1, 2, 3]) == pytest.approx(2.0)
    assert statistics.cohens_d([3, 4, 5], [1, 2, 3]) == pytest.approx(2.0)
    assert statistics.cohens_d([1], [2]) is None
    assert statistics.cohens_d_paired([1], [2]) is None


def test_holm_by_hand() -> None:
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert statistics.holm([]) == ()


def test_holm_is_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p_values = [0.3, 0.001, 0.02, 0.02, 0.9, 0.011, 0.0499]
    assert statistics.holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_and_keeps_the_order(p_values: list[float]) -> None:
    found = statistics.holm(p_values)
    assert all(one <= other <= 1 for one, other in zip(p_values, found, strict=True))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [found[place] for place in order] == sorted(found)


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="got 2 and 3"):
        statistics.paired([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="got 1 for 2"):
        statistics.bootstrap_mean([1, 2], ["a"])
    with pytest.raises(ValueError, match="no value"):
        statistics.bootstrap_mean([])
