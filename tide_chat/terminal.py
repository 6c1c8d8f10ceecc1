"""Text that cannot drive the terminal, whether there is a terminal at all, and whether anything may move on it.

Used for what the user pasted and for what a model wrote. Knows no colours and no widgets.

Removed: C0 controls but newline and tab, DEL, C1, escape sequences as a whole, bidirectional overrides and isolates.
A carriage return becomes a newline, a lone surrogate becomes U+FFFD. Everything else (emoji, joiners, marks) stays.
"""

import os
import re
import sys
from collections.abc import Mapping
from enum import Enum, auto
from typing import TextIO

from tide_chat.errors import UsageError

STRING_LIMIT = 4096  # characters held for a sequence that may have no end; then it is shown as text, without its start

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ESC, _CSI, _ST = "\x1b", "\x9b", "\x9c"
_STRING_STARTS = "\x90\x98\x9d\x9e\x9f"  # DCS SOS OSC PM APC
_STRING_LETTERS = "PX]^_"  # the same, after ESC
_STRING_ENDS = f"\x07{_ST}\x18\x1a"  # BEL ST CAN SUB


class _State(Enum):
    TEXT = auto()
    ESCAPE = auto()  # after ESC
    CHARSET = auto()  # after ESC and an intermediate character
    CSI = auto()
    STRING = auto()  # OSC, DCS, SOS, PM, APC
    STRING_ESCAPE = auto()  # after ESC in a string


class Neutraliser:
    """The same as `neutral`, for text that arrives in pieces cut anywhere."""

    def __init__(self) -> None:
        self._state = _State.TEXT
        self._held: list[str] = []
        self._after_return = False
        self._out: list[str] = []

    def feed(self, text: str) -> str:
        """What can be shown so far."""
        position = 0
        while position < len(text):
            if self._state is _State.TEXT:
                position = self._read_text(text, position)
            else:
                position += self._read_sequence(text[position])
        return self._take()

    def flush(self) -> str:
        """The end was reached: what was held is text after all. Ready for new text."""
        if self._state in (_State.STRING, _State.STRING_ESCAPE):
            self._release()
        self._state = _State.TEXT
        self._after_return = False
        return self._take()

    def _take(self) -> str:
        out, self._out = "".join(self._out), []
        return out

    def _read_text(self, text: str, position: int) -> int:
        """Read up to the next unsafe character, or that character. Returns where to go on."""
        unsafe = _UNSAFE.search(text, position)
        end = unsafe.start() if unsafe else len(text)
        if end == position:
            self._control(text[position])
            return position + 1
        skip = self._after_return and text[position] == "\n"
        self._after_return = False
        self._out.append(text[position + skip : end])
        return end

    def _control(self, char: str) -> None:
        self._after_return = char == "\r"
        if char == "\r":
            self._out.append("\n")
        elif char == _ESC:
            self._state = _State.ESCAPE
        elif char == _CSI:
            self._state = _State.CSI
        elif char in _STRING_STARTS:
            self._state = _State.STRING
        elif "\ud800" <= char <= "\udfff":
            self._out.append("\ufffd")

    def _read_sequence(self, char: str) -> int:
        """Returns 1 when `char` belonged to the sequence, 0 when it must be read again in the new state."""
        if self._state is _State.STRING:
            return self._read_string(char)
        if self._state is _State.STRING_ESCAPE:
            return self._read_string_escape(char)
        if self._state is _State.ESCAPE and (char == "[" or char in _STRING_LETTERS):
            self._state = _State.CSI if char == "[" else _State.STRING
            return 1
        return self._read_short(char)

    def _read_short(self, char: str) -> int:
        """CSI and two-character sequences: parameters and intermediates, then one final character."""
        inner, final = (" ", "?"), ("@", "~")
        if self._state is not _State.CSI:
            inner, final = (" ", "/"), ("0", "~")
        if inner[0] <= char <= inner[1]:
            self._state = _State.CSI if self._state is _State.CSI else _State.CHARSET
            return 1
        self._state = _State.TEXT
        return int(final[0] <= char <= final[1])

    def _read_string(self, char: str) -> int:
        if char == _ESC:
            self._state = _State.STRING_ESCAPE
        elif char in _STRING_ENDS:
            self._held.clear()
            self._state = _State.TEXT
        elif "\x80" <= char <= "\x9f":
            self._release()
            return 0
        else:
            self._held.append(char)
            if len(self._held) >= STRING_LIMIT:
                self._release()
        return 1

    def _read_string_escape(self, char: str) -> int:
        if char == "\\":
            self._held.clear()
            self._state = _State.TEXT
            return 1
        self._release()
        self._state = _State.ESCAPE
        return 0

    def _release(self) -> None:
        """The string was none: show what was held. It holds nothing that starts a sequence, so this ends."""
        self._state = _State.TEXT
        held = "".join(self._held)
        self._held.clear()
        position = 0
        while position < len(held):
            position = self._read_text(held, position)


def neutral(text: str) -> str:
    """`text` without anything that could drive a terminal. Idempotent."""
    if not _UNSAFE.search(text):
        return text
    neutraliser = Neutraliser()
    return neutraliser.feed(text) + neutraliser.flush()


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person is at this end. A closed or missing stream is none."""
    return stream is not None and not stream.closed and stream.isatty()


def interactive() -> bool:
    """Whether a full-screen app can run: both ends are a terminal that can move its cursor, or a browser is."""
    if os.environ.get("TEXTUAL_DRIVER"):  # `serve` names the one that speaks to a browser
        return True
    return is_terminal(sys.stdin) and is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb"


def require_app(instead: str) -> None:
    """Raises UsageError, which says what to do `instead`, where a full-screen app cannot run."""
    if not interactive():
        raise UsageError("The app needs a terminal, and this is not one.", help=instead)


def still(reduced_motion: bool, environ: Mapping[str, str] | None = None) -> bool:
    """Whether nothing may move: by the settings or by the environment."""
    environ = os.environ if environ is None else environ
    return reduced_motion or bool(environ.get("NO_MOTION")) or environ.get("TEXTUAL_ANIMATIONS", "").lower() == "none"
