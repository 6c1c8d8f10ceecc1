"""A turn from the box to the screen: sending, waiting, streaming, stopping, answering again, editing, failing."""

from collections.abc import Callable

from textual.pilot import Pilot

from tests.ui.conftest import OpenApp
from tests.ui.doubles import CARD, READY, Doubles, Gate, authored, died, done, turn
from tide_chat.engine.base import FinishReason
from tide_chat.engine.supervisor import EngineState, Phase
from tide_chat.errors import EngineDied, PromptTooLong
from tide_chat.events import Done, Progress, Stage, TextDelta, TurnResult
from tide_chat.messages import Role
from tide_chat.safety.assessment import Assessment
from tide_chat.ui.app import TideChatApp
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.widgets.card import CardDeck, CardView
from tide_chat.ui.widgets.entries import Kind
from tide_chat.ui.widgets.status import StatusLine
from tide_chat.ui.widgets.transcript import STEP, UNSEEN, WINDOW


def chat(pilot: Pilot[int]) -> ChatScreen:
    assert isinstance(pilot.app, TideChatApp)
    return pilot.app.chat


async def settle(pilot: Pilot[int]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def send(pilot: Pilot[int], text: str, *, wait: bool = True) -> None:
    chat(pilot).composer.put(text)
    await pilot.press("enter")
    if wait:
        await settle(pilot)


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    while not condition():
        await pilot.pause()


async def until_stage(pilot: Pilot[int], stage: Stage) -> None:
    await until(pilot, lambda: chat(pilot).query_one(StatusLine).status.stage is stage)


def shown(pilot: Pilot[int]) -> list[tuple[str, str]]:
    return [(entry.kind.value, entry.text) for entry in chat(pilot).transcript.entries]


def doing(pilot: Pilot[int]) -> str:
    return chat(pilot).query_one(StatusLine).status.doing


async def test_a_reply_streams_into_one_entry(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.talk.turns = [turn("That sounds heavy. What hurt most?")]
    async with open_app() as pilot:
        await send(pilot, "a long day")
        assert shown(pilot) == [("user", "a long day"), ("reply", "That sounds heavy. What hurt most?")]
        assert chat(pilot).composer.text == ""
        status = chat(pilot).query_one(StatusLine).status
        assert (status.used, status.size, status.speed, status.doing) == (300, 2048, 43.0, "ready")


async def test_what_was_streamed_is_on_the_screen_before_the_end(open_app: OpenApp, doubles: Doubles) -> None:
    gate = Gate()
    doubles.talk.turns = [[Progress(Stage.WRITING), TextDelta("First."), gate, TextDelta(" Second."), done("First.")]]
    async with open_app() as pilot:
        await send(pilot, "hello", wait=False)
        await until(pilot, lambda: len(shown(pilot)) == 2)
        await pilot.pause()
        assert "First." in str(chat(pilot).transcript.views[-1].render())
        assert doing(pilot) == "writing, Esc stops"
        gate.open()
        await settle(pilot)


async def test_the_draft_stays_while_a_reply_is_written(open_app: OpenApp, doubles: Doubles) -> None:
    gate = Gate()
    doubles.talk.turns = [[Progress(Stage.WRITING), gate, done("Yes.")]]
    async with open_app() as pilot:
        await send(pilot, "first", wait=False)
        await until_stage(pilot, Stage.WRITING)
        await send(pilot, "second thought", wait=False)
        assert chat(pilot).composer.text == "second thought"
        assert "Esc stops it" in str(chat(pilot).query_one("#hint").render())
        gate.open()
        await settle(pilot)
        assert doubles.talk.sent == ["first"]
        assert chat(pilot).composer.text == "second thought"


async def test_esc_keeps_the_partial_reply_and_says_so(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.talk.turns = [[Progress(Stage.WRITING), TextDelta("It makes"), Gate(), TextDelta(" sense"), done("x")]]
    async with open_app() as pilot:
        await send(pilot, "hello", wait=False)
        await until(pilot, lambda: len(shown(pilot)) == 2)
        await pilot.press("escape")
        await settle(pilot)
        entry = chat(pilot).transcript.entries[-1]
        assert (entry.text, entry.ending) == ("It makes", "stopped")
        assert "(stopped)" in str(chat(pilot).transcript.views[-1].render())
        assert doubles.talk.said(Role.ASSISTANT) == ["It makes"]
        assert doing(pilot) == "ready"


async def test_a_message_sent_early_waits_and_can_be_taken_back(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.state = EngineState(Phase.LOADING, 0.4)
    doubles.talk.turns = [[Progress(Stage.WAITING), Gate(), *turn("never")]]
    async with open_app() as pilot:
        await send(pilot, "are you there", wait=False)
        await until_stage(pilot, Stage.WAITING)
        await pilot.pause()
        assert doing(pilot) == "loading 40%, your message waits, Esc takes it back"
        assert shown(pilot) == [("user", "are you there")]
        chat(pilot).composer.put("and a draft")
        await pilot.press("escape")
        await settle(pilot)
        assert shown(pilot) == []
        assert chat(pilot).composer.text == "are you there\nand a draft"
        assert len(doubles.talk.conversation) == 0


async def test_a_message_sent_early_is_answered_when_the_model_is_there(open_app: OpenApp, doubles: Doubles) -> None:
    gate = Gate()
    doubles.engine.state = EngineState(Phase.LOADING, 0.4)
    doubles.talk.turns = [[Progress(Stage.WAITING), gate, *turn("I am here.")]]
    async with open_app() as pilot:
        await send(pilot, "are you there", wait=False)
        await until_stage(pilot, Stage.WAITING)
        doubles.engine.become(READY)
        gate.open()
        await settle(pilot)
        assert shown(pilot)[-1] == ("reply", "I am here.")
        assert chat(pilot).query_one(StatusLine).status.model == "smollm2-135m"


async def test_answer_again_replaces_the_reply(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.talk.turns = [turn("One."), turn("Two.")]
    async with open_app() as pilot:
        await send(pilot, "hello")
        await pilot.press("ctrl+r")
        await settle(pilot)
        assert shown(pilot) == [("user", "hello"), ("reply", "Two.")]


async def test_answer_again_with_nothing_said_only_says_so(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert "nothing to answer again" in str(chat(pilot).query_one("#hint").render())


async def test_editing_changes_nothing_until_it_is_sent(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.talk.turns = [turn("One."), turn("Two.")]
    async with open_app() as pilot:
        await send(pilot, "helo")
        chat(pilot).composer.put("a draft")
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert chat(pilot).composer.text == "helo"
        assert shown(pilot) == [("user", "helo"), ("reply", "One.")]
        await send(pilot, "hello")
        assert shown(pilot) == [("user", "hello"), ("reply", "Two.")]
        assert doubles.talk.said(Role.USER) == ["hello"]
        assert chat(pilot).composer.text == "a draft"


async def test_leaving_an_edit_brings_the_draft_back(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await send(pilot, "hello")
        chat(pilot).composer.put("a draft")
        await pilot.press("ctrl+t", "x", "escape")
        assert chat(pilot).composer.text == "a draft"
        assert shown(pilot)[0] == ("user", "hello")


async def test_a_dead_engine_leaves_everything_and_offers_another_answer(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.talk.turns = [died("That sounds"), turn("That sounds hard.")]
    async with open_app() as pilot:
        await send(pilot, "hello")
        chat(pilot).composer.put("a draft")
        doubles.engine.become(EngineState(Phase.RESTARTING))
        await pilot.pause()
        assert doing(pilot) == "starting the model again"
        kinds = [entry.kind for entry in chat(pilot).transcript.entries]
        assert kinds == [Kind.USER, Kind.REPLY, Kind.NOTICE]
        assert chat(pilot).transcript.entries[1].ending == "cut off"
        assert "Ctrl+R answers again" in chat(pilot).transcript.entries[2].text
        doubles.engine.become(READY)
        await pilot.press("ctrl+r")
        await settle(pilot)
        assert shown(pilot) == [("user", "hello"), ("reply", "That sounds hard.")]
        assert chat(pilot).composer.text == "a draft"


async def test_a_death_before_the_first_word_keeps_the_message_in_place(open_app: OpenApp, doubles: Doubles) -> None:
    result = TurnResult("", Assessment(), finish_reason=FinishReason.DIED, error=EngineDied("gone"))
    doubles.talk.turns = [[Progress(Stage.READING), Done(result)]]
    async with open_app() as pilot:
        await send(pilot, "hello")
        assert shown(pilot) == [("user", "hello")]
        assert chat(pilot).composer.text == ""


async def test_without_a_model_one_line_says_what_still_works(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.state = EngineState(Phase.NO_MODEL, error=EngineDied("The model stopped three times in a row."))
    doubles.talk.turns = [authored("I am glad you told me.")]
    async with open_app() as pilot:
        doubles.engine.become(doubles.engine.state)
        await pilot.pause()
        notices = [text for kind, text in shown(pilot) if kind == "notice"]
        assert len(notices) == 1
        assert notices[0].startswith("The model stopped three times in a row. No model is running.")
        assert doing(pilot) == "no model"
        await send(pilot, "I want to die")
        assert chat(pilot).query_one(CardDeck).cards == [CARD]
        assert chat(pilot).transcript.entries[-1].authored


async def test_a_message_that_is_too_long_comes_back(open_app: OpenApp, doubles: Doubles) -> None:
    error = PromptTooLong("This message is longer than the model can read.", help="Send it in parts.")
    result = TurnResult("", Assessment(), finish_reason=FinishReason.ERROR, error=error)
    doubles.talk.turns = [[Progress(Stage.READING), Done(result)]]
    async with open_app() as pilot:
        await send(pilot, "very long")
        assert chat(pilot).composer.text == "very long"
        assert len(doubles.talk.conversation) == 0
        assert shown(pilot) == []


async def test_an_error_of_the_pipeline_is_a_line_and_the_text_comes_back(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.talk.turns = [[PromptTooLong("Too long.", help="Send it in parts.")], turn("Better.")]
    async with open_app() as pilot:
        await send(pilot, "hello")
        assert shown(pilot) == [("notice", "Too long. Send it in parts.")]
        assert chat(pilot).composer.text == "hello"
        await pilot.press("enter")
        await settle(pilot)
        assert shown(pilot)[-1] == ("reply", "Better.")


async def test_a_card_stays_until_it_is_put_away(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.talk.turns = [authored("I am glad you told me."), turn("Tell me more."), authored("Still here.")]
    async with open_app() as pilot:
        await send(pilot, "I want to die")
        await send(pilot, "no really")
        await send(pilot, "I want to die")
        deck = chat(pilot).query_one(CardDeck)
        assert deck.display
        assert len(deck.query(CardView)) == 1
        await pilot.press("ctrl+g")
        await pilot.pause()
        assert not deck.display
        assert doubles.talk.put_away_cards == ["t3"]


async def test_a_choice_of_a_card_is_offered_in_the_box(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.talk.turns = [authored("I am glad you told me.")]
    async with open_app() as pilot:
        await send(pilot, "I want to die")
        chat(pilot).query(".choice").first().focus()
        await pilot.press("enter")
        await pilot.pause()
        assert chat(pilot).composer.text == CARD.choices[0]
        assert chat(pilot).composer.has_focus
        assert doubles.talk.sent == ["I want to die"]


async def test_what_the_model_no_longer_sees_is_marked(open_app: OpenApp, doubles: Doubles) -> None:
    second = [Progress(Stage.WRITING), TextDelta("b"), done("b", dropped_messages=2)]
    doubles.talk.turns = [turn("a"), second]
    async with open_app() as pilot:
        await send(pilot, "one")
        assert not chat(pilot).query_one("#unseen").display
        await send(pilot, "two")
        texts = [str(child.render()) for child in chat(pilot).transcript.children if child.display]
        assert [UNSEEN in text for text in texts] == [False, False, True, False, False]


async def test_a_long_conversation_keeps_few_widgets_and_shows_the_rest_on_request(
    open_app: OpenApp, doubles: Doubles
) -> None:
    async with open_app() as pilot:
        transcript = chat(pilot).transcript
        for number in range(100):
            doubles.talk.turns = [turn(f"reply {number}")]
            await send(pilot, f"message {number}")
        await pilot.pause()
        assert len(transcript.entries) == 200
        assert len(transcript.views) <= WINDOW + STEP
        hidden = 200 - len(transcript.views)
        assert f"{hidden} earlier entries" in str(chat(pilot).query_one("#earlier").render())
        transcript.scroll_home(animate=False)
        await pilot.pause()
        await pilot.pause()
        assert len(transcript.views) == 200 - hidden + STEP
        assert transcript.views[0].entry is transcript.entries[hidden - STEP]


async def test_reading_upwards_is_not_disturbed_by_a_reply(open_app: OpenApp, doubles: Doubles) -> None:
    gate = Gate()
    doubles.talk.turns = [turn("line\n" * 40), [Progress(Stage.WRITING), TextDelta("x"), gate, *turn("y\n" * 30)]]
    async with open_app() as pilot:
        await send(pilot, "one")
        await send(pilot, "two", wait=False)
        await until_stage(pilot, Stage.WRITING)
        await pilot.press("pageup")
        await pilot.pause()
        at = chat(pilot).transcript.scroll_y
        assert at < chat(pilot).transcript.max_scroll_y
        gate.open()
        await settle(pilot)
        assert chat(pilot).transcript.scroll_y == at


async def test_starting_anew_asks_first_and_waits_for_the_turn(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.talk.turns = [turn("One."), [Progress(Stage.WRITING), TextDelta("Two"), Gate(), done("Two.")]]
    async with open_app() as pilot:
        await send(pilot, "hello")
        await pilot.press("ctrl+n", "enter")
        await pilot.pause()
        assert len(shown(pilot)) == 2
        await send(pilot, "again", wait=False)
        await until_stage(pilot, Stage.WRITING)
        await pilot.press("ctrl+n", "tab", "enter")
        await settle(pilot)
        assert shown(pilot) == []
        assert len(doubles.talk.conversation) == 0
        assert chat(pilot).query_one("#greeting").display
        await pilot.press("up")
        assert chat(pilot).composer.text == ""
