"""The history is opened, begun, or left closed; what the app says of it is true each time."""

import os
import re
import threading
from pathlib import Path

import pytest

from tests.ui.care_driving import screen
from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles, Gate
from tests.ui.driving import app, chat, on_screen, send, settle, shown, until
from tests.ui.history_driving import PASSPHRASE, greeting, kept_history, press, type_in, unlock, use
from tide_chat.care.keeping import KEPT, LOCKED, UNKEPT, Care, Paper
from tide_chat.config import Settings
from tide_chat.errors import StoreDamaged
from tide_chat.store import system_keyring
from tide_chat.store.book import Book, State
from tide_chat.store.keys import Key
from tide_chat.store.vault import Vault
from tide_chat.ui.screens.care.tool import StepsScreen
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.screens.help_lines import HelpLinesScreen
from tide_chat.ui.screens.history import words
from tide_chat.ui.screens.history.opening import TurnOnScreen, UnlockScreen
from tide_chat.ui.screens.settings import SettingsScreen

pytestmark = pytest.mark.usefixtures("cheap_keys")


@pytest.fixture
def vault(doubles: Doubles, tmp_path: Path, cheap_keys: None) -> Vault:
    return kept_history(doubles, tmp_path / "history")


class TestUnlocking:
    async def test_the_passphrase_opens_it_and_what_is_said_is_on_the_disk_before_the_reply(
        self, open_app: OpenApp, doubles: Doubles, vault: Vault
    ) -> None:
        gate = Gate()
        doubles.engine.will_say("I hear you.", gate)
        async with open_app() as pilot:
            assert isinstance(screen(pilot), UnlockScreen)
            await type_in(pilot, "not this one")
            assert "does not open the history" in on_screen(pilot)
            await unlock(pilot)
            assert isinstance(screen(pilot), ChatScreen)
            assert words.STAYS[State.OPEN] in greeting(pilot)
            assert " · kept · " in on_screen(pilot)
            await send(pilot, "a long day", wait=False)
            await until(pilot, lambda: doubles.book.open_id is not None)
            with vault.open(vault.unlock(PASSPHRASE)) as other:
                assert [one.message.text for one in other.messages(1)] == ["a long day"]
            gate.open()
            await settle(pilot)
            assert doubles.book.holds(doubles.talk.conversation)

    async def test_one_key_goes_on_without_keeping(self, open_app: OpenApp, doubles: Doubles, vault: Vault) -> None:
        async with open_app() as pilot:
            await press(pilot, "escape")
            assert isinstance(screen(pilot), ChatScreen)
            assert words.STAYS[State.LOCKED] in greeting(pilot)
            assert doubles.care.where == LOCKED
            await send(pilot, "only for now")
            assert " · not kept · " in on_screen(pilot)
            await send(pilot, "/history")
            await unlock(pilot)
            assert shown(pilot)[-1] == ("notice", words.FROM_HERE)
            await send(pilot, "for later")
            assert doubles.book.archive
            assert [hit.snippet.text for hit in doubles.book.archive.search("now")] == []
            assert [one.message.text for one in doubles.book.archive.messages(1)] == ["for later", "I hear you."]

    async def test_people_and_tools_are_as_near_as_anywhere(self, open_app: OpenApp, vault: Vault) -> None:
        async with open_app() as pilot:
            await press(pilot, "f2")
            assert isinstance(screen(pilot), HelpLinesScreen)
            await press(pilot, "escape", "f10")
            assert isinstance(screen(pilot), StepsScreen)
            await press(pilot, "escape")
            assert isinstance(screen(pilot), UnlockScreen)

    async def test_the_first_screen_comes_before_it(self, open_app: OpenApp, doubles: Doubles, vault: Vault) -> None:
        doubles.words.due = True
        async with open_app() as pilot:
            assert "Before we begin" in on_screen(pilot)
            await press(pilot, "enter")
            assert isinstance(screen(pilot), UnlockScreen)

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda file: file.write_bytes(b"x" * 100), "The history is damaged."),
            pytest.param(
                lambda file: file.chmod(0o000),
                "does not open|cannot be opened|is damaged",
                marks=pytest.mark.skipif(os.geteuid() == 0, reason="rights do not stop who may read everything"),
            ),
        ],
        ids=["damaged", "unreadable"],
    )
    async def test_a_file_that_fails_is_said_and_one_can_talk(
        self, open_app: OpenApp, vault: Vault, spoil: object, said: str
    ) -> None:
        spoil(vault.file)  # type: ignore[operator]
        async with open_app() as pilot:
            await type_in(pilot, PASSPHRASE)
            assert re.search(said, on_screen(pilot))
            await press(pilot, "escape")
            await send(pilot, "hello")
            assert shown(pilot)[-1] == ("reply", "I hear you.")

    async def test_a_history_that_is_being_deleted_elsewhere_is_said(self, open_app: OpenApp, vault: Vault) -> None:
        async with open_app() as pilot:
            with vault._alone():
                await type_in(pilot, PASSPHRASE)
            assert "by another tide-chat" in " ".join(on_screen(pilot).split())


class TestKeyring:
    @pytest.fixture(autouse=True)
    def keyring(self, doubles: Doubles, vault: Vault) -> None:
        doubles.settings = Settings(history=True, history_keyring=True, reduced_motion=True)

    async def test_it_opens_by_itself(
        self, open_app: OpenApp, doubles: Doubles, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = vault.unlock(PASSPHRASE)
        monkeypatch.setattr(system_keyring, "find", lambda _file: key)
        async with open_app() as pilot:
            await settle(pilot)
            assert isinstance(screen(pilot), ChatScreen)
            assert doubles.book.state is State.OPEN
            assert words.STAYS[State.OPEN] in greeting(pilot)

    async def test_until_it_answers_a_reply_waits_for_nothing_and_then_all_of_it_is_kept(
        self, open_app: OpenApp, doubles: Doubles, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key, answered = vault.unlock(PASSPHRASE), threading.Event()
        monkeypatch.setattr(system_keyring, "find", lambda _file: key if answered.wait(20) else None)
        async with open_app() as pilot:
            await send(pilot, "I am going to kill myself tonight", wait=False)
            await until(pilot, lambda: chat(pilot).turns.running is None and len(shown(pilot)) > 1)
            assert doubles.book.state is State.OPENING
            answered.set()
            await settle(pilot)
            assert doubles.book.holds(doubles.talk.conversation)

    @pytest.mark.parametrize("found", [None, Key(bytes(32))], ids=["no key", "another key"])
    async def test_when_it_does_not_the_passphrase_is_asked_for(
        self, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, found: Key | None
    ) -> None:
        monkeypatch.setattr(system_keyring, "find", lambda _file: found)
        async with open_app() as pilot:
            await settle(pilot)
            assert isinstance(screen(pilot), UnlockScreen)
            await unlock(pilot)
            assert app(pilot).book.state is State.OPEN


class TestTurningOn:
    async def test_nothing_is_made_and_nothing_said_while_it_is_off(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await send(pilot, "hello")
            assert "kept" not in on_screen(pilot)
        assert not doubles.book.vault.folder.exists()
        assert doubles.care.where == UNKEPT

    async def test_settings_offer_it_and_it_is_asked_for_twice(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app(size=(80, 40)) as pilot:
            await press(pilot, "f5", "end", "enter")
            assert isinstance(screen(pilot), TurnOnScreen)
            assert "nobody can recover it" in " ".join(on_screen(pilot).replace("│", " ").split())
            await type_in(pilot, "short")
            assert "too short" in on_screen(pilot)
            await type_in(pilot, PASSPHRASE)
            await type_in(pilot, "not the same", "#again")
            assert "not the same" in on_screen(pilot)
            assert not doubles.book.vault.exists()
            await type_in(pilot, PASSPHRASE)
            await type_in(pilot, PASSPHRASE, "#again")
            assert isinstance(screen(pilot), SettingsScreen)
            assert "(x) Keep them" in on_screen(pilot)
            assert doubles.saved[-1].history is True
            assert doubles.care.where == KEPT

    async def test_what_was_written_before_moves_along(self, open_app: OpenApp, doubles: Doubles, care: Care) -> None:
        care.papers.put(Paper.CALM_PLACE, "a lake")
        async with open_app() as pilot:
            await send(pilot, "said before")
            await send(pilot, "/history")
            await type_in(pilot, PASSPHRASE)
            await type_in(pilot, PASSPHRASE, "#again")
            assert doubles.book.archive
            assert doubles.book.archive.rows("SELECT text FROM paper") == [("a lake",)]
            assert doubles.book.archive.count() == 0

    async def test_esc_keeps_nothing(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await send(pilot, "/history")
            await press(pilot, "escape")
            assert isinstance(screen(pilot), ChatScreen)
        assert not doubles.book.vault.folder.exists()
        assert doubles.saved == []

    async def test_turned_off_what_was_kept_stays(self, open_app: OpenApp, doubles: Doubles, vault: Vault) -> None:
        async with open_app(size=(80, 40)) as pilot:
            await unlock(pilot)
            await press(pilot, "f5", "end", "enter")
            assert isinstance(screen(pilot), Confirm)
            await press(pilot, "right", "enter")
            assert "( ) Keep them" in on_screen(pilot)
            assert doubles.book.state is State.OFF
            assert doubles.saved[-1].history is False
            assert vault.exists()
            await press(pilot, "up", "down", "enter")
            assert isinstance(screen(pilot), UnlockScreen)
            await unlock(pilot)
            assert doubles.saved[-1].history is True

    async def test_what_is_forgotten_afterwards_is_not_said_to_have_been_unkept(
        self, open_app: OpenApp, vault: Vault
    ) -> None:
        async with open_app(size=(80, 40)) as pilot:
            await unlock(pilot)
            await send(pilot, "hello")
            await press(pilot, "f5", "end", "enter", "right", "enter", "escape")
            await send(pilot, "/forget")
            said = " ".join(on_screen(pilot).replace("│", " ").split())
            assert words.LEFT_PART in said
            assert words.NEW not in said

    async def test_settings_that_say_so_where_there_is_none(
        self, open_app: OpenApp, doubles: Doubles, tmp_path: Path
    ) -> None:
        use(doubles, Book(Vault(tmp_path / "nothing"), on=True))
        doubles.settings = Settings(history=True, reduced_motion=True)
        async with open_app() as pilot:
            await pilot.pause()
            assert shown(pilot) == [("notice", words.NOTHING_HERE)]


async def test_a_failure_that_nobody_foresaw_is_said(
    open_app: OpenApp, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_passphrase: str) -> Key:
        raise StoreDamaged("The history is damaged.") if vault.exists() else RuntimeError

    monkeypatch.setattr(vault, "unlock", broken)
    async with open_app() as pilot:
        await type_in(pilot, PASSPHRASE)
        assert "The history is damaged." in on_screen(pilot)
        monkeypatch.setattr(vault, "unlock", lambda _passphrase: 1 / 0)
        await type_in(pilot, PASSPHRASE)
        assert "could not be opened. ZeroDivisionError" in on_screen(pilot)
        assert chat(pilot).turns.running is None
