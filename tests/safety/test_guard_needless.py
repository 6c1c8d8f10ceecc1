"""What the gate leaves out although nothing is wrong with it: what was said before, and one question too many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.engine.base import FinishReason
from tide_chat.safety.guard import Gate

EARLIER = ("It is hard to sleep after such a day. You could put both feet on the floor and count to ten.",)


def through(gate: Gate, text: str, size: int = 7) -> str:
    shown = "".join(gate.feed(text[i : i + size]) for i in range(0, len(text), size))
    return shown + gate.flush(FinishReason.STOP)


@pytest.mark.parametrize("size", [1, 7, 500])
def test_advice_of_an_earlier_reply_is_not_given_again(size: int) -> None:
    gate = Gate(said=EARLIER)
    text = "That noise was loud. You could put both feet on the floor, and count to ten. The night is yours."
    assert through(gate, text, size) == "That noise was loud. The night is yours."
    assert gate.actions == ["said_before"]


def test_nearly_the_same_words_are_enough_and_other_words_pass() -> None:
    other = "Yes. You could put both your feet on the floor and count to ten."
    assert through(Gate(said=EARLIER), other) == other
    assert through(Gate(said=EARLIER), "Yes. Well, you could put both feet on the floor and count to ten.") == "Yes. "


def test_a_few_words_may_come_again() -> None:
    assert through(Gate(said=("I hear you. It hurts.",)), "I hear you. It is late.") == "I hear you. It is late."


def test_a_question_too_many_is_left_out() -> None:
    gate = Gate(questions=False)
    assert (
        through(gate, "That was a long night. What would help now? It is over.") == "That was a long night. It is over."
    )
    assert gate.actions == ["one_question_too_many"]


def test_a_reply_that_would_be_empty_is_said_all_the_same() -> None:
    gate = Gate(said=EARLIER)
    assert through(gate, EARLIER[0]) == "It is hard to sleep after such a day. "
    assert gate.shown
    assert through(Gate(questions=False), "What would help now?") == "What would help now?"


def test_nothing_is_added_where_the_user_stopped() -> None:
    gate = Gate(questions=False)
    gate.feed("What would help now? ")
    assert gate.flush(FinishReason.CANCELLED) == ""


def test_what_must_not_be_said_is_replaced_and_not_only_left_out() -> None:
    grave = "You should kill yourself."
    gate = Gate(said=(grave,), questions=False)
    assert grave not in through(gate, grave)
    assert gate.held


def test_a_short_reply_ends_after_its_sentences() -> None:
    gate = Gate(most=2)
    assert through(gate, "One is here now. Two is here now. Three is here now.") == "One is here now. Two is here now. "
    assert gate.closed is FinishReason.LENGTH


@given(
    st.lists(st.sampled_from(["It hurts a lot today.", "You could rest a while now.", "What is it like?"]), min_size=1)
)
def test_something_is_always_shown(sentences: list[str]) -> None:
    assert through(Gate(said=[" ".join(sentences)], questions=False), " ".join(sentences)).strip()
