"""Risk over turns: it goes up at once, comes down slowly, and what is said in pieces is read together."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tide_chat.safety.assessment import Assessment, Flag, Tier
from tide_chat.safety.router import assess
from tide_chat.safety.sayings import meets_again, says_no
from tide_chat.safety.state import (
    ANSWERED,
    CLEAR_TURNS,
    HEAVY_TURNS,
    HELD,
    HELD_AFRESH,
    HELD_UNCLEAR,
    TOGETHER,
    WINDOW,
    RiskState,
    held_turn,
    mentions_lines,
    over_turns,
    wish_in,
)

CLEAR = "the garden is quiet and I made soup today"
T0, T1, T2, T3, T4 = Tier


def after(*turns: str) -> tuple[Assessment, RiskState]:
    state, assessment = RiskState(), Assessment()
    for turn in turns:
        assessment = assess(turn, state)
        state = state.after(assessment, turn)
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
    assert {HELD_UNCLEAR, HELD_AFRESH} & {reason.rule for reason in assessment.reasons}


def test_a_denial_begins_the_count_anew_and_a_mere_word_does_not() -> None:
    assert after("I want to kill myself", CLEAR, CLEAR, "ok")[1].clear_turns == 2
    assert after("I want to kill myself", CLEAR, CLEAR, "just kidding about all that")[1].clear_turns == 0


def test_a_heavy_turn_does_not_count_and_takes_nothing_away() -> None:
    assert after("I want to kill myself", CLEAR, "I had a flashback and cannot stop crying")[1].clear_turns == 1


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


def test_an_evasion_leaves_the_question_of_t2_open() -> None:
    assert after("I wish I was dead", "why do you ask", "yes")[0].tier is T3


@pytest.mark.parametrize("offer", ["yes please", "yes, let's do that", "sure, go ahead"])
def test_taking_an_offer_answers_nothing(offer: str) -> None:
    assert after("I wish I was dead", offer)[0].tier is T2


def test_what_is_said_in_pieces_is_read_together() -> None:
    assessment, _ = after("i want", "to die")
    assert assessment.tier is T2
    assert next(reason for reason in assessment.reasons if reason.rule == TOGETHER).words == "i want / to die"


def test_the_window_is_short_and_emptied_on_the_way_down() -> None:
    assert len(after(*["a word about the weather"] * 9)[1].said) == WINDOW - 1
    assert after("I want to kill myself", *[CLEAR] * CLEAR_TURNS)[1].said == ()


@pytest.mark.parametrize(
    ("turns", "marked"), [(("i want", "to die"), ["to die"]), (("i feel like a burden", "people stared at me"), [])]
)
def test_what_is_marked_stands_in_the_newest_message(turns: tuple[str, str], marked: list[str]) -> None:
    found, _ = after(*turns)
    spans = [reason.span for reason in found.reasons if reason.span]
    assert [turns[-1][start:end] for start, end in spans] == marked


def test_long_messages_are_no_pieces() -> None:
    assert after("i want " + "very much to see the sea again " * 5, "to die for that ice cream")[0].tier is T0


def test_several_messages_are_judged_firmly() -> None:
    asked: list[tuple[str, bool]] = []

    def judge(text: str, *, firm: bool = False) -> Assessment:
        asked.append((text, firm))
        return Assessment()

    state = RiskState().after(over_turns(judge, "first. of all", RiskState()), "first. of all")
    over_turns(judge, "second", state)
    assert asked == [("first. of all", False), ("second", False), ("first. of all second", True)]


def test_a_question_about_a_way_counts_after_a_statement_only() -> None:
    assert after("how do you boil an egg", "how long does it take")[0].tier is T0
    assessment, _ = after("I wish I was dead", "how long does it take")
    assert (assessment.tier, assessment.flags) == (T3, (Flag.METHOD_SEEKING,))
    assert after("I wish I was dead", CLEAR, "how long does it take")[0].tier is T2


def test_meaning_it_goes_back_to_the_gravest() -> None:
    turns = ("I want to kill myself", *[CLEAR] * 2 * CLEAR_TURNS)
    assert after(*turns)[1].tier is T1
    assert after(*turns, "I still mean what I said")[0].tier is T3


def test_t4_stays_without_a_step_to_safety() -> None:
    assert after("I took all my tablets", *[CLEAR] * 9)[1].tier is T4


def test_t4_comes_down_after_a_step_and_clear_turns() -> None:
    turns = ("I took all my tablets", "the ambulance is here", *[CLEAR] * CLEAR_TURNS)
    assert after(*turns)[1].tier is T3
    assert after(*turns[:-1])[1].tier is T4


@pytest.mark.parametrize(
    "none",
    ["I nearly put it away", "I'll put it away later", "I called them but nobody answered", "is my sister here?"],
)
def test_what_was_not_done_is_no_step(none: str) -> None:
    assert not after("I took all my tablets", none)[1].step


def test_a_new_act_takes_the_step_back() -> None:
    assert not after("I took all my tablets", "the ambulance is here", "I took all the tablets")[1].step


def test_an_age_told_early_comes_with_each_grave_message() -> None:
    assert Flag.MINOR in after("I am 15 years old", CLEAR, CLEAR, CLEAR, CLEAR, "I want to kill myself")[0].flags
    assert Flag.MINOR not in after("I am 15 years old", CLEAR)[0].flags


def test_repetition_mentions_the_lines_once_and_raises_nothing() -> None:
    heavy = "I had a flashback and cannot stop crying"
    assert [mentions_lines(after(*[heavy] * n)[0]) for n in range(1, 8)] == [n == HEAVY_TURNS for n in range(1, 8)]
    assert after(*[heavy] * 8)[0].tier is T1


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.sampled_from(
            [
                "I want to die",
                "I want to kill myself",
                "I took all my tablets",
                "the ambulance is here",
                "my friend wants to die",
                "it's me",
                "how long does it take",
                CLEAR,
                "ok",
                "I was joking",
                "I still mean it",
                "yes",
                "no",
            ]
        ),
        max_size=12,
    )
)
def test_a_turn_never_comes_out_lower_than_alone_and_the_state_falls_one_step_at_most(turns: list[str]) -> None:
    state = RiskState()
    for turn in turns:
        assessment = assess(turn, state)
        assert assessment.tier >= assess(turn).tier
        new = state.after(assessment, turn)
        assert new.tier >= state.tier - 1
        state = new


@pytest.mark.parametrize(
    "said",
    [
        "please no breathing exercise, it makes it worse",
        "I don't want a grounding exercise",
        "I do not want to make a safety plan",
        "I cried at the first sentence of her letter",
        "no quiero un ejercicio de respiración",
    ],
)
def test_an_offer_that_is_refused_is_not_given(said: str) -> None:
    assert wish_in(said) is None


@pytest.mark.parametrize("said", ["creo que no", "la verdad no", "me parece que no", "no estoy seguro de eso"])
def test_a_spanish_no_to_whether_one_is_safe_is_a_no(said: str) -> None:
    assert says_no(said)


@pytest.mark.parametrize(
    "text",
    [
        "yes, the pills are here",
        "the knife is on the table",
        "ja, die Tabletten liegen hier",
        "sí, las pastillas están aquí",
        "les médicaments sont là, à côté de moi",
        "os comprimidos estão aqui",
        "le pastiglie sono qui",
        "obatnya ada di sini",
        "goliyan yahan hain",
    ],
)
def test_means_at_hand_after_something_grave_is_now(text: str) -> None:
    grave = RiskState().after(assess("i want to kill myself", None), "i want to kill myself")
    assert assess(text, grave).tier is Tier.T4
    assert assess(text, RiskState()).tier < Tier.T4


@pytest.mark.parametrize(
    "text",
    ["the pills are not here", "my wife has the pills", "die Tabletten sind weg", "the dog is here", "i am here"],
)
def test_means_out_of_reach_are_not(text: str) -> None:
    grave = RiskState().after(assess("i want to kill myself", None), "i want to kill myself")
    assert assess(text, grave).tier is Tier.T3


@pytest.mark.parametrize(
    ("text", "meets"),
    [
        ("thanks for listening. see you thursday", True),
        ("see u next week", True),
        ("see you soon", False),
        ("see you on the other side", False),
        ("see you sunday and then never again", False),
        (f"{'a long evening and ' * 4} then goodbye, see you sunday", False),
    ],
)
def test_only_a_named_day_is_an_appointment(text: str, meets: bool) -> None:
    assert meets_again(text) is meets
