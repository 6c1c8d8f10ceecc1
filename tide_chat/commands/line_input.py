"""Messages typed or piped line by line. Editing and history are in memory only; nothing is ever written to a file."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType

import click

from tide_chat.ending import Ended
from tide_chat.terminal import is_terminal
from tide_chat.wording import ENGLISH, language, say

_YES = {"en": ("y", "yes"), "es": ("s", "sí", "si")}
_MULTI, _END = "/multi", "."
LOOK_S = 1.0  # seconds between two looks at what is being written
_MULTI_HINT = "Write as many lines as you like. A line with only a dot ends the message."


def is_yes(answer: str) -> bool:
    """Whether it is a yes, in English or in the language in use. In English an s is a slip, and never one."""
    return answer.strip().casefold() in (*_YES[ENGLISH], *_YES.get(language(), ()))


class LineInput:
    """Reads from standard input. With a person at it, there are prompts and the keys of readline."""

    def __init__(self) -> None:
        self.interactive = is_terminal(sys.stdin)
        self._readline = _load_readline() if self.interactive else None
        self.watch: Callable[[str], None] = lambda _: None  # is told what was begun, while a message is written
        self._begun: list[str] = []  # whole lines of a message that did not come to its end
        self._now = ""  # what stood at its prompt when it was last looked at
        self._reading = False  # a message, and not an answer to a question of ours
        self._telling = self._ended = False

    def message(self, prompt: str, draft: str = "") -> str:
        """One message, of one line or of several. Raises EOFError at the end of input, Ended without a terminal."""
        self._begun, self._now, self._reading = [], draft if self.interactive else "", True
        try:
            with _every(LOOK_S, self._tell):
                text = self._message(prompt, draft)
        finally:
            self._reading = False
        self._begun = []
        return text

    @property
    def edits(self) -> bool:
        """Whether a draft can be put at the prompt, to be changed."""
        return self._readline is not None

    def _look(self) -> None:
        """Note what stands at the prompt. Not later than this: without a terminal readline empties its line."""
        if self._reading and self._readline and (now := self._readline.get_line_buffer()):
            self._now = now

    def end(self) -> None:
        """Told to end from outside. Raises Ended, but not while what was begun is being written down: then after it."""
        _stop_alarm()
        self._look()
        self._ended = True
        if not self._telling:
            raise Ended

    def _tell(self) -> None:
        if self._telling:  # it takes longer than the time between two looks
            return
        self._telling = True
        try:
            if self._readline:  # else nothing is seen of a line before it is whole
                self._now = ""
            self._look()
            if is_terminal(sys.stdin):
                self.watch(self.begun)
        finally:
            self._telling = False
        if self._ended:
            raise Ended

    @property
    def begun(self) -> str:
        """The message that did not come to its end."""
        return "\n".join([*self._begun, *([self._now] if self._now else [])])

    def _message(self, prompt: str, draft: str) -> str:
        line = self._line(prompt, draft)
        if line.strip() == _MULTI:
            return self._block()
        self._begun = lines = [line]
        while lines[-1].endswith("\\"):
            lines[-1] = lines[-1][:-1]
            try:
                lines.append(self._line(say("More: ")))
            except EOFError:
                break
        return "\n".join(lines)

    def ask(self, prompt: str) -> str:
        """An answer to a question of ours; it does not enter the history."""
        answer = self._line(prompt)
        if self._readline and answer and (size := self._readline.get_current_history_length()):
            self._readline.remove_history_item(size - 1)
        return answer

    def agrees(self, question: str) -> bool:
        """Whether the answer is yes; anything else is none."""
        return is_yes(self.ask(f"{question} {say('y or n: ')}"))

    def forget(self) -> None:
        """Empty the history of what was typed."""
        if self._readline:
            self._readline.clear_history()

    def _block(self) -> str:
        if self.interactive:
            click.echo(say(_MULTI_HINT))
        self._begun = lines = list[str]()
        while True:
            try:
                line = self._line("")
            except EOFError:
                break
            if line.strip() == _END:
                break
            lines.append(line)
        return "\n".join(lines)

    def _line(self, prompt: str, draft: str = "") -> str:
        if not self.interactive:
            return piped_line()
        try:
            line = self._typed(prompt, draft)
        except (EOFError, OSError):
            if is_terminal(sys.stdin):
                self._now = ""
                raise
            raise Ended from None
        if is_terminal(sys.stdin):
            self._now = ""
            return line
        if self._reading:  # without a terminal some readlines give what was typed as if it had been sent
            self._now = line or self._now
        raise Ended

    def _typed(self, prompt: str, draft: str) -> str:
        if not (self._readline and draft):
            return input(prompt)
        insert = self._readline.insert_text
        self._readline.set_startup_hook(lambda: insert(draft))
        try:
            return input(prompt)
        finally:
            self._readline.set_startup_hook()


def piped_line() -> str:
    """The next line of standard input. Raises EOFError at its end."""
    line = sys.stdin.readline() if sys.stdin and not sys.stdin.closed else ""
    if not line:
        raise EOFError
    return line.rstrip("\r\n")


@contextlib.contextmanager
def _every(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    """Call `act` in this thread again and again while it waits for keys. Only where the system has a timer for that."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    interrupt, before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)

    def interrupted(number: int, frame: FrameType | None) -> None:
        _stop_alarm()
        if callable(interrupt):
            interrupt(number, frame)

    signal.signal(signal.SIGALRM, lambda _number, _frame: act())
    signal.signal(signal.SIGINT, interrupted)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGALRM, before)


def _stop_alarm() -> None:
    """Before something is raised in the handler of a signal.

    An alarm that came together with that signal would have its handler run after it, while the exception is on its way
    through `input`: that is a SystemError. So it is spent here.
    """
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, lambda _number, _frame: None)
        signal.raise_signal(signal.SIGALRM)


def _load_readline() -> ModuleType | None:
    try:
        import readline
    except ImportError:  # not on every platform; then there is plain input
        return None
    if "libedit" not in (readline.__doc__ or ""):
        readline.parse_and_bind("set enable-bracketed-paste on")  # pasted lines are one message
    return readline
