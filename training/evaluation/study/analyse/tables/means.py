"""What was rated how: means by model and state, wins and reference points (the paper's table 4), and their tests."""

from collections.abc import Mapping

import numpy

from training.evaluation.replies import FINE_TUNED, STATES, ZERO_SHOT
from training.evaluation.study.analyse import compare, power, wins
from training.evaluation.study.analyse.plan import Plan
from training.evaluation.study.analyse.resample import mean_interval
from training.evaluation.study.analyse.sheet import Sheet
from training.evaluation.study.analyse.tables import note, why
from training.evaluation.tables import Cell, Table

_SHOWN = {ZERO_SHOT: "ZS", FINE_TUNED: "FT", wins.TIE: "tie", None: None}


def means(sheet: Sheet, plan: Plan) -> Table:
    """Over all scenarios, with an interval, and in each."""
    rows, lone = [], len(sheet.raters) < 2
    for model, state in sheet.conditions:
        mine = sheet.rows(model, state)
        values, raters = sheet.rating[mine], sheet.rater[mine]
        low, high = mean_interval(values, raters, plan.draws) or (None, None)
        sd = float(numpy.std(values, ddof=1)) if len(values) > 1 else None
        each = [sheet.mean(sheet.rows(model, state, name)) for name in sheet.scenarios]
        rows.append((model, state, len(values), sheet.mean(mine), sd, low, high, *each))
    columns = ("model", "state", "ratings", "mean", "sd", "low", "high", *sheet.scenarios)
    about = f"low, high: 95% interval by drawing whole raters {plan.draws.count} times."
    notes = note(about, why(["one rater gives no interval" if lone and rows else "", "" if rows else "nobody is left"]))
    return Table(
        "study-means", "Mean rating by model and state, in all and by scenario", columns, tuple(rows), notes, digits=2
    )


def contests(sheet: Sheet) -> dict[tuple[str, str], wins.Contest]:
    """(model, scenario) to contest."""
    by_condition: dict[tuple[str, str, str], float] = {}
    references: dict[tuple[str, str], float] = {}
    for model in sheet.models:
        for scenario in sheet.scenarios:
            for state in STATES:
                if (mean := sheet.mean(sheet.rows(model, state, scenario))) is not None:
                    by_condition[model, state, scenario] = mean
            if (mean := sheet.mean(sheet.reference_of(model, scenario))) is not None:
                references[model, scenario] = mean
    return wins.contests(by_condition, references)


def won(of: Mapping[tuple[str, str], wins.Contest]) -> Table:
    """The paper's table 4."""
    models, scenarios = (tuple(dict.fromkeys(key[at] for key in of)) for at in (0, 1))
    rows: list[tuple[Cell, ...]] = []
    for model in models:
        mine = [of.get((model, scenario)) for scenario in scenarios]
        total = wins.count(one for one in mine if one)
        rows.append((model, *(_SHOWN[one.winner] if one else None for one in mine), total.zero_shot, total.fine_tuned))
    counts = [wins.count(one for (_, at), one in of.items() if at == scenario) for scenario in scenarios]
    whole = wins.count(of.values())
    rows += [
        ("ZS wins", *(one.zero_shot for one in counts), whole.zero_shot, None),
        ("FT wins", *(one.fine_tuned for one in counts), None, whole.fine_tuned),
        ("FT share", *(one.fine_tuned_share for one in counts), None, whole.fine_tuned_share),
        ("reference points", *(_points(one) for one in counts), None, _points(whole)),
    ]
    about = (
        "A win: the higher mean in that scenario. Reference points: 2 where the reference of the same page is above"
        " both means, 1 where it is above one; of as many as there are means beside a reference."
    )
    missing = why(
        [
            "" if any(one.winner for one in of.values()) else "no model was rated both zero-shot and fine-tuned",
            "" if whole.most else "no reference was rated",
        ]
    )
    columns = ("model", *scenarios, "ZS", "FT")
    return Table(
        "study-wins", "Wins by scenario (the paper's table 4)", columns, tuple(rows), note(about, missing), digits=3
    )


def sign_tests(of: Mapping[tuple[str, str], wins.Contest]) -> Table:
    """Whether wins are more than coins."""
    whole = wins.count(of.values())
    rows: list[tuple[Cell, ...]] = []
    missing: list[str] = []
    for name, number, decided in (
        ("fine-tuned above zero-shot", whole.fine_tuned, whole.decided),
        ("reference above a reply", whole.points, whole.most),
    ):
        found = compare.sign_test(number, decided)
        if found is None:
            missing.append(f"nothing to count for “{name}”")
            rows.append((name, number, decided, None, None, None, None, None))
            continue
        least = power.smallest_share(decided)
        missing += [f"{decided} contests find no share at the 5% level"] if least is None else []
        rows.append((name, number, decided, found.share, found.low, found.high, found.p, least))
    columns = ("", "wins", "of", "share", "low", "high", "p", "share found with 80% power")
    about = (
        f"Exact two-sided binomial test against a half, exact 95% interval; {whole.ties} ties left out. Contests of one"
        " model or page are not independent, so p is rather too small."
    )
    return Table("study-wins-test", "Sign tests of the wins", columns, tuple(rows), note(about, why(missing)))


def _points(of: wins.Count) -> str | None:
    return f"{of.points} of {of.most}" if of.most else None
