"""What one sees while the engine is built: one line that is rewritten, or plain lines where there is no terminal."""

import io
import sys
from types import SimpleNamespace

import progress
import pytest


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def _shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> str:
    screen = Screen(terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    clock = SimpleNamespace(monotonic=iter([100.0, 165.0, 170.0]).__next__)
    monkeypatch.setattr("progress.time", clock)
    seen = progress.Progress()
    seen.show()
    seen.see("[34/83] /usr/bin/c++ -O3 ...")
    seen.see("a line that tells nothing")
    seen.show()
    return screen.getvalue()


def test_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _shown(monkeypatch, terminal=False)
    assert shown == "  building: 1 min 5 s\n  building: 1 min 10 s, step 34 of 83\n"


def test_a_terminal_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _shown(monkeypatch, terminal=True)
    assert shown == "\r  building: 1 min 5 s\033[K\r  building: 1 min 10 s, step 34 of 83\033[K"


def test_the_line_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(terminal=True)
    monkeypatch.setattr(sys, "stderr", screen)
    with progress.Progress():
        pass
    assert screen.getvalue().endswith("\r\033[K")


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (125, "2 min 5 s")])
def test_durations(seconds: float, said: str) -> None:
    assert progress.duration(seconds) == said
