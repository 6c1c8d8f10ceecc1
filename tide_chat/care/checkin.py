"""A check-in from 0 to 10 and what belongs to its level. The number is the person's own and is never inferred.

It is no clinical scale: nothing is administered, scored or compared with anybody.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tide_chat import wording
from tide_chat.care.files import data

HIGHEST = 10
When = Literal["alone", "before", "after"]


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One number. at: an aware time. tool: the tool it was noted before or after."""

    at: datetime
    level: int  # 0 to 10
    when: When = "alone"
    tool: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.level <= HIGHEST:
            raise ValueError(f"a level is 0 to {HIGHEST}, got {self.level}")
        if self.at.tzinfo is None:
            raise ValueError("the time of a check-in needs its zone")


@dataclass(frozen=True, slots=True)
class Match:
    """What fits a level. people: whether help lines stand first, below, or are only a key away."""

    words: str
    tools: tuple[str, ...]
    people: Literal["none", "below", "first"]


@dataclass(frozen=True, slots=True)
class Asking:
    """The words around the question."""

    question: str
    again: str
    note: str
    anchors: tuple[str, ...]


def match(level: int) -> Match:
    """What fits `level`."""
    rows = _levels()["levels"]
    row = next(row for row in rows if level <= row["up_to"])
    return Match(row["words"], tuple(row["tools"]), row["people"])


@wording.cached
def asking() -> Asking:
    rows = _levels()
    return Asking(rows["question"], rows["again"], rows["note"], tuple(rows["anchors"]))


def compared(before: int, after: int) -> str:
    """Two numbers in words, with no praise and no blame."""
    same = "{before} before, {after} now: the same. That happens, and it says nothing about you."
    words = wording.say(same) if before == after else wording.say("{before} before, {after} now.")
    return words.format(before=before, after=after)


@wording.cached
def _levels() -> dict[str, Any]:
    return data("levels")
