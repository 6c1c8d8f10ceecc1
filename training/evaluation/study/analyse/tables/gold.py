"""What the last filter does to the results: it takes out raters for being far from a judge, so it favours agreement."""

from training.evaluation.replies import FINE_TUNED, ZERO_SHOT
from training.evaluation.study.analyse import agreement, wins
from training.evaluation.study.analyse.sheet import Sheet
from training.evaluation.study.analyse.tables.means import contests
from training.evaluation.tables import Cell, Table

_NOTE = "The filter keeps raters who agree with the judge, so results move towards its scores. Report both columns."


def compared(kept: Sheet, before: Sheet) -> Table:
    """before: with the raters whom only the last filter takes out."""
    with_it, without = _figures(kept), _figures(before)
    rows = tuple((name, value, without.get(name), _minus(value, without.get(name))) for name, value in with_it.items())
    columns = ("", "with the filter", "without", "difference")
    return Table("study-gold-filter", "Results with and without the last filter", columns, rows, _NOTE)


def _figures(sheet: Sheet) -> dict[str, Cell]:
    won = wins.count(contests(sheet).values())
    tuned, zero_shot = (sheet.mean(sheet.rows(state=state)) for state in (FINE_TUNED, ZERO_SHOT))
    return {
        "raters": len(sheet.raters),
        "wins of zero-shot": won.zero_shot,
        "wins of fine-tuned": won.fine_tuned,
        "reference points": won.points,
        "fine-tuned minus zero-shot": _minus(tuned, zero_shot),
        "Krippendorff's alpha": agreement.alpha(agreement.counts(sheet.matrix())),
        **{f"mean of {model}, {state}": sheet.mean(sheet.rows(model, state)) for model, state in sheet.conditions},
    }


def _minus(first: Cell, second: Cell) -> Cell:
    if isinstance(first, str) or isinstance(second, str) or first is None or second is None:
        return None
    return first - second
