"""The list of conversations beside the talk: searched, gone on with, named, copied, written to a file, deleted."""

import json
import threading
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.ui.care_driving import screen
from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles, Gate
from tests.ui.driving import app, chat, hint, on_screen, send, settle, shown, until
from tests.ui.history_driving import (
    archive_of,
    greeting,
    kept_history,
    open_list,
    press,
    reply,
    texts,
    type_in,
    unlock,
    user,
)
from tide_chat.messages import Conversation
from tide_chat.safety.assessment import Tier
from tide_chat.store.book import State
from tide_chat.store.vault import Vault
from tide_chat.ui.screens.actions import OPENING
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.screens.history import words
from tide_chat.ui.screens.history.choices import WORDS, Choice, ChoicesScreen
from tide_chat.ui.screens.history.export import HistoryExport
from tide_chat.ui.screens.history.lists import HistoryScreen, TurnsScreen

FIREWORKS = (user("the fireworks again, with Dana"), reply("That noise is hard."))
STREET = (user("the street was loud"), reply("It was."), user("and then the bus"), reply("The bus too."))


@pytest.fixture(autouse=True)
def vault(doubles: Doubles, tmp_path: Path, cheap_keys: None) -> Vault:
    return kept_history(doubles, tmp_path / "history", FIREWORKS, STREET)


class TestGoingOn:
    async def test_enter_goes_on_with_the_newest(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            await open_list(pilot)
            assert "› the street was loud" in on_screen(pilot)
            await press(pilot, "enter")
            assert isinstance(screen(pilot), ChatScreen)
            assert [text for _, text in shown(pilot)] == [one.text for one in STREET]
            assert chat(pilot).composer.has_focus
            await send(pilot, "one more")
            assert texts(pilot, 2)[-2:] == ["one more", "I hear you."]
            await open_list(pilot)
            assert "6 messages · open now" in on_screen(pilot)

    async def test_what_was_said_there_about_risk_is_known(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            archive_of(pilot).create([user("I am going to kill myself tonight"), reply("...")])
            await open_list(pilot)
            await press(pilot, "enter")
            await send(pilot, "ok")
            assert doubles.talk.newest
            assert doubles.talk.newest.tier >= Tier.T2

    async def test_not_while_a_reply_is_written(self, open_app: OpenApp, doubles: Doubles) -> None:
        gate = Gate()
        doubles.engine.will_say("I hear you.", gate)
        async with open_app() as pilot:
            await unlock(pilot)
            await send(pilot, "hello", wait=False)
            await pilot.press("f11")
            await until(pilot, lambda: isinstance(screen(pilot), HistoryScreen))
            await pilot.press("down", "enter")
            await until(pilot, lambda: "A reply is being written" in on_screen(pilot))
            gate.open()
            await settle(pilot)
            assert doubles.said() == ["hello"]

    async def test_nothing_is_said_changed_or_deleted_while_another_is_opened(
        self, open_app: OpenApp, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opening, go_on_with, opened = threading.Event(), doubles.book.go_on_with, []

        def slow(id: int, *, last: int, copy_to: int | None = None) -> Conversation:
            opened.append(id)
            opening.wait(20)
            return go_on_with(id, last=last, copy_to=copy_to)

        monkeypatch.setattr(doubles.book, "go_on_with", slow)
        async with open_app() as pilot:
            await unlock(pilot)
            await send(pilot, "first")
            await open_list(pilot)
            await pilot.press("down", "enter")  # the street
            await pilot.press("down", "enter")
            await pilot.press("escape")
            await send(pilot, "second", wait=False)
            assert hint(pilot) == OPENING
            assert chat(pilot).composer.text == "second"
            for command in ("ctrl+r", "ctrl+n"):
                await pilot.press(command)
                await pilot.pause()
                assert hint(pilot) == OPENING, command
            assert doubles.said() == ["first"]
            await pilot.press("f11")
            await until(pilot, lambda: isinstance(screen(pilot), HistoryScreen))
            app(pilot).act_on(3, Choice.DELETE)
            await until(pilot, lambda: words.OPENING in on_screen(pilot))
            opening.set()
            await until(pilot, lambda: isinstance(screen(pilot), ChatScreen))
            assert opened == [2]
            assert [text for _, text in shown(pilot)] == [one.text for one in STREET]
            assert chat(pilot).composer.text == "second"
            await pilot.press("enter")
            await settle(pilot)
            assert texts(pilot, 2) == [*(one.text for one in STREET), "second", "I hear you."]
            assert texts(pilot, 3) == ["first", "I hear you."]

    async def test_what_drives_a_terminal_does_not(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            archive_of(pilot).create([user("red\x1b[31m [bold]words"), reply("\x1b[2Jgone")])
            await open_list(pilot)
            await type_in(pilot, "words", "#find")
            assert "\x1b" not in on_screen(pilot)
            assert "[bold]words" in on_screen(pilot)

    async def test_one_that_was_deleted_elsewhere_is_said(self, open_app: OpenApp, vault: Vault) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            await open_list(pilot)
            archive_of(pilot).delete(2)
            await press(pilot, "enter")
            assert "There is no conversation 2." in on_screen(pilot)
            assert isinstance(screen(pilot), HistoryScreen)


class TestSearching:
    async def test_typing_searches_and_enter_goes_on(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            found = await open_list(pilot)
            await pilot.press(*"dana")
            await until(pilot, lambda: found.rows.total == 1)
            await settle(pilot)
            assert "You: the fireworks again, with Dana" in " ".join(on_screen(pilot).split())
            await press(pilot, "enter")
            assert [text for _, text in shown(pilot)] == [one.text for one in FIREWORKS]

    async def test_nothing_found_is_said_and_an_empty_box_lists_all(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            found = await open_list(pilot)
            await pilot.press(*"xyzzy")
            await until(pilot, lambda: "Nothing was found" in on_screen(pilot))
            await press(pilot, *["backspace"] * 5)
            assert found.rows.total == 2


class TestChoices:
    async def choose(self, pilot: object, choice: Choice) -> None:
        await press(pilot, "tab")  # type: ignore[arg-type]
        assert isinstance(screen(pilot), ChoicesScreen)  # type: ignore[arg-type]
        await press(pilot, *["down"] * list(WORDS).index(choice), "enter")  # type: ignore[arg-type]

    async def test_a_name(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            await open_list(pilot)
            await self.choose(pilot, Choice.NAME)
            await type_in(pilot, "The bus", "#name")
            assert "› The bus" in on_screen(pilot)
            assert archive_of(pilot).summary(2).title == "The bus"

    async def test_a_copy_up_to_a_message(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            await open_list(pilot)
            await self.choose(pilot, Choice.COPY)
            assert isinstance(screen(pilot), TurnsScreen)
            assert "and then the bus" in on_screen(pilot)
            await press(pilot, "down", "enter")
            assert [text for _, text in shown(pilot)] == [one.text for one in STREET[:2]]
            await send(pilot, "another way")
            assert len(texts(pilot, 2)) == 4
            assert texts(pilot, 3) == [STREET[0].text, STREET[1].text, "another way", "I hear you."]

    async def test_deleting_asks_first(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            await open_list(pilot)
            await self.choose(pilot, Choice.DELETE)
            assert isinstance(screen(pilot), Confirm)
            await press(pilot, "enter")
            assert archive_of(pilot).count() == 2
            await self.choose(pilot, Choice.DELETE)
            await press(pilot, "right", "enter")
            assert archive_of(pilot).count() == 1
            assert "the street" not in on_screen(pilot)

    async def test_the_open_one_leaves_the_screen_too(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            await send(pilot, "hello")
            await open_list(pilot)
            await self.choose(pilot, Choice.DELETE)
            await press(pilot, "right", "enter", "escape")
            assert shown(pilot) == []
            assert doubles.said() == []
            assert archive_of(pilot).count() == 2

    async def test_a_new_one(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            await send(pilot, "hello")
            await open_list(pilot)
            await self.choose(pilot, Choice.NEW)
            assert isinstance(screen(pilot), ChatScreen)
            assert shown(pilot) == []
            assert archive_of(pilot).count() == 3


class TestTheOpenOne:
    async def test_clear_keeps_what_was_kept_and_asks_nothing(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            await send(pilot, "hello")
            await press(pilot, "ctrl+n")
            assert shown(pilot) == []
            assert words.STAYS[State.OPEN] in greeting(pilot)
            await send(pilot, "a new one")
            assert texts(pilot, 3) == ["hello", "I hear you."]
            assert texts(pilot, 4) == ["a new one", "I hear you."]

    async def test_clear_asks_where_something_would_be_lost(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await press(pilot, "escape")
            await send(pilot, "hello")
            await press(pilot, "ctrl+n")
            assert isinstance(screen(pilot), Confirm)

    async def test_forget_deletes_it_everywhere_also_in_the_middle_of_a_reply(
        self, open_app: OpenApp, doubles: Doubles
    ) -> None:
        gate = Gate()
        doubles.engine.will_say("I hear you. ", gate, "More.")
        async with open_app() as pilot:
            await unlock(pilot)
            await send(pilot, "plantedmarker", wait=False)
            await until(pilot, lambda: doubles.book.open_id is not None)
            chat(pilot).composer.put("/forget")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(screen(pilot), Confirm))
            assert words.FORGET.split(".")[0] in " ".join(on_screen(pilot).replace("│", " ").split())
            await press(pilot, "right", "enter")
            await until(pilot, lambda: shown(pilot) == [])
            assert archive_of(pilot).count() == 2
            assert archive_of(pilot).search("plantedmarker") == ()
            assert doubles.said() == []

    async def test_what_cannot_be_forgotten_stays_and_is_said(
        self, open_app: OpenApp, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from tide_chat.errors import StoreError

        def full() -> None:
            raise StoreError("The disk is full.")

        async with open_app() as pilot:
            await unlock(pilot)
            await send(pilot, "hello")
            monkeypatch.setattr(doubles.book, "forget", full)
            await send(pilot, "/forget")
            await press(pilot, "right", "enter")
            assert "The disk is full." in shown(pilot)[-1][1]
            assert doubles.said() == ["hello"]

    async def test_a_file_is_an_explicit_act_that_says_where_it_goes(self, open_app: OpenApp, tmp_path: Path) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            await open_list(pilot)
            await press(pilot, "down", "enter")
            await send(pilot, "/export")
            assert isinstance(screen(pilot), HistoryExport)
            assert "not encrypted" in on_screen(pilot)
            assert not list(Path.home().glob("*.md"))
            screen(pilot).query_one("#where", Input).value = str(tmp_path / "talk.txt")
            await press(pilot, "enter")
            assert "has to end in .md or .json" in on_screen(pilot)
            screen(pilot).query_one("#where", Input).value = str(tmp_path / "talk.json")
            await press(pilot, "tab", "down", "enter", "shift+tab", "enter")
            assert "Written:" in on_screen(pilot)
            written = json.loads((tmp_path / "talk.json").read_text(encoding="utf-8"))
            assert written["redacted"] is True
            assert [one["text"] for one in written["conversations"][0]["messages"]] == [
                "the fireworks again, with [name]",
                FIREWORKS[1].text,
            ]

    @pytest.mark.parametrize("command", ["/export", "/branch"])
    async def test_what_is_not_kept_cannot(self, open_app: OpenApp, command: str) -> None:
        async with open_app() as pilot:
            await press(pilot, "escape")
            await send(pilot, command)
            assert hint(pilot) == words.NOT_OPEN
            await send(pilot, "/history")
            await unlock(pilot)
            await send(pilot, command)
            assert hint(pilot) == words.NOTHING_YET

    async def test_what_is_carried_is_written_and_switched_on(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await unlock(pilot)
            await send(pilot, "/about-me")
            await press(pilot, "s")
            assert doubles.care.carried() == ""
            await press(pilot, "e", *"Sam", "ctrl+s")
            assert "Nothing reads this now" in on_screen(pilot)
            await press(pilot, "s")
            assert doubles.care.carried() == "Sam"
            assert "given to the model with every message" in on_screen(pilot)
            assert archive_of(pilot).rows("SELECT text FROM paper WHERE name = 'about_me'") == [("Sam",)]


async def test_beside_the_talk_where_there_is_room_and_in_its_place_where_not(open_app: OpenApp) -> None:
    async with open_app(size=(120, 30)) as pilot:
        await unlock(pilot)
        await send(pilot, "hello")
        await open_list(pilot)
        assert "I hear you." in on_screen(pilot)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "I hear you." not in on_screen(pilot)
        await press(pilot, "f11")
        assert isinstance(screen(pilot), ChatScreen)
        assert chat(pilot).composer.region.x == 0
        assert app(pilot).book.state is State.OPEN


@pytest.mark.parametrize("size", [(1, 1), (5, 2), (20, 8)])
async def test_tiny_terminals_break_nothing(open_app: OpenApp, size: tuple[int, int]) -> None:
    async with open_app(size=size) as pilot:
        await unlock(pilot)
        await open_list(pilot)
        await press(pilot, "down", "pagedown", "tab", "escape", "escape")
        assert isinstance(screen(pilot), ChatScreen)
