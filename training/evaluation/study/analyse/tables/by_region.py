"""Means by US census region and scenario, with one-way tests (the paper's figure 3 and section 6.5)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from training.evaluation.study.analyse import compare
from training.evaluation.study.analyse.plan import region
from training.evaluation.study.analyse.sheet import Mask, Sheet
from training.evaluation.study.analyse.tables import adjusted, attempt, note, raters_in, why
from training.evaluation.study.regions import REGIONS
from training.evaluation.tables import Cell, Table

_COLUMNS = ("", *REGIONS, "highest", "F", "df", "p", "Holm", "eta²", "p (mixed)", "Holm (mixed)")


@dataclass(frozen=True, slots=True)
class _Tested:
    """mixed_p: of all regions together."""

    means: dict[str, float]
    anova: compare.Anova | None
    mixed_p: float | None
    reasons: tuple[str, ...]

    @property
    def p(self) -> float | None:
        return self.anova.p if self.anova else None


def regions(sheet: Sheet) -> Table:
    named = {scenario: sheet.rows(scenario=scenario) for scenario in sheet.scenarios}
    rows, reasons = adjusted(sheet, named, lambda part: _test(sheet, part), _row)
    counts = ", ".join(f"{sum(region(one) == name for one in sheet.raters)} {name}" for name in REGIONS)
    about = (
        f"Raters: {counts}; the others said none. F, p, eta²: the paper's way, ratings as if each were independent."
        " mixed: random intercepts for raters, pages and replies, Wald test of all regions. Holm: over the scenarios."
    )
    missing = "" if means(sheet, numpy.ones(len(sheet), bool)) else "no rater said a US state"
    notes = note(about, why([missing, *reasons]))
    title = "Mean rating by US census region and scenario (the paper's figure 3)"
    return Table("study-regions", title, _COLUMNS, rows, notes)


def means(sheet: Sheet, rows: Mask) -> dict[str, float]:
    """Of the regions that are there."""
    found = {name: sheet.mean(rows & _from(sheet, name)) for name in REGIONS}
    return {name: mean for name, mean in found.items() if mean is not None}


def highest(of: dict[str, float]) -> str | None:
    """None: fewer than two to compare, or all alike."""
    return max(of, key=lambda name: of[name]) if len(set(of.values())) > 1 else None


def _test(sheet: Sheet, rows: Mask) -> _Tested:
    anova = compare.anova([sheet.rating[rows & _from(sheet, name)] for name in REGIONS])
    mixed_p, failed = _mixed(sheet.where(rows & sheet.rows_of(lambda one: bool(region(one)))))
    untested = "" if anova else "no F, fewer than two regions with ratings that vary"
    return _Tested(means(sheet, rows), anova, mixed_p, (untested, failed))


def _mixed(sheet: Sheet) -> tuple[float | None, str]:
    """p of all regions together, or why there is none. The first region is what the others are compared with."""
    named = {name: mask for name in REGIONS if (mask := _from(sheet, name)).any()}
    if len(named) < 2 or min(raters_in(sheet, mask) for mask in named.values()) < 2:
        return None, "no mixed model, it needs two regions, and two raters in each that is there"
    others = dict(list(named.items())[1:])
    fitted, failed = attempt(sheet, others)
    return (fitted.p(*others) if fitted else None), failed


def _from(sheet: Sheet, name: str) -> Mask:
    return sheet.rows_of(lambda one: region(one) == name)


def _row(label: str, of: _Tested, p: float | None, mixed_p: float | None) -> tuple[Cell, ...]:
    test = of.anova
    tested: Sequence[Cell] = (None,) * 5
    if test:
        tested = (test.f, f"{test.between}, {test.within}", test.p, p, test.eta2)
    shown = (of.means.get(name) for name in REGIONS)
    return (label, *shown, highest(of.means), *tested, of.mixed_p, mixed_p)
