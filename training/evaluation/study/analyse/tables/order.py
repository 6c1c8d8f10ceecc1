"""Whether a reply's place on its page, or how late it came, moves its ratings."""

from itertools import pairwise

import numpy

from training.evaluation.study.analyse.plan import Plan
from training.evaluation.study.analyse.resample import mean_interval
from training.evaluation.study.analyse.sheet import Mask, Sheet
from training.evaluation.study.analyse.tables import attempt, note, why
from training.evaluation.tables import Cell, Table

_PARTS = 4
_ABOUT = (
    "Slopes: change of the rating for each place, and for each page, in a mixed model with random intercepts for"
    " raters, pages and replies; Wald tests. Orders are drawn at random, so a slope favours no model."
)


def order(sheet: Sheet, plan: Plan) -> Table:
    places = numpy.unique(sheet.place).tolist()
    rows = [_mean(sheet, f"place {place} on the page", sheet.place == place, plan) for place in places]
    for first, last in _parts(int(sheet.page_number.max()) if len(sheet) else 0):
        here = (sheet.page_number >= first) & (sheet.page_number <= last)
        rows.append(_mean(sheet, f"pages {first} to {last}", here, plan))
    slopes, reason = _slopes(sheet)
    columns = ("", "ratings", "mean or slope", "low", "high", "p")
    few = "one rater gives no interval" if len(sheet.raters) < 2 else ""
    notes = note(_ABOUT, why([reason, few, "means are not tested"]))
    return Table("study-order", "Order effects", columns, (*rows, *slopes), notes)


def _mean(sheet: Sheet, label: str, rows: Mask, plan: Plan) -> tuple[Cell, ...]:
    low, high = mean_interval(sheet.rating[rows], sheet.rater[rows], plan.draws) or (None, None)
    return (label, int(rows.sum()), sheet.mean(rows), low, high, None)


def _parts(pages: int) -> list[tuple[int, int]]:
    """First and last page of four parts of about the same size."""
    ends = [round(pages * part / _PARTS) for part in range(_PARTS + 1)]
    return [(first + 1, last) for first, last in pairwise(ends) if last > first]


def _slopes(sheet: Sheet) -> tuple[list[tuple[Cell, ...]], str]:
    columns = {"slope: each place further down": sheet.place, "slope: each page later": sheet.page_number}
    used = {label: column.astype(float) for label, column in columns.items() if len(column) and numpy.ptp(column)}
    fitted, failed = attempt(sheet, used)
    rows: list[tuple[Cell, ...]] = []
    for label in columns:
        if fitted is None or label not in used:
            rows.append((label, len(sheet), None, None, None, None))
            failed = failed or "a slope needs more than one place"
        else:
            rows.append((label, len(sheet), fitted.estimate(label), *fitted.interval(label), fitted.p(label)))
    return rows, failed
