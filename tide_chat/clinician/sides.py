"""The same message to two sides: two models, or one as it comes and tuned. Each answers as the app would.

One model is in memory at a time. Every message begins a conversation of its own, so that each pair stands for itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from tide_chat.engine.base import Cancel, FinishReason
from tide_chat.errors import TideError, UsageError
from tide_chat.events import CardShown, Done, Notice, TurnResult
from tide_chat.registry import Registry, Resolved, is_path
from tide_chat.safety.cards import Card
from tide_chat.turn import Companion

LETTERS = ("A", "B")


@dataclass(frozen=True, slots=True)
class Side:
    """Who answers. model, state: as the human study names conditions; ft is the model with an adapter.

    found_by: what the registry finds it by, where that is not its name: the path of a file.
    """

    name: str
    model: str
    state: str
    found_by: str = ""

    @property
    def shown(self) -> str:
        return f"{self.name} ({'tuned' if self.state == 'ft' else 'as it comes'})"


@dataclass(frozen=True, slots=True)
class Answer:
    side: Side
    result: TurnResult
    cards: tuple[Card, ...] = ()

    @property
    def problem(self) -> str:
        """Why it is not to be rated; empty where it is."""
        if self.result.error:
            return self.result.error.message
        if self.result.route != "model":
            return "Prepared words: the model was not asked."
        if self.result.finish_reason is FinishReason.CANCELLED:
            return "It was stopped."
        return "" if self.result.reply.strip() else "There is no reply."


@dataclass(frozen=True, slots=True)
class Pair:
    """Both answers to a message, in the order in which they are shown: A, B."""

    number: int
    text: str
    answers: tuple[Answer, Answer]

    @property
    def can_be_rated(self) -> bool:
        return not any(answer.problem for answer in self.answers)


def sides(first: str, second: str) -> tuple[Side, Side]:
    """Raises ModelError, and UsageError where both are one and the same."""
    registry = Registry.load()
    made = (_side(registry, first), _side(registry, second))
    if made[0].name == made[1].name:
        raise UsageError("Both sides are the same model.", details=made[0].name, help="Name two that differ.")
    return made


def swapped(seed: int, number: int) -> bool:
    """Whether the second side is shown as A for this message. The same seed gives the same order."""
    return Random(f"{seed} {number}").random() < 0.5


class Talking(Protocol):
    """A conversation whose model can be changed: a session of its own, or one beside another (`aside`)."""

    @property
    def companion(self) -> Companion: ...

    def change_to(self, name: str) -> None: ...


class Comparison:
    """Asks both sides. `answer` blocks; use a worker thread."""

    def __init__(self, talking: Talking, both: tuple[Side, Side], *, seed: int, blind: bool) -> None:
        self._talking = talking
        self.sides, self.seed, self.blind = both, seed, blind
        self._count = 0

    def answer(
        self,
        text: str,
        cancel: Cancel,
        say: Callable[[str], object] = lambda _: None,
        show: Callable[[Card | str], object] = lambda _: None,
    ) -> Pair:
        """`say` is told which letter is being written. Raises ModelError.

        `show` gets cards, and what the safety check says, as they come and before any reply; both sides have the same.
        """
        self._count += 1
        order = self.sides[::-1] if self.blind and swapped(self.seed, self._count) else self.sides
        answers: dict[str, Answer] = {}
        for side in self.sides:
            say(f"Writing {len(answers) + 1} of 2 ...")
            answers[side.name] = self._one(side, text, cancel, (lambda _: None) if answers else show)
        return Pair(self._count, text, (answers[order[0].name], answers[order[1].name]))

    def _one(self, side: Side, text: str, cancel: Cancel, show: Callable[[Card | str], object]) -> Answer:
        talk = self._talking.companion
        talk.clear()
        for card in talk.pinned_cards:
            talk.put_away(card.id)
        self._talking.change_to(side.found_by or side.name)
        cards: list[Card] = []
        for event in talk.reply(text, cancel):
            match event:
                case CardShown(card):
                    cards.append(card)
                    show(card)
                case Notice(words):
                    show(words)
                case Done(result):
                    return Answer(side, result, tuple(cards))
        raise TideError("The reply did not come to its end.")


def _side(registry: Registry, name: str) -> Side:
    found = registry.resolve(name)
    by_path = name if is_path(name) else ""
    return Side(found.alias, _base(registry, found), "ft" if found.adapter else "zs", by_path)


def _base(registry: Registry, found: Resolved) -> str:
    """The alias of the same weights without an adapter."""
    if found.adapter is None or found.model is None:
        return found.alias
    same = (model.alias for model in registry.models if not model.entry.adapter and model.file == found.model.file)
    return next(same, found.alias)
