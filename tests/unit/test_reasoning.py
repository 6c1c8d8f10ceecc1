"""Reasoning text never reaches the reply, however it is cut."""

from hypothesis import given
from hypothesis import strategies as st

from tide_chat.reasoning import ReasoningFilter


def run(text: str, cuts: list[int], *, inside: bool = False) -> str:
    filter_, out, at = ReasoningFilter(inside=inside), "", 0
    for cut in [*sorted(cuts), len(text)]:
        out += filter_.feed(text[at:cut]) if cut > at else ""
        at = max(at, cut)
    return out + filter_.flush()


CUTS = st.lists(st.integers(0, 80), max_size=30)
PLAIN = st.text(alphabet="abc <>/think\n", max_size=20).filter(lambda t: "<think>" not in t and "</think>" not in t)


@given(PLAIN, PLAIN, PLAIN, CUTS)
def test_only_what_stands_outside_is_shown(before: str, thought: str, after: str, cuts: list[int]) -> None:
    text = f"{before}<think>{thought}</think>{after}"
    assert run(text, cuts) == run(text, [])
    if "<" not in before + after:
        assert run(text, cuts) == before + after


@given(st.text(alphabet="ab <", max_size=20), st.text(alphabet="ab ", max_size=20), CUTS)
def test_a_block_that_the_prompt_opened_is_closed_by_the_model(thought: str, after: str, cuts: list[int]) -> None:
    assert run(f"{thought}</think>{after}", cuts, inside=True) == after


@given(st.text(alphabet="ab </thin", max_size=30).filter(lambda t: "</think>" not in t), CUTS)
def test_reasoning_that_never_ends_is_never_shown(thought: str, cuts: list[int]) -> None:
    assert run(thought, cuts, inside=True) == ""


@given(st.text(alphabet="ab <th", max_size=30), CUTS)
def test_text_without_tags_is_unchanged(text: str, cuts: list[int]) -> None:
    if "<think>" not in text:
        assert run(text, cuts) == text
