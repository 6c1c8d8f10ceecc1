"""The six situations of the paper's survey as families of our scenarios (`families.toml`). Knows no dialogue.

Our judgement, not the paper's: it shows one message for each situation.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Family:
    """number: the paper's, 1 to 6. scenarios: our labels."""

    name: str
    number: int
    about: str
    scenarios: tuple[str, ...]


@cache
def families() -> tuple[Family, ...]:
    """All six, in the paper's order."""
    read = tomllib.loads((files("training.data") / "families.toml").read_text(encoding="utf-8"))
    made = (Family(name, one["number"], one["about"], tuple(one["scenarios"])) for name, one in read.items())
    return tuple(sorted(made, key=lambda family: family.number))


def family_of(scenario: str) -> str | None:
    """The name of the family that a scenario belongs to; None for one of no family, or unknown."""
    return next((family.name for family in families() if scenario in family.scenarios), None)
