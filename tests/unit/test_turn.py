"""The pipeline on a scripted engine: order of events, safety first, nothing lost. Inference is proved elsewhere."""

from dataclasses import replace

import pytest

from tide_chat.engine.base import Cancel, EngineInfo, FinishReason, Prompt, SamplingParams
from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.errors import EngineDied, EngineError, ModelError, PromptTooLong, TemplateMissing
from tide_chat.events import CardShown, Done, Event, Notice, Progress, Stage, TextDelta, TurnResult
from tide_chat.messages import Conversation, Role
from tide_chat.safety import disclosure
from tide_chat.safety.assessment import Assessment, Flag, Reason, Tier
from tide_chat.safety.encoder import Unavailable
from tide_chat.safety.state import RiskState
from tide_chat.turn import CHECK_FAILED, EMPTY, REDUCED, Companion


def companion(*replies: str | Exception, **options: object) -> Companion:
    return Companion(ScriptedEngine(replies), system="Be kind.", country="US", **options)  # type: ignore[arg-type]


def engine(one: Companion) -> ScriptedEngine:
    assert isinstance(one._engine, ScriptedEngine)
    return one._engine


def result(events: list[Event]) -> TurnResult:
    assert isinstance(events[-1], Done)
    assert sum(isinstance(event, Done) for event in events) == 1
    return events[-1].result


def shown(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def test_a_plain_turn() -> None:
    one = companion("That sounds hard. I am with you.")
    events = list(one.reply("It was a long day."))
    assert [e.stage for e in events if isinstance(e, Progress)] == [Stage.WAITING, Stage.READING, Stage.WRITING]
    assert shown(events) == result(events).reply == "That sounds hard. I am with you."
    assert (result(events).route, result(events).model) == ("model", "scripted")
    assert [m.role for m in one.conversation.messages] == [Role.USER, Role.ASSISTANT]


def test_the_conversation_is_in_the_prompt() -> None:
    one = companion("Yes.", "And?")
    list(one.reply("First."))
    list(one.reply("Second."))
    text = engine(one).prompts[-1].text
    assert text.startswith("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nFirst.")
    assert text.endswith("<|im_start|>user\nSecond.<|im_end|>\n<|im_start|>assistant\n")


def test_the_engine_is_told_where_a_conversation_begins() -> None:
    one = companion()
    list(one.reply("First."))
    list(one.reply("Second."))
    list(one.again())
    one.clear()
    list(one.reply("Third."))
    one.go_on_with(Conversation().user("Long ago.").assistant("Yes."))
    list(one.reply("Fourth."))
    list(one.reply("Fifth."))
    assert [prompt.anew for prompt in engine(one).prompts] == [True, False, False, True, True, False]


def test_grave_danger_never_reaches_the_model() -> None:
    one = companion("should not be said")
    events = list(one.reply("I am going to kill myself tonight"))
    assert engine(one).prompts == []
    assert result(events).route == "authored"
    assert result(events).assessment.tier >= Tier.T3
    first_card = next(i for i, e in enumerate(events) if isinstance(e, CardShown))
    assert first_card < next(i for i, e in enumerate(events) if isinstance(e, TextDelta))
    assert one.pinned_cards
    assert one.conversation.messages[-1].authored


def test_a_card_stays_until_it_is_put_away() -> None:
    one = companion()
    list(one.reply("I am going to kill myself tonight"))
    list(one.reply("I am going to kill myself tonight"))
    assert len({card.id for card in one.pinned_cards}) == len(one.pinned_cards)
    one.clear()
    assert one.pinned_cards
    for card in one.pinned_cards:
        one.put_away(card.id)
    assert one.pinned_cards == ()


def test_a_card_that_was_put_away_comes_back_with_what_asks_for_it() -> None:
    one = companion()
    said = (
        "I don't want to wake up tomorrow",
        "my partner says I am a ghost at dinner",
        "thanks",
        "I was lying, I do want to be dead",
        "we watched the football after that",  # held, and not put away again
    )
    shown = []
    for text in said:
        shown += [result(list(one.reply(text))).cards]
        if text == said[0]:
            one.put_away("t2")
    assert shown == [("t2",), (), (), ("t2",), ("t2",)]


def test_the_card_of_a_grave_tier_comes_back_while_the_tier_is_held() -> None:
    one = companion()
    list(one.reply("I am going to kill myself tonight"))
    for card in one.pinned_cards:
        one.put_away(card.id)
    assert result(list(one.reply("we watched the football after that"))).cards == ("t4",)


def test_a_check_that_fails_shows_the_card_and_says_so() -> None:
    def broken(text: str, state: RiskState | None) -> Assessment:
        raise RuntimeError(text)

    events = list(companion("I hear you.", assess=broken).reply("my secret words"))
    assert any(isinstance(event, CardShown) for event in events)
    assert CHECK_FAILED in [event.text for event in events if isinstance(event, Notice)]
    assert "my secret words" not in str(result(events).assessment.reasons)


def test_a_true_answer_to_what_it_is() -> None:
    one = companion()
    assert result(list(one.reply("are you a real person?"))).route == "authored"
    assert engine(one).prompts == []


def test_a_question_about_it_beside_much_else_is_answered_first_and_the_model_goes_on() -> None:
    one = companion("That was a long road.")
    said = "I drove past the place today and had to stop the car, it took me an hour. Are you a real person?"
    events = list(one.reply(said))
    reply = result(events).reply
    assert result(events).route == "model"
    assert reply.startswith("I am a program, not a person.")
    assert reply.endswith("\n\nThat was a long road.")
    assert shown(events) == reply == one.conversation.messages[-1].text


def test_without_a_model_the_true_answer_is_there_all_the_same() -> None:
    one = companion(ModelError("none"))
    said = "I drove past the place today and had to stop the car, it took me an hour. Are you a real person?"
    assert result(list(one.reply(said))).reply.startswith("I am a program, not a person.")


def test_a_question_about_it_never_hides_something_grave() -> None:
    one = companion()
    reply = result(list(one.reply("Are you a real person? I am going to kill myself tonight."))).reply
    assert reply.startswith("The emergency number")


def test_after_something_grave_the_question_still_has_its_true_answer() -> None:
    one = companion()
    list(one.reply("I want to kill myself"))
    outcome = result(list(one.reply("are you a real person?")))
    assert outcome.assessment.tier >= Tier.T3
    assert outcome.reply.startswith("I am a program, not a person.")


def test_a_reduced_check_is_told_once_in_a_conversation() -> None:
    def reduced(text: str, state: RiskState | None) -> Assessment:
        return Assessment(reasons=(Reason("the check is reduced: the encoder did not take part", "no file"),))

    one = companion("One.", "Two.", "Three.", "Four.", assess=reduced)
    turns = [list(one.reply("Hello there.")), list(one.reply("And now.")), list(one.again())]
    one.clear()
    turns.append(list(one.reply("Anew.")))
    told = [[event.text for event in events if isinstance(event, Notice)] for events in turns]
    assert told == [[REDUCED], [], [], [REDUCED]]
    assert all(result(events).route == "model" for events in turns)


def test_a_guard_without_its_encoder_is_told_once() -> None:
    def missing(text: str) -> str | None:
        raise Unavailable("the file is missing")

    one = companion("A long day.", "And a cold one.", doubt=missing)
    told = [[e.text for e in one.reply(said) if isinstance(e, Notice)] for said in ("First.", "Second.")]
    assert told == [[REDUCED], []]


def test_the_encoder_of_the_guard_stands_between_the_model_and_the_screen() -> None:
    def doubt(text: str) -> str | None:
        return "blame" if "lake" in text else None

    one = companion("It was long. The lake would keep you.", doubt=doubt)
    events = list(one.reply("It was a long day."))
    assert "lake" not in shown(events)
    assert [held.text for held in one.held_back] == ["The lake would keep you."]
    assert result(events).guard == ("replaced:blame",)


def test_the_newest_assessment_is_known_for_why() -> None:
    one, known = companion("Yes."), []
    known.append(one.newest)
    list(one.reply("I want to kill myself"))
    known.append(one.newest)
    one.clear()
    known.append(one.newest)
    assert [found and found.tier >= Tier.T3 for found in known] == [None, True, None]


def test_reminders_follow_the_clock_and_the_age() -> None:
    seconds = [0.0]
    one = companion("Yes.", "Yes.", clock=lambda: seconds[0])
    assert one.reminder() is None
    seconds[0] = disclosure.REMIND_S
    assert one.reminder() == disclosure.REMINDER
    list(one.reply("i am 15 years old and i cant sleep"))
    assert one.newest is not None
    assert Flag.MINOR in one.newest.flags
    seconds[0] += disclosure.BREAK_S
    assert one.reminder() == disclosure.REMINDER_MINOR
    one.clear()
    seconds[0] += disclosure.BREAK_S
    assert one.reminder() == disclosure.REMINDER_MINOR


def test_stop_keeps_what_was_shown() -> None:
    one, cancel = companion("One is here. Two is here. Three is here."), Cancel()
    events = []
    for event in one.reply("Hello there.", cancel):
        events.append(event)
        if isinstance(event, TextDelta):
            cancel.set()
    assert result(events).finish_reason is FinishReason.CANCELLED
    assert result(events).reply.startswith("One is here.")
    assert one.conversation.messages[-1].text == result(events).reply
    assert not any(isinstance(event, Notice) for event in events)


def test_stop_before_the_first_word_keeps_the_message() -> None:
    one, cancel = companion("One."), Cancel()
    cancel.set()
    events = list(one.reply("Hello there.", cancel))
    assert result(events).finish_reason is FinishReason.CANCELLED
    assert result(events).reply == ""
    assert [m.text for m in one.conversation.messages] == ["Hello there."]


def test_a_death_keeps_the_message_and_offers_to_answer_again() -> None:
    one = companion(EngineDied("gone"), "Here I am.")
    events = list(one.reply("Hello there."))
    assert result(events).finish_reason is FinishReason.DIED
    assert [e.can_answer_again for e in events if isinstance(e, Notice)] == [True]
    assert result(list(one.again())).reply == "Here I am."
    assert [m.text for m in one.conversation.messages] == ["Hello there.", "Here I am."]


@pytest.mark.parametrize(
    "error", [EngineError("no", details="why"), ModelError("none", help="do this"), TemplateMissing("t")]
)
def test_an_error_is_a_notice_and_the_message_stays(error: EngineError) -> None:
    one = companion(error)
    events = list(one.reply("Hello there."))
    assert result(events).error is error
    assert result(events).finish_reason is FinishReason.ERROR
    assert any(error.message in event.text for event in events if isinstance(event, Notice))
    assert one.conversation.messages[-1].text == "Hello there."


def test_a_message_too_long_is_given_back() -> None:
    one = companion(PromptTooLong("too long", details="9 of 5"))
    events = list(one.reply("Hello there."))
    assert isinstance(result(events).error, PromptTooLong)
    assert one.conversation == Conversation()


def test_an_empty_reply_says_so() -> None:
    events = list(companion("").reply("Hello there."))
    assert [e.text for e in events if isinstance(e, Notice)] == [EMPTY]


def test_a_loop_is_ended_and_told() -> None:
    one = companion("It makes sense to feel so. " * 5)
    outcome = result(list(one.reply("Hello there.")))
    assert (outcome.reply, outcome.finish_reason, outcome.guard) == (
        "It makes sense to feel so.",
        FinishReason.LOOP,
        ("loop",),
    )


def test_answering_again_with_a_fixed_seed_takes_another_seed() -> None:
    seeds = []

    class Noting(ScriptedEngine):
        def generate(self, prompt: Prompt, params: SamplingParams, cancel: Cancel):  # type: ignore[no-untyped-def]
            seeds.append(params.seed)
            return super().generate(prompt, params, cancel)

    one = Companion(Noting(), system="Be kind.", sampling=SamplingParams(seed=5))
    list(one.reply("Hello there."))
    list(one.again())
    list(one.again())
    list(one.reply("And now?"))
    assert seeds == [5, 6, 7, 5]


def test_take_back_gives_the_words_and_forgets_the_reply() -> None:
    one = companion("Yes.", "And?")
    list(one.reply("First."))
    list(one.reply("Second."))
    assert one.take_back() == "Second."
    assert [m.text for m in one.conversation.messages] == ["First.", "Yes."]
    assert (one.take_back(), one.take_back()) == ("First.", "")


def test_reasoning_is_never_shown() -> None:
    events = list(companion("<think>They are sad. I should be kind.</think>That sounds hard.").reply("Hello there."))
    assert shown(events) == "That sounds hard."


def test_escape_sequences_are_neutralised_both_ways() -> None:
    one = companion("Hello \x1b[31mred\x1b[0m there.\x07")
    events = list(one.reply("a\x1b]0;title\x07b"))
    assert one.conversation.messages[0].text == "ab"
    assert shown(events) == "Hello red there."


def test_again_with_nothing_said_answers_nothing() -> None:
    events = list(companion().again())
    assert isinstance(events[-1], Done)
    assert events[-1].result.reply == ""


class Tiny(ScriptedEngine):
    """As small as the model that comes with the app."""

    def info(self, cancel: Cancel | None = None) -> EngineInfo:
        return replace(super().info(cancel), parameters=134_515_008)


def test_a_very_small_model_is_not_let_near_t2_and_the_talk_goes_on() -> None:
    one = Companion(Tiny(["It was a good day then."]), system="Be kind.", country="US")
    replies = [result(list(one.reply("I wish I was dead"))) for _ in range(2)]
    assert [(each.route, each.assessment.tier) for each in replies] == [("authored", Tier.T2)] * 2
    assert "thoughts of ending your life?" in replies[0].reply
    assert replies[0].reply != replies[1].reply
    assert not engine(one).prompts
    after = result(list(one.reply("we planted onions in the long bed today")))
    assert (after.route, after.reply) == ("model", "It was a good day then.")


NO = "No, not really, I only said it because of the row"
NOT = "Not really, it was only because of the row"


@pytest.mark.parametrize("answer", ["no", NO, NOT, "idk", "just tired"])
def test_an_answer_to_the_direct_question_is_not_left_to_a_very_small_model(answer: str) -> None:
    one = Companion(Tiny([]), system="Be kind.", country="US")
    list(one.reply("I wish I was dead"))
    after = result(list(one.reply(answer)))
    assert (after.route, after.assessment.tier) == ("authored", Tier.T2)
    assert result(list(one.reply("we planted onions in the long bed today"))).route == "model"


def test_a_very_small_model_does_not_see_later_what_it_was_kept_from() -> None:
    one = Companion(Tiny([]), system="Be kind.", country="US")
    for said in ("hello", "I wish I was dead", "no", "we planted onions in the long bed today"):
        list(one.reply(said))
    sent = engine(one).prompts[-1].text
    assert "hello" in sent
    assert "onions" in sent
    assert "dead" not in sent
    assert "ending your life" not in sent


def test_a_larger_model_sees_all_of_it() -> None:
    one = companion()
    one.go_on_with(Conversation().user("I wish I was dead").assistant("That is heavy.", authored=True))
    list(one.reply("we planted onions in the long bed today"))
    assert "dead" in engine(one).prompts[-1].text


def test_a_larger_model_answers_t2() -> None:
    one = companion("That sounds very heavy.")
    assert result(list(one.reply("I wish I was dead"))).route == "model"
