"""What holds for any text: reading it twice changes nothing, the map stays inside and in order, work is bounded."""

import json
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tide_chat.safety import words
from tide_chat.safety.lexicon import load
from tide_chat.safety.normalize import fold, readable, trace
from training.evaluation.safety.transforms import TRANSFORMS

LEXICON = load()
RISK = Path(__file__).parents[2] / "training" / "data_files" / "risk"
SIGNS = "abdeiklmnostuwy '’.,!?|*#1034$@+-_/\\()&;<>%=🔪💀é\u0301\u200bкаіϲ🇰ｋ𝐤\n\t²½ßİŀ"
PIECES = (
    "i want to die kill myself k1ll s*icide k.i.l.l eid tnaw ot i'm | . ! zzzzz w a n t # d* b4 2 &amp; <b> %20 "
    "aSB3YW50 69 77 |)."
).split()
TEXTS = st.one_of(
    st.text(max_size=120),
    st.text(alphabet=SIGNS, max_size=50),
    st.lists(st.sampled_from(PIECES), max_size=20).map(" ".join),
)


def plain_texts() -> list[str]:
    """T0 lines in English that are no disguise."""
    lines = [
        json.loads(line) for name in "abcd" for line in (RISK / f"train-{name}.jsonl").read_text("utf-8").splitlines()
    ]
    return [row["text"] for row in lines if row["tier"] == "T0" and row["kind"] in ("benign", "plain", "idiom")]


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_reading_what_was_read_changes_nothing(text: str) -> None:
    once = readable(text)
    assert readable(once) == once
    assert "\n" not in once


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_folding_what_was_folded_changes_nothing(text: str) -> None:
    once = fold(text, LEXICON.spellings, LEXICON.vocabulary)
    assert fold(once, LEXICON.spellings, LEXICON.vocabulary) == once


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_the_map_stays_inside_and_in_order(text: str) -> None:
    folded = trace(text, LEXICON.spellings, LEXICON.vocabulary)
    spans = [folded.original(at, at + 1) for at in range(len(folded.text))]
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_laws_hold_for_disguised_texts(name: str) -> None:
    for number, text in enumerate(plain_texts()[:25]):
        written = TRANSFORMS[name](text, random.Random(number))
        once = readable(written)
        assert readable(once) == once
        folded = trace(written, LEXICON.spellings, LEXICON.vocabulary)
        assert 0 <= folded.original(0, len(folded.text))[1] <= len(written)


def test_ordinary_texts_are_left_alone() -> None:
    texts = [" ".join(text.replace("’", "'").split()) for text in plain_texts() if text.isascii() or "’" in text]
    changed = [text for text in texts if readable(text) != text and text.isascii()]
    assert len(changed) <= 0.02 * len(texts), changed


def test_ordinary_words_beside_words_of_the_rules_are_known() -> None:
    known = words.load()
    for word in "heroic hearse cornet rust heck evil dearth soot tough kilter poisson skilled hang hung dice".split():
        assert readable(f"the {word} was there") == f"the {word} was there"
    assert known.knows("suicide")


def test_with_the_lists_gone_characters_are_still_made_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = words.read([], [])
    assert nothing.best(["kill"]) is None
    assert nothing.segmented("kill") is None
    assert nothing.corrected("suicdie") is None


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "\u200b" * 100_000,
        "\x00\x01\xff" * 30_000,
        "🙂" * 30_000,
        "k i l l " * 2_500,
        "i" + "\u0301" * 100_000,
        "iwanttodie" * 2_000,
        "k1ll mys3lf " * 1_500,
        "*" * 100_000,
        "суісіdе " * 2_000,
        "%20" * 7_000,
        " " * 100_000 + "a",
        "a_" * 10_000,
        "&amp;" * 5_000,
        "<a" * 20_000,
        "eid ot tnaw i " * 1_500,
    ],
    ids=range(16),
)
def test_absurd_input_takes_bounded_time(text: str) -> None:
    started = time.thread_time()
    readable(text)
    assert time.thread_time() - started < 5  # a bound for machines that are busy; usually some 50 ms
