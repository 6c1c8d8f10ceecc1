"""The table of n-grams beside the encoder: what it counts, how it is kept, and that no text or file breaks it."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.safety import ngrams
from tide_chat.safety.classifier import HEADS, NGRAMS, load_heads
from tide_chat.safety.encoder import default_folder
from tide_chat.safety.ngrams import FEW, MANY, TIERS, Ngrams, keys_of

SHIPPED = Ngrams.from_bytes((default_folder() / NGRAMS).read_bytes())
GRAVE, CALM = [-2.0, -1.0, 0.5, 1.0, 2.0], [2.0, 1.0, 0.0, -1.0, -2.0]


def table(**rows: list[float]) -> Ngrams:
    """By n-gram, whose blanks are written as underscores."""
    return ngrams.of((key, row) for name, row in rows.items() for key in keys_of(name.replace("_", " ")))


def test_words_their_neighbours_and_those_with_one_between() -> None:
    counted = ["give", "the", "dog", "away", "give the", "the dog", "dog away", "give the dog", "the dog away"]
    keys = keys_of("Give the DOG away")
    assert len(keys) == len(counted) + len(["give * dog", "the * away"])
    assert all(keys_of(word) <= keys for word in counted)


@pytest.mark.parametrize("other", ["I don't sleep.", "i dont sleep .", "I don’t sleep."])
def test_capitals_and_apostrophes_are_no_difference(other: str) -> None:
    assert keys_of(other) == keys_of("i don't sleep.")


def test_of_another_language_the_english_words_count_too() -> None:
    assert keys_of("die") <= keys_of("quiero morir")


def test_what_is_known_is_added_up_and_counts_by_how_much_is_known() -> None:
    made = ngrams.of((key, GRAVE if word == "pills" else CALM) for word in ("pills", "tea") for key in keys_of(word))
    assert made.logits("pills") == pytest.approx([weight / (1 + FEW) for weight in GRAVE], abs=made.step)
    both = [(a + b) * math.sqrt(2) / (3 + FEW) for a, b in zip(GRAVE, CALM, strict=True)]  # the pair is not known
    assert made.logits("tea pills") == pytest.approx(both, abs=made.step)
    assert made.logits("pills zzzz qqqq") == pytest.approx([weight / (7 + FEW) for weight in GRAVE], abs=made.step)


def test_of_a_long_message_they_all_together_say_less() -> None:
    made = ngrams.of((key, GRAVE) for key in keys_of("pills"))
    alone = made.logits("pills")[-1] * (1 + FEW)
    for words, share in ((MANY, 1.0), (2 * MANY, 0.5)):
        text = " ".join(["pills", *(f"z{number}" for number in range(1, words))])
        assert made.logits(text)[-1] == pytest.approx(share * alone / (len(keys_of(text)) + FEW))


@pytest.mark.parametrize("text", ["...", "?!", "…", "- * -", "¿ ?"])
def test_marks_by_themselves_are_no_ngrams(text: str) -> None:
    assert keys_of(text) == set()


def test_what_is_not_known_says_nothing() -> None:
    for text in ("", "zzzz qqqq", "🙂", "\x00"):
        assert SHIPPED.logits(text) == [0.0] * TIERS


@pytest.mark.parametrize("text", ["", "zzzz qqqq", "hm", "good morning", "..."])
def test_alone_they_raise_nothing_of_which_they_know_little(text: str) -> None:
    heads = load_heads(default_folder() / HEADS)
    (reading,) = heads.counted(text)
    assert reading.at_least(2) < heads.alone.tiers[2]


def test_the_shipped_table_knows_a_wish_to_die_from_the_shopping() -> None:
    grave, calm = SHIPPED.logits("i want to die tonight"), SHIPPED.logits("we need milk and bread from the shop")
    assert max(grave[2:]) > max(grave[:2])
    assert calm[0] == max(calm)


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    assert all(map(math.isfinite, SHIPPED.logits(text)))


WEIGHTS = st.lists(st.floats(-20, 20), min_size=TIERS, max_size=TIERS)


@given(st.dictionaries(st.integers(0, 2**32 - 1), WEIGHTS), st.floats(0.05, 1))
def test_it_is_kept_as_it_was(rows: dict[int, list[float]], share: float) -> None:
    made = ngrams.of(rows.items())
    again = Ngrams.from_bytes(made.to_bytes())
    assert again == made
    assert again.times(share).step == pytest.approx(made.step * share)
    for key, row in rows.items():
        start = made.keys.index(key) * TIERS
        kept = [weight * made.step for weight in made.weights[start : start + TIERS]]
        assert kept == pytest.approx(row, abs=made.step / 2 + 1e-9)
    assert list(made.keys) == sorted(rows)


def test_damaged_files_are_refused() -> None:
    whole = table(pills=GRAVE, tea=CALM).to_bytes()
    head = json.dumps({"ngrams": 2}).encode()
    for data in (
        b"",
        b"{",
        b"[]\n",
        head + b"\n",
        whole[:-1],
        whole + b"\x00",
        b"\xff\xfe\n",
        b'{"ngrams": -1, "step": 1}\n',
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
            Ngrams.from_bytes(data)


def test_the_shipped_table_is_in_order() -> None:
    assert list(SHIPPED.keys) == sorted(set(SHIPPED.keys))
    assert len(SHIPPED.weights) == TIERS * len(SHIPPED.keys)
