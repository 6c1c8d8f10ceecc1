"""Where a breath is after so many seconds, and the same in words that stand still. Pure; reads no clock."""

import math
from dataclasses import dataclass

from tide_chat.care.tools import Pattern, Phase
from tide_chat.wording import say

_SAID = {"in": "Breathing in", "out": "Breathing out", "still": "Staying still"}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, slots=True)
class Moment:
    """What a person sees at one instant. fullness: 0 to 1. left: whole seconds left of this phase, at least 1."""

    words: str
    fullness: float
    left: int
    round: int  # from 1
    ended: bool = False


def moment(pattern: Pattern, elapsed: float) -> Moment:
    """The breath `elapsed` seconds after it began. The end of the last round is the end."""
    if elapsed >= pattern.total_s:
        return Moment("", 0.0, 1, pattern.rounds, ended=True)
    elapsed = max(0.0, elapsed)
    number, into = int(elapsed // pattern.round_s), elapsed % pattern.round_s
    start = _before(pattern)
    for phase in pattern.phases:
        end = _target(phase, start)
        if into < phase.seconds:
            eased = (1 - math.cos(math.pi * into / phase.seconds)) / 2
            left = max(1, math.ceil(phase.seconds - into))
            return Moment(phase.words, start + (end - start) * eased, left, number + 1)
        into -= phase.seconds
        start = end
    return Moment(pattern.phases[-1].words, start, 1, number + 1)  # rounding of the last instant of a round


def in_words(pattern: Pattern) -> tuple[str, ...]:
    """One round, a line for each phase, to be counted by oneself."""
    words = say("{phase}, while you count slowly to {number}.")
    return tuple(
        words.format(phase=_said(phase), number=say(_NUMBERS[round(phase.seconds)])) for phase in pattern.phases
    )


def _said(phase: Phase) -> str:
    return phase.label.capitalize() if phase.label else say(_SAID[phase.does])


def _target(phase: Phase, start: float) -> float:
    if phase.to is not None:
        return phase.to
    return {"in": 1.0, "out": 0.0, "still": start}[phase.does]


def _before(pattern: Pattern) -> float:
    """How full the breath is where a round begins: as it ends."""
    level = 0.0
    for phase in pattern.phases:
        level = _target(phase, level)
    return level
