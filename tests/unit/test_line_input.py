"""What is begun in `plain`, as it is looked at while it is written, and how that ends."""

import os
import signal
import threading
import types

import pytest

from tide_chat import ending
from tide_chat.commands import line_input
from tide_chat.commands.line_input import LineInput
from tide_chat.commands.unsent_lines import UnsentLines
from tide_chat.ending import Ended


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> LineInput:
    """With a person, and without the keys of readline."""
    monkeypatch.setattr(line_input, "is_terminal", lambda _: True)
    monkeypatch.setattr(line_input, "_load_readline", lambda: None)
    return LineInput()


def at_once(*numbers: int) -> None:
    """These signals come to this thread in one moment."""
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    for number in numbers:
        signal.pthread_kill(threading.get_ident(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGHUP, Ended), (signal.SIGINT, KeyboardInterrupt)])
def test_an_alarm_that_comes_with_the_end_does_nothing_behind_it(
    lines: LineInput, monkeypatch: pytest.MonkeyPatch, number: int, raised: type[BaseException]
) -> None:
    """Its handler would run while the exception is on its way through `input`, and fail."""
    seen: list[str] = []
    lines.watch = seen.append
    monkeypatch.setattr(line_input, "LOOK_S", 600.0)
    monkeypatch.setattr("builtins.input", lambda _prompt: at_once(number, signal.SIGALRM))
    with ending.told(lines.end), pytest.raises(raised):
        lines.message("You: ")
    assert seen == []


def test_the_end_waits_for_what_is_being_written_down(lines: LineInput) -> None:
    seen: list[str] = []

    def watch(text: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        seen.append("to its end")

    lines.watch = watch
    with ending.told(lines.end), pytest.raises(Ended):
        lines._tell()
    assert seen == ["to its end"]


def test_an_alarm_in_the_middle_of_writing_down_begins_no_second_one(lines: LineInput) -> None:
    """And the end still waits for the first."""
    seen: list[str] = []

    def watch(text: str) -> None:
        seen.append("begun")
        lines._tell()  # it took longer than the time between two looks
        os.kill(os.getpid(), signal.SIGTERM)
        seen.append("to its end")

    lines.watch = watch
    with ending.told(lines.end), pytest.raises(Ended):
        lines._tell()
    assert seen == ["begun", "to its end"]


def test_where_nothing_can_be_put_at_the_prompt_a_draft_stays_until_a_line_is_sent(
    lines: LineInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    lines.watch = seen.append

    def typed(_prompt: str) -> str:
        lines._tell()
        return "anew"

    monkeypatch.setattr("builtins.input", typed)
    assert not lines.edits
    assert lines.message("You: ", "not sent") == "anew"
    assert seen == ["not sent"]
    assert lines.begun == ""


class Left:
    def left(self) -> str:
        return "half a message"


@pytest.mark.parametrize(
    ("readline", "said"),
    [(None, "To send it, write it again"), (types.ModuleType("readline"), "Change it and send it with Enter")],
)
def test_what_is_said_of_a_draft_can_be_done(
    lines: LineInput, capsys: pytest.CaptureFixture[str], readline: types.ModuleType | None, said: str
) -> None:
    lines._readline = readline
    unsent = UnsentLines(lines)
    unsent._drafts = Left()  # type: ignore[assignment]
    assert unsent.left() == "half a message"
    assert said in capsys.readouterr().out


def test_with_readline_what_stands_at_the_prompt_is_what_is_begun(
    lines: LineInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("readline")
    module.get_line_buffer = lambda: ""  # type: ignore[attr-defined]
    lines._readline = module
    seen: list[str] = []
    lines.watch = seen.append
    lines._now, lines._reading = "it was there before", True
    lines._tell()
    assert seen == [""]
