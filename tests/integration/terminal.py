"""A real program at a terminal of its own: what it shows is read, and it is typed to."""

import os
import pty
import select
import subprocess
import sys
import termios
import time
from typing import Self

PLAIN = ("-m", "tide_chat", "plain", "--model", "smollm2-135m", "--country", "US", "--seed", "5")
# Ctrl+C reaches a process only through a terminal that controls it; what runs the tests may ignore a closed window.
_LAUNCH = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, sys.argv[1:])
"""


class Terminal:
    """Python with these arguments. Killed at the end of the `with`, if it is still there."""

    def __init__(self, *arguments: str) -> None:
        self.fd, inner = pty.openpty()
        command = [sys.executable, "-c", _LAUNCH, sys.executable, *arguments]
        self.process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner)
        os.close(inner)
        self._seen = b""
        self._from = 0  # where what was not asked for yet begins

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.fd)

    @property
    def shown(self) -> str:
        """Everything so far."""
        return self._seen.decode(errors="replace")

    def type(self, data: bytes) -> None:
        os.write(self.fd, data)

    def until(self, words: bytes, timeout: float = 60.0) -> float:
        """Read until `words` were seen after what was asked for before; returns seconds waited."""
        start = time.monotonic()
        while (at := self._seen.find(words, self._from)) < 0:
            assert self._read(start + timeout), f"the program left before {words!r}, after {self._seen!r}"
        self._from = at + len(words)
        return time.monotonic() - start

    def look(self, wait: float = 0.05) -> None:
        """Read what has come, so that the program can go on writing."""
        if select.select([self.fd], [], [], wait)[0]:
            self._read(time.monotonic() + wait)

    def answer(self, prompt: str, text: str, *, hidden: bool = True) -> None:
        """Type a line at a prompt. hidden: once it would not be shown."""
        self.until(prompt.encode())
        while hidden and termios.tcgetattr(self.fd)[3] & termios.ECHO:
            assert self.process.poll() is None
        self.type(f"{text}\n".encode())

    def end(self, timeout: float = 60.0) -> int:
        """Read to the end; returns the exit code."""
        until = time.monotonic() + timeout
        while self._read(until):
            pass
        return self.process.wait(timeout=timeout)

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
        raise AssertionError(f"the program did not leave after {self._seen!r}")

    def _read(self, until: float) -> bool:
        """Something more; False when the program has left."""
        ready = select.select([self.fd], [], [], max(until - time.monotonic(), 0))[0]
        assert ready, f"nothing more came after {self._seen!r}"
        try:
            data = os.read(self.fd, 4096)
        except OSError:  # what Linux says when the other end is gone
            return False
        self._seen += data
        return bool(data)
