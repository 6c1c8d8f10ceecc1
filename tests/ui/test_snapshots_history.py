"""The screens of the history as pictures, on a real encrypted file. How pictures are accepted: test_snapshots.py."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.ui.care_driving import NOW
from tests.ui.doubles import Doubles
from tests.ui.driving import on_screen, until
from tests.ui.history_driving import PASSPHRASE, open_list, press, reply, unlock, use, user
from tests.ui.test_snapshots import LARGE, USUAL, Compare
from tide_chat.config import Settings
from tide_chat.messages import Message
from tide_chat.store.book import Book
from tide_chat.store.vault import Vault
from tide_chat.ui.app import TideChatApp

TALKS: tuple[tuple[str, Sequence[Message]], ...] = (
    ("", [user("the stairs again, every night the same ones"), reply("Stairs, night after night, wear a person out.")]),
    (
        "The ward",
        [user("they moved my shifts"), reply("That changes everything around it."), user("all but the nights")],
    ),
    ("", [user("I slept. four hours, no stairs"), reply("Four hours is something. What was different?")]),
)


@pytest.fixture(autouse=True)
def kept(doubles: Doubles, tmp_path: Path) -> None:
    """Three conversations, a day apart, the newest of them from this evening."""
    vault = Vault(tmp_path / "history")
    with vault.open(vault.create(PASSPHRASE)) as archive:
        for days, (title, said) in zip((9, 1, 0), TALKS, strict=True):
            archive.clock = lambda days=days: NOW - timedelta(days=days)  # type: ignore[misc]
            archive.create(said, title)
    use(doubles, Book(vault, on=True))
    doubles.settings = Settings(history=True, reduced_motion=True)


def picture(snap_compare: Compare, doubles: Doubles, *keys: str, size: tuple[int, int] = USUAL, then: str = "") -> bool:
    """Whether the list, after some keys and with the words `then` on it, looks as it was accepted."""

    async def steps(pilot: Pilot[int]) -> None:
        await unlock(pilot)
        await open_list(pilot)
        await press(pilot, *keys)
        await until(pilot, lambda: then in on_screen(pilot))
        await pilot.pause()

    return snap_compare(TideChatApp(doubles.core), terminal_size=size, run_before=steps)


@pytest.mark.parametrize("size", [USUAL, LARGE], ids=["80x24", "120x40"])
def test_list(snap_compare: Compare, doubles: Doubles, size: tuple[int, int]) -> None:
    assert picture(snap_compare, doubles, "down", size=size)


def test_found(snap_compare: Compare, doubles: Doubles) -> None:
    assert picture(snap_compare, doubles, *"stairs", then="You: I slept")


def test_choices(snap_compare: Compare, doubles: Doubles) -> None:
    assert picture(snap_compare, doubles, "tab", "down")


def test_delete_all(snap_compare: Compare, doubles: Doubles) -> None:
    assert picture(snap_compare, doubles, "tab", "up", "enter", "n", "o", "enter")
