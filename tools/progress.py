"""What a long set-up step tells the person who waits. Knows nothing of what the step does."""

import re
import sys
import threading
import time
from typing import Self

PLAIN_INTERVAL = 15.0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Progress:
    """One line that says that the build goes on: rewritten on a terminal, now and then elsewhere."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._step = ""
        self._tty = sys.stderr.isatty()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def see(self, line: str) -> None:
        found = re.search(r"\[(\d+)/(\d+)\]", line)
        if found:
            self._step = f", step {found[1]} of {found[2]}"

    def show(self) -> None:
        text = f"  building: {duration(time.monotonic() - self._began)}{self._step}"
        print(f"\r{text}\033[K" if self._tty else text, end="" if self._tty else "\n", file=sys.stderr, flush=True)

    def _run(self) -> None:
        while not self._over.wait(1.0 if self._tty else PLAIN_INTERVAL):
            self.show()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._tty:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
