"""What a model is told so that a reply fits: profile, situation, pace, and what was carried over."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tide_chat.engine.base import Cancel, EngineInfo
from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.errors import TideError
from tide_chat.events import Done, Notice, TextDelta, TurnResult
from tide_chat.fit import added
from tide_chat.messages import Conversation
from tide_chat.pace import NO_QUESTION
from tide_chat.profile import Profile, Style, written_for
from tide_chat.prompt import system_text
from tide_chat.safety.assessment import Assessment, Tier
from tide_chat.safety.state import RiskState
from tide_chat.scenario import SURE, find
from tide_chat.turn import EMPTY, Companion

PANIC = {"panic_public": SURE}


def assessed(chances: dict[str, float], tier: Tier = Tier.T0) -> Callable[[str, RiskState | None], Assessment]:
    return lambda text, state: Assessment(tier, scenarios=chances)


def companion(*replies: str, **options: object) -> Companion:
    return Companion(ScriptedEngine(replies), system="Be kind.", country="US", **options)  # type: ignore[arg-type]


def told(one: Companion, text: str = "The bus was full.") -> TurnResult:
    done = list(one.reply(text))[-1]
    assert isinstance(done, Done)
    return done.result


def test_a_sure_situation_stands_behind_the_newest_message_alone() -> None:
    one = companion("Yes.", "No.", assess=assessed(PANIC))
    first = told(one)
    panic = find(PANIC)
    assert panic
    assert (first.scenario, first.guidance) == ("panic", panic.text)
    assert f"The bus was full.\n\n[{panic.text}]<|im_end|>" in one.last_prompt
    told(one, "And hot.")
    assert one.last_prompt.count(panic.text) == 1
    assert one.conversation.messages[0].text == "The bus was full."


def test_nothing_is_told_where_the_encoder_is_not_sure_or_was_not_there() -> None:
    unsure: list[dict[str, float]] = [{}, {"panic_public": 0.5}]
    for chances in unsure:
        found = told(companion("Yes.", assess=assessed(chances)))
        assert (found.scenario, found.guidance) == ("", "")


def test_from_t2_on_the_situation_is_known_and_not_spoken_of() -> None:
    found = told(companion("Yes.", assess=assessed(PANIC, Tier.T2)))
    assert (found.scenario, found.guidance) == ("panic", "")


def test_from_t2_on_a_question_is_never_taken_out() -> None:
    asks = "That is a lot of pain. Are you thinking of ending your life?"
    for tier, shown in ((Tier.T1, "That is a lot of pain."), (Tier.T2, asks)):
        one = companion("How was it?", "And then?", asks, assess=assessed({}, tier))
        told(one), told(one, "Loud.")
        found = told(one, "I do not know.")
        assert found.reply.strip() == shown
        assert (found.guidance == "") is (tier is Tier.T2)


def test_guidance_can_be_left_out() -> None:
    found = told(companion("Yes.", assess=assessed(PANIC), guided=False))
    assert (found.scenario, found.guidance) == ("panic", "")


def test_a_profile_holds_from_the_next_message_on() -> None:
    one = companion("Yes.", "Yes, and more. Two. Three.")
    told(one)
    before = one.last_prompt
    one.profile = Profile(Style.BRIEF, "Sam")
    result = told(one)
    assert "Call them" not in before
    assert "Call them Sam." in one.last_prompt.split("<|im_end|>")[0]
    assert result.reply == "Yes, and more. Two."


LAKE = Profile(topics=("the lake", "my brothers"))
OPENS_IT = "That sounds hard. Does the lake come to mind? It was a long day."


def test_a_topic_that_is_not_to_be_brought_up_is_left_out() -> None:
    one = companion(OPENS_IT, profile=LAKE)
    found = told(one)
    assert found.reply == "That sounds hard. It was a long day."
    assert found.guard == ("unwanted_topic",)
    assert told(companion(OPENS_IT)).reply == OPENS_IT


def test_what_the_person_has_named_may_be_taken_up() -> None:
    assert told(companion(OPENS_IT, profile=LAKE), "We drove to the lakes.").reply == OPENS_IT


def test_a_reply_of_nothing_else_is_none() -> None:
    one = companion("Does the lake come to mind?", profile=LAKE)
    events = list(one.reply("It was loud."))
    assert EMPTY in [event.text for event in events if isinstance(event, Notice)]
    assert not [event for event in events if isinstance(event, TextDelta) and "lake" in event.text]


def test_from_t2_on_nothing_is_left_out_for_its_topic() -> None:
    asks = "Are you thinking of ending your life?"
    one = companion(asks, profile=Profile(topics=("ending", "life")), assess=assessed({}, Tier.T2))
    assert told(one).reply == asks


def test_a_written_line_brings_no_topic_up_either() -> None:
    lines = written_for(Style.LAYERED, "depression")
    topic = Profile(Style.LAYERED, topics=("water",))
    assert "water" in lines[0]
    assert added(topic, "depression", Conversation().user("It is all grey."))[1] == lines[1]


@pytest.mark.parametrize(
    ("profile", "carried", "private"),
    [
        (Profile(), "", False),
        (Profile(Style.LAYERED), "", False),
        (Profile(name="Sam"), "", True),
        (Profile(topics=("the lake",)), "", True),
        (Profile(), "Their sister is Ada.", True),
    ],
)
def test_words_of_the_person_make_the_prefix_private(profile: Profile, carried: str, private: bool) -> None:
    engine = ScriptedEngine(["Yes."])
    one = Companion(engine, profile=profile)
    one.carried = lambda: carried
    told(one)
    prefix = engine.prompts[-1].spans[0]
    assert prefix.private is private
    assert one.prefix(engine.info()).spans[0] == prefix
    assert carried in prefix.text


def test_a_history_that_cannot_be_read_costs_no_reply() -> None:
    def broken() -> str:
        raise TideError("locked")

    one = companion("Yes.")
    one.carried = broken
    assert told(one).reply == "Yes."


def test_after_two_questions_the_third_is_left_out_and_the_model_is_told() -> None:
    one = companion("It hurts. What now?", "It does. And then?", "It was loud. Where were you? It is over.")
    assert [told(one).guidance for _ in range(2)] == ["", ""]
    third = told(one)
    assert third.guidance == NO_QUESTION
    assert third.reply == "It was loud. It is over."
    assert third.guard == ("one_question_too_many",)


def test_advice_is_not_given_twice_in_a_conversation() -> None:
    one = companion("You could count to ten slowly.", "I see. You could count to ten slowly.")
    told(one)
    assert told(one).reply == "I see."
    text = "I see. You could count to ten slowly."
    assert told(companion(text)).reply == text


def test_answering_again_may_say_what_the_reply_it_replaces_said() -> None:
    one = companion("You could count to ten slowly.", "You could count to ten slowly. It is late.")
    told(one)
    done = list(one.again())[-1]
    assert isinstance(done, Done)
    assert done.result.reply == "You could count to ten slowly. It is late."


def test_the_prompt_goes_with_the_conversation() -> None:
    one = companion("Yes.")
    told(one)
    one.clear()
    assert one.last_prompt == ""


class Small(ScriptedEngine):
    """As small as the model that comes with the app."""

    def info(self, cancel: Cancel | None = None) -> EngineInfo:
        return replace(super().info(cancel), parameters=135_000_000)


def small(*replies: str, **options: object) -> Companion:
    return Companion(Small(replies), system="Be kind.", country="US", **options)  # type: ignore[arg-type]


def test_a_very_small_model_is_told_nothing_beside_the_message() -> None:
    one = small("What now?", "And then?", "It was loud.", assess=assessed(PANIC))
    assert (told(one).scenario, told(one).guidance) == ("panic", "")
    assert told(one).guidance == ""
    assert "[" not in one.last_prompt


def test_reassured_first_has_a_written_line_before_the_words_of_a_very_small_model() -> None:
    one = small(*["Yes."] * 9, profile=Profile(Style.REASSURE), assess=assessed(PANIC))
    replies = [told(one).reply for _ in range(6)]
    lines = written_for(Style.REASSURE, "panic")
    assert replies == [*(f"{line}\n\nYes." for line in lines), "Yes."]
    assert one.conversation.messages[1].text == replies[0]


def test_something_to_try_is_written_and_comes_last() -> None:
    one = small("That was loud. It hurts.", profile=Profile(Style.LAYERED), assess=assessed(PANIC))
    events = list(one.reply("The bus was full."))
    step = written_for(Style.LAYERED, "panic")[0]
    assert (
        "".join(event.text for event in events if isinstance(event, TextDelta)) == f"That was loud. It hurts.\n\n{step}"
    )


def test_written_lines_are_told_apart_from_the_words_of_the_model() -> None:
    first, last = (written_for(style, "panic")[0] for style in (Style.REASSURE, Style.LAYERED))
    assert told(small("Yes.", profile=Profile(Style.REASSURE), assess=assessed(PANIC))).beside == (first,)
    assert told(small("Yes.", profile=Profile(Style.LAYERED), assess=assessed(PANIC))).beside == (last,)
    assert told(small("Yes.")).beside == ()


@pytest.mark.parametrize("style", [Style.NONE, Style.BRIEF])
def test_other_styles_add_nothing(style: Style) -> None:
    assert told(small("Yes.", profile=Profile(style))).reply == "Yes."


def test_nothing_is_added_for_a_larger_model_from_t2_on_or_where_the_user_stopped() -> None:
    layered = Profile(Style.LAYERED)
    assert told(companion("Yes.", profile=layered)).reply == "Yes."
    grave = told(small("Yes.", profile=layered, assess=assessed({}, Tier.T2)))
    assert "One thing to try" not in grave.reply
    cancel = Cancel()
    cancel.set()
    (*_, done) = small("Yes.", profile=layered).reply("The bus was full.", cancel)
    assert isinstance(done, Done)
    assert "One thing to try" not in done.result.reply


def prompted(reply: str) -> str:
    one = Companion(ScriptedEngine([reply]), system=system_text(), country="US")
    one.profile = Profile(Style.LAYERED)
    return told(one).reply


@pytest.mark.parametrize(
    "reply",
    [
        "I am a program, not a person and not a clinician, so a doctor knows better.",
        "Here is one concrete thing to try, with what it is for: name five things you see.",
    ],
)
def test_what_this_is_and_what_a_style_asks_for_may_be_said(reply: str) -> None:
    assert prompted(reply) == reply


@pytest.mark.parametrize(
    "reply",
    [
        "Speak as one would speak to a tired friend late at night.",
        "You are a program, not a person and not a clinician.",
    ],
)
def test_what_the_model_was_told_may_not(reply: str) -> None:
    assert prompted(reply) == "You can tell me more, if you like."
