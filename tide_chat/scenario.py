"""Which of the known situations a message is in, and what a model is told of it (`prompts/scenarios.toml`).

Reads the chances of the risk encoder's scenario head and no text. It speaks only where the encoder is sure; most
messages get no guidance, and none is better than a wrong one.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

SURE = 0.95  # of a situation's chances together: right in 81%, found for 45% of 532 held-out messages (docs/fit.md)


@dataclass(frozen=True, slots=True)
class Guidance:
    """scenarios: labels of the encoder. text: for the model, behind the newest message."""

    name: str
    scenarios: tuple[str, ...]
    text: str


@cache
def guidances() -> tuple[Guidance, ...]:
    """The six situations of the paper, and the rest."""
    read = tomllib.loads((files("tide_chat") / "prompts" / "scenarios.toml").read_text(encoding="utf-8"))
    return tuple(Guidance(name, tuple(one["scenarios"]), one["text"]) for name, one in read.items())


def find(chances: Mapping[str, float]) -> Guidance | None:
    """The situation that the encoder is sure of. chances: of each label, 0 to 1; empty where it took no part."""
    sure, one = likeliest(chances)
    return one if sure >= SURE else None


def likeliest(chances: Mapping[str, float]) -> tuple[float, Guidance]:
    """Its chance and it."""
    return max(((chance(one, chances), one) for one in guidances()), key=lambda found: found[0])


def chance(of: Guidance, chances: Mapping[str, float]) -> float:
    """Of all its labels together."""
    return sum(chances.get(label, 0.0) for label in of.scenarios)
