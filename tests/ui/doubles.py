"""Doubles at the seams of the app: a talk with queued turns that a test lets through step by step, an engine that only has a state."""

import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tide_chat.config import Settings
from tide_chat.engine.base import Cancel, EngineInfo, FinishReason, Usage
from tide_chat.engine.supervisor import EngineState, Phase
from tide_chat.errors import TideError
from tide_chat.events import CardShown, Done, Event, Notice, Progress, Stage, TextDelta, TurnResult
from tide_chat.messages import Conversation, Role
from tide_chat.safety.assessment import Assessment
from tide_chat.safety.cards import Card, HelpLine
from tide_chat.ui.ports import Core, ModelRow

INFO = EngineInfo(name="smollm2-135m", path="m.gguf", context_size=2048, chat_template="x")
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
    "tide-chat is a program, not a person. It is not care, and nobody is watching.\n\n"
    "What you write stays on this computer. It is for people of 18 and older.\n\n"
    "If you are in danger, call your emergency number. F2 shows who you can reach now."
)


def done(reply: str, reason: FinishReason = FinishReason.STOP, **usage: float) -> Done:
    counts = {"context_tokens": 300, "context_size": 2048, "decode_tps": 43.0} | usage
    return Done(TurnResult(reply, Assessment(), usage=Usage(**counts), finish_reason=reason))  # type: ignore[arg-type]


def turn(reply: str) -> list[Event]:
    """A whole turn of the model."""
    words = reply.split(" ")
    pieces = [TextDelta(word if i == 0 else f" {word}") for i, word in enumerate(words)]
    return [Progress(Stage.READING), Progress(Stage.WRITING), *pieces, done(reply)]


def authored(reply: str, card: Card = CARD) -> list[Event]:
    result = TurnResult(reply, Assessment(), cards=(card.id,), route="authored")
    return [CardShown(card), TextDelta(reply), Done(result)]


def died(partial: str) -> list[Event]:
    notice = Notice("The model stopped unexpectedly. It is starting again.", can_answer_again=True)
    return [Progress(Stage.WRITING), TextDelta(partial), notice, done(partial, FinishReason.DIED)]


class Gate:
    """Holds a scripted turn until the test opens it, or the turn is cancelled."""

    def __init__(self) -> None:
        self._open: queue.SimpleQueue[None] = queue.SimpleQueue()

    def open(self) -> None:
        self._open.put(None)

    def wait(self, cancel: Cancel) -> None:
        forget = cancel.listen(self.open)
        try:
            self._open.get(timeout=10)
        finally:
            forget()


Step = Event | Gate | TideError


@dataclass
class FakeTalk:
    """Plays queued turns. Keeps a conversation the way the pipeline does."""

    turns: list[list[Step]] = field(default_factory=list)
    conversation: Conversation = Conversation()
    put_away_cards: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def reply(self, text: str, cancel: Cancel) -> Iterator[Event]:
        self.sent.append(text)
        self.conversation = self.conversation.user(text)
        yield from self._play(cancel)

    def again(self, cancel: Cancel) -> Iterator[Event]:
        index = self.conversation.last_user()
        assert index is not None
        self.conversation = Conversation(self.conversation.messages[: index + 1])
        yield from self._play(cancel)

    def _play(self, cancel: Cancel) -> Iterator[Event]:
        partial = ""
        for step in self.turns.pop(0) if self.turns else turn("I hear you."):
            if isinstance(step, TideError):
                raise step
            if isinstance(step, Gate):
                step.wait(cancel)
                continue
            if cancel.is_set():
                step = done(partial, FinishReason.CANCELLED)
            if isinstance(step, TextDelta):
                partial += step.text
            if isinstance(step, Done) and step.result.reply:
                self.conversation = self.conversation.assistant(
                    step.result.reply, authored=step.result.route == "authored"
                )
            yield step
            if isinstance(step, Done):
                return

    def take_back(self) -> str:
        index = self.conversation.last_user()
        assert index is not None
        text = self.conversation.messages[index].text
        self.conversation = self.conversation.before_last_user()
        return text

    def clear(self) -> None:
        self.conversation = Conversation()

    def put_away(self, card_id: str) -> None:
        self.put_away_cards.append(card_id)

    def said(self, role: Role) -> list[str]:
        return [m.text for m in self.conversation.messages if m.role is role]


class FakeEngine:
    """A state, and who wants to know of it."""

    def __init__(self, state: EngineState = READY) -> None:
        self.state = state
        self.listeners: list[Callable[[EngineState], None]] = []
        self.closed = self.killed = False

    def on_change(self, callback: Callable[[EngineState], None]) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)

    def become(self, state: EngineState) -> None:
        self.state = state
        for listener in tuple(self.listeners):
            listener(state)

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

    def disclosure(self) -> str:
        return DISCLOSURE

    def disclosure_due(self) -> bool:
        return self.due

    def accept_disclosure(self) -> None:
        self.accepted += 1

    def help_lines(self, country: str | None) -> tuple[HelpLine, ...]:
        return LINES

    def set_country(self, country: str | None) -> None:
        self.country = country


@dataclass
class Doubles:
    """All seams of one app, and the settings it saved."""

    talk: FakeTalk = field(default_factory=FakeTalk)
    engine: FakeEngine = field(default_factory=FakeEngine)
    shelf: FakeShelf = field(default_factory=FakeShelf)
    words: FakeWords = field(default_factory=FakeWords)
    settings: Settings = field(default_factory=Settings)
    saved: list[Settings] = field(default_factory=list)

    @property
    def core(self) -> Core:
        return Core(self.talk, self.engine, self.shelf, self.words, self.settings, self.saved.append)
