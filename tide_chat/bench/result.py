"""What a measurement is: a value, what it is compared with, and the goal."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table. `ratio` is value / reference; the goal is on it, or on the value when `on_value`."""

    name: str
    value: float
    unit: str
    reference: float
    reference_name: str
    goal: str = ""  # for example ">= 0.97"; "" is only told
    on_value: bool = False

    @property
    def ratio(self) -> float:
        return self.value / self.reference if self.reference else 0.0

    @property
    def met(self) -> bool | None:
        """None when there is no goal."""
        if not self.goal:
            return None
        sign, limit = self.goal.split()[:2]
        judged = self.value if self.on_value else self.ratio
        return judged >= float(limit) if sign == ">=" else judged <= float(limit)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def middle_ratio(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(value, reference) of the pair whose ratio is the median: runs are interleaved, so noise hits both of a pair."""
    middle = median(value / reference for value, reference in pairs)
    return min(pairs, key=lambda pair: abs(pair[0] / pair[1] - middle))
