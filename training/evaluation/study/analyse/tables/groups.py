"""Two groups of raters compared: age, education, gender (the paper's section 6.5).

In paper mode each rating counts as if it were independent; beside it stands what holds for other raters too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from training.evaluation.study.analyse import compare
from training.evaluation.study.analyse.plan import Direction, Plan
from training.evaluation.study.analyse.resample import between_interval
from training.evaluation.study.analyse.sheet import Mask, Sheet
from training.evaluation.study.analyse.tables import adjusted, attempt, note, raters_in, why
from training.evaluation.study.records import REFERENCE
from training.evaluation.tables import Cell, Table

_ABOUT = (
    "t, df, p, d: the paper's way, Welch's test and Cohen's d on ratings as if each were independent. low, high: 95%"
    " interval of the difference by drawing whole raters of each group. mixed: random intercepts for raters, pages and"
    " replies, Wald test. Holm: over the rows above “all”."
)


@dataclass(frozen=True, slots=True)
class _Compared:
    means: tuple[float | None, float | None]
    interval: tuple[float, float] | None
    welch: compare.Welch | None
    mixed: float | None
    mixed_p: float | None
    reasons: tuple[str, ...]

    @property
    def p(self) -> float | None:
        return self.welch.p if self.welch else None


def compared(sheet: Sheet, direction: Direction, plan: Plan) -> Table:
    """For each model in both states, the reference, and all replies."""
    named = {model: sheet.rows(model) for model in sheet.models}
    if (rows := sheet.rows(state=REFERENCE)).any():
        named[REFERENCE] = rows
    sides = tuple(_side(sheet, direction, first) for first in (True, False))
    lines, reasons = adjusted(sheet, named, lambda part: _compare(sheet, part, sides, plan), _row)
    first, second = direction.first, direction.second
    columns = ("", first, second, "difference", "low", "high", "t", "df", "p", "Holm", "d", "mixed", "p (mixed)")
    many = f"Raters: {raters_in(sheet, sides[0])} {first}, {raters_in(sheet, sides[1])} {second}."
    notes = note(many, _ABOUT, why(reasons))
    title = f"{first.capitalize()} against {second}"
    return Table(f"study-{direction.name}", title, (*columns, "Holm (mixed)"), lines, notes)


def _side(sheet: Sheet, direction: Direction, first: bool) -> Mask:
    return sheet.rows_of(lambda one: direction.side(one) is first)


def _compare(sheet: Sheet, rows: Mask, sides: tuple[Mask, ...], plan: Plan) -> _Compared:
    first, second = (rows & side for side in sides)
    one, two = ((sheet.rating[part], sheet.rater[part]) for part in (first, second))
    welch, interval = compare.welch(one[0], two[0]), between_interval(one, two, plan.draws)
    reasons = ("" if welch else "no t test, a group has fewer than two ratings or all ratings are the same",)
    means = sheet.mean(first), sheet.mean(second)
    if interval is None:
        return _Compared(means, None, welch, None, None, (*reasons, "a group has fewer than two raters"))
    fitted, failed = attempt(sheet.where(first | second), {"first": first[first | second]})
    if fitted is None:
        return _Compared(means, interval, welch, None, None, (*reasons, failed))
    return _Compared(means, interval, welch, fitted.estimate("first"), fitted.p("first"), reasons)


def _row(label: str, of: _Compared, p: float | None, mixed_p: float | None) -> tuple[Cell, ...]:
    first, second = of.means
    difference = None if first is None or second is None else first - second
    test = of.welch
    tested: Sequence[Cell] = (test.t, test.df, test.p, p, test.d) if test else (None,) * 5
    return (label, first, second, difference, *(of.interval or (None, None)), *tested, of.mixed, of.mixed_p, mixed_p)
