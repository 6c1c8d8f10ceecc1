"""Leave at once, leaving nothing on the screen or in what can be scrolled back to.

Runs in the thread that reads the keyboard, so that a busy or stuck interface cannot delay it. Knows no widget, and of
what was typed only who keeps it.
"""

import os
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from textual import events
from textual.driver import Driver
from textual.message import Message

from tide_chat.ui.commands import LEAVE_KEYS

# In the alternate screen: end a synchronised update, pop the kitty keyboard, wipe, for terminals that keep its lines.
_BEFORE = "\x1b[?2026l\x1b[<u\x1b[0m\x1b[2J\x1b[3J\x1b[H"
# Mouse, focus, bracketed paste and in-band resize off; line wrap and cursor on.
_MODES = (
    "".join(f"\x1b[?{mode}l" for mode in (1000, 1002, 1003, 1004, 1006, 1015, 1016, 2004, 2048)) + "\x1b[?7h\x1b[?25h"
)
# Back on the main screen: some terminals scroll what 2J removes into the scrollback, so 3J comes after it.
_AFTER = "\x1b[?1049l\x1b[0m\x1b[H\x1b[2J\x1b[3J\x1b[H"
WIPE = _BEFORE + _MODES + _AFTER

_SWITCH_S = 1e-4  # between threads: with Python's own, 50 times as long, a busy interface holds up the last writing
LAST_S = 1.0  # seconds that what is still to be written may take, when the screen is wiped already


def leave(
    kill: Callable[[], None], keep: Callable[[], None], attributes: list[Any] | None = None, code: int = 0
) -> NoReturn:
    """Wipe the terminal, end the engine and this process. `attributes` are the terminal's own, from before the app.

    keep: writes down what was typed; it has LAST_S, in a thread of its own.
    """
    terminal = _take_terminal()
    try:
        if terminal is not None:
            _write_all(terminal, WIPE.encode())
            _restore(terminal, attributes)
        sys.setswitchinterval(_SWITCH_S)
        last = threading.Thread(target=keep, daemon=True)
        last.start()
        kill()
        last.join(LAST_S)
    finally:
        os._exit(code)


def _take_terminal() -> int | None:
    """The terminal for us alone: whatever other threads still write goes nowhere, so it cannot follow the wipe."""
    try:
        number = sys.__stderr__.fileno() if sys.__stderr__ else 2
        terminal = os.dup(number)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
    except (OSError, ValueError):
        return None
    return terminal


def _write_all(terminal: int, data: bytes) -> None:
    while data:
        data = data[os.write(terminal, data) :]


def _restore(terminal: int, attributes: list[Any] | None) -> None:
    if attributes is None or sys.platform == "win32":
        return
    import termios

    try:
        termios.tcsetattr(terminal, termios.TCSANOW, attributes)
        termios.tcflush(terminal, termios.TCIFLUSH)
    except termios.error:
        return


def watching(base: type[Driver], kill: Callable[[], None], keep: Callable[[], None]) -> type[Driver]:
    """A driver like `base` that leaves when a leave key is read, before the app hears of it."""

    class Watching(base):  # type: ignore[misc, valid-type]
        def process_message(self, message: Message) -> None:
            if isinstance(message, events.Key) and message.key in LEAVE_KEYS:
                leave(kill, keep, getattr(self, "attrs_before", None))
            super().process_message(message)

    return Watching
