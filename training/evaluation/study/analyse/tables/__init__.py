"""The tables of an analysis, each a function from a `Sheet` and a `Plan`. Where a figure cannot be had there is a dash,
and the note says why.
"""

from collections.abc import Iterable, Mapping

import numpy

from training.evaluation.study.analyse import mixed
from training.evaluation.study.analyse.sheet import Mask, Sheet


def note(*parts: str) -> str:
    """Sentences, each once."""
    return " ".join(dict.fromkeys(part for part in parts if part))


def why(reasons: Iterable[str]) -> str:
    """For the dashes of a table."""
    known = list(dict.fromkeys(reason for reason in reasons if reason))
    return f"A dash: {'; '.join(known)}." if known else ""


def attempt(sheet: Sheet, fixed: Mapping[str, Mask | mixed.Numbers]) -> tuple[mixed.Fit | None, str]:
    """The mixed model with random intercepts for raters, pages and replies, or the reason why there is none."""
    columns = {name: column.astype(float) for name, column in fixed.items()}
    try:
        return mixed.fit(sheet.rating, columns, {"rater": sheet.rater, "page": sheet.pages(), "reply": sheet.reply}), ""
    except mixed.NotFitted as error:
        return None, f"no mixed model, {error}"


def raters_in(sheet: Sheet, rows: Mask) -> int:
    """How many."""
    return len(numpy.unique(sheet.rater[rows]))
