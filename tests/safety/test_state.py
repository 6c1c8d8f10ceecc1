"""Risk over turns: it goes up at once, comes down slowly, and a denial softens nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.safety.assessment import Assessment, Tier
from tide_chat.safety.router import assess
from tide_chat.safety.state import ANSWERED, CLEAR_TURNS, HELD, HELD_UNCLEAR, RiskState, held_turn

CLEAR = "the garden is quiet and I made soup today"
T0, T1, T2, T3, T4 = Tier


def after(*turns: str) -> tuple[Assessment, RiskState]:
    state, assessment = RiskState(), Assessment()
    for turn in turns:
        assessment = assess(turn, state)
        state = state.after(assessment)
    return assessment, state


def test_a_new_conversation_is_assessed_as_it_is() -> None:
    assert assess(CLEAR, RiskState()).tier is assess(CLEAR).tier


def test_what_was_said_stays_said() -> None:
    assessment, _ = after("I want to kill myself", CLEAR)
    assert assessment.tier is T3
    assert HELD in {reason.rule for reason in assessment.reasons}


def test_it_comes_down_one_step_after_several_clear_turns() -> None:
    assert after("I want to kill myself", *[CLEAR] * CLEAR_TURNS)[1].tier is T2
    assert after("I want to kill myself", *[CLEAR] * (CLEAR_TURNS - 1))[1].tier is T3
    assert after("I want to kill myself", *[CLEAR] * 2 * CLEAR_TURNS)[1].tier is T1


def test_a_grave_turn_starts_the_count_anew() -> None:
    _, state = after("I want to kill myself", CLEAR, CLEAR, "everyone would be better off without me", CLEAR, CLEAR)
    assert state.tier is T3
    assert state.clear_turns == 2


@pytest.mark.parametrize(
    "denial",
    [
        "just kidding, it was nothing at all",
        "I'm fine, forget I said it",
        "never mind what I wrote before",
        "ok",
        "lol",
    ],
)
def test_a_denial_or_a_mere_word_is_no_clear_turn(denial: str) -> None:
    assessment, state = after("I want to kill myself", *[denial] * 5)
    assert state.tier is T3
    assert state.clear_turns == 0
    assert HELD_UNCLEAR in {reason.rule for reason in assessment.reasons}


def test_yes_to_the_question_of_t2_is_an_answer() -> None:
    assessment, _ = after("I wish I was dead", "yes")
    assert assessment.tier is T3
    assert ANSWERED in {reason.rule for reason in assessment.reasons}


def test_no_to_are_you_safe_is_an_answer() -> None:
    assert after("I want to kill myself", "no")[0].tier is T4
    assert after("I want to kill myself", "not really")[0].tier is T4


def test_yes_to_are_you_safe_changes_nothing() -> None:
    assert after("I want to kill myself", "yes")[0].tier is T3


def test_yes_and_no_mean_nothing_when_nothing_was_asked() -> None:
    assert after("good morning", "yes")[0].tier is T0
    assert after("I wish I was dead", CLEAR, "yes")[0].tier is T2


def test_held_turns_are_counted_for_the_reply() -> None:
    assert held_turn(after("I want to kill myself", CLEAR)[0]) == 1
    assert held_turn(after("I want to kill myself", CLEAR, CLEAR)[0]) == 2
    assert held_turn(assess("I want to kill myself")) is None


def test_t1_is_not_held() -> None:
    assert after("I had a flashback and cannot stop crying", CLEAR)[0].tier is T0


@given(
    st.lists(
        st.sampled_from(["I want to die", "I want to kill myself", CLEAR, "ok", "I was joking", "yes", "no"]),
        max_size=12,
    )
)
def test_a_turn_never_comes_out_lower_than_alone_and_the_state_falls_one_step_at_most(turns: list[str]) -> None:
    state = RiskState()
    for turn in turns:
        assessment = assess(turn, state)
        assert assessment.tier >= assess(turn).tier
        new = state.after(assessment)
        assert new.tier >= state.tier - 1
        state = new
