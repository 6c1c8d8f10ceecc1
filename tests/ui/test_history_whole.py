"""All of the history: deleted after a typed word. And what closes, or is typed twice, does no harm."""

import threading
from pathlib import Path

import pytest
from textual.events import Resize
from textual.geometry import Size
from textual.widgets import Input, Static

from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles
from tests.ui.driving import app, chat, on_screen, settle, shown
from tests.ui.history_driving import (
    PASSPHRASE,
    kept_history,
    open_list,
    press,
    reply,
    type_in,
    unlock,
    user,
)
from tide_chat.store import system_keyring
from tide_chat.store.book import State
from tide_chat.store.vault import Vault
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.screens.history import words
from tide_chat.ui.screens.history.delete_all import DeleteAllScreen
from tide_chat.ui.screens.history.lists import HistoryScreen
from tide_chat.ui.screens.history.opening import TurnOnScreen

TALK = (user("I heard the door again"), reply("That sounds frightening."))


async def test_all_of_it_is_deleted_only_after_the_word(open_app: OpenApp, doubles: Doubles, tmp_path: Path) -> None:
    vault = kept_history(doubles, tmp_path / "history", TALK, TALK)
    async with open_app() as pilot:
        await unlock(pilot)
        await open_list(pilot)
        await press(pilot, "enter")  # what is deleted stands on the screen as well
        await open_list(pilot)
        await press(pilot, "tab", "up", "enter")
        assert isinstance(pilot.app.screen, DeleteAllScreen)
        await type_in(pilot, "yes", "#word")
        assert isinstance(pilot.app.screen, DeleteAllScreen)
        assert "Nothing was deleted" in on_screen(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, HistoryScreen)
        assert vault.exists()
        await press(pilot, "tab", "up", "enter")
        await type_in(pilot, " Delete ", "#word")
        assert chat(pilot).is_current
        assert not vault.exists()
        assert shown(pilot) == [("notice", words.DELETED_ALL)]
        assert app(pilot).book.state is State.OFF
        assert not doubles.care.kept
        assert not doubles.saved[-1].history
        assert len(doubles.talk.conversation) == 0


async def test_a_keyring_that_asks_first_holds_nobody_up(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, threading.Thread]] = []
    monkeypatch.setattr(system_keyring, "forget", lambda file: asked.append((file, threading.current_thread())))
    vault = kept_history(doubles, tmp_path / "history", TALK)
    async with open_app() as pilot:
        await unlock(pilot)
        app(pilot).delete_history()
        await settle(pilot)
    assert [file for file, _ in asked] == [vault.file]
    assert asked[0][1] is not threading.current_thread()
    assert not vault.exists()


async def test_while_another_window_has_it_nothing_is_deleted(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path
) -> None:
    vault = kept_history(doubles, tmp_path / "history", TALK)
    async with open_app() as pilot:
        await unlock(pilot)
        other = Vault(vault.folder)
        with other.open(other.unlock(PASSPHRASE)) as archive:
            await open_list(pilot)
            await press(pilot, "tab", "up", "enter")
            await type_in(pilot, "delete", "#word")
            assert archive.count() == 1
        assert "Another tide-chat" in shown(pilot)[-1][1]
        assert app(pilot).book.state is State.LOCKED
        assert app(pilot).settings.history


async def test_an_empty_history_can_be_deleted_too(open_app: OpenApp, doubles: Doubles, tmp_path: Path) -> None:
    vault = kept_history(doubles, tmp_path / "history")
    async with open_app() as pilot:
        await unlock(pilot)
        await open_list(pilot)
        await press(pilot, "tab", "down", "enter")
        await type_in(pilot, "delete", "#word")
        assert not vault.exists()


async def test_two_passphrases_that_differ_are_typed_anew(open_app: OpenApp, tmp_path: Path) -> None:
    async with open_app() as pilot:
        pilot.app.push_screen(TurnOnScreen(app(pilot).book))
        await pilot.pause()
        await type_in(pilot, PASSPHRASE)
        await type_in(pilot, PASSPHRASE + "x", "#again")
        screen = pilot.app.screen
        assert "not the same" in str(screen.query_one("#care-note", Static).render())
        assert [box.value for box in screen.query(Input)] == ["", ""]
        assert screen.focused is screen.query_one("#passphrase")


async def test_a_key_that_comes_after_a_tool_was_left_does_no_harm(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await press(pilot, "f10")
        tool = pilot.app.screen
        tool.dismiss()
        await tool.remove_children()
        await pilot.app.run_action("next", tool)
        await pilot.pause()
        assert chat(pilot).is_current


async def test_a_panel_that_closes_while_its_size_changes_does_no_harm(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        for _ in range(3):
            panel = Confirm("Really?", "It is a question.", yes="Yes", no="No")
            pilot.app.push_screen(panel)
            await pilot.pause()
            panel.post_message(Resize(Size(70, 20), Size(70, 20)))
            pilot.app.simulate_key("escape")
            panel.call_after_refresh(panel._fit)
            await panel.remove_children()
            await pilot.pause()
        panel._fit()
        assert pilot.app.screen is chat(pilot)
