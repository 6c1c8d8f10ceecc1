"""`plain` with a history that is kept, at a real terminal: unlocked, gone on with, found, forgotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.terminal import PLAIN, Terminal
from tide_chat import config
from tide_chat.config import Settings
from tide_chat.store.vault import Vault

pytestmark = pytest.mark.usefixtures("embedded_model")

PASSPHRASE = "four words of mine"
LOUD = "the street was loud tonight"


@pytest.fixture
def kept(tide_home: Path) -> Vault:
    config.save(Settings(history=True, max_tokens=12))
    vault = Vault()
    vault.create(PASSPHRASE)
    return vault


@pytest.fixture
def terminal(kept: Vault) -> Iterator[Terminal]:
    with Terminal(*PLAIN) as program:
        yield program


def test_what_is_said_is_there_next_time_and_can_be_forgotten(kept: Vault, terminal: Terminal) -> None:
    terminal.until(b"Passphrase")
    terminal.type(b"not this one\n")
    terminal.until(b"Passphrase")
    terminal.type(PASSPHRASE.encode() + b"\n")
    terminal.until(b"Press Enter")
    terminal.type(b"\n")
    terminal.until(b"You: ")
    terminal.type(LOUD.encode() + b"\n")
    terminal.until(b"Reply: ")
    terminal.until(b"You: ")
    terminal.type(b"/quit\n")
    assert terminal.process.wait(timeout=10) == 0
    for file in kept.folder.iterdir():
        assert LOUD.encode() not in file.read_bytes()

    with Terminal(*PLAIN) as later:
        later.until(b"Passphrase")
        later.type(PASSPHRASE.encode() + b"\n")
        later.until(b"You: ")
        later.type(b"/find loud\n")
        later.until(LOUD.encode())
        later.type(b"/open 1\n")
        later.until(b"You can go on from here.")
        later.until(b"You: ")
        later.type(b"/forget\n")
        later.until(b"y or n: ")
        later.type(b"y\n")
        later.until(b"is forgotten")
        later.until(b"You: ")
        before = len(later.shown)
        later.type(b"\x1b[A\x1b[A\x1b[A\x01\x0b/history\n")
        later.until(b"No conversation is kept yet.")
        assert "loud" not in later.shown[before:]  # Up finds nothing of it either
        later.type(b"/quit\n")
        assert later.process.wait(timeout=10) == 0


def test_without_the_passphrase_one_can_talk_and_nothing_is_kept(kept: Vault, terminal: Terminal) -> None:
    for _ in range(3):
        terminal.until(b"Passphrase")
        terminal.type(b"not this one\n")
    terminal.until(b"This conversation is not kept.")
    terminal.until(b"Press Enter")
