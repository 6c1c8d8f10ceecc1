"""Ratings as columns of numbers, which is what everything computed from them takes. Knows no file and no statistics."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy
from numpy.typing import NDArray

from training.evaluation.study.records import RATED_STATES, REFERENCE, Rater, Rating, Study

Numbers = NDArray[numpy.float64]
Codes = NDArray[numpy.int64]
Mask = NDArray[numpy.bool_]


@dataclass(frozen=True, slots=True)
class Reply:
    scenario: str
    block: str
    model: str
    state: str
    item: str

    @property
    def page(self) -> tuple[str, str]:
        return self.scenario, self.block


@dataclass(frozen=True, eq=False)
class Sheet:
    """One row is one rating, (n,) each. rater, reply: places in the tuples. place: on the page, from 1; page_number:
    of the page among those this rater saw, from 1.
    """

    raters: tuple[Rater, ...]
    replies: tuple[Reply, ...]
    rater: Codes
    reply: Codes
    rating: Numbers
    place: Codes
    page_number: Codes

    def __len__(self) -> int:
        return len(self.rating)

    @cached_property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """(model, state): models by block and name, each zero-shot before fine-tuned; the reference last."""
        first: dict[tuple[str, str], tuple[Any, ...]] = {}
        for one in self.replies:
            key = (one.state == REFERENCE, natural(one.block), one.model.casefold(), RATED_STATES.index(one.state))
            first[one.model, one.state] = min(first.get((one.model, one.state), key), key)
        return tuple(sorted(first, key=lambda condition: first[condition]))

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Without the reference."""
        return tuple(dict.fromkeys(model for model, state in self.conditions if state != REFERENCE))

    @cached_property
    def scenarios(self) -> tuple[str, ...]:
        return tuple(sorted({one.scenario for one in self.replies}, key=natural))

    def rows(self, model: str | None = None, state: str | None = None, scenario: str | None = None) -> Mask:
        """(n,) whose reply is of this model, state and scenario; None: any."""
        asked = (("model", model), ("state", state), ("scenario", scenario))
        wanted = {name: value for name, value in asked if value is not None}
        of = [all(getattr(one, name) == value for name, value in wanted.items()) for one in self.replies]
        return numpy.array(of, bool)[self.reply]

    def reference_of(self, model: str, scenario: str) -> Mask:
        """(n,) whose reply is the reference of the model's own page."""
        pages = {one.page for one in self.replies if (one.model, one.scenario) == (model, scenario)}
        return numpy.array([one.state == REFERENCE and one.page in pages for one in self.replies], bool)[self.reply]

    def rows_of(self, wanted: Callable[[Rater], bool]) -> Mask:
        """(n,) whose rater is wanted."""
        return numpy.array([wanted(one) for one in self.raters], bool)[self.rater]

    def where(self, mask: Mask) -> "Sheet":
        """With the same raters and replies, whose places stay as they are."""
        columns = ("rater", "reply", "rating", "place", "page_number")
        return replace(self, **{name: getattr(self, name)[mask] for name in columns})

    def pages(self) -> Codes:
        """(n,) the page of each rating: a number for each scenario and block."""
        numbers = {page: i for i, page in enumerate(dict.fromkeys(one.page for one in self.replies))}
        return numpy.array([numbers[one.page] for one in self.replies], numpy.int64)[self.reply]

    def mean(self, rows: Mask) -> float | None:
        """None: no ratings."""
        return float(self.rating[rows].mean()) if rows.any() else None

    def by_rater(self, rows: Mask) -> Numbers:
        """(raters,) the mean of each over these rows; nan where there is none."""
        counts = numpy.bincount(self.rater[rows], minlength=len(self.raters))
        totals = numpy.bincount(self.rater[rows], self.rating[rows], len(self.raters))
        return numpy.where(counts > 0, totals / numpy.maximum(counts, 1), numpy.nan)

    def matrix(self) -> Numbers:
        """(raters, replies) nan where someone did not rate."""
        made = numpy.full((len(self.raters), len(self.replies)), numpy.nan)
        made[self.rater, self.reply] = self.rating
        return made


def sheet(study: Study, raters: Collection[str]) -> Sheet:
    """Of these raters only."""
    wanted = set(raters)
    ratings = [one for one in study.ratings if one.rater in wanted]
    people = {name: i for i, name in enumerate(name for name in study.raters if name in wanted)}
    replies = {one: i for i, one in enumerate(dict.fromkeys(map(_reply, ratings)))}
    places = _places(ratings)
    return Sheet(
        tuple(study.raters[name] for name in people),
        tuple(replies),
        numpy.array([people[one.rater] for one in ratings], numpy.int64),
        numpy.array([replies[_reply(one)] for one in ratings], numpy.int64),
        numpy.array([one.rating for one in ratings], numpy.float64),
        numpy.array([place for place, _ in places], numpy.int64),
        numpy.array([page for _, page in places], numpy.int64),
    )


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts `10` after `9`."""
    parts = re.findall(r"\d+|\D+", text)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts)


def _reply(one: Rating) -> Reply:
    return Reply(one.scenario, one.block, one.model, one.state, one.item)


def _places(ratings: Iterable[Rating]) -> list[tuple[int, int]]:
    """For each rating: the place on its page and the page's number, by the order of positions."""
    ratings = list(ratings)
    pages: dict[str, dict[tuple[str, str], list[int]]] = {}
    for one in ratings:
        pages.setdefault(one.rater, {}).setdefault(one.page, []).append(one.position)
    for seen in pages.values():
        for positions in seen.values():
            positions.sort()
    order = {rater: sorted(seen, key=lambda page: seen[page]) for rater, seen in pages.items()}
    number = {(rater, page): i for rater, seen in order.items() for i, page in enumerate(seen, 1)}
    return [(pages[one.rater][one.page].index(one.position) + 1, number[one.rater, one.page]) for one in ratings]
