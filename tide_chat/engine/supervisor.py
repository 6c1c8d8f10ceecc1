"""Keeps an engine alive: loads in the background, restarts it after a death, gives up after three in a row.

An Engine itself, so that the pipeline need not know. Says how things stand through `state` and `on_change`; what users
read about it is the interface's affair.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from tide_chat import atomic
from tide_chat.engine.base import Cancel, Chunk, EngineInfo, EngineSpec, Prompt, SamplingParams
from tide_chat.engine.process import ProcessEngine
from tide_chat.errors import EngineDied, ModelError, ModelUnusable, TideError

MOST_DEATHS = 3  # in a row
GLANCE = 0.02  # seconds between looks at a cancel while waiting for the model


class Phase(StrEnum):
    IDLE = "idle"  # nothing was asked for yet
    LOADING = "loading"
    READY = "ready"
    RESTARTING = "restarting"  # it died; it is being loaded again
    NO_MODEL = "no_model"  # `error` says why


@dataclass(frozen=True, slots=True)
class EngineState:
    phase: Phase = Phase.IDLE
    progress: float = 0.0  # 0..1 of loading
    error: TideError | None = None
    info: EngineInfo | None = None


Listener = Callable[[EngineState], None]
Prime = Callable[[EngineInfo], Prompt]


class Supervisor:
    """An Engine that outlives its process. `prime` makes the prompt that is prepared before the first message."""

    def __init__(self, prime: Prime | None = None, spawn: Callable[..., ProcessEngine] = ProcessEngine) -> None:
        self._prime = prime
        self._spawn = spawn
        self._changed = threading.Condition()
        self._state = EngineState()
        self._listeners: list[Listener] = []
        self._engine: ProcessEngine | None = None
        self._spec: EngineSpec | None = None
        self._deaths = 0
        self._generation = 0  # tells a load that it was overtaken by another

    # -- state -------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> EngineState:
        return self._state

    @property
    def pid(self) -> int | None:
        return self._engine.pid if self._engine else None

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each new state, from another thread. Returns a function that takes it back."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _set(self, state: EngineState) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()
        for listener in tuple(self._listeners):
            listener(state)

    # -- loading -----------------------------------------------------------------------------------------------------

    def start(self, spec: EngineSpec) -> None:
        """Spawn the child now and load in the background. Also changes the model, and tries again after a failure."""
        self._deaths = 0
        self._spec = replace(spec, extra_bufts=spec.extra_bufts and not _crashed_before(spec))
        self._begin(Phase.LOADING)

    switch = start

    def fail(self, error: TideError) -> None:
        """No model can be had; what needs none goes on."""
        self._set(EngineState(Phase.NO_MODEL, error=error))

    def _begin(self, phase: Phase) -> None:
        self._generation += 1
        number, old = self._generation, self._engine
        if old:
            old.close()
        self._engine = engine = self._spawn(on_death=lambda error: self._died(number, error))
        self._set(EngineState(phase))
        threading.Thread(target=self._load, args=(engine, number, phase), daemon=True).start()

    def _load(self, engine: ProcessEngine, number: int, phase: Phase) -> None:
        spec = self._spec
        assert spec
        try:
            info = engine.load(spec, lambda part: self._progress(number, phase, part))
            if self._prime and info.chat_template:
                for _ in engine.generate(self._prime(info), SamplingParams(max_tokens=0), Cancel()):
                    pass
        except EngineDied as error:
            self._died_loading(error, number)
        except TideError as error:
            if number == self._generation:
                self.fail(error)
        else:
            if not spec.extra_bufts:
                _remember_crash(spec)
            if number == self._generation:
                self._set(EngineState(Phase.READY, 1.0, info=info))

    def _progress(self, number: int, phase: Phase, part: float) -> None:
        if number == self._generation:
            self._set(EngineState(phase, part))

    # -- deaths ------------------------------------------------------------------------------------------------------

    def _died(self, number: int, error: EngineDied) -> None:
        """A loaded engine ended; whoever notices first, the reader of its pipe or a generation, sees to it."""
        with self._changed:
            if number != self._generation or self._state.phase is not Phase.READY:
                return
            self._generation += 1
            self._state = EngineState(Phase.RESTARTING)  # nobody may ask the dead one
        self._after_death(error)

    def _died_loading(self, error: EngineDied, number: int) -> None:
        if number != self._generation or self._spec is None:
            return
        if self._spec.extra_bufts and "SIGKILL" not in error.details:
            # Repacked weights use the newest instructions of a CPU, and native code for them crashes on some machines.
            self._spec = replace(self._spec, extra_bufts=False)
            self._begin(self._state.phase)
            return
        self._after_death(error)

    def _after_death(self, error: EngineDied) -> None:
        with self._changed:
            self._deaths += 1
            deaths = self._deaths
        if deaths < MOST_DEATHS:
            self._begin(Phase.RESTARTING)
            return
        self.fail(
            ModelUnusable(
                "The model stopped three times in a row, so it stays off for now.",
                details=error.details,
                help="You could choose a smaller model, or run: tide-chat doctor",
            )
        )

    # -- Engine ------------------------------------------------------------------------------------------------------

    def load(self, spec: EngineSpec, on_progress: Callable[[float], None] | None = None) -> EngineInfo:
        self.start(spec)
        return self._ready(Cancel()).info()

    def generate(self, prompt: Prompt, params: SamplingParams, cancel: Cancel) -> Iterator[Chunk]:
        engine, number = self._ready(cancel), self._generation
        try:
            yield from engine.generate(prompt, params, cancel)
        except EngineDied as error:
            self._died(number, error)
            raise
        self._deaths = 0

    def count_tokens(self, text: str) -> int:
        return self._ready(Cancel()).count_tokens(text)

    def embed(self, text: str) -> list[float]:
        return self._ready(Cancel()).embed(text)

    def info(self, cancel: Cancel | None = None) -> EngineInfo:
        return self._ready(cancel or Cancel()).info()

    def close(self) -> None:
        self._generation += 1
        if self._engine:
            self._engine.close()

    def kill(self) -> None:
        """End the child at once, for a quick exit."""
        self._generation += 1
        if self._engine:
            self._engine.kill()

    def _ready(self, cancel: Cancel) -> ProcessEngine:
        """Wait until a model is there. Raises its error when none can be had, ModelError when `cancel` is set first."""
        with self._changed:
            while self._state.phase in (Phase.LOADING, Phase.RESTARTING) and not cancel.is_set():
                self._changed.wait(GLANCE)
            state, engine = self._state, self._engine
        if state.phase is Phase.READY and engine:
            return engine
        raise state.error or ModelError("No model is loaded.", help="tide-chat models list shows which are installed.")


# A build that crashed with repacked weights on this machine will do so again: remember it beside the other caches.


def _crash_note(spec: EngineSpec) -> Path | None:
    return spec.cache_dir / "native.json" if spec.cache_dir else None


def _build() -> str:
    """Tells one installed build of the native library from another: its list of files has their checksums."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return hashlib.sha256((distribution("llama-cpp-python").read_text("RECORD") or "").encode()).hexdigest()
    except PackageNotFoundError:
        return "none"


def _crashed_before(spec: EngineSpec) -> bool:
    note = _crash_note(spec)
    try:
        return bool(note and json.loads(note.read_text()).get("crashes_repacked") == _build())
    except (OSError, ValueError):
        return False


def _remember_crash(spec: EngineSpec) -> None:
    note = _crash_note(spec)
    if note is None:
        return
    try:
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic.write_text(note, json.dumps({"crashes_repacked": _build()}))
    except OSError:
        return  # found out again at the next start
