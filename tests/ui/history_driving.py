"""A real encrypted history below the app, for tests of its screens."""

from collections.abc import Sequence
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.ui.doubles import Doubles
from tests.ui.driving import app, chat, settle
from tide_chat.config import Settings
from tide_chat.messages import Message, Role
from tide_chat.store.archive import Archive
from tide_chat.store.book import Book
from tide_chat.store.vault import Vault
from tide_chat.ui.screens.history.lists import HistoryScreen

PASSPHRASE = "four words of mine"


def user(text: str) -> Message:
    return Message(Role.USER, text)


def reply(text: str) -> Message:
    return Message(Role.ASSISTANT, text)


def kept_history(doubles: Doubles, folder: Path, *conversations: Sequence[Message]) -> Vault:
    """A history with these, oldest first; the app finds it locked."""
    vault = Vault(folder)
    with vault.open(vault.create(PASSPHRASE)) as archive:
        for messages in conversations:
            archive.create(messages)
    use(doubles, Book(vault, on=True))
    doubles.settings = Settings(history=True, reduced_motion=True)
    return vault


def use(doubles: Doubles, book: Book) -> None:
    doubles.book = doubles.talk.keeper = book


def archive_of(pilot: Pilot[int]) -> Archive:
    archive = app(pilot).book.archive
    assert archive
    return archive


def texts(pilot: Pilot[int], id: int) -> list[str]:
    return [one.message.text for one in archive_of(pilot).messages(id)]


async def press(pilot: Pilot[int], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot)


async def type_in(pilot: Pilot[int], text: str, box: str = "#passphrase") -> None:
    pilot.app.screen.query_one(box, Input).value = text
    await press(pilot, "enter")


async def unlock(pilot: Pilot[int]) -> None:
    await type_in(pilot, PASSPHRASE)
    await pilot.pause()


async def open_list(pilot: Pilot[int]) -> HistoryScreen:
    await press(pilot, "f11")
    assert isinstance(pilot.app.screen, HistoryScreen)
    return pilot.app.screen


def greeting(pilot: Pilot[int]) -> str:
    return str(chat(pilot).query_one("#greeting", Static).render())
