"""Nothing that can drive a terminal passes, however the text is cut."""

import io
import itertools
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat import terminal
from tide_chat.terminal import STRING_LIMIT, Neutraliser, neutral

BIDI = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
HOSTILE = st.text(
    st.one_of(
        st.sampled_from(
            [*"\x1b\x07\x9b\x9c\x9d\x90[]P\\;m@\r\n\t0 (\x18\x00\x7f\x85", "\u202e", "\u2066", "\ud83d", "é", "👩"]
        ),
        st.characters(),
    )
)
ORDINARY = st.text(
    st.characters(exclude_categories=["Cc", "Cs"]).filter(lambda char: char not in BIDI) | st.sampled_from("\n\t")
)


def streamed(pieces: list[str]) -> str:
    neutraliser = Neutraliser()
    return "".join(map(neutraliser.feed, pieces)) + neutraliser.flush()


def harmful(char: str) -> bool:
    category = unicodedata.category(char)
    return (category in ("Cc", "Cs") and char not in "\n\t") or char in BIDI


@given(HOSTILE)
def test_nothing_harmful_is_left(text: str) -> None:
    assert [char for char in neutral(text) if harmful(char)] == []


@given(HOSTILE)
def test_a_second_pass_changes_nothing(text: str) -> None:
    assert neutral(neutral(text)) == neutral(text)


@given(ORDINARY)
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert neutral(text) == text
    assert streamed(list(text)) == text


@given(HOSTILE, st.lists(st.integers(0, 200)))
def test_any_cutting_gives_the_same(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(edges)]
    assert streamed(pieces) == neutral(text)
    assert streamed(list(text)) == neutral(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred\x1b[0m b", "ared b"),
        ("a\x9b31mred", "ared"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x9d0;title\x9cb", "ab"),
        ("a\x1bPq#0;2\n#1\x1b\\b", "ab"),
        ("a\x1b^pm\x1b\\b\x1b_apc\x1b\\c\x1bXsos\x1b\\d", "abcd"),
        ("a\x1bcb\x1b(Bc\x1b7d", "abcd"),
        ("a\x1b[12\nb", "a\nb"),
        ("a\x1b]0;cut \x18b", "ab"),
        ("pass\b\b\b\bword", "password"),
        ("a\r\nb\rc\n\rd", "a\nb\nc\n\nd"),
        ("a\x00b\x7fc\x85d", "abcd"),
        ("in\u202eside\u2069", "inside"),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 e\u0301 ❤️ שלום\u200f", "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 e\u0301 ❤️ שלום\u200f"),
        ("", ""),
    ],
)
def test_sequences(text: str, shown: str) -> None:
    assert neutral(text) == shown
    assert streamed(list(text)) == shown


def test_a_sequence_without_end_does_not_swallow_what_follows() -> None:
    assert neutral("a\x1b]I wanted\nto say this") == "aI wanted\nto say this"
    assert neutral("a\x1b]one\x1b]two\x1b[mthree") == "aonetwothree"
    assert neutral("a\x9done\x9dtwo\x9bmthree") == "aonetwothree"


def test_what_is_held_is_bounded() -> None:
    neutraliser = Neutraliser()
    assert neutraliser.feed("\x1b]" + "x" * (STRING_LIMIT - 1)) == ""
    assert neutraliser.feed("x") == "x" * STRING_LIMIT
    assert neutraliser.feed("y") == "y"


def test_a_flushed_neutraliser_starts_anew() -> None:
    neutraliser = Neutraliser()
    assert neutraliser.feed("a\x1b[3") == "a"
    assert neutraliser.flush() == ""
    assert neutraliser.feed("1m\r") == "1m\n"
    assert neutraliser.flush() == ""
    assert neutraliser.feed("\nb") == "\nb"


def test_a_hostile_paste_of_200_kb_is_read_in_linear_time() -> None:
    """Each start of a string makes the held text be read again: at most once a character."""
    reads = 0

    class Counting(Neutraliser):
        def _read_text(self, text: str, position: int) -> int:
            nonlocal reads
            reads += 1
            return super()._read_text(text, position)

    text = "\x9d\x1b]x" * 50_000
    assert Counting().feed(text) == "x" * 49_999
    assert reads < 3 * len(text)


def test_is_terminal() -> None:
    stream = io.StringIO()
    assert not terminal.is_terminal(None)
    assert not terminal.is_terminal(stream)
    stream.close()
    assert not terminal.is_terminal(stream)


@pytest.mark.parametrize(("term", "expected"), [("xterm-256color", True), ("dumb", False)])
def test_interactive_needs_a_terminal_that_moves_its_cursor(
    term: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", term)
    assert terminal.interactive() is expected
