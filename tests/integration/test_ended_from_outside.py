"""The window is closed, or the system stops: real programs at real terminals, in the middle of a reply and a word."""

import os
import signal
import termios
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.integration.terminal import PLAIN, Terminal
from tide_chat import config, ending
from tide_chat.config import Settings
from tide_chat.safety import disclosure
from tide_chat.store.drafts import Drafts
from tide_chat.store.vault import Vault

pytestmark = pytest.mark.usefixtures("embedded_model")

APP = ("-m", "tide_chat", "--model", "smollm2-135m", "--country", "US", "--seed", "5")
PASSPHRASE = "four words of mine"
SAID, TYPED = "the street was loud tonight", "zqxwplantedvqz"
ASKED = "Are you a real person?"  # answered without the model
PATIENCE = 60.0
SAID_MARK = "▌".encode()  # beside what the person said, and nowhere else
MODES_OFF = [f"\x1b[?{mode}l".encode() for mode in (1049, 1000, 1003, 1004, 1006, 2004)]


@pytest.fixture
def kept(tide_home: Path) -> Vault:
    config.save(Settings(history=True, reduced_motion=True))
    disclosure.accept()
    vault = Vault()
    vault.create(PASSPHRASE)
    return vault


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def found(vault: Vault) -> tuple[list[str], str]:
    """What was said in the conversations, and what was left unsent."""
    with vault.open(vault.unlock(PASSPHRASE)) as archive:
        said = [one.message.text for number in archive.ids() for one in archive.messages(number)]
        return said, Drafts(archive).left()


def open_app(program: Terminal) -> list[psutil.Process]:
    """The app with an open history, a message that waits for its reply, and half a message; its engine's processes."""
    program.until(b"Open your history")
    program.type(f"{PASSPHRASE}\r".encode())
    program.until(b"kept in your encrypted history")
    program.type(f"{SAID}\r".encode())
    program.until(SAID_MARK)
    program.type(TYPED.encode())
    program.until(TYPED[-3:].encode())
    children = psutil.Process(program.process.pid).children(recursive=True)
    assert children
    return children


def open_plain(program: Terminal) -> list[psutil.Process]:
    """`plain` with an open history, a question that was answered, and half a message."""
    program.answer("Passphrase", PASSPHRASE)
    program.until(b"You: ")
    program.type(f"{ASKED}\n".encode())
    program.until(b"Reply: ")
    program.until(b"You: ")
    program.type(b"one line\\\n")
    program.until(b"More: ")
    program.type(TYPED.encode())
    program.until(TYPED.encode())
    children = psutil.Process(program.process.pid).children(recursive=True)
    assert children
    return children


def assert_all_is_kept(vault: Vault, home: Path, draft: str, first: str = SAID) -> None:
    files = [path.read_bytes() for path in home.parent.rglob("*") if path.is_file()]
    assert not [file for file in files if TYPED.encode() in file]
    said, unsent = found(vault)
    assert said[0] == first
    assert unsent == draft


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_the_app_ends_in_good_order(kept: Vault, tide_home: Path, number: int) -> None:
    with Terminal(*APP) as program:
        before = termios.tcgetattr(program.fd)
        children = open_app(program)
        program.process.send_signal(number)
        assert program.end() == ending.ENDED
        after = program.shown[program.shown.rindex("\x1b[?1049h") :].encode()
        assert not [mode for mode in MODES_OFF if mode not in after]
        assert termios.tcgetattr(program.fd) == before
        until(lambda: not any(child.is_running() for child in children))
    assert_all_is_kept(kept, tide_home, TYPED)


def test_the_app_whose_window_is_closed_leaves_nothing_behind(kept: Vault, tide_home: Path) -> None:
    with Terminal(*APP) as program:
        children = open_app(program)
        close(program)
        assert program.process.wait(PATIENCE) == ending.ENDED
        until(lambda: not any(child.is_running() for child in children))
    with Terminal(*APP) as later:
        later.until(b"Open your history")
        later.type(f"{PASSPHRASE}\r".encode())
        later.until(TYPED.encode())
        later.until(b"You had not sent this.")
    assert_all_is_kept(kept, tide_home, TYPED)


def close(program: Terminal) -> None:
    """The window closes: the system tells the program that leads the session."""
    os.close(program.fd)
    program.fd = os.open(os.devnull, os.O_RDWR)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_plain_ends_in_good_order(kept: Vault, tide_home: Path, number: int) -> None:
    with Terminal(*PLAIN) as program:
        before = termios.tcgetattr(program.fd)
        children = open_plain(program)
        program.process.send_signal(number)
        assert program.end() == ending.ENDED, program.shown[-2000:]
        assert termios.tcgetattr(program.fd) == before
        until(lambda: not any(child.is_running() for child in children))
    assert_all_is_kept(kept, tide_home, f"one line\n{TYPED}", ASKED)


@pytest.mark.parametrize("how", ["window", "killed"])
def test_plain_keeps_what_is_being_written_as_it_is_written(kept: Vault, tide_home: Path, how: str) -> None:
    with Terminal(*PLAIN) as program:
        children = open_plain(program)
        with kept.open(kept.unlock(PASSPHRASE)) as beside:
            until(lambda: (f"one line\n{TYPED}",) in beside.rows("SELECT text FROM paper"))
        close(program) if how == "window" else program.process.kill()
        assert program.process.wait(PATIENCE) == (ending.ENDED if how == "window" else -signal.SIGKILL)
        until(lambda: not any(child.is_running() for child in children))
    assert_all_is_kept(kept, tide_home, f"one line\n{TYPED}", ASKED)


def test_a_passphrase_prompt_that_is_ended_leaves_a_terminal_that_shows_what_is_typed(kept: Vault) -> None:
    with Terminal(*PLAIN) as program:
        before = termios.tcgetattr(program.fd)
        program.until(b"Passphrase")
        until(lambda: not termios.tcgetattr(program.fd)[3] & termios.ECHO)
        program.process.terminate()
        assert program.process.wait(PATIENCE) == ending.ENDED
        assert termios.tcgetattr(program.fd) == before
