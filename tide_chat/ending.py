"""Told to end from outside: the terminal's window was closed, or the system stops. Knows no screen and no line mode.

What a program that talks has to do then is its own affair; here is only how it hears of it, and that a crash leaves
none of its memory behind.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

ENDED = 130  # the exit code: interrupted
_NAMES = ("SIGHUP", "SIGTERM")  # the first is not on every platform


class Ended(SystemExit):
    """Raised where the program was when it was told to end."""

    def __init__(self) -> None:
        super().__init__(ENDED)


@contextlib.contextmanager
def told(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` in the main thread when it is told to end; more signals after the first change nothing.

    A signal that was ignored before (`nohup`) stays ignored. Outside the main thread nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    terminals = [number for number in (0, 1, 2) if _is_terminal(number)]
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}

    def handle(_number: int, _frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        _let_go(terminals)
        act()

    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, handle)
    try:
        yield
    finally:
        # Where the terminal is gone its signal may be yet to come: it finds us leaving.
        ended = any(not _is_terminal(number) for number in terminals)
        for number in heard:
            signal.signal(number, signal.SIG_IGN if ended else before[number])


def _is_terminal(number: int) -> bool:
    try:
        return os.isatty(number)
    except OSError:
        return False


def _let_go(terminals: list[int]) -> None:
    """Where a terminal is gone, what is still written goes nowhere: else writing fails, and so does leaving."""
    gone = [number for number in terminals if not _is_terminal(number)]
    if not gone:
        return
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in gone:
        os.dup2(nowhere, number)
    os.close(nowhere)


def without_dump() -> None:
    """From now on no crash of this process, or of one that it starts, leaves what it held in a file (a core dump)."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # not on every platform
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
