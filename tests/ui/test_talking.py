"""A turn from the box to the screen: sending, waiting, streaming, stopping, answering again, editing, failing."""

from dataclasses import replace

from tests.ui.conftest import OpenApp
from tests.ui.doubles import COUNTS, DIED, READY, Doubles, Gate
from tests.ui.driving import app, chat, doing, hint, on_screen, send, settle, shown, until, until_stage
from tide_chat.engine.supervisor import EngineState, Phase
from tide_chat.errors import EngineDied, ModelNotFound, PromptTooLong
from tide_chat.events import Stage
from tide_chat.messages import Role
from tide_chat.safety import disclosure
from tide_chat.ui.screens.chat import CALLED, NOT_ANSWERED
from tide_chat.ui.widgets.card import CardDeck, CardView
from tide_chat.ui.widgets.entries import Entry, Kind
from tide_chat.ui.widgets.status import StatusLine
from tide_chat.ui.widgets.transcript import STEP, UNSEEN, WINDOW

DISTRESS = "I want to kill myself"


async def test_a_reply_streams_into_one_entry(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.will_say("That sounds heavy. What hurt most?")
    async with open_app() as pilot:
        await send(pilot, "a long day")
        assert shown(pilot) == [("user", "a long day"), ("reply", "That sounds heavy. What hurt most?")]
        assert chat(pilot).composer.text == ""
        status = chat(pilot).query_one(StatusLine).status
        assert (status.used, status.size, status.speed, status.doing) == (300, 2048, 43.0, "ready")


async def test_what_was_streamed_is_on_the_screen_before_the_end(open_app: OpenApp, doubles: Doubles) -> None:
    gate = Gate()
    doubles.engine.will_say("First. Then", gate, " second.")
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
    doubles.engine.will_say("Well", gate, " yes.")
    async with open_app() as pilot:
        await send(pilot, "first", wait=False)
        await until_stage(pilot, Stage.WRITING)
        await send(pilot, "second thought", wait=False)
        assert chat(pilot).composer.text == "second thought"
        assert "Esc stops it" in hint(pilot)
        gate.open()
        await settle(pilot)
        assert doubles.said() == ["first"]
        assert chat(pilot).composer.text == "second thought"


async def test_esc_keeps_the_partial_reply_and_says_so(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.will_say("It makes sense. You are", Gate(), " right.")
    async with open_app() as pilot:
        await send(pilot, "hello", wait=False)
        await until(pilot, lambda: len(shown(pilot)) == 2)
        await pilot.press("escape")
        await settle(pilot)
        entry = chat(pilot).transcript.entries[-1]
        assert (entry.text, entry.ending) == ("It makes sense. You are", "stopped")
        assert "(stopped)" in str(chat(pilot).transcript.views[-1].render())
        assert doubles.said(Role.ASSISTANT) == ["It makes sense. You are"]
        assert doing(pilot) == "ready"


async def test_a_message_sent_early_waits_and_can_be_taken_back(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.state = EngineState(Phase.LOADING, 0.4)
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
    doubles.engine.state = EngineState(Phase.LOADING, 0.4)
    doubles.engine.will_say("I am here.")
    async with open_app() as pilot:
        await send(pilot, "are you there", wait=False)
        await until_stage(pilot, Stage.WAITING)
        doubles.engine.become(READY)
        await settle(pilot)
        assert shown(pilot)[-1] == ("reply", "I am here.")
        assert chat(pilot).query_one(StatusLine).status.model == "smollm2-135m"


async def test_answer_again_replaces_the_reply(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.will_say("One.")
    doubles.engine.will_say("Two.")
    async with open_app() as pilot:
        await send(pilot, "hello")
        await pilot.press("ctrl+r")
        await settle(pilot)
        assert shown(pilot) == [("user", "hello"), ("reply", "Two.")]


async def test_answer_again_with_nothing_said_only_says_so(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert "nothing to answer again" in hint(pilot)


async def test_editing_changes_nothing_until_it_is_sent(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.will_say("One.")
    doubles.engine.will_say("Two.")
    async with open_app() as pilot:
        await send(pilot, "helo")
        chat(pilot).composer.put("a draft")
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert chat(pilot).composer.text == "helo"
        assert shown(pilot) == [("user", "helo"), ("reply", "One.")]
        await send(pilot, "hello")
        assert shown(pilot) == [("user", "hello"), ("reply", "Two.")]
        assert doubles.said() == ["hello"]
        assert chat(pilot).composer.text == "a draft"


async def test_leaving_an_edit_brings_the_draft_back(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await send(pilot, "hello")
        chat(pilot).composer.put("a draft")
        await pilot.press("ctrl+t", "x", "escape")
        assert chat(pilot).composer.text == "a draft"
        assert shown(pilot)[0] == ("user", "hello")


async def test_a_dead_engine_leaves_everything_and_offers_another_answer(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.will_say("That sounds", DIED)
    doubles.engine.will_say("That sounds hard.")
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
    doubles.engine.will_say(DIED)
    async with open_app() as pilot:
        await send(pilot, "hello")
        assert [kind for kind, _ in shown(pilot)] == ["user", "notice"]
        assert chat(pilot).composer.text == ""


async def test_without_a_model_one_line_says_what_still_works(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.state = EngineState(Phase.NO_MODEL, error=EngineDied("The model stopped three times in a row."))
    async with open_app() as pilot:
        doubles.engine.become(doubles.engine.state)
        await pilot.pause()
        notices = [text for kind, text in shown(pilot) if kind == "notice"]
        assert len(notices) == 1
        assert notices[0].startswith("The model stopped three times in a row.\nNo model is running.")
        assert doing(pilot) == "no model"
        await send(pilot, DISTRESS)
        assert [card.id for card in chat(pilot).query_one(CardDeck).cards] == ["t3"]
        assert chat(pilot).transcript.entries[-1].authored


async def test_without_a_model_a_message_comes_back_and_it_is_said_what_to_do(
    open_app: OpenApp, doubles: Doubles
) -> None:
    doubles.engine.state = EngineState(Phase.NO_MODEL, error=ModelNotFound("There is no model called 'x'."))
    async with open_app() as pilot:
        await send(pilot, "hello")
        assert chat(pilot).composer.text == "hello"
        assert hint(pilot) == NOT_ANSWERED


async def test_a_message_that_is_too_long_comes_back(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.will_say(PromptTooLong("This message is longer than the model can read.", help="Send it in parts."))
    doubles.engine.will_say("Better.")
    async with open_app() as pilot:
        await send(pilot, "very long")
        assert chat(pilot).composer.text == "very long"
        assert len(doubles.talk.conversation) == 0
        assert shown(pilot) == [("notice", "This message is longer than the model can read. Send it in parts.")]
        await pilot.press("enter")
        await settle(pilot)
        assert shown(pilot)[-1] == ("reply", "Better.")


async def test_after_three_hours_a_line_says_what_this_is_and_takes_nothing_away(
    open_app: OpenApp, doubles: Doubles
) -> None:
    async with open_app() as pilot:
        chat(pilot).remind()
        assert shown(pilot) == []
        doubles.seconds = disclosure.REMIND_S
        await pilot.press(*"half a")
        chat(pilot).remind()
        await pilot.press(*" word")
        await pilot.pause()
        assert shown(pilot) == [("notice", disclosure.REMINDER)]
        assert chat(pilot).composer.text == "half a word"
        assert app(pilot).screen is chat(pilot)
        assert "a program, not a person" in on_screen(pilot)
        chat(pilot).remind()
        assert len(shown(pilot)) == 1


async def test_a_reminder_waits_while_a_reply_is_written(open_app: OpenApp, doubles: Doubles) -> None:
    gate = Gate()
    doubles.engine.will_say("One.", gate, " Two.")
    async with open_app() as pilot:
        await send(pilot, "Hello there.", wait=False)
        await until_stage(pilot, Stage.WRITING)
        doubles.seconds = disclosure.REMIND_S
        chat(pilot).remind()
        assert all(kind != "notice" for kind, _ in shown(pilot))
        gate.open()
        await settle(pilot)
        await until(pilot, lambda: chat(pilot).turns.running is None)
        chat(pilot).remind()
        assert shown(pilot)[-1] == ("notice", disclosure.REMINDER)


async def test_a_card_stays_until_it_is_put_away(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await send(pilot, DISTRESS)
        await send(pilot, "my cat is grey")
        await send(pilot, DISTRESS)
        assert chat(pilot).query_one(CardDeck).display
        assert len(chat(pilot).query(CardView)) == 1
        await pilot.press("ctrl+g")
        await pilot.pause()
        assert not chat(pilot).query_one(CardDeck).display
        assert doubles.talk.pinned_cards == ()


async def test_a_choice_of_a_card_is_answered_and_the_draft_stays(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await send(pilot, DISTRESS)
        choice = chat(pilot).query_one(CardDeck).cards[0].choices[0]
        chat(pilot).composer.put("a draft")
        chat(pilot).query(".choice").first().focus()
        await pilot.press("enter")
        await settle(pilot)
        assert doubles.said() == [DISTRESS, choice]
        assert chat(pilot).transcript.entries[-1].authored
        assert chat(pilot).composer.text == "a draft"
        assert chat(pilot).composer.has_focus


async def test_a_prepared_reply_is_read_from_its_beginning(open_app: OpenApp) -> None:
    async with open_app(size=(60, 18)) as pilot:
        await send(pilot, DISTRESS)
        await pilot.pause()
        view = chat(pilot).transcript.views[-1]
        assert view.outer_size.height > chat(pilot).transcript.size.height
        assert view.region.y == chat(pilot).transcript.region.y


async def test_what_the_model_no_longer_sees_is_marked(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.will_say("a")
    doubles.engine.will_say("b", replace(COUNTS, dropped_messages=2))
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
        for number in range(200):
            transcript.add(Entry(Kind.REPLY if number % 2 else Kind.USER, f"words {number}"))
            if number % 10 == 9:
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
    doubles.engine.will_say("Well. ", gate, "And so it went on.\n" + "\n" * 30 + "The end.")
    async with open_app() as pilot:
        chat(pilot).transcript.add(Entry(Kind.REPLY, "a line\n" * 60))
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
    doubles.engine.will_say("One.")
    doubles.engine.will_say("Two", Gate())
    async with open_app() as pilot:
        await send(pilot, "hello")
        await pilot.press("ctrl+n", "enter")
        await pilot.pause()
        assert len(shown(pilot)) == 2
        await send(pilot, "and then", wait=False)
        await until_stage(pilot, Stage.WRITING)
        await pilot.press("ctrl+n", "tab", "enter")
        await settle(pilot)
        assert shown(pilot) == []
        assert len(doubles.talk.conversation) == 0
        assert chat(pilot).query_one("#greeting").display
        await pilot.press("up")
        assert chat(pilot).composer.text == ""


async def test_a_reply_that_ends_with_a_whole_sentence_is_not_marked(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.will_say(" ".join(f"This is sentence number {n} of many." for n in "abcdefghijkl"))
    async with open_app() as pilot:
        await send(pilot, "hello")
        entry = chat(pilot).transcript.entries[-1]
        assert entry.text.endswith("of many.")
        assert entry.ending == ""


async def test_a_bare_cry_for_help_names_the_keys_and_is_answered(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app(size=(80, 24)) as pilot:
        await send(pilot, "Help me!")
        assert CALLED in " ".join(text for _, text in shown(pilot))
        assert doubles.said() == ["Help me!"]
        await send(pilot, "help me find a word for it")
        assert [text for _, text in shown(pilot)].count(CALLED) == 1
        assert "F8 tools" in on_screen(pilot)
    assert "Ctrl+L" in CALLED  # on many laptops F2 changes the brightness
    assert "/tools" in CALLED
