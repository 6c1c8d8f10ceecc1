"""The index may name too many phrases and never one too few: what it leaves out is not searched for."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tide_chat.safety.index import Index
from tide_chat.safety.lexicon import Table, load
from tide_chat.safety.normalize import fold
from tide_chat.safety.phrases import Compiler

LEXICON = load()
TABLES = {"statements": LEXICON.statements, "cues": LEXICON.cues, "frames": LEXICON.frames}
WORDS = sorted({word for e in LEXICON.statements for word in re.findall(r"[a-z0-9']+", e.pattern)})
RUNS = sorted({run for e in LEXICON.statements for run in re.findall(r"[a-z0-9' ]{6,}", e.pattern)})
TEXTS = st.lists(st.sampled_from(RUNS) | st.sampled_from(WORDS), max_size=12).map(" ".join)


@pytest.mark.parametrize("name", TABLES)
@settings(max_examples=40, deadline=None)
@given(text=TEXTS)
def test_what_matches_is_named(name: str, text: str) -> None:
    table: Table = TABLES[name]
    folded = fold(text, LEXICON.spellings, LEXICON.vocabulary)
    matching = [entry for entry in table if entry.phrase.regex.search(folded)]
    named = list(table.among(folded.split()))
    assert [entry for entry in named if entry in matching] == matching


def named(pattern: str, text: str) -> bool:
    return Index([Compiler({"when": "now|soon"}, {}).phrase(pattern).ways]).among(text.split()) == [0]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("want to die", "to die i want"),
        ("(kill|hurt) myself", "myself hurt"),
        ("cut* myself", "cutting myself"),
        ("[really] tired", "tired"),
        ("(goodbye all|end it) {when}", "soon it will end"),
        ("_ # ..", ""),
    ],
)
def test_words_in_any_order_meet_a_phrase(pattern: str, text: str) -> None:
    assert named(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("want to die", "want to diet"),
        ("(kill|hurt) myself", "skill myself"),
        ("(goodbye all|end it) {when}", "goodbye it is now"),
        ("cut* myself", "myself"),
    ],
)
def test_a_word_too_few_meets_none(pattern: str, text: str) -> None:
    assert not named(pattern, text)
