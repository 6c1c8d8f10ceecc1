"""Bytes to showable text: the same however the bytes are cut, nothing after a stop string, no half character."""

from hypothesis import given
from hypothesis import strategies as st

from tide_chat.engine.text import TextStream

STOPS = ("\nUser:", "<|end|>")


def stream(text: str, cuts: list[int], stop: tuple[str, ...] = ()) -> tuple[str, bool]:
    data, out, at = text.encode(), "", 0
    flow = TextStream(stop)
    for cut in [*sorted(cuts), len(data)]:
        out += flow.feed(data[at:cut]) if cut > at else ""
        at = max(at, cut)
    return out + flow.flush(), flow.stopped


@given(st.text(), st.lists(st.integers(0, 60), max_size=20))
def test_without_stops_it_is_the_text(text: str, cuts: list[int]) -> None:
    assert stream(text, cuts) == (text, False)


@given(st.text(alphabet="ab\n<|"), st.text(), st.sampled_from(STOPS), st.lists(st.integers(0, 60), max_size=20))
def test_nothing_follows_a_stop_string(before: str, after: str, stop: str, cuts: list[int]) -> None:
    shown, stopped = stream(before + stop + after, cuts, STOPS)
    assert stopped
    assert shown == before[: (before + stop).index(stop)]


def test_what_may_be_a_stop_string_is_held_and_then_shown() -> None:
    flow = TextStream(STOPS)
    assert flow.feed(b"hi <|e") == "hi "
    assert flow.feed(b"lse") == "<|else"


def test_half_a_character_at_the_end_is_marked() -> None:
    flow = TextStream()
    assert flow.feed("é".encode()[:1]) == ""
    assert flow.flush() == "\ufffd"
