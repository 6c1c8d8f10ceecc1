"""The statistics against scipy and statsmodels, and against cases worked out by hand."""

import warnings

import numpy
import pytest
from scipy import stats

from training.evaluation.study.analyse import agreement, compare, mixed, power, resample
from training.evaluation.study.analyse.resample import Draws

A, B = numpy.array([4.0, 5, 3, 4]), numpy.array([2.0, 3, 2, 1, 2])


def crossed(raters: int, replies: int, seed: int = 0) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """y, rater, reply: every rater rates every reply."""
    random = numpy.random.default_rng(seed)
    rater, reply = numpy.repeat(numpy.arange(raters), replies), numpy.tile(numpy.arange(replies), raters)
    y = 3 + random.normal(0, 0.6, raters)[rater] + random.normal(0, 0.4, replies)[reply]
    return y + random.normal(0, 0.8, len(y)), rater, reply


def test_welch_by_hand() -> None:
    """Means 4 and 2, variances 2/3 and 1/2: t = 2 / sqrt(1/6 + 1/10); pooled sd = sqrt(4/7)."""
    found = compare.welch(A, B)
    assert found is not None
    assert found.t == pytest.approx(2 / (1 / 6 + 1 / 10) ** 0.5)
    assert found.d == pytest.approx(2 / (4 / 7) ** 0.5)
    assert found.p == pytest.approx(stats.ttest_ind(A, B, equal_var=False).pvalue)


def test_anova_by_hand() -> None:
    """Groups 1 2 3, 2 3 4, 6 7 8: between 42 on 2, within 6 on 6."""
    found = compare.anova([numpy.array([1.0, 2, 3]) + shift for shift in (0, 1, 5)])
    assert found is not None
    assert found.f == pytest.approx(21)
    assert (found.between, found.within) == (2, 6)
    assert found.eta2 == pytest.approx(42 / 48)


def test_wins_of_the_paper_are_no_more_than_coins() -> None:
    found = compare.sign_test(22, 48)
    assert found is not None
    assert round(found.p, 2) == 0.67
    assert found.share == pytest.approx(22 / 48)
    assert found.low < 0.5 < found.high


def test_holm_by_hand() -> None:
    assert compare.holm([0.01, None, 0.04, 0.03]) == [
        pytest.approx(0.03),
        None,
        pytest.approx(0.06),
        pytest.approx(0.06),
    ]
    assert compare.holm([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_that_of_statsmodels(seed: int) -> None:
    from statsmodels.stats.multitest import multipletests

    ps = numpy.random.default_rng(seed).uniform(0, 0.2, 9)
    assert compare.holm(ps.tolist()) == pytest.approx(multipletests(ps, method="holm")[1].tolist())


def test_what_cannot_be_tested_is_none() -> None:
    same, lone, none = numpy.full(4, 3.0), numpy.array([3.0]), numpy.array([])
    assert compare.welch(same, same + 1) is None
    assert compare.welch(lone, A) is None
    assert compare.welch(none, A) is None
    assert compare.anova([same, same + 1]) is None
    assert compare.anova([A, lone]) is None
    assert compare.sign_test(0, 0) is None
    assert compare.signed_rank(A, A) is None


def test_mixed_model_is_that_of_statsmodels() -> None:
    import pandas
    import statsmodels.formula.api as formulas

    y, rater, reply = crossed(14, 8)
    tuned = (reply % 2).astype(float)
    frame = pandas.DataFrame({"y": y, "rater": rater, "reply": reply, "tuned": tuned, "all": 1})
    parts = {"rater": "0 + C(rater)", "reply": "0 + C(reply)"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = formulas.mixedlm("y ~ tuned", frame, groups="all", vc_formula=parts).fit()
    ours = mixed.fit(y, {"tuned": tuned}, {"rater": rater, "reply": reply})
    assert -ours.deviance / 2 == pytest.approx(theirs.llf, abs=1e-5)
    assert ours.estimates == pytest.approx(theirs.params[:2].to_numpy(), abs=1e-5)
    assert [ours.error("intercept"), ours.error("tuned")] == pytest.approx(theirs.bse[:2].to_numpy(), rel=2e-3)
    assert list(ours.variances.values()) == pytest.approx(theirs.vcomp.tolist(), rel=5e-3)
    assert ours.residual == pytest.approx(theirs.scale, rel=1e-3)
    assert ours.p("tuned") == pytest.approx(theirs.pvalues["tuned"], rel=1e-2)


def test_mixed_model_of_a_balanced_design_is_the_analysis_of_variance() -> None:
    """Two ways without repetition: variances follow from the mean squares in closed form."""
    y, rater, reply = crossed(9, 7)
    table = y.reshape(9, 7)
    left = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
    error = (left**2).sum() / (8 * 6)
    of_raters, of_replies = 7 * table.mean(1).var(ddof=1), 9 * table.mean(0).var(ddof=1)
    found = mixed.fit(y, {}, {"rater": rater, "reply": reply})
    assert found.residual == pytest.approx(error, rel=1e-3)
    assert found.variances["rater"] == pytest.approx((of_raters - error) / 7, rel=1e-3)
    assert found.variances["reply"] == pytest.approx((of_replies - error) / 9, rel=1e-3)
    assert found.estimate("intercept") == pytest.approx(y.mean())


def test_mixed_model_without_groups_is_least_squares() -> None:
    y, _, reply = crossed(6, 5)
    x = (reply > 2).astype(float)
    found = mixed.fit(y, {"x": x}, {"all": numpy.zeros(len(y), int)})
    line = stats.linregress(x, y)
    assert found.estimate("x") == pytest.approx(line.slope)
    assert found.error("x") == pytest.approx(line.stderr)
    assert found.interval("x") == pytest.approx(
        (line.slope - 1.959964 * line.stderr, line.slope + 1.959964 * line.stderr)
    )


def test_several_columns_are_tested_together() -> None:
    """For one column Wald's chi-squared is the square of z."""
    y, rater, reply = crossed(10, 6)
    found = mixed.fit(y, {"a": (reply == 1).astype(float), "b": (reply == 2).astype(float)}, {"rater": rater})
    z = found.estimate("a") / found.error("a")
    assert found.p("a") == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert 0 <= found.p("a", "b") <= 1


@pytest.mark.parametrize(
    ("y", "fixed", "why"),
    [
        (numpy.full(9, 3.0), {}, "all ratings are the same"),
        (numpy.array([1.0, 2]), {}, "2 ratings are too few"),
        (numpy.arange(9.0), {"x": numpy.zeros(9)}, "a group that is compared is empty"),
        (numpy.repeat([1.0, 2.0, 4.0], 3), {"x": numpy.repeat([1.0, 2.0, 4.0], 3)}, "nothing is left to chance"),
    ],
)
def test_what_cannot_be_fitted_says_why(y: numpy.ndarray, fixed: dict[str, numpy.ndarray], why: str) -> None:
    with pytest.raises(mixed.NotFitted, match=why):
        mixed.fit(y, fixed, {})


def test_intervals_draw_raters_not_ratings() -> None:
    """Ratings that say the same ten times over are no more certain."""
    random = numpy.random.default_rng(1)
    once, raters = random.normal(3, 1, 60), numpy.arange(60)
    draws = Draws(2000, 0)
    found = resample.mean_interval(once, raters, draws)
    assert found == pytest.approx(resample.mean_interval(numpy.repeat(once, 10), numpy.repeat(raters, 10), draws))
    error = once.std(ddof=1) / 60**0.5
    assert found == pytest.approx((once.mean() - 1.96 * error, once.mean() + 1.96 * error), abs=0.04)


def test_intervals_of_differences() -> None:
    random = numpy.random.default_rng(2)
    raters, leaning = numpy.arange(40), random.normal(0, 2, 40)
    first, second = leaning + random.normal(1, 0.1, 40), leaning
    within = resample.within_interval((first, raters), (second, raters), Draws())
    between = resample.between_interval((first, raters), (second, raters + 40), Draws())
    assert within is not None
    assert between is not None
    assert within == pytest.approx((1, 1), abs=0.1)  # a rater's leaning cancels
    assert between[1] - between[0] > 1
    assert resample.within_interval((first[:1], raters[:1]), (second[:1], raters[:1]), Draws()) is None
    assert resample.between_interval((first, raters), (second[:1], raters[:1]), Draws()) is None


def test_alpha_by_hand() -> None:
    """Two raters, four replies, values 1 and 2 only: alpha = 1 - 7 * disagreeing pairs / (n1 * n2), (n - 1) = 7."""
    matrix = numpy.array([[1.0, 1, 2, 2], [1.0, 2, 2, 2]])
    assert agreement.alpha(agreement.counts(matrix)) == pytest.approx(1 - 7 * 1 / (3 * 5))


def test_alpha_is_that_of_the_library_with_gaps() -> None:
    import krippendorff

    random = numpy.random.default_rng(3)
    matrix = numpy.clip(random.integers(1, 6, 12) + random.integers(-1, 2, (5, 12)), 1, 5).astype(float)
    matrix[random.uniform(size=matrix.shape) < 0.2] = numpy.nan
    expected = krippendorff.alpha(reliability_data=matrix, level_of_measurement="ordinal")
    assert agreement.alpha(agreement.counts(matrix)) == pytest.approx(expected)


def test_alpha_of_nothing_to_compare() -> None:
    assert agreement.alpha(agreement.counts(numpy.array([[1.0, 2, 3]]))) is None
    assert agreement.alpha(agreement.counts(numpy.full((3, 4), 2.0))) is None


def test_icc_of_the_published_example() -> None:
    """Shrout and Fleiss 1979, table 2: six targets, four judges; ICC(2,1) .29, ICC(2,4) .62."""
    judged = numpy.array([[9.0, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    found = agreement.icc(judged.T)
    assert found is not None
    assert (round(found.single, 2), round(found.average, 2)) == (0.29, 0.62)
    assert agreement.icc(judged[:1].T) is None


def test_power_is_that_of_statsmodels() -> None:
    from statsmodels.stats.power import TTestIndPower, TTestPower

    first, second = numpy.random.default_rng(4).normal(0, 0.5, (2, 30))
    one, two = power.paired(first, 0.2), power.two_groups(first[:12], second, 0.3)
    assert one is not None
    assert two is not None
    assert one.chance == pytest.approx(TTestPower().power(0.2 / one.sd, 30, 0.05))
    assert two.chance == pytest.approx(TTestIndPower().power(0.3 / two.sd, 12, 0.05, ratio=30 / 12))
    assert one.smallest / one.sd == pytest.approx(TTestPower().solve_power(nobs=30, alpha=0.05, power=0.8))
    needed = TTestPower().solve_power(0.2 / one.sd, alpha=0.05, power=0.8)
    assert one.needed == numpy.ceil(needed)
    groups = TTestIndPower().solve_power(0.3 / two.sd, ratio=30 / 12, alpha=0.05, power=0.8)
    assert two.needed == pytest.approx(groups * 42 / 12, abs=1.5)


def test_power_without_variance_is_none() -> None:
    assert power.paired(numpy.ones(9), 0.1) is None
    assert power.paired(numpy.array([1.0, 2]), 0.1) is None
    assert power.two_groups(numpy.array([1.0]), numpy.array([1.0, 2]), 0.1) is None


def test_share_of_wins_that_is_found() -> None:
    """Of 48, 32 wins are the least with p below .05."""
    share = power.smallest_share(48)
    assert share is not None
    assert stats.binomtest(32, 48).pvalue <= 0.05 < stats.binomtest(31, 48).pvalue
    assert stats.binom.sf(31, 48, share) == pytest.approx(0.8)
    assert power.smallest_share(5) is None
