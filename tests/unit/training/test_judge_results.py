"""Scores over calls, wins over orders, agreement and biases: on cases that can be counted by hand."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tide_chat.errors import DataError
from training.evaluation.judge import agreement, asks, bias, material, results, tables
from training.evaluation.judge.asks import Ask, Judgement, Value
from training.evaluation.judge.judges import NO_ANSWER, Bad
from training.evaluation.judge.material import Candidate
from training.evaluation.judge.results import EVEN, LOST, SPLIT, WON

VERDICT = st.sampled_from(["A", "B", "tie"])


def candidate(item: str = "d1/0", model: str = "m", state: str = "zs", text: str = "I am here.") -> Candidate:
    return Candidate(item, item, model, state, ("I feel low.",), text, item)


def scored(who: Candidate, *values: int | None) -> list[Judgement]:
    """A call a value, the same for all criteria."""
    return [
        Judgement(ask, None if value is None else dict.fromkeys(ask.criteria, value))
        for ask, value in zip(asks.ratings([who], len(values), 0), values, strict=True)
    ]


def compared(first: Candidate, second: Candidate, *values: str | None) -> list[Judgement]:
    """Two values a call: of the order (first, second), and swapped."""
    planned = asks.comparisons([(first, second)], len(values) // 2, 0)
    return [Judgement(ask, value) for ask, value in zip(planned, values[::2] + values[1::2], strict=True)]


@pytest.mark.parametrize(
    ("forward", "backward", "found"),
    [
        ("A", "B", WON),
        ("B", "A", LOST),
        ("tie", "tie", EVEN),
        ("A", "A", SPLIT),
        ("B", "B", SPLIT),
        ("A", "tie", SPLIT),
        ("tie", "B", SPLIT),
        (None, "B", None),
        ("A", None, None),
    ],
)
def test_a_win_needs_both_orders(forward: str | None, backward: str | None, found: str | None) -> None:
    assert results.call(forward, backward) == found


@given(VERDICT, VERDICT)
def test_swapping_the_replies_swaps_the_win(forward: str, backward: str) -> None:
    mirrored = {WON: LOST, LOST: WON, EVEN: EVEN, SPLIT: SPLIT}
    found = results.call(forward, backward)
    assert found
    assert results.call(backward, forward) == mirrored[found]


@given(st.lists(VERDICT, min_size=2, max_size=8).filter(lambda values: len(values) % 2 == 0))
def test_a_judge_that_looks_at_the_place_alone_never_makes_a_winner(values: list[str]) -> None:
    same = [value for value in values[::2] for _ in range(2)]
    assert results.contests(compared(candidate(), candidate(model="n"), *same))[0].outcome == 0


def test_a_pair_goes_to_whom_more_calls_went() -> None:
    one = results.contests(compared(candidate(), candidate(model="n"), "B", "A", "A", "A", None, "B"))[0]
    assert one.calls == (LOST, SPLIT, None)
    assert one.outcome == -1
    assert results.contests(compared(candidate(), candidate(model="n"), None, "A"))[0].outcome is None


def test_a_score_is_the_mean_of_the_calls_that_were_answered() -> None:
    one = results.rated(scored(candidate(), 2, None, 5))[0]
    assert one.score == 3.5
    assert one.by_criterion == {"warmth": 3.5, "fit": 3.5, "genuineness": 3.5}
    assert results.rated(scored(candidate(), None, None))[0].score is None


@settings(deadline=None)  # the first example imports scipy
@given(st.lists(st.lists(st.integers(1, 5), min_size=3, max_size=3), min_size=1, max_size=8))
def test_a_condition_without_lost_calls_has_the_mean_of_all_scores(values: list[list[int]]) -> None:
    found = [one for n, calls in enumerate(values) for one in scored(candidate(f"d{n}/0"), *calls)]
    row = tables.scores(results.rated(found), "", 0).rows[0]
    assert row[:4] == ("m", "zs", len(values), 0)
    assert row[4] == pytest.approx(sum(map(sum, values)) / (3 * len(values)))


def test_replies_without_a_score_are_counted_and_in_no_mean() -> None:
    found = scored(candidate("d1/0"), 4) + scored(candidate("d2/0"), None) + scored(candidate(model="n"), None)
    rows = tables.scores(results.rated(found), "", 0).rows
    assert rows[0][:5] == ("m", "zs", 2, 1, 4.0)
    assert rows[1] == ("n", "zs", 1, 1, *[None] * 6)


def test_equal_calls_agree_and_opposed_calls_do_not() -> None:
    up, down = [1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]
    assert agreement.spearman(up, up) == pytest.approx((1, 4))
    assert agreement.spearman(up, down) == pytest.approx((-1, 4))
    assert agreement.alpha([up, up]) == pytest.approx(1)
    opposed = agreement.alpha([up, down])
    assert opposed is not None
    assert opposed < 0


@pytest.mark.parametrize("calls", [[], [[]], [[1.0, 2.0]], [[3.0, 3.0], [3.0, 3.0]], [[1.0, None], [None, 2.0]]])
def test_agreement_that_cannot_be_told_is_none(calls: Sequence[Sequence[float | None]]) -> None:
    assert agreement.alpha(calls) is None


def test_alpha_by_hand() -> None:
    """Interval alpha of units (1, 2), (4, 4), without a lone third: 1 - D_o / D_e, D_o = 2/4, D_e = 54/12."""
    assert agreement.alpha([[1.0, 4.0, 5.0], [2.0, 4.0, None]]) == pytest.approx(1 - (2 / 4) / (54 / 12))


def test_alpha_of_verdicts_is_nominal() -> None:
    assert agreement.alpha_of_verdicts([[WON, LOST, None], [WON, LOST, WON]]) == pytest.approx(1)
    assert agreement.alpha_of_verdicts([[WON, WON], [WON, WON]]) is None


def test_length_shows() -> None:
    rated = results.rated([one for n in range(1, 6) for one in scored(candidate(f"d{n}/0", text="word " * n), n)])
    length = bias.of_ratings(rated, [], (), 0)[0]
    assert (length.name, length.n) == ("length", 5)
    assert length.value == pytest.approx(1)


def test_own_replies_are_compared_on_the_same_text_and_by_name_alone() -> None:
    found = [one for n in range(3) for one in scored(candidate(f"d{n}/0"), 5) + scored(candidate(f"d{n}/0", "n"), 3)]
    favour = bias.of_ratings(results.rated(found), found, ("M",), 0)[-1]
    assert (favour.name, favour.value, favour.n) == ("self-preference", 2.0, 3)
    stranger = bias.of_ratings(results.rated(found), found, ("x",), 0)[-1]
    assert stranger.value is None
    assert "did not write" in stranger.what
    alone = [one for one in found if one.ask.shown[0].model == "m"]
    assert "of another model" in bias.of_ratings(results.rated(alone), alone, ("m",), 0)[-1].what
    same = compared(candidate(), candidate(state="ft"), "A", "B")
    assert "of another model" in bias.of_contests(results.contests(same), same, ("m",), 0)[-1].what


def test_position_and_own_wins_show() -> None:
    found = compared(candidate(), candidate(model="n"), "A", "A", "A", "B", "tie", "tie")
    _, position, favour = bias.of_contests(results.contests(found), found, ("n",), 0)
    assert (position.value, position.n) == (0.75, 4)
    assert (favour.value, favour.n) == (-1.0, 1)


def test_bad_output_is_in_the_table() -> None:
    ask = next(iter(asks.ratings([candidate()], 1, 0)))
    value: Value = dict.fromkeys(ask.criteria, 3)
    bad = (Bad("not JSON", "a"), Bad(NO_ANSWER, ""), Bad("wrong fields", "{}"))
    table = tables.output([Judgement(ask, value, bad[:2]), Judgement(ask, None, bad)], "")
    assert dict(zip(table.columns, table.rows[0], strict=True)) == {
        "shown": "all",
        "questions": 2,
        "answers": 4,
        "without a right one": 1,
        "not JSON": 2,
        "wrong fields": 1,
        "not on the scale": 0,
        "no answer": 2,
    }


def test_every_main_table_says_what_judge_scores_are_not() -> None:
    found = scored(candidate(), 4)
    pair = compared(candidate(), candidate(model="n"), "A", "B")
    for table in (tables.scores(results.rated(found), "", 0), tables.pairs(results.contests(pair), "", 0)):
        assert "CounselBench" in table.note
        assert ".37" in table.note


def test_both_orders_of_a_call_differ_in_the_order_alone() -> None:
    one, two = asks.comparisons([(candidate(text="x"), candidate(model="n", text="y"))], 1, 0)
    assert isinstance(one, Ask)
    assert (one.seed, one.criteria) == (two.seed, two.criteria)
    assert one.question.messages[0] == two.question.messages[0]
    assert one.shown == two.shown[::-1]


def test_calls_that_show_the_same_stand_together() -> None:
    """So that a judge that keeps what it read reads it once."""
    pair = (candidate(text="x"), candidate(model="n", text="y"))
    planned = list(asks.comparisons([pair], 3, 0))
    assert [ask.shown for ask in planned] == [pair] * 3 + [pair[::-1]] * 3
    assert len({(ask.question.rubric, ask.question.material) for ask in planned}) == 2
    rated = [ask.question for ask in asks.ratings(pair, 3, 0)]
    assert len({one.rubric for one in rated}) == 1
    assert [one.material for one in rated] == [rated[0].material] * 3 + [rated[3].material] * 3


def test_calls_have_seeds_of_their_own_and_questions_no_model() -> None:
    who = candidate(model="secret-model-7")
    planned = list(asks.ratings([who], 3, 0))
    assert len({ask.seed for ask in planned}) == 3
    assert "secret-model-7" not in str([ask.question for ask in planned])


def test_pairs_are_every_two_conditions_of_a_text() -> None:
    found = [candidate("d1/0", "n"), candidate("d1/0"), candidate("d2/0"), candidate("d2/0", "n"), candidate("d3/0")]
    names = [(a.item, a.model, b.model) for a, b in material.pairs(found)]
    assert names == [("d1/0", "n", "m"), ("d2/0", "n", "m")]
    with pytest.raises(DataError, match="No two replies"):
        material.pairs(found[-1:])


@given(st.integers(1, 12), st.integers(0, 3))
def test_a_limit_keeps_whole_texts_and_grows(limit: int, seed: int) -> None:
    found = [candidate(f"d{n}/0", model) for n in range(10) for model in "mn"]
    kept = material.chosen(found, limit, seed)
    assert len(kept) == 2 * min(limit, 10)
    assert set(kept) <= set(material.chosen(found, limit + 1, seed))
