"""Small studies, written out: raters who finished in twenty minutes, and ratings page by page."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from training.evaluation.study.records import PASSED, Rater, Rating, Study

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
Given = Mapping[tuple[str, str, str], int]  # scenario, model, state to rating


def rater(name: str, minutes: float | None = 20, **more: Any) -> Rater:
    finished = None if minutes is None else START + timedelta(minutes=minutes)
    made = Rater(name, 30, "woman", "bachelor", "OH", START, finished, PASSED, True)
    return replace(made, **more)


def ratings(name: str, given: Given) -> list[Rating]:
    """In the order given, twelve seconds each; a scenario is one page."""
    return [
        Rating(name, f"{scenario}-{model}-{state}", scenario, "1", model, state, position, rating, 12)
        for position, ((scenario, model, state), rating) in enumerate(given.items(), 1)
    ]


def study(given: Mapping[str, Given], people: Iterable[Rater] = ()) -> Study:
    """given: by rater; whoever is not among `people` is an ordinary one."""
    raters = {name: rater(name) for name in given} | {one.rater: one for one in people}
    rows = tuple(row for name, of in given.items() for row in ratings(name, of))
    return Study(rows, raters, False, ())
