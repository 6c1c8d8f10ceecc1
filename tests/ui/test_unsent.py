"""What was typed and not sent comes back where a history is kept, and is written nowhere else."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles, Gate
from tests.ui.driving import app, chat, hint, send, settle, until
from tests.ui.history_driving import PASSPHRASE, kept_history, press, reply, unlock, user
from tide_chat.engine.base import Cancel
from tide_chat.errors import StoreError
from tide_chat.safety.assessment import Assessment
from tide_chat.safety.state import RiskState
from tide_chat.store import cipher
from tide_chat.store.care import StoredPapers
from tide_chat.store.drafts import Drafts
from tide_chat.store.vault import Vault
from tide_chat.ui import unsent
from tide_chat.ui.unsent import LEFT

pytestmark = pytest.mark.usefixtures("cheap_keys", "at_once")

TALK = (user("I heard the door again"), reply("That sounds frightening."))
TYPED = "what I cannot say yet"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsent, "WAIT", 0.01)


def kept(vault: Vault) -> str:
    """What another program finds in the file, as if this one were gone."""
    with vault.open(vault.unlock(PASSPHRASE)) as archive:
        return Drafts(archive).left()


async def written(pilot: Pilot[int], vault: Vault, text: str) -> None:
    await until(pilot, lambda: kept(vault) == text)


async def forget(pilot: Pilot[int]) -> None:
    app(pilot).action_forget_this()
    await pilot.pause()
    await press(pilot, "tab", "enter")


async def test_it_is_kept_while_it_is_typed_and_offered_again(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path
) -> None:
    vault = kept_history(doubles, tmp_path / "history", TALK)
    async with open_app() as pilot:
        await unlock(pilot)
        await press(pilot, *"so")
        await written(pilot, vault, "so")
        await press(pilot, "backspace", "backspace")
        await written(pilot, vault, "")
        chat(pilot).composer.put(TYPED)
        await written(pilot, vault, TYPED)
    doubles.book.close()
    async with open_app() as pilot:
        await unlock(pilot)
        assert chat(pilot).composer.text == TYPED
        assert hint(pilot) == LEFT
        await pilot.press("enter")
        await settle(pilot)
        await written(pilot, vault, "")


async def test_it_is_looked_for_while_one_types_also_when_another_window_is_writing(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cipher, "WAIT_S", 60.0)
    vault = kept_history(doubles, tmp_path / "history")
    with vault.open(vault.unlock(PASSPHRASE)) as beside:
        StoredPapers(beside).put("draft 1-1 message", TYPED)  # of a process that is gone
        doubles.book.unlock(PASSPHRASE)
        busy = ExitStack()
        busy.enter_context(beside.writing())
        start = time.monotonic()
        async with open_app() as pilot:
            await pilot.press(*"ab")
            assert chat(pilot).composer.text == "ab"
            assert time.monotonic() - start < 30, "nobody waits for the other window"
            busy.close()
            await until(pilot, lambda: chat(pilot).composer.text == f"{TYPED}\nab")
            await until(pilot, lambda: not app(pilot).unsent.note(chat(pilot).unsent))
        rows = beside.rows("SELECT text FROM paper WHERE name GLOB 'draft *'")
        assert rows == [(f"{TYPED}\nab",)]


async def test_what_was_written_meanwhile_stays_behind_it(open_app: OpenApp, doubles: Doubles, tmp_path: Path) -> None:
    vault = kept_history(doubles, tmp_path / "history")
    with vault.open(vault.unlock(PASSPHRASE)) as archive:
        Drafts(archive).keep(TYPED)
    async with open_app() as pilot:
        await press(pilot, "escape")  # not now
        chat(pilot).composer.put("new words")
        await pilot.pause()
        app(pilot).ask_passphrase()
        await pilot.pause()
        await unlock(pilot)
        assert chat(pilot).composer.text == f"{TYPED}\nnew words"


async def test_a_message_is_kept_until_it_is_in_the_conversation(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path
) -> None:
    vault = kept_history(doubles, tmp_path / "history")
    looked, gate = Gate(), Gate()
    judge = doubles.talk._assess

    def slowly(text: str, state: RiskState | None) -> Assessment:
        looked.wait(Cancel())
        return judge(text, state)

    doubles.talk._assess = slowly
    doubles.engine.will_say(gate)
    async with open_app() as pilot:
        await unlock(pilot)
        await send(pilot, TYPED, wait=False)
        await written(pilot, vault, TYPED)
        looked.open()
        await until(pilot, lambda: doubles.book.open_id is not None)
        await written(pilot, vault, "")
        gate.open()
        await settle(pilot)


async def test_forgetting_takes_it_along(open_app: OpenApp, doubles: Doubles, tmp_path: Path) -> None:
    vault = kept_history(doubles, tmp_path / "history")
    async with open_app() as pilot:
        await unlock(pilot)
        await send(pilot, "it was a long day")
        chat(pilot).composer.put(TYPED)
        await written(pilot, vault, TYPED)
        await forget(pilot)
        assert chat(pilot).composer.text == ""
        await written(pilot, vault, "")


async def test_what_is_forgotten_or_sent_is_gone_at_once(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = kept_history(doubles, tmp_path / "history")
    async with open_app() as pilot:
        await unlock(pilot)
        await send(pilot, "it was a long day")
        chat(pilot).composer.put(TYPED)
        await written(pilot, vault, TYPED)
        monkeypatch.setattr(unsent, "WAIT", 600.0)  # whoever leaves now leaves before the next writing is due
        await forget(pilot)
        assert kept(vault) == ""


async def test_a_command_is_no_message(open_app: OpenApp, doubles: Doubles, tmp_path: Path) -> None:
    vault = kept_history(doubles, tmp_path / "history")
    async with open_app() as pilot:
        await unlock(pilot)
        await send(pilot, "/quit", wait=False)
        await until(pilot, lambda: not app(pilot).is_running)
    app(pilot).write_last_unsent()
    doubles.book.close()
    assert kept(vault) == ""


async def test_an_edited_message_was_sent_before_and_the_draft_behind_it_stays(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path
) -> None:
    vault = kept_history(doubles, tmp_path / "history")
    async with open_app() as pilot:
        await unlock(pilot)
        await send(pilot, "it was a long day")
        chat(pilot).composer.put(TYPED)
        chat(pilot).action_edit()
        assert chat(pilot).composer.text == "it was a long day"
        assert chat(pilot).unsent == TYPED
        chat(pilot).begin_with(())
        assert chat(pilot).composer.text == TYPED
        await written(pilot, vault, TYPED)


async def test_turning_the_history_off_takes_it_along(open_app: OpenApp, doubles: Doubles, tmp_path: Path) -> None:
    vault = kept_history(doubles, tmp_path / "history")
    async with open_app() as pilot:
        await unlock(pilot)
        chat(pilot).composer.put(TYPED)
        await written(pilot, vault, TYPED)
        app(pilot).turn_history_off()
        await settle(pilot)
        assert kept(vault) == ""
        assert chat(pilot).composer.text == TYPED


async def test_nothing_is_written_where_nothing_is_kept(
    open_app: OpenApp, doubles: Doubles, tide_home: Path, tmp_path: Path
) -> None:
    async with open_app() as pilot:
        chat(pilot).composer.put(TYPED)
        await settle(pilot)
        assert not app(pilot)._due
    app(pilot).unsent.write()
    files = [path for path in tide_home.parent.rglob("*") if path.is_file()]
    assert not [path for path in files if TYPED.encode() in path.read_bytes()]


async def test_while_the_history_is_locked_nothing_is_written(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path
) -> None:
    vault = kept_history(doubles, tmp_path / "history")
    async with open_app() as pilot:
        await press(pilot, "escape")
        chat(pilot).composer.put(TYPED)
        await settle(pilot)
    app(pilot).unsent.write()
    assert kept(vault) == ""


async def test_a_full_disk_costs_no_key_and_the_next_one_tries_again(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = kept_history(doubles, tmp_path / "history")

    def full(_self: Drafts, _text: str, _box: str) -> None:
        raise StoreError("The disk is full.")

    async with open_app() as pilot:
        await unlock(pilot)
        with monkeypatch.context() as patch:
            patch.setattr(Drafts, "keep", full)
            chat(pilot).composer.put("first")
            await pilot.pause(0.1)
            await settle(pilot)
        assert app(pilot).is_running
        chat(pilot).composer.put("second")
        await written(pilot, vault, "second")
