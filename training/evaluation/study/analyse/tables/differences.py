"""Fine-tuned minus zero-shot: of these raters and replies, and of others like them (raters and replies random)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy

from training.evaluation.replies import FINE_TUNED, ZERO_SHOT
from training.evaluation.study.analyse import compare
from training.evaluation.study.analyse.plan import Plan
from training.evaluation.study.analyse.resample import within_interval
from training.evaluation.study.analyse.sheet import Mask, Sheet
from training.evaluation.study.analyse.tables import adjusted, attempt, note, why
from training.evaluation.tables import Cell, Table

_COLUMNS = (
    "",
    "zero-shot",
    "fine-tuned",
    "difference",
    "low",
    "high",
    "p (Wilcoxon)",
    "Holm",
    "difference (mixed)",
    "p (mixed)",
    "Holm (mixed)",
)
_ABOUT = (
    "low, high: 95% interval by drawing whole raters. Wilcoxon: over raters' mean differences. Both speak of these"
    " replies only. mixed: random intercepts for raters, pages and replies, Wald test; it speaks of other replies of"
    " the same kind too. Holm: over the rows above “all”."
)


@dataclass(frozen=True, slots=True)
class _Difference:
    means: tuple[float | None, float | None]
    interval: tuple[float, float] | None = None
    p: float | None = None
    mixed: float | None = None
    mixed_p: float | None = None
    reasons: tuple[str, ...] = ()


def by_model(sheet: Sheet, plan: Plan) -> Table:
    named = {model: sheet.rows(model) for model in sheet.models}
    return _table(sheet, plan, "study-differences-models", "Fine-tuned minus zero-shot, by model", named)


def by_scenario(sheet: Sheet, plan: Plan) -> Table:
    named = {scenario: sheet.rows(scenario=scenario) for scenario in sheet.scenarios}
    return _table(sheet, plan, "study-differences-scenarios", "Fine-tuned minus zero-shot, by scenario", named)


def _table(sheet: Sheet, plan: Plan, name: str, title: str, named: Mapping[str, Mask]) -> Table:
    rows, reasons = adjusted(sheet, named, lambda part: _difference(sheet, part, plan), _row)
    return Table(name, title, _COLUMNS, rows, note(_ABOUT, why(reasons)))


def _row(label: str, of: _Difference, p: float | None, mixed_p: float | None) -> tuple[Cell, ...]:
    zero_shot, fine_tuned = of.means
    difference = None if zero_shot is None or fine_tuned is None else fine_tuned - zero_shot
    ends = of.interval or (None, None)
    return (label, zero_shot, fine_tuned, difference, *ends, of.p, p, of.mixed, of.mixed_p, mixed_p)


def _difference(sheet: Sheet, rows: Mask, plan: Plan) -> _Difference:
    zero_shot, fine_tuned = (rows & sheet.rows(state=state) for state in (ZERO_SHOT, FINE_TUNED))
    means = sheet.mean(zero_shot), sheet.mean(fine_tuned)
    if None in means:
        return _Difference(means, reasons=("no model was rated both zero-shot and fine-tuned",))
    first, second = ((sheet.rating[one], sheet.rater[one]) for one in (fine_tuned, zero_shot))
    before, after = sheet.by_rater(zero_shot), sheet.by_rater(fine_tuned)
    both = ~numpy.isnan(before + after)
    p = compare.signed_rank(before[both], after[both])
    reason = "fewer than five raters whose two means differ" if p is None else ""
    part = sheet.where(zero_shot | fine_tuned)
    fitted, failed = attempt(part, {FINE_TUNED: part.rows(state=FINE_TUNED)})
    return _Difference(
        means,
        within_interval(first, second, plan.draws),
        p,
        fitted.estimate(FINE_TUNED) if fitted else None,
        fitted.p(FINE_TUNED) if fitted else None,
        (reason, failed),
    )
