"""The gate: whole sentences, no loops, no speaking for the user, no sentence cut in half by a limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.engine.base import FinishReason
from tide_chat.safety.guard import Gate, stutters


def run(text: str, cuts: list[int] | None = None, reason: FinishReason = FinishReason.STOP) -> Gate:
    gate, at = Gate(), 0
    for cut in [*sorted(cuts or []), len(text)]:
        gate.feed(text[at:cut]) if cut > at else None
        at = max(at, cut)
    gate.flush(reason)
    return gate


def test_nothing_is_shown_before_its_sentence_is_whole() -> None:
    gate = Gate()
    assert gate.feed("That sounds hard") == ""
    assert gate.feed(". You") == "That sounds hard. "
    assert gate.feed(" are") == ""
    assert gate.flush(FinishReason.STOP) == "You are"


@pytest.mark.parametrize("reason", [FinishReason.STOP, FinishReason.CANCELLED, FinishReason.DIED])
def test_half_a_sentence_stays_where_the_user_stopped(reason: FinishReason) -> None:
    assert run("One. Two and", reason=reason).shown == "One. Two and"


def test_half_a_sentence_leaves_where_a_limit_cut_it() -> None:
    gate = run("One is here. Two and", reason=FinishReason.LENGTH)
    assert (gate.shown, gate.actions) == ("One is here. ", ["cut_sentence"])


def test_half_a_sentence_is_better_than_nothing() -> None:
    assert run("Only a beginning", reason=FinishReason.LENGTH).shown == "Only a beginning"


def test_a_repeated_sentence_ends_the_reply_at_the_last_good_one() -> None:
    gate = run("It makes sense to feel this way. You did well. It makes sense to feel this way. More.")
    assert gate.closed is FinishReason.LOOP
    assert gate.shown == "It makes sense to feel this way. You did well. "
    assert gate.actions == ["loop"]


def test_a_stutter_inside_a_sentence_ends_it() -> None:
    gate = run("I hear you and it is hard. You are not and not and not and not and not and not")
    assert gate.closed is FinishReason.LOOP
    assert gate.shown == "I hear you and it is hard. "


def test_a_reply_that_goes_on_ends_after_a_whole_sentence() -> None:
    gate = run(
        "".join(f"This is thought number {word}. " for word in "one two three four five six seven eight".split())
    )
    assert gate.closed is FinishReason.LENGTH
    assert gate.shown.endswith("number six. ")
    assert gate.actions == ["long_reply"]


def test_short_sentences_may_come_twice() -> None:
    assert run("I hear you. It was loud. I hear you.").closed is None


@pytest.mark.parametrize("leak", ["User: I am sad.", "\nAssistant: Hello.", "Human: and then?"])
def test_speaking_for_the_user_ends_the_reply(leak: str) -> None:
    gate = run(f"I am with you. {leak}")
    assert gate.shown.strip() == "I am with you."
    assert gate.actions == ["role_leak"]


@given(
    st.lists(
        st.sampled_from(["That was hard. ", "You stayed with it.\n", "And so? ", "one two ", "User: no. "]), max_size=12
    ),
    st.lists(st.integers(0, 150), max_size=30),
)
def test_the_cuts_do_not_matter(pieces: list[str], cuts: list[int]) -> None:
    text = "".join(pieces)
    one, other = run(text), run(text, cuts)
    assert (one.shown, one.closed, one.actions) == (other.shown, other.closed, other.actions)


@given(st.text(max_size=300))
def test_what_is_shown_is_a_prefix(text: str) -> None:
    gate = run(text)
    assert text.startswith(gate.shown) or gate.held  # where something was held back, authored words stand


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no no no no", True),
        ("and I and I and I and I", True),
        ("no no no", False),
        ("I walk and I run and I rest", False),
        ("", False),
    ],
)
def test_stutters(text: str, *, expected: bool) -> None:
    assert stutters(text) is expected
