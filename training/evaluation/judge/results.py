"""Judgements put together: a reply's score over its calls, and who won a pair. Knows no statistics."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from training.evaluation.judge.asks import Judgement, Value
from training.evaluation.judge.material import Candidate, Pair
from training.evaluation.judge.rubric import CRITERIA, FIRST, TIE

WON, LOST, EVEN, SPLIT = "first", "second", "tie", "orders disagree"


@dataclass(frozen=True, slots=True)
class Rated:
    """calls: criterion to score of each call, None where the judge gave no right answer."""

    candidate: Candidate
    calls: tuple[dict[str, int] | None, ...]

    @property
    def by_criterion(self) -> dict[str, float] | None:
        """Means over the calls that were answered; None without any."""
        there = [call for call in self.calls if call]
        return {name: fmean(call[name] for call in there) for name in CRITERIA} if there else None

    @property
    def score(self) -> float | None:
        """1 to 5: the mean of the criteria."""
        means = self.by_criterion
        return fmean(means.values()) if means else None


@dataclass(frozen=True, slots=True)
class Contest:
    """calls: WON, LOST (the pair's first or second in both orders), EVEN, SPLIT; None: an order has no right answer."""

    pair: Pair
    calls: tuple[str | None, ...]

    @property
    def outcome(self) -> int | None:
        """1: the first of the pair won more calls, -1: the second did, 0: a tie; None: no call is whole."""
        if not any(self.calls):
            return None
        won = Counter(self.calls)
        return (won[WON] > won[LOST]) - (won[WON] < won[LOST])


def rated(judgements: Iterable[Judgement]) -> list[Rated]:
    """In the order of the judgements; the calls of a reply stand together in their order."""
    found: dict[Candidate, list[dict[str, int] | None]] = {}
    for one in judgements:
        assert not isinstance(one.value, str)
        found.setdefault(one.ask.shown[0], []).append(one.value)
    return [Rated(candidate, tuple(calls)) for candidate, calls in found.items()]


def contests(judgements: Iterable[Judgement]) -> list[Contest]:
    """From all calls in both orders; the order that comes first is the pair's."""
    found: dict[Pair, list[Value | None]] = {}
    for one in judgements:
        first, second = one.ask.shown
        found.setdefault((first, second), []).append(one.value)
    both = ((pair, zip(found[pair], found[pair[::-1]], strict=True)) for pair in list(found)[::2])
    return [Contest(pair, tuple(call(*values) for values in calls)) for pair, calls in both]


def call(forward: object, backward: object) -> str | None:
    """A win only when both orders name the same reply. forward: of the order (first, second), backward: swapped."""
    if forward is None or backward is None:
        return None
    if forward == backward:
        return EVEN if forward == TIE else SPLIT
    if TIE in (forward, backward):
        return SPLIT
    return WON if forward == FIRST else LOST
