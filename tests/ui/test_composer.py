"""The box: new lines, paste, what was written before, slash commands."""

import time

import pytest
from textual import events
from textual.driver import Driver

from tests.ui.conftest import OpenApp
from tests.ui.doubles import CARD, Doubles
from tests.ui.driving import app, chat, hint, on_screen, send, settle, shown
from tide_chat.ui.screens.help import HelpScreen
from tide_chat.ui.screens.models import ModelScreen
from tide_chat.ui.widgets.card import CardDeck
from tide_chat.ui.widgets.composer import NEWLINE_KEYS, History
from tide_chat.ui.widgets.suggestions import Suggestions


@pytest.mark.parametrize("key", sorted(NEWLINE_KEYS))
async def test_every_newline_key(open_app: OpenApp, doubles: Doubles, key: str) -> None:
    async with open_app() as pilot:
        await pilot.press("a", key, "b")
        assert chat(pilot).composer.text == "a\nb"
        await pilot.press("enter")
        await settle(pilot)
        assert doubles.said() == ["a\nb"]


async def test_a_backslash_at_the_end_makes_a_new_line(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await pilot.press("a", "backslash", "enter", "b")
        assert chat(pilot).composer.text == "a\nb"
        assert doubles.said() == []


async def test_the_box_grows_with_the_text_and_no_further(open_app: OpenApp) -> None:
    async with open_app(size=(60, 18)) as pilot:
        before = chat(pilot).composer.outer_size.height
        await pilot.press("a", "ctrl+j", "b", "ctrl+j", "c")
        await pilot.pause()
        assert chat(pilot).composer.outer_size.height == before + 2
        chat(pilot).composer.put("x\n" * 40)
        await pilot.pause()
        assert chat(pilot).composer.outer_size.height == 6
        assert chat(pilot).transcript.outer_size.height >= 5


async def test_nothing_is_sent_when_nothing_was_written(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await send(pilot, "  \n ")
        await send(pilot, "\x1b[2J\x07")
        assert doubles.said() == []


async def test_a_paste_is_one_message_without_control_characters(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        pilot.app.post_message(events.Paste("one\r\ntwo\rthree\x1b[31m red\x1b]0;title\x07\u202e!"))
        await pilot.pause()
        assert chat(pilot).composer.text == "one\ntwo\nthree red!"
        await pilot.press("enter")
        await settle(pilot)
        assert doubles.said() == ["one\ntwo\nthree red!"]


@pytest.mark.parametrize("text", ["x" * 200_000, "some words in a line\n" * 10_000], ids=["one line", "many lines"])
async def test_a_paste_of_200_kb_does_not_freeze(open_app: OpenApp, doubles: Doubles, text: str) -> None:
    async with open_app() as pilot:
        start = time.perf_counter()
        pilot.app.post_message(events.Paste(text))
        await pilot.pause()
        await pilot.press("!")
        assert chat(pilot).composer.text == f"{text}!"
        await pilot.press("enter")
        await settle(pilot)
        assert time.perf_counter() - start < 5
        assert doubles.said() == [f"{text}!".strip()]


async def test_up_and_down_at_the_edges_bring_back_what_was_written(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await send(pilot, "first")
        await send(pilot, "second\nof two lines")
        chat(pilot).composer.put("draft")
        box = chat(pilot).composer
        await pilot.press("up")
        assert box.text == "second\nof two lines"
        await pilot.press("up")
        assert box.text == "second\nof two lines", "the cursor only moves up a line"
        await pilot.press("up")
        assert box.text == "first"
        await pilot.press("up")
        assert box.text == "first"
        await pilot.press("down", "down", "down")
        assert box.text == "draft"


def test_history_forgets_and_does_not_repeat() -> None:
    history = History()
    history.add("a")
    history.add("a")
    history.add("")
    assert history.items == ["a"]
    assert history.older("draft") == "a"
    assert history.older("a") is None
    assert history.newer() == "draft"
    assert history.newer() is None
    history.forget()
    assert history.older("draft") is None


async def test_a_slash_suggests_and_tab_completes(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await pilot.press("/", "t", "h")
        await pilot.pause()
        assert [command.name for command in chat(pilot).query_one(Suggestions).found] == ["theme"]
        await pilot.press("tab")
        await pilot.pause()
        assert chat(pilot).composer.text == "/theme "
        assert not chat(pilot).query_one(Suggestions).display


async def test_arrows_and_enter_choose_a_suggestion(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await pilot.press("/", "h", "down", "enter")
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app(pilot).screen, HelpScreen)
        assert chat(pilot).composer.text == ""


async def test_esc_hides_the_suggestions_and_keeps_the_text(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await pilot.press("/", "escape")
        await pilot.pause()
        assert not chat(pilot).query_one(Suggestions).display
        assert chat(pilot).composer.text == "/"


async def test_an_argument_reaches_its_command(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await send(pilot, "/theme calm-light")
        assert app(pilot).theme == "calm-light"
        await send(pilot, "/model qwen2.5-1.5b-q4")
        await pilot.pause()
        assert isinstance(app(pilot).screen, ModelScreen)


async def test_a_mistyped_command_is_not_sent(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await send(pilot, "/hlep")
        assert "There is no command /hlep" in hint(pilot)
        assert chat(pilot).composer.text == "/hlep"
        assert doubles.said() == []


@pytest.mark.parametrize("text", ["/i want to die", " /help", "/ what now"])
async def test_words_are_never_lost_to_a_slash(open_app: OpenApp, doubles: Doubles, text: str) -> None:
    async with open_app() as pilot:
        await send(pilot, text)
        assert doubles.said() == [text.strip()]


async def test_nothing_that_anyone_writes_is_read_as_markup(open_app: OpenApp, doubles: Doubles) -> None:
    text, reply = "[red]not red[/red] [@click=app.quit]no[/] [/]", "[red]not red[/red] [b]no[/] [/]"
    doubles.engine.will_say(reply)
    async with open_app() as pilot:
        await send(pilot, text)
        assert shown(pilot) == [("user", text), ("reply", reply)]
        assert text in on_screen(pilot)
        assert reply in on_screen(pilot)


async def test_escape_sequences_of_a_model_do_not_reach_the_screen(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.will_say("calm \x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31mwords\x08")
    async with open_app() as pilot:
        await send(pilot, "hello")
        assert shown(pilot)[-1] == ("reply", "calm words")
        assert not set(on_screen(pilot)) & {"\x1b", "\x9b", "\x07", "\x08"}


async def test_copy_goes_through_the_terminal_and_says_so(
    open_app: OpenApp, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubles.engine.will_say("Only this.")
    async with open_app() as pilot:
        await send(pilot, "hello")
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert app(pilot).clipboard == "Only this."
        assert "stays in the clipboard" in hint(pilot)


async def test_ctrl_c_never_ends_the_app(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        chat(pilot).composer.put("a draft")
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app(pilot).is_running
        assert chat(pilot).composer.text == "a draft"
        assert "Ctrl+Q" in hint(pilot)


def test_the_keyboard_thread_class_is_a_driver() -> None:
    from textual.drivers.headless_driver import HeadlessDriver

    from tide_chat.ui.quick_exit import watching

    assert issubclass(watching(HeadlessDriver, lambda: None, lambda: None), Driver)


async def test_words_typed_while_a_card_has_the_focus_are_not_lost(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        chat(pilot).query_one(CardDeck).pin(CARD)
        await pilot.press("f3")
        assert not chat(pilot).composer.has_focus
        await pilot.press("h", "i")
        assert chat(pilot).composer.text == "hi"
        await pilot.press("f3")
        pilot.app.post_message(events.Paste(" there"))
        await pilot.pause()
        assert chat(pilot).composer.text == "hi there"
        assert chat(pilot).composer.has_focus


async def test_words_typed_in_a_burst_elsewhere_keep_their_blanks(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        chat(pilot).query_one(CardDeck).pin(CARD)
        await pilot.press("f3")
        assert not chat(pilot).composer.has_focus
        for typed in " i am so tired":
            pilot.app.post_message(events.Key("space" if typed == " " else typed, typed))
        await pilot.pause()
        assert chat(pilot).composer.text == "i am so tired"
        assert chat(pilot).composer.has_focus
