"""Told to end by a real signal: it is heard once, what ignored it goes on, a terminal that is gone harms nothing."""

import os
import pty
import signal
import subprocess
import sys
import threading

import pytest

from tide_chat import ending


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_it_is_heard_once_and_then_everything_is_as_before(number: int) -> None:
    before, heard = signal.getsignal(number), list[str]()
    with ending.told(lambda: heard.append("end")):
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)  # a system that stops sends both, and may send them again
        os.kill(os.getpid(), signal.SIGHUP)
    assert heard == ["end"]
    assert signal.getsignal(number) is before


def test_what_ignores_the_end_of_the_terminal_goes_on() -> None:
    before, heard = signal.signal(signal.SIGHUP, signal.SIG_IGN), list[str]()
    try:
        with ending.told(lambda: heard.append("end")):
            os.kill(os.getpid(), signal.SIGHUP)
        assert not heard
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_hear_nothing() -> None:
    before, handlers = signal.getsignal(signal.SIGTERM), list[object]()

    def elsewhere() -> None:
        with ending.told(lambda: None):
            handlers.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert handlers == [before]


_WRITES_AFTERWARDS = """
import atexit, contextlib, signal, sys
from tide_chat import ending
atexit.register(print, "written where nobody reads", flush=True)
def act():
    raise ending.Ended
with ending.told(act):
    print("ready", flush=True)
    if sys.argv[1] == "reads":
        with contextlib.suppress(OSError):
            sys.stdin.read()
    signal.pause()
"""


@pytest.mark.parametrize("how", ["reads", "waits"])
def test_a_terminal_that_is_gone_ends_it_in_good_order(how: str) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-c", _WRITES_AFTERWARDS, how]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=subprocess.PIPE)
    assert process.stderr
    with process.stderr:
        os.close(slave)
        assert b"ready" in os.read(master, 100)
        os.close(master)
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == ending.ENDED
        assert process.stderr.read() == b""
