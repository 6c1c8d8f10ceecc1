"""What a turn yields. Every front end (app, plain, JSON, evaluation) consumes these same values."""

from dataclasses import dataclass, field
from enum import StrEnum

from tide_chat.engine.base import FinishReason, Usage
from tide_chat.errors import TideError
from tide_chat.safety.assessment import Assessment
from tide_chat.safety.cards import Card


class Stage(StrEnum):
    WAITING = "waiting"  # the model is still loading
    READING = "reading"  # prefill
    THINKING = "thinking"  # reasoning text of an R1 model, never shown
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class Progress:
    stage: Stage


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the reply that has passed the guard. Control characters are already neutralised."""

    text: str


@dataclass(frozen=True, slots=True)
class CardShown:
    """An authored card with help lines. It stays pinned until the user puts it away.

    again: it is pinned already, and the newest message gives no new reason for it.
    """

    card: Card
    again: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One calm line about what happened, not part of the reply."""

    text: str
    can_answer_again: bool = False


@dataclass(frozen=True, slots=True)
class TurnResult:
    """Everything `ask --json` prints."""

    reply: str
    assessment: Assessment
    cards: tuple[str, ...] = ()  # ids
    route: str = "model"  # model, authored
    model: str | None = None
    adapter: str | None = None
    usage: Usage = field(default_factory=Usage)
    finish_reason: FinishReason = FinishReason.STOP
    guard: tuple[str, ...] = ()  # what the guard did, in order
    error: TideError | None = None  # what went wrong, if anything; partial replies are kept
    scenario: str = ""  # the situation that the encoder is sure of, a name in prompts/scenarios.toml
    guidance: str = ""  # what the model was told beside the message
    beside: tuple[str, ...] = ()  # parts of a model's reply that were written beforehand


@dataclass(frozen=True, slots=True)
class Done:
    """The last event of every turn."""

    result: TurnResult


Event = Progress | TextDelta | CardShown | Notice | Done
