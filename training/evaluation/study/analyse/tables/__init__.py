"""The tables of an analysis, each a function from a `Sheet` and a `Plan`. Where a figure cannot be had there is a dash,
and the note says why.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

import numpy

from training.evaluation.study.analyse import compare, mixed
from training.evaluation.study.analyse.sheet import Mask, Sheet
from training.evaluation.tables import Cell


class Tested(Protocol):
    """p: of the paper's test; mixed_p: of the mixed model's. reasons: why something is not there, or empty text."""

    @property
    def p(self) -> float | None: ...
    @property
    def mixed_p(self) -> float | None: ...
    @property
    def reasons(self) -> tuple[str, ...]: ...


Row = tuple[Cell, ...]
_Tested = TypeVar("_Tested", bound=Tested)


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


def adjusted(
    sheet: Sheet,
    named: Mapping[str, Mask],
    test: Callable[[Mask], _Tested],
    row: Callable[[str, _Tested, float | None, float | None], Row],
) -> tuple[tuple[Row, ...], list[str]]:
    """A row for each of `named`, Holm's adjustment over them, and one without for all ratings; and the reasons.

    row: from label, what was found, and the two p adjusted.
    """
    found = [test(rows) for rows in named.values()]
    whole = test(numpy.ones(len(sheet), bool))
    ps, mixed_ps = compare.holm([one.p for one in found]), compare.holm([one.mixed_p for one in found])
    rows = [row(*of) for of in zip(named, found, ps, mixed_ps, strict=True)]
    return (*rows, row("all", whole, None, None)), [reason for one in (*found, whole) for reason in one.reasons]


def raters_in(sheet: Sheet, rows: Mask) -> int:
    """How many."""
    return len(numpy.unique(sheet.rater[rows]))
