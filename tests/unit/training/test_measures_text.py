"""Sentences, and every line of the patterns against its two texts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.errors import DataError
from training.evaluation.measures import text
from training.evaluation.measures.text import Pattern


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        ("One. Two? Three!", ("One.", "Two?", "Three!")),
        ("He said “no.” Then he left…", ("He said “no.”", "Then he left…")),
        ("A line\nanother line", ("A line", "another line")),
        ("7.30 is early", ("7.30 is early",)),
        ("... !", ()),
        ("", ()),
    ],
)
def test_sentences(given_text: str, wanted: tuple[str, ...]) -> None:
    assert text.sentences(given_text) == wanted


@given(st.text())
def test_sentences_keep_every_word_in_order(given_text: str) -> None:
    joined = " ".join(text.sentences(given_text))
    assert text.words(joined) == text.words(given_text)


@pytest.mark.parametrize(
    "pattern",
    [one for found in text.patterns().values() for one in found],
    ids=lambda one: f"{one.list}-{one.yes[:30]}",
)
def test_each_pattern_is_held_to_its_texts(pattern: Pattern) -> None:
    assert pattern.regex.search(pattern.yes)
    assert not pattern.regex.search(pattern.no)


def test_curly_apostrophes_count_as_straight_ones() -> None:
    assert text.has("reaction_weak", "I’m sorry to hear that.")


@pytest.mark.parametrize("line", ["advice\t(\ta\tb", "advice\tonly three\tcells"])
def test_a_broken_line_is_an_error(line: str, tmp_path: Path) -> None:
    path = tmp_path / "patterns.tsv"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match="patterns"):
        text.patterns(path)
