"""The status line, a pure function of what is known."""

import pytest

from tests.ui.doubles import READY
from tide_chat.engine.supervisor import EngineState, Phase
from tide_chat.events import Stage
from tide_chat.ui.widgets.status import Status, line

LOADING = EngineState(Phase.LOADING, 0.456)
READ = EngineState(Phase.LOADING, 1.0)  # the file; what is computed first is still to come
FULL = Status(READY, "qwen2.5-1.5b-q4", used=1024, size=4096, speed=43.21)


def test_everything_when_there_is_room() -> None:
    assert line(FULL, 100) == "ready · offline · qwen2.5-1.5b-q4 · context ██░░░░░░ 25% of 4096 · 43 tok/s"


@pytest.mark.parametrize("width", range(100))
def test_it_never_overflows_and_begins_with_what_matters(width: int) -> None:
    text = line(FULL, width)
    assert len(text) <= width
    assert text.startswith("ready"[:width])


def test_parts_leave_from_the_end() -> None:
    assert line(FULL, 70).endswith("25% of 4096")
    assert line(FULL, 60).endswith("context 25%")
    assert line(FULL, 35).endswith("qwen2.5-1.5b-q4")
    assert line(FULL, 20) == "ready · offline"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status(LOADING), "loading 45%"),
        (Status(LOADING, stage=Stage.WAITING), "loading 45%, your message waits, Esc takes it back"),
        (Status(EngineState(Phase.LOADING, 0.999)), "loading 99%"),
        (Status(READ), "loaded, getting ready"),
        (Status(READ, stage=Stage.WAITING), "loaded, getting ready, your message waits, Esc takes it back"),
        (Status(READY, stage=Stage.READING), "reading, Esc stops"),
        (Status(READY, stage=Stage.THINKING), "thinking, Esc stops"),
        (Status(READY, stage=Stage.WRITING), "writing, Esc stops"),
        (Status(READY, stage=Stage.WRITING, stopping=True), "stopping"),
        (Status(EngineState(Phase.RESTARTING)), "starting the model again"),
        (Status(EngineState(Phase.NO_MODEL)), "no model"),
        (Status(EngineState()), "no model"),
    ],
)
def test_states(status: Status, words: str) -> None:
    assert status.doing == words


def test_the_gauge_stays_within_its_frame() -> None:
    assert Status(READY, used=5000, size=4096).gauge == "context ████████ 100% of 4096"
    assert Status(READY, used=0, size=4096).gauge == "context ░░░░░░░░ 0% of 4096"
    assert Status(READY).gauge == ""
