"""What a study of this size could have found, and how many raters the paper's difference takes."""

import numpy

from training.evaluation.replies import FINE_TUNED, ZERO_SHOT
from training.evaluation.study.analyse import power
from training.evaluation.study.analyse.plan import Direction, Plan
from training.evaluation.study.analyse.sheet import Numbers, Sheet
from training.evaluation.study.analyse.tables import note, why
from training.evaluation.tables import Table


def powers(sheet: Sheet, compared: tuple[Direction, ...], plan: Plan) -> Table:
    named = [("fine-tuned against zero-shot, all models", _paired(sheet, None, plan))]
    named += [(f"fine-tuned against zero-shot, {model}", _paired(sheet, model, plan)) for model in sheet.models]
    named += [(f"{one.first} against {one.second}, all replies", _between(sheet, one, plan)) for one in compared]
    rows = tuple(
        (name, of.raters, of.sd, of.smallest, of.chance, of.needed) if of else (name, *(None,) * 5)
        for name, of in named
    )
    wanted = f"{plan.difference:g}"
    columns = ("", "raters", "sd", "smallest difference", f"power for {wanted}", f"raters for {wanted}")
    about = (
        "Two-sided t tests of raters' means at the 5% level, for these replies. sd: between raters. smallest"
        f" difference: found with 80% power. raters for {wanted}: for 80% power at so many points, about the paper's"
        " difference between ages. Holm's correction over several models asks for more."
    )
    few = "fewer than three raters, a group of fewer than two, or means that are all alike"
    return Table(
        "study-power", "Power", columns, rows, note(about, why([few] if any(not of for _, of in named) else []))
    )


def _paired(sheet: Sheet, model: str | None, plan: Plan) -> power.Power | None:
    tuned, zero_shot = (sheet.by_rater(sheet.rows(model, state)) for state in (FINE_TUNED, ZERO_SHOT))
    return power.paired(_known(tuned - zero_shot), plan.difference)


def _between(sheet: Sheet, direction: Direction, plan: Plan) -> power.Power | None:
    means = sheet.by_rater(numpy.ones(len(sheet), bool))
    sides = [numpy.array([direction.side(one) is first for one in sheet.raters], bool) for first in (True, False)]
    return power.two_groups(_known(means[sides[0]]), _known(means[sides[1]]), plan.difference)


def _known(values: Numbers) -> Numbers:
    return values[~numpy.isnan(values)]
