"""`plain` with the real embedded model: through a pipe, and with a person at a terminal."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.terminal import PLAIN, Terminal
from tide_chat.safety import disclosure

pytestmark = pytest.mark.usefixtures("embedded_model")

LONG = b"Please tell me a very long story about a quiet walk beside the sea, with many sentences.\n"


@pytest.fixture
def short_replies(tide_home: Path) -> None:
    tide_home.mkdir()
    (tide_home / "config.toml").write_text("max_tokens = 12\n")


@pytest.fixture
def terminal(tide_home: Path) -> Iterator[Terminal]:
    with Terminal(*PLAIN) as program:
        yield program


@pytest.mark.usefixtures("short_replies")
def test_a_piped_conversation(tide_home: Path) -> None:
    typed = "I slept badly again.\n/again\nI am going to kill myself tonight\n"
    done = subprocess.run([sys.executable, *PLAIN], input=typed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(disclosure.text().strip()[:20])
    assert done.stdout.count("Reply: ") == 3
    assert "988" in done.stdout
    assert "You: " not in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_a_home_that_cannot_be_written_is_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDE_CHAT_HOME", "/proc/tide-chat")  # where not even an administrator can write
    done = subprocess.run([sys.executable, *PLAIN], input="/card\n", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(disclosure.text().strip()[:20])
    assert "988" in done.stdout


def test_ctrl_c_stops_a_reply_and_leaves_at_the_prompt(terminal: Terminal) -> None:
    terminal.until(b"Press Enter")
    terminal.type(b"\n")
    terminal.until(b"You: ")
    terminal.type(LONG)
    terminal.until(b"Reply: ")
    terminal.type(b"\x03")
    terminal.until(b"Stopped.")
    terminal.until(b"You: ")
    assert terminal.leave() == 130


def test_ctrl_c_stops_while_the_message_is_being_read(terminal: Terminal) -> None:
    terminal.until(b"Press Enter")
    terminal.type(b"\n")
    terminal.until(b"You: ")
    terminal.type(b"I slept badly. \\\n" * 60 + b"That is all.\n")
    terminal.until(b"That is all.")
    time.sleep(0.3)  # until then the prompt may still be there, where Ctrl+C leaves
    terminal.type(b"\x03")
    terminal.until(b"Stopped.")
    terminal.until(b"You: ")
    terminal.type(b"/quit\n")
    assert terminal.process.wait(timeout=10) == 0


@pytest.mark.usefixtures("short_replies")
def test_the_last_message_is_offered_for_editing(terminal: Terminal) -> None:
    terminal.until(b"Press Enter")
    terminal.type(b"\n")
    terminal.until(b"You: ")
    terminal.type(b"I feel lots\n")
    terminal.until(b"Reply: ")
    terminal.until(b"You: ")
    terminal.type(b"/edit\n")
    terminal.until(b"taken back")
    terminal.until(b"You: I feel lots")
    terminal.type(b"\x04")
    terminal.type(b"\x15")
    terminal.type(b"/quit\n")
    assert terminal.process.wait(timeout=10) == 0


@pytest.mark.usefixtures("short_replies")
def test_pasted_lines_are_one_message(terminal: Terminal) -> None:
    terminal.until(b"Press Enter")
    terminal.type(b"\n")
    terminal.until(b"You: ")
    terminal.type(b"\x1b[200~I slept\nbadly\x1b[201~\n")
    terminal.until(b"Reply: ")
    terminal.until(b"You: ")
    terminal.type(b"/edit\n")
    terminal.until(b"Your message was: I slept\r\nbadly")


@pytest.mark.usefixtures("short_replies")
def test_nothing_typed_is_kept_on_disk(terminal: Terminal, tide_home: Path) -> None:
    terminal.until(b"Press Enter")
    terminal.type(b"\n")
    terminal.until(b"You: ")
    terminal.type(b"The word is marigold.\n")
    terminal.until(b"Reply: ")
    terminal.until(b"You: ")
    terminal.type(b"/quit\n")
    assert terminal.process.wait(timeout=10) == 0
    files = [path for path in tide_home.parent.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if b"marigold" in path.read_bytes()] == []


def test_one_may_leave_instead_of_accepting(terminal: Terminal) -> None:
    terminal.until(b"Press Enter")
    terminal.type(b"n\n")
    assert terminal.process.wait(timeout=10) == 0
    assert disclosure.due()
