"""Leaving at once, in a real pseudo-terminal: nothing stays on the screen, no process stays behind."""

import asyncio
import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles
from tests.ui.driving import app, until
from tests.ui.history_driving import PASSPHRASE
from tide_chat.ending import ENDED
from tide_chat.store.drafts import Drafts
from tide_chat.store.vault import Vault
from tide_chat.ui import app as app_module
from tide_chat.ui import quick_exit
from tide_chat.ui.app import TideChatApp
from tide_chat.ui.quick_exit import WIPE

pytestmark = pytest.mark.usefixtures("cheap_keys")

PATIENCE = 60.0  # seconds, for a busy machine


@dataclass
class Terminal:
    """The app in a pseudo-terminal, and all it wrote."""

    master: int
    slave: int
    process: subprocess.Popen[bytes]
    engine_pid: int
    before: list[object]
    history: Path
    written: bytearray = field(default_factory=bytearray)

    def read_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.written.decode(errors="replace")[-3000:]
            self.read(0.05)
        while self.read(0.0):
            pass

    def read(self, wait: float) -> bool:
        """Take what there is. Returns whether there was anything."""
        ready = bool(select.select([self.master], [], [], wait)[0])
        if ready:
            self.written += os.read(self.master, 65536)
        return ready

    def saw(self, text: str) -> bool:
        return text.encode() in self.written

    def press(self, data: bytes) -> None:
        os.write(self.master, data)

    def ended(self) -> bool:
        return self.process.poll() is not None


def gone(pid: int) -> bool:
    """Whether the process has ended; a dead one that nobody waited for counts."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(params=["idle", "busy"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path, checkout: Path) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    before = termios.tcgetattr(slave)
    pid_file = tmp_path / "pid"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ui.quick_exit_child", str(pid_file), request.param],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=checkout,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(checkout), "TERM": "xterm-256color"},
    )
    opened = Terminal(master, slave, process, 0, before, tmp_path / "history")
    opened.read_until(lambda: opened.saw("SECRET MESSAGE") and opened.saw("HALF A WORD"))
    opened.engine_pid = int(pid_file.read_text())
    yield opened
    for pid in (process.pid, opened.engine_pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("key", [b"\x11", b"\x1b[113;5u"], ids=["control character", "kitty keyboard"])
def test_ctrl_q_leaves_at_once_even_when_the_interface_is_stuck(terminal: Terminal, key: bytes) -> None:
    if terminal.process.args[-1] == "busy":  # type: ignore[index]
        deadline = time.monotonic() + 1.5
        terminal.read_until(lambda: time.monotonic() > deadline)
    pressed = time.monotonic()
    terminal.press(key)
    terminal.read_until(terminal.ended)
    assert time.monotonic() - pressed < 2
    assert terminal.process.returncode == 0
    assert terminal.written.endswith(WIPE.encode()), "nothing may be written after the wipe"
    terminal.read_until(lambda: gone(terminal.engine_pid))
    assert termios.tcgetattr(terminal.slave) == terminal.before
    vault = Vault(terminal.history)
    with vault.open(vault.unlock(PASSPHRASE)) as archive:
        assert Drafts(archive).left().endswith("HALF A WORD")


@pytest.mark.parametrize("terminal", ["idle"], indirect=True)
def test_the_screen_is_empty_before_anything_is_written_down(terminal: Terminal) -> None:
    vault = Vault(terminal.history)
    with vault.open(vault.unlock(PASSPHRASE)) as beside, beside.writing():  # another window keeps the file busy
        pressed = time.monotonic()
        terminal.press(b"\x11")
        terminal.read_until(terminal.ended)
        assert time.monotonic() - pressed < 2
    assert terminal.written.endswith(WIPE.encode())


def test_the_wipe_leaves_the_terminal_as_it_was() -> None:
    alternate = WIPE.index("\x1b[?1049l")
    last = WIPE[alternate:]
    assert "\x1b[2J" in WIPE[:alternate], "some terminals keep the alternate screen's lines"
    assert last.index("\x1b[2J") < last.index("\x1b[3J"), "some terminals scroll what 2J removes into the scrollback"
    for mode in (1000, 1002, 1003, 1004, 1006, 1015, 1016, 2004, 2026, 2048):
        assert f"\x1b[?{mode}l" in WIPE[:alternate]
    assert "\x1b[<u" in WIPE[:alternate]
    assert "\x1b[?25h" in WIPE
    assert "\x1b[?7h" in WIPE


@pytest.mark.parametrize("opened_by", ["", "f1", "f2", "f4", "f5", "ctrl+n", "ctrl+p"])
async def test_the_key_works_on_every_screen(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, opened_by: str
) -> None:
    left: list[bool] = []
    monkeypatch.setattr(quick_exit, "leave", lambda *_: left.append(True))
    async with open_app() as pilot:
        if opened_by:
            await pilot.press(opened_by)
            await pilot.pause()
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert left == [True]
        assert app(pilot).is_running


async def test_the_key_works_before_anything_was_accepted(
    open_app: OpenApp, doubles: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[bool] = []
    monkeypatch.setattr(quick_exit, "leave", lambda *_: left.append(True))
    async with open_app() as pilot:
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert left == [True]


@pytest.mark.parametrize("stuck", [False, True])
async def test_told_to_end_from_outside_it_ends_also_when_it_is_stuck(
    open_app: OpenApp, doubles: Doubles, monkeypatch: pytest.MonkeyPatch, stuck: bool
) -> None:
    left: list[int] = []
    monkeypatch.setattr(quick_exit, "leave", lambda _kill, _keep, _attributes, code: left.append(code))
    monkeypatch.setattr(app_module, "END_PATIENCE", 0.05 if stuck else 60)
    async with open_app() as pilot:
        told = app(pilot)
        if stuck:
            monkeypatch.setattr(told, "_end", lambda: None)
        told.end_from_outside()
        await until(pilot, lambda: bool(left) if stuck else told.return_value is not None)
        assert left == ([ENDED] if stuck else [])
        assert told.return_value == (None if stuck else ENDED)


def test_what_ended_in_good_order_is_not_left_again(doubles: Doubles, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(quick_exit, "leave", lambda _kill, _keep, _attributes, code: left.append(code))
    ended = TideChatApp(doubles.core)
    ended._running_in = asyncio.new_event_loop()
    ended._running_in.close()
    ended._leave_stuck()
    ended.end_from_outside()
    assert left == []
