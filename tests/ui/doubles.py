"""Doubles at the seams of the app: an engine whose replies a test lets through step by step, models, words."""

import queue
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator

from tide_chat.care.keeping import Care
from tide_chat.config import Settings
from tide_chat.engine.base import Cancel, Chunk, EngineInfo, FinishReason, Prompt, SamplingParams, Usage
from tide_chat.engine.scripted import CHATML, ScriptedEngine
from tide_chat.engine.supervisor import EngineState, Phase
from tide_chat.errors import EngineDied, ModelError, TideError
from tide_chat.messages import Role
from tide_chat.safety.cards import Card, HelpLine
from tide_chat.safety.protocol import Block
from tide_chat.store.book import Book
from tide_chat.turn import Companion
from tide_chat.ui.ports import Core, ModelRow

INFO = EngineInfo(name="smollm2-135m", path="m.gguf", context_size=2048, chat_template=CHATML)
READY = EngineState(Phase.READY, 1.0, info=INFO)
LINES = (
    HelpLine("988 Suicide & Crisis Lifeline", "988", "call", "day and night", "veterans press 1"),
    HelpLine("Crisis Text Line", "741741", "text", "day and night", "text HOME"),
    HelpLine("Emergency", "911", "call"),
)
CARD = Card(
    "t3",
    "You matter, and a person can be with you in this",
    "What you wrote sounds like it hurts a great deal.\n\nA person who is trained for this can listen right now.",
    LINES,
    ("Put some distance between me and what could hurt me", "Call someone I trust and ask them to stay"),
    "Numbers checked in 2026. They may have changed.",
)
DISCLOSURE = (
    "Before we begin\n\n"
    "This is a program, not a person. It is not care, and nobody is watching.\n\n"
    "What you write stays on this computer. It is for people of 18 and older.\n\n"
    "If you are in danger, call your emergency number. F2 shows who you can reach now."
)

PROTOCOL = (
    Block("Safety protocol", heading=True),
    Block("What happens when somebody is in danger."),
    Block("What it misses", heading=True),
    Block("- Much of what is only implied."),
)


class Gate:
    """Holds a scripted reply until the test opens it, or the turn is cancelled."""

    def __init__(self) -> None:
        self._open: queue.SimpleQueue[None] = queue.SimpleQueue()

    def open(self) -> None:
        self._open.put(None)

    def wait(self, cancel: Cancel) -> None:
        forget = cancel.listen(self.open)
        try:
            self._open.get(timeout=30)
        finally:
            forget()


Step = str | Gate | TideError | Usage
DIED = EngineDied("The model's process ended.", details="killed by SIGKILL")
COUNTS = Usage(context_tokens=300, context_size=2048, decode_tps=43.0)


class FakeEngine(ScriptedEngine):
    """A supervisor and an engine: `state` is what a test says, `replies` holds the steps of each reply.

    A step is text (given a word a chunk), a gate, an error to raise, or the counts that the last chunk brings.
    """

    def __init__(self, state: EngineState = READY) -> None:
        super().__init__()
        self.scripts: deque[tuple[Step, ...]] = deque()
        self.listeners: list[Callable[[EngineState], None]] = []
        self.closed = self.killed = False
        self._changed = threading.Condition()
        self.state = state

    def will_say(self, *steps: Step) -> None:
        """Queue a reply."""
        self.scripts.append(steps)

    def on_change(self, callback: Callable[[EngineState], None]) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)

    def become(self, state: EngineState) -> None:
        with self._changed:
            self.state = state
            self._changed.notify_all()
        for listener in tuple(self.listeners):
            listener(state)

    def info(self, cancel: Cancel | None = None) -> EngineInfo:
        """Waits like the real supervisor: for a model, a failure or a cancel."""
        forget = cancel.listen(self._wake) if cancel else None
        with self._changed:
            waiting = (Phase.LOADING, Phase.RESTARTING)
            self._changed.wait_for(lambda: self.state.phase not in waiting or (cancel and cancel.is_set()), timeout=30)
        if forget:
            forget()
        if self.state.info is None:
            raise self.state.error or ModelError("No model is loaded.")
        return self.state.info

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def generate(self, prompt: Prompt, params: SamplingParams, cancel: Cancel) -> Iterator[Chunk]:
        counts = COUNTS
        yield Chunk("", usage=counts)
        for step in self.scripts.popleft() if self.scripts else ("I hear you.",):
            if isinstance(step, TideError):
                raise step
            if isinstance(step, Gate):
                step.wait(cancel)
            elif isinstance(step, Usage):
                counts = step
            else:
                yield from (Chunk(piece, tokens=1) for piece in re.findall(r"\s*\S+|\s+", step) if not cancel.is_set())
        yield Chunk("", finish_reason=FinishReason.CANCELLED if cancel.is_set() else FinishReason.STOP, usage=counts)

    def close(self) -> None:
        self.closed = True

    def kill(self) -> None:
        self.killed = True


ROWS = (
    ModelRow("smollm2-135m", "SmolLM2 135M, the one that comes with the app", 105_000_000, "Apache-2.0", True),
    ModelRow("qwen2.5-1.5b-q4", "Qwen2.5 1.5B", 1_120_000_000, "Apache-2.0", False, "hub.example"),
    ModelRow("llama-3.2-3b-q4", "Llama 3.2 3B", 2_020_000_000, "Llama 3.2", False, "hub.example", "May be slow here."),
)


class FakeShelf:
    """Three models, and a pull whose steps a test lets through."""

    def __init__(self, rows: tuple[ModelRow, ...] = ROWS) -> None:
        self.all = rows
        self.used: list[str] = []
        self.pulled: list[str] = []
        self.gate = Gate()
        self.error: TideError | None = None

    def rows(self) -> tuple[ModelRow, ...]:
        return self.all

    def use(self, alias: str) -> None:
        if self.error:
            raise self.error
        self.used.append(alias)

    def pull(self, alias: str, on_progress: Callable[[int, int], None], cancel: Cancel) -> None:
        on_progress(504_000_000, 1_120_000_000)
        self.gate.wait(cancel)
        if self.error:
            raise self.error
        if not cancel.is_set():
            self.pulled.append(alias)


class FakeWords:
    """Authored text that never changes, so that snapshots do not."""

    def __init__(self, due: bool = False) -> None:
        self.due = due
        self.accepted = 0
        self.country: str | None = None

    def disclosure(self, country: str | None) -> str:
        return DISCLOSURE

    def disclosure_due(self) -> bool:
        return self.due

    def accept_disclosure(self) -> None:
        self.accepted += 1

    def protocol(self) -> tuple[Block, ...]:
        return PROTOCOL

    def help_lines(self, country: str | None) -> tuple[HelpLine, ...]:
        return LINES

    def help_footnote(self, country: str | None) -> str:
        return "Numbers may have changed."

    def set_country(self, country: str | None) -> None:
        self.country = country


class Doubles:
    """A real conversation on a scripted engine, and doubles for all that lies outside the app."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.engine = FakeEngine()
        self.seconds = 0.0  # what the clock of the conversation shows
        self.talk = Companion(self.engine, system="Be kind.", country="US", clock=lambda: self.seconds)
        self.shelf = FakeShelf()
        self.words = FakeWords()
        self.settings = settings or Settings()
        self.saved: list[Settings] = []
        self.care = Care()
        self.book = Book()
        self.talk.keeper = self.book
        self.save: Callable[[Settings], None] = self.saved.append

    @property
    def core(self) -> Core:
        return Core(self.talk, self.engine, self.shelf, self.words, self.settings, self.save, self.care, self.book)

    def said(self, role: Role = Role.USER) -> list[str]:
        return [message.text for message in self.talk.conversation.messages if message.role is role]
