"""The app itself in a real pseudo-terminal: how soon it is ready, how soon a key is seen while a reply streams."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from tide_chat.bench.result import Measure, percentile
from tide_chat.errors import TideError

COLUMNS, LINES = 100, 30
ENTER = b"\r"
PROMPT = b"Please tell me a long story about the sea and the shore and the people who live there."
FIRST_SCREEN, INPUT = b"Before we begin", b"rite here"  # the cursor stands on the first letter
READY, WRITING = b"offline", b"writing"
KEYS = "жфщюяэыъбцчшбдгйлпт"  # letters that nothing else on the screen has
PATIENCE = 60.0  # seconds


class Terminal:
    """A program in a pseudo-terminal. Only reads and writes bytes; draws nothing."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)

    def send(self, data: bytes) -> float:
        """Returns when it was sent."""
        os.write(self._master, data)
        return time.perf_counter()

    def read(self, seconds: float) -> bytes:
        """What comes within so many seconds, "" when nothing does."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        try:
            return os.read(self._master, 1 << 16) if ready else b""
        except OSError:  # the program ended
            return b""

    def until(self, words: bytes, patience: float = PATIENCE) -> float:
        """Read until `words` were written; returns when. Raises TideError."""
        seen, end = b"", time.perf_counter() + patience
        while time.perf_counter() < end:
            seen = (seen + self.read(0.5))[-(1 << 17) :]
            if words in seen:
                return time.perf_counter()
        raise TideError("The app did not show what it was expected to show.", details=words.decode())

    def drain(self, seconds: float) -> None:
        """Read and forget what comes within so many seconds."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)


@contextlib.contextmanager
def app(model: Path, home: Path) -> Iterator[Terminal]:
    environment = {**os.environ, "TIDE_CHAT_HOME": str(home), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    terminal = Terminal([sys.executable, "-P", "-m", "tide_chat", "--model", str(model)], environment)
    try:
        yield terminal
    finally:
        terminal.close()


def start(model: Path) -> list[Measure]:
    """From the command to the first screen, and to an input that takes keys; against Python importing Textual."""
    first, ready, imports = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(4):
            with app(model, Path(folder)) as terminal:
                first.append(terminal.until(FIRST_SCREEN) - terminal.began)
                sent = terminal.send(ENTER)
                ready.append(terminal.until(INPUT) - sent + first[-1])
            (Path(folder) / "state" / "disclosure-accepted").unlink(missing_ok=True)
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", "import textual.app, textual.widgets"], check=True)
            imports.append(time.perf_counter() - began)
    reference = min(imports)
    return [
        Measure("start to first screen", min(first), "s", reference, "python -c 'import textual'"),
        Measure("start to input-ready", min(ready), "s", reference, "python -c 'import textual'"),
    ]


def keys(model: Path, wanted: int = 120) -> list[Measure]:
    """From a key press to its letter on the terminal while a reply streams; idle presses are the reference."""
    with tempfile.TemporaryDirectory() as folder, app(model, Path(folder)) as terminal:
        terminal.until(FIRST_SCREEN)
        terminal.send(ENTER)
        terminal.until(INPUT)
        idle = [_press(terminal, KEYS[i % len(KEYS)]) for i in range(40)]
        busy: list[float] = []
        while len(busy) < wanted:
            terminal.send(b"\x15" + PROMPT + ENTER)
            terminal.until(WRITING)
            busy += _while_writing(terminal, wanted - len(busy))
    value, reference = percentile(busy, 0.99), percentile(idle, 0.99)
    return [
        Measure("key press to screen while streaming, p99", value * 1e3, "ms", reference * 1e3, "idle", "<= 33", True),
        Measure(
            "key press to screen while streaming, p50",
            percentile(busy, 0.5) * 1e3,
            "ms",
            percentile(idle, 0.5) * 1e3,
            "idle",
        ),
    ]


def _while_writing(terminal: Terminal, most: int) -> list[float]:
    """Press keys, some twenty a second, while the reply is written; then stop it."""
    waits: list[float] = []
    end = time.perf_counter() + 2.5  # the shortest replies take about as long
    while len(waits) < most and time.perf_counter() < end:
        waits.append(_press(terminal, KEYS[len(waits) % len(KEYS)]))
    terminal.send(b"\x1b")
    terminal.drain(0.5)
    return waits


def _press(terminal: Terminal, letter: str) -> float:
    """Seconds until the letter is on the terminal. It is taken away again: a repaint must not show it too early."""
    sent = terminal.send(letter.encode())
    seen = terminal.until(letter.encode(), 5.0)
    terminal.send(b"\x7f")
    terminal.drain(0.045)
    return seen - sent
