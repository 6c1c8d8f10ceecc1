"""Wins of zero-shot and fine-tuned and points of the reference, from means (section 5, table 4). Knows no ratings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from training.evaluation.replies import FINE_TUNED, STATES, ZERO_SHOT

TIE = "tie"


@dataclass(frozen=True, slots=True)
class Contest:
    """Of one model in one scenario. Means; None where nobody rated. reference: that of the model's own page."""

    zero_shot: float | None
    fine_tuned: float | None
    reference: float | None

    @property
    def winner(self) -> str | None:
        """The state with the higher mean. None: nothing to compare."""
        if self.zero_shot is None or self.fine_tuned is None:
            return None
        if self.zero_shot == self.fine_tuned:
            return TIE
        return ZERO_SHOT if self.zero_shot > self.fine_tuned else FINE_TUNED

    @property
    def compared(self) -> tuple[float, ...]:
        """The means that the reference is held against."""
        return tuple(
            mean for mean in (self.zero_shot, self.fine_tuned) if mean is not None and self.reference is not None
        )

    @property
    def points(self) -> int:
        """2: the reference is above both; 1: above one."""
        return sum(self.reference is not None and self.reference > mean for mean in self.compared)


@dataclass(frozen=True, slots=True)
class Count:
    """points of at most `most`."""

    zero_shot: int
    fine_tuned: int
    ties: int
    points: int
    most: int

    @property
    def decided(self) -> int:
        return self.zero_shot + self.fine_tuned

    @property
    def fine_tuned_share(self) -> float | None:
        return self.fine_tuned / self.decided if self.decided else None

    @property
    def points_share(self) -> float | None:
        return self.points / self.most if self.most else None


def contests(
    means: Mapping[tuple[str, str, str], float], references: Mapping[tuple[str, str], float]
) -> dict[tuple[str, str], Contest]:
    """(model, scenario) to contest. means: by model, state and scenario; references: by model and scenario."""
    pairs = dict.fromkeys((model, scenario) for model, state, scenario in means if state in STATES)
    return {
        (model, scenario): Contest(
            means.get((model, ZERO_SHOT, scenario)),
            means.get((model, FINE_TUNED, scenario)),
            references.get((model, scenario)),
        )
        for model, scenario in pairs
    }


def count(of: Iterable[Contest]) -> Count:
    of = list(of)
    winners = [one.winner for one in of]
    return Count(
        winners.count(ZERO_SHOT),
        winners.count(FINE_TUNED),
        winners.count(TIE),
        sum(one.points for one in of),
        sum(len(one.compared) for one in of),
    )
