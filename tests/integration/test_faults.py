"""The engine dies in every way it can; the conversation does not. Real processes, real signals, the real model."""

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.shims import CRASH_REPACKED, compile_shim
from tide_chat.engine.base import Cancel, EngineSpec, FinishReason, SamplingParams
from tide_chat.engine.process import ProcessEngine, describe_exit
from tide_chat.engine.supervisor import EngineState, Phase, Supervisor
from tide_chat.errors import EngineDied, ModelError
from tide_chat.events import Done, Event, Notice, Progress, Stage, TextDelta
from tide_chat.prompt import primer, system_text
from tide_chat.turn import Companion

LONG = "Please tell me about the sea. " * 60


class Watch:
    """Waits for states of a supervisor without polling."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._changed = threading.Condition()
        self.seen: list[Phase] = []
        self._last = supervisor.state
        supervisor.on_change(self._note)

    def _note(self, state: EngineState) -> None:
        with self._changed:
            self._last = state
            self.seen.append(state.phase)
            self._changed.notify_all()

    def until(self, condition: Callable[[EngineState], bool]) -> EngineState:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self._last), 60), f"still {self._last}"
            return self._last


@pytest.fixture
def supervisor(embedded_model: Path, tmp_path: Path) -> Iterator[Supervisor]:
    one = Supervisor(prime=primer(system_text))
    one.start(EngineSpec(embedded_model, context=2048, cache_dir=tmp_path))
    yield one
    one.close()


@pytest.fixture
def companion(supervisor: Supervisor) -> Companion:
    return Companion(supervisor, sampling=SamplingParams(seed=3, max_tokens=200))


def result(events: list[Event]) -> Done:
    assert isinstance(events[-1], Done)
    return events[-1]


def kill_when(companion: Companion, supervisor: Supervisor, number: int, moment: str, text: str) -> list[Event]:
    """Run a turn and send a signal to the engine's process while it prefills or writes."""
    events: list[Event] = []
    for event in companion.reply(text):
        events.append(event)
        if (moment == "prefilling" and event == Progress(Stage.READING)) or (
            moment == "writing" and isinstance(event, TextDelta) and supervisor.state.phase is Phase.READY
        ):
            assert supervisor.pid
            os.kill(supervisor.pid, number)
    return events


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
@pytest.mark.parametrize("moment", ["prefilling", "writing"])
def test_a_death_in_a_turn_keeps_everything_and_offers_to_answer_again(
    supervisor: Supervisor, companion: Companion, moment: str, number: int
) -> None:
    supervisor.info()
    text = LONG if moment == "prefilling" else "Tell me about the sea and the shore. What is it like?"
    events = kill_when(companion, supervisor, number, moment, text)
    done = result(events).result
    assert done.finish_reason is FinishReason.DIED
    assert [e.can_answer_again for e in events if isinstance(e, Notice)] == [True]
    assert companion.conversation.messages[0].text == text.strip()
    if moment == "writing":
        assert done.reply
        assert companion.conversation.messages[-1].text == done.reply
    again = result(list(companion.again())).result
    assert again.finish_reason in (FinishReason.STOP, FinishReason.LENGTH, FinishReason.LOOP)
    assert again.reply
    assert supervisor.state.phase is Phase.READY


def test_a_death_while_idle_is_mended_before_anyone_asks(supervisor: Supervisor, companion: Companion) -> None:
    supervisor.info()
    watch = Watch(supervisor)
    assert supervisor.pid
    os.kill(supervisor.pid, signal.SIGKILL)
    watch.until(lambda state: state.phase is Phase.RESTARTING)
    watch.until(lambda state: state.phase is Phase.READY)
    assert result(list(companion.reply("Hello there."))).result.reply


def test_three_deaths_in_a_row_leave_what_needs_no_model(supervisor: Supervisor, companion: Companion) -> None:
    supervisor.info()
    watch = Watch(supervisor)
    for _ in range(3):
        watch.until(lambda state: state.phase in (Phase.READY, Phase.IDLE)) if watch.seen else None
        assert supervisor.pid
        os.kill(supervisor.pid, signal.SIGKILL)
        watch.until(lambda state: state.phase in (Phase.RESTARTING, Phase.NO_MODEL))
    state = watch.until(lambda state: state.phase is Phase.NO_MODEL)
    assert state.error
    assert "three times" in state.error.message
    done = result(list(companion.reply("I want to end my life tonight."))).result
    assert (done.route, bool(done.reply), bool(done.cards)) == ("authored", True, True)
    events = list(Companion(supervisor).reply("It was a long day."))
    assert isinstance(result(events).result.error, ModelError)
    assert any(isinstance(event, Notice) for event in events)


def test_a_good_reply_between_deaths_counts_anew(supervisor: Supervisor, companion: Companion) -> None:
    for _ in range(4):
        assert result(list(companion.reply("Hello there."))).result.reply
        watch = Watch(supervisor)
        assert supervisor.pid
        os.kill(supervisor.pid, signal.SIGKILL)
        watch.until(lambda state: state.phase is Phase.RESTARTING)
    assert result(list(companion.reply("Hello again."))).result.reply


def test_another_model_can_be_chosen_after_giving_up(supervisor: Supervisor, embedded_model: Path) -> None:
    watch = Watch(supervisor)
    supervisor.switch(EngineSpec(embedded_model.with_name("missing.gguf")))
    state = watch.until(lambda state: state.phase is Phase.NO_MODEL)
    assert isinstance(state.error, ModelError)
    supervisor.switch(EngineSpec(embedded_model, context=256))
    assert watch.until(lambda state: state.phase is Phase.READY).info


def test_a_message_sent_early_waits_and_can_be_taken_back(supervisor: Supervisor, companion: Companion) -> None:
    cancel = Cancel()
    events = []
    for event in companion.reply("Hello.", cancel):
        events.append(event)
        cancel.set()  # at the first sign of waiting
    assert result(events).result.finish_reason is FinishReason.CANCELLED
    assert companion.take_back() == "Hello."
    assert len(companion.conversation) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs LD_PRELOAD")
def test_native_code_that_crashes_on_this_cpu_is_worked_around_and_remembered(
    embedded_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_PRELOAD", str(compile_shim(CRASH_REPACKED, tmp_path)))
    spec = EngineSpec(embedded_model, context=256, cache_dir=tmp_path / "cache")
    phases = []
    for _ in range(2):
        supervisor = Supervisor()
        watch = Watch(supervisor)
        supervisor.start(spec)
        watch.until(lambda state: state.phase in (Phase.READY, Phase.NO_MODEL))
        assert any("does not run on this CPU" in note for note in supervisor.info().notes)
        phases.append(watch.seen.count(Phase.LOADING))
        supervisor.close()
    assert phases[1] < phases[0], "the second start goes straight to what works"
    assert Phase.RESTARTING not in watch.seen


def test_out_of_memory_is_a_death_or_an_error_and_not_ours(
    embedded_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child gets 300 MB of address space: enough to start, not to load."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (300_000_000, 300_000_000));"
        "from tide_chat.engine.child import main; main()"
    )
    process = ProcessEngine([sys.executable, "-c", code])
    try:
        with pytest.raises((EngineDied, ModelError)) as caught:
            process.load(EngineSpec(embedded_model, context=8192))
        assert caught.value.message
    finally:
        process.close()
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_the_child_leaves_when_the_app_is_killed(embedded_model: Path) -> None:
    code = (
        "import os, sys; from tide_chat.engine.process import ProcessEngine; p = ProcessEngine();"
        "print(p.pid, flush=True); sys.stdin.readline(); os.kill(os.getpid(), 9)"
    )
    import subprocess

    app = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert app.stdin
    assert app.stdout
    with app.stdin, app.stdout:
        child = int(app.stdout.readline())
        watched = os.pidfd_open(child)
        app.stdin.write(b"\n")
        app.stdin.flush()
        app.wait()
    import select

    ready, _, _ = select.select([watched], [], [], 10)
    os.close(watched)
    assert ready, "the child outlived the app"


def test_nothing_is_left_when_a_session_closes(embedded_model: Path) -> None:
    process = ProcessEngine()
    pid = process.pid
    process.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("code", "words"), [(-9, "killed by SIGKILL"), (-11, "killed by SIGSEGV"), (3, "exit status 3")]
)
def test_exits_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words
