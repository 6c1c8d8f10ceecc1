"""The few statistics of the report: shares with Wilson intervals, F1, percentiles, calibration error. Standard library.

Everything here is deterministic and knows no tier, no file and no table.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_Z = 1.959963984540054  # the two-sided 95% quantile of the normal distribution
BINS = 10


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`. Of nothing there is no share: None."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None

    def as_json(self) -> dict[str, object]:
        value = self.value
        interval = [round(end, 4) for end in wilson(self.part, self.whole)] if self.whole else None
        rounded = None if value is None else round(value, 4)
        return {"share": rounded, "part": self.part, "whole": self.whole, "wilson95": interval}


def share_of(facts: Iterable[bool]) -> Share:
    """How many of these hold."""
    seen = list(facts)
    return Share(sum(seen), len(seen))


def wilson(part: int, whole: int, z: float = _Z) -> tuple[float, float]:
    """The Wilson score interval of a share, 95% unless `z` says otherwise. `whole` must not be 0."""
    p = part / whole
    scale = 1 + z * z / whole
    middle = (p + z * z / (2 * whole)) / scale
    half = z / scale * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    return (0.0 if part == 0 else max(0.0, middle - half), 1.0 if part == whole else min(1.0, middle + half))


@dataclass(frozen=True, slots=True)
class Detection:
    """One label: how often it was wanted, how often it was given, how often both."""

    wanted: int
    got: int
    both: int

    @property
    def f1(self) -> float | None:
        """None where the label was neither wanted nor given."""
        return 2 * self.both / (self.wanted + self.got) if self.wanted + self.got else None

    def as_json(self) -> dict[str, object]:
        return {
            "precision": Share(self.both, self.got).as_json(),
            "recall": Share(self.both, self.wanted).as_json(),
            "f1": None if self.f1 is None else round(self.f1, 4),
        }


def macro_f1(detections: Iterable[Detection]) -> float | None:
    """The mean of F1 over the labels that were wanted or given at all; None when none was."""
    scores = [one.f1 for one in detections if one.f1 is not None]
    return sum(scores) / len(scores) if scores else None


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank: the smallest value that so many percent do not exceed. `values` must not be empty."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions with a chance from `low` to below `high`: how many, their mean chance, how often they held."""

    low: float
    high: float
    count: int
    chance: float
    held: float


def reliability(pairs: Iterable[tuple[float, bool]], bins: int = BINS) -> list[Bin]:
    """Bins of equal width over (chance, whether it held); empty ones are left out."""
    filled: dict[int, list[tuple[float, bool]]] = {}
    for chance, held in pairs:
        filled.setdefault(min(bins - 1, int(chance * bins)), []).append((chance, held))
    return [
        Bin(
            index / bins,
            (index + 1) / bins,
            len(filled[index]),
            sum(chance for chance, _ in filled[index]) / len(filled[index]),
            sum(held for _, held in filled[index]) / len(filled[index]),
        )
        for index in sorted(filled)
    ]


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error: the distance between chance and frequency, weighted by the size of the bins."""
    whole = sum(one.count for one in bins)
    return sum(one.count * abs(one.chance - one.held) for one in bins) / whole if whole else None
