"""What the ratings are worth: where they vary, and how far raters agree."""

import numpy

from training.evaluation.replies import FINE_TUNED, ZERO_SHOT
from training.evaluation.study.analyse import agreement
from training.evaluation.study.analyse.plan import Plan
from training.evaluation.study.analyse.resample import interval
from training.evaluation.study.analyse.sheet import Mask, Numbers, Sheet
from training.evaluation.study.analyse.tables import attempt, note, why
from training.evaluation.study.records import REFERENCE
from training.evaluation.tables import Cell, Table

_BETWEEN = {"rater": "sd between raters", "page": "sd between pages", "reply": "sd between replies"}
_FIXED = {FINE_TUNED: "fine-tuned minus zero-shot", REFERENCE: "reference minus zero-shot"}


def variance(sheet: Sheet) -> Table:
    """The mixed model of all ratings: state fixed; raters, pages and replies as crossed random intercepts."""
    columns = ("", "estimate", "low", "high", "p", "share of variance")
    title = "Mixed model: rating ~ state + (1|rater) + (1|page) + (1|reply)"
    fitted, failed = attempt(sheet, _states(sheet))
    if fitted is None:
        return Table("study-mixed", title, columns, (("intercept", *(None,) * 5),), why([failed]))
    rows: list[tuple[Cell, ...]] = [
        (_FIXED.get(name, name), fitted.estimate(name), *fitted.interval(name), fitted.p(name), None)
        for name in fitted.names
    ]
    parts = {_BETWEEN[name]: value for name, value in fitted.variances.items()}
    parts["sd of the rest"] = fitted.residual
    total = sum(parts.values())
    rows += [(name, value**0.5, None, None, None, value / total) for name, value in parts.items()]
    about = (
        f"REML, {fitted.rows} ratings; 95% Wald intervals and tests. Page: a scenario's block, models and reference."
        " The intercept is the mean of zero-shot replies where there are any."
    )
    return Table("study-mixed", title, columns, tuple(rows), note(about, why(["not estimated for this row"])))


def agreed(sheet: Sheet, plan: Plan) -> Table:
    """Krippendorff's alpha and intraclass correlations."""
    matrix = sheet.matrix()
    given = agreement.counts(matrix)
    value, found = agreement.alpha(given), agreement.icc(matrix)
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Krippendorff's alpha, ordinal", value, *_drawn(given, plan)),
        ("ICC(2,1): one rater", found.single if found else None, None, None),
        ("ICC(2,k): the mean of all raters", found.average if found else None, None, None),
    )
    about = f"{len(sheet.raters)} raters, {len(sheet.replies)} replies. low, high: 95% interval by drawing replies."
    about += f" ICC: absolute agreement of the {found.raters} raters who rated every reply." if found else ""
    reasons = [
        "alpha needs a reply with two ratings, and ratings that differ" if value is None else "",
        "no interval is computed for ICC" if found else "ICC needs two raters who rated every reply, and that differ",
    ]
    columns = ("", "value", "low", "high")
    return Table("study-agreement", "How far raters agree", columns, rows, note(about, why(reasons)))


def _states(sheet: Sheet) -> dict[str, Mask]:
    """Columns for the states that are there, without the one that the others are compared with."""
    there = {state: sheet.rows(state=state) for state in (ZERO_SHOT, *_FIXED)}
    return dict([(state, rows) for state, rows in there.items() if rows.any()][1:])


def _drawn(given: Numbers, plan: Plan) -> tuple[float | None, float | None]:
    """The interval of alpha. Raters are not drawn: one who is there twice agrees with themselves."""
    if len(given) < 2:
        return None, None
    random = numpy.random.default_rng(plan.draws.seed)
    drawn = (agreement.alpha(given[random.integers(0, len(given), len(given))]) for _ in range(plan.draws.count))
    return interval(numpy.array([one for one in drawn if one is not None])) or (None, None)
