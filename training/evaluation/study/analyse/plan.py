"""What was asked of an analysis, and the marks that a simulated study leaves on everything made from it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from training.evaluation.study.analyse.filters import Bounds
from training.evaluation.study.analyse.resample import Draws
from training.evaluation.study.records import SIMULATED, Rater
from training.evaluation.study.regions import region_of
from training.evaluation.tables import Table

WATERMARK = "SIMULATED DATA: no person rated anything."


@dataclass(frozen=True, slots=True)
class Plan:
    """older_than: years. difference: whose power is told, in points of the scale (the paper's: 3.66 against 3.51)."""

    bounds: Bounds = field(default_factory=Bounds)
    draws: Draws = field(default_factory=Draws)
    older_than: int = 60
    difference: float = 0.15
    simulated: bool = False
    command: str = ""

    def titled(self, title: str) -> str:
        return f"SIMULATED. {title}" if self.simulated else title

    def marked(self, table: Table) -> Table:
        """With the command that made it and, where nobody rated, with the marks of that."""
        table = replace(table, command=self.command)
        if not self.simulated:
            return table
        note = f"{WATERMARK} {table.note}".strip()
        return replace(table, name=f"{SIMULATED}{table.name}", title=self.titled(table.title), note=note)


@dataclass(frozen=True, slots=True)
class Direction:
    """Two groups of raters that are compared; those in neither are left out."""

    name: str
    first: str
    second: str
    side: Callable[[Rater], bool | None]  # True: first


def directions(plan: Plan) -> tuple[Direction, ...]:
    """The paper's (section 6.5): age, education, gender."""

    def older(rater: Rater) -> bool | None:
        return None if rater.age is None else rater.age > plan.older_than

    def graduate(rater: Rater) -> bool | None:
        return rater.education.casefold().startswith("graduate") if rater.education else None

    def woman(rater: Rater) -> bool | None:
        return {"woman": True, "man": False}.get(rater.gender.casefold())

    return (
        Direction("age", f"over {plan.older_than}", "younger", older),
        Direction("education", "graduate", "not graduate", graduate),
        Direction("gender", "women", "men", woman),
    )


def region(rater: Rater) -> str:
    """US census region; empty: not said."""
    return region_of(rater.region)
