"""Who rated: the filters with their counts, and who the raters are (the paper's appendix C and table 3)."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median, stdev

from training.evaluation.study.analyse.filters import Filtered
from training.evaluation.study.analyse.plan import region
from training.evaluation.study.analyse.tables import note
from training.evaluation.study.records import Rater
from training.evaluation.tables import Cell, Table

_UNSAID = "not said"


def filtered(of: Filtered) -> Table:
    rows = tuple((step.name, step.rule, len(step.removed), step.left) for step in of.steps)
    about = (
        "A rater whom several filters would take out is counted at the first. Those who left early have no duration."
    )
    notes = note(about, *(f"{step.name.capitalize()}: {step.note}" for step in of.steps if step.note))
    return Table(
        "study-filters", "Raters left after each filter", ("filter", "takes out", "raters", "left"), rows, notes
    )


def people(raters: Sequence[Rater]) -> Table:
    """The paper's table 3, of what is asked here."""
    rows = [*_ages(raters), *_minutes(raters)]
    for name, values in (
        ("gender", [one.gender for one in raters]),
        ("education", [one.education for one in raters]),
        ("region", [region(one) for one in raters]),
    ):
        counted = Counter(value or _UNSAID for value in values).most_common()
        rows += [(name, value, count, f"{count / len(raters):.1%}") for value, count in counted]
    title = f"Who rated (N = {len(raters)}; the paper's table 3)"
    return Table(
        "study-raters", title, ("", "category", "raters", "value"), tuple(rows), "" if raters else "Nobody is left."
    )


def _ages(raters: Sequence[Rater]) -> list[tuple[Cell, ...]]:
    ages = [one.age for one in raters if one.age is not None]
    if not ages:
        return [("age", "mean (sd)", 0, None)]
    spread = f" ({stdev(ages):.1f})" if len(ages) > 1 else ""
    return [("age", f"mean (sd), {min(ages)} to {max(ages)}", len(ages), f"{fmean(ages):.1f}{spread}")]


def _minutes(raters: Sequence[Rater]) -> list[tuple[Cell, ...]]:
    minutes = [one.minutes for one in raters if one.minutes is not None]
    return [("minutes", "median", len(minutes), f"{median(minutes):.1f}" if minutes else None)]
