"""US states, the census region of each (US Census Bureau), and its place on a map of equal squares."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

REGIONS = ("Northeast", "Midwest", "South", "West")


@dataclass(frozen=True, slots=True)
class UsState:
    """column, row: from the upper left, 0 first."""

    code: str
    name: str
    region: str
    column: int
    row: int


def _states() -> dict[str, UsState]:
    text = (resources.files(__package__ or "") / "us_states.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["code"]: UsState(row["code"], row["name"], row["region"], int(row["column"]), int(row["row"]))
        for row in rows
    }


STATES: Mapping[str, UsState] = _states()


def region_of(code: str) -> str:
    """Empty for what is no state: territories, or not said."""
    return STATES[code].region if code in STATES else ""
