"""The fast way to all nearly equal texts finds exactly what comparing each with each finds."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from training.data import near

WORDS = st.lists(st.sampled_from("a b c d".split()), max_size=9).map(" ".join)


@given(st.lists(WORDS, max_size=12), st.sampled_from([0.3, 0.5, 0.6, 0.7, 0.9, 1.0]))
def test_no_pair_is_missed_and_none_is_invented(texts: list[str], alike: float) -> None:
    sets = [near.shingles(text) for text in texts]
    slow = {
        (a, b) for a, b in combinations(range(len(texts)), 2) if sets[a] and near.jaccard(sets[a], sets[b]) >= alike
    }
    found = list(near.pairs(texts, alike))
    assert len(found) == len(set(found))
    assert set(found) == slow


def test_one_word_in_ten_may_differ_and_marks_and_case_do_not_count() -> None:
    text = "The noise in the shop made me drop my basket, and I ran."
    texts = [
        text,
        text.upper().replace(",", " -"),
        text.replace("shop", "store"),
        "The noise of the fair made him drop a bag, and I hid.",
    ]
    assert list(near.pairs(texts)) == [(0, 1), (0, 2), (1, 2)]


def test_texts_of_one_word_and_of_none() -> None:
    assert list(near.pairs(["", "yes", "no", "Yes!", "…"])) == [(1, 3)]


def test_progress_is_told() -> None:
    said: list[tuple[int, int]] = []
    list(near.pairs(["a b"] * 201, say=lambda done, whole: said.append((done, whole))))
    assert said == [(0, 201), (200, 201)]
