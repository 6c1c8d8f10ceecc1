"""`plain` with the real embedded model: through a pipe, and with a person at a terminal."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tide_chat.safety import disclosure

pytestmark = pytest.mark.usefixtures("embedded_model")

PLAIN = ["-m", "tide_chat", "plain", "--model", "smollm2-135m", "--country", "US", "--seed", "5"]
LONG = b"Please tell me a very long story about a quiet walk beside the sea, with many sentences.\n"
# Ctrl+C reaches a process only through a terminal that controls it.
LAUNCH = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, sys.argv[1:])
"""


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self) -> None:
        self.fd, inner = pty.openpty()
        command = [sys.executable, "-c", LAUNCH, sys.executable, *PLAIN]
        self.process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner)
        os.close(inner)
        self.seen = b""

    def type(self, data: bytes) -> None:
        os.write(self.fd, data)

    def until(self, words: bytes, timeout: float = 60.0) -> float:
        """Read until `words` were seen after what was asked for before; returns seconds waited."""
        start = time.monotonic()
        while words not in self.seen:
            left = start + timeout - time.monotonic()
            ready = select.select([self.fd], [], [], max(left, 0))[0]
            assert ready, f"{words!r} never came after {self.seen!r}"
            self.seen += self._read()
        self.seen = self.seen.split(words, 1)[1]
        return time.monotonic() - start

    def _read(self) -> bytes:
        try:
            return os.read(self.fd, 4096)
        except OSError as error:  # what Linux says when the other end is gone
            raise AssertionError(f"the program left after {self.seen!r}") from error

    def leave(self, timeout: float = 20.0) -> int:
        """Press Ctrl+C until the program ends; returns its exit code.

        Once is not always enough: between showing the prompt and waiting for keys, readline lets a signal lie.
        """
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.type(b"\x03")
            try:
                return self.process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError(f"the program did not leave after {self.seen!r}")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.fd)


@pytest.fixture
def short_replies(tide_home: Path) -> None:
    tide_home.mkdir()
    (tide_home / "config.toml").write_text("max_tokens = 12\n")


@pytest.fixture
def terminal(tide_home: Path) -> Iterator[Terminal]:
    program = Terminal()
    yield program
    program.close()


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
    assert terminal.until(b"Stopped.") < 0.3  # the promise is 0.1; the rest is for a busy machine
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
