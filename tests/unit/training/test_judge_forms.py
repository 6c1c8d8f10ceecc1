"""Answers of a known form: what is left open, and how it is drawn."""

import json
import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from training.evaluation.judge import forms, parse, rubric

CRITERIA = ("fit", "warmth", "genuineness")


def drawn(options: list[list[int]], wanted: dict[int, float], seed: int = 0) -> tuple[int, int]:
    """With the logits `wanted` of tokens, 0 for others."""

    def logits(read: list[int], tokens: Sequence[int]) -> list[float]:
        return [wanted.get(token, 0.0) for token in tokens]

    return forms.chosen(options, logits, random.Random(seed), 1.0)


@given(st.lists(st.integers(0, 4), min_size=3, max_size=3), st.permutations(CRITERIA))
def test_what_is_put_together_is_a_right_answer(picked: list[int], criteria: list[str]) -> None:
    schema = rubric.rating(("I feel low.",), "I am here.", criteria).schema
    text = "".join(first + values[one] for (first, values), one in zip(forms.parts(schema), picked, strict=True))
    assert parse.scores(text + forms.CLOSE, criteria) == {
        name: 1 + one for name, one in zip(criteria, picked, strict=True)
    }


def test_a_verdict_has_one_part() -> None:
    schema = rubric.comparison(("I feel low.",), "x", "y", CRITERIA).schema
    ((first, values),) = forms.parts(schema)
    assert [parse.verdict(first + value + forms.CLOSE) for value in values] == list(rubric.VERDICTS)


def test_only_what_differs_is_asked_for() -> None:
    asked = []

    def logits(read: list[int], tokens: Sequence[int]) -> list[float]:
        asked.append((read, list(tokens)))
        return [0.0 if token != 9 else 50.0 for token in tokens]

    options = [[1, 2, 5, 3], [1, 2, 9, 4], [1, 2, 9, 7, 7]]
    index, read = forms.chosen(options, logits, random.Random(0), 1.0)
    assert asked == [([1, 2], [5, 9]), ([9], [4, 7])]
    assert (index in (1, 2), read) == (True, 3)
    assert forms.chosen([[1, 2]], logits, random.Random(0), 1.0) == (0, 0)


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=6, unique_by=tuple), st.data()
)
def test_the_likeliest_tokens_lead_to_their_option(options: list[list[int]], data: st.DataObject) -> None:
    """Tokens of an option at place p are p * 10 + token, so that logits can want one path."""
    placed = [[10 * place + token for place, token in enumerate(one)] for one in options]
    wanted = data.draw(st.integers(0, len(placed) - 1))
    index, read = drawn(placed, dict.fromkeys(placed[wanted], 500.0))
    assert index == wanted
    assert 0 <= read < 4


def test_draws_follow_the_softmax() -> None:
    counts = [0, 0]
    for seed in range(4000):
        counts[drawn([[1], [2]], {1: 0.0, 2: 1.0986}, seed)[0]] += 1
    assert 0.72 < counts[1] / 4000 < 0.78  # e^1.0986 is 3, so three in four


def test_huge_and_tiny_logits_overflow_nothing() -> None:
    assert drawn([[1], [2]], {1: 1e6, 2: -1e6})[0] == 0


def test_the_same_seed_draws_the_same() -> None:
    options = [[n] for n in range(5)]
    assert [drawn(options, {}, seed) for seed in range(20)] == [drawn(options, {}, seed) for seed in range(20)]
    assert len({drawn(options, {}, seed)[0] for seed in range(60)}) == 5


def test_values_are_json() -> None:
    schema = {"properties": {'a"b': {"enum": ['x"', 1]}}}
    ((first, values),) = forms.parts(schema)
    assert [json.loads(first + value + forms.CLOSE) for value in values] == [{'a"b': 'x"'}, {'a"b': 1}]
