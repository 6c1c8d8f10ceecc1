"""Each filter takes out the raters it is for, at its bound, in the paper's order."""

from dataclasses import replace

import pytest

from tests.unit.training.study_rows import rater, ratings, study
from training.evaluation.study.analyse import filters
from training.evaluation.study.analyse.filters import Bounds
from training.evaluation.study.records import FAILED, UNSEEN, Key, Rater, Rating, Study
from training.evaluation.study.simulate import (
    BAD,
    FLAT,
    INATTENTIVE,
    LEAVES,
    TOO_FAST,
    TOO_LONG,
    TOO_SHORT,
    make,
)

GIVEN = {("panic", "A", "zs"): 4, ("panic", "A", "ft"): 2}


def of(people: list[Rater], rows: list[Rating] | None = None) -> Study:
    rows = [row for one in people for row in ratings(one.rater, GIVEN)] if rows is None else rows
    return Study(tuple(rows), {one.rater: one for one in people}, False, ())


def removed(done: filters.Filtered) -> dict[str, tuple[str, ...]]:
    return {step.name: step.removed for step in done.steps if step.removed}


def test_in_the_papers_order() -> None:
    done = filters.apply(study({"a": GIVEN}), Bounds(), {})
    assert [step.name for step in done.steps] == [
        "begun", "consent", "duration", "attention", "early exit", "too fast", "gold",
    ]  # fmt: skip


@pytest.mark.parametrize(("minutes", "out"), [(9.99, True), (10, False), (75, False), (75.01, True), (None, False)])
def test_duration_at_its_bounds(minutes: float | None, out: bool) -> None:
    done = filters.apply(of([rater("a", minutes)]), Bounds(), None)
    assert (removed(done).get("duration") == ("a",)) is out


def test_each_rater_goes_at_the_first_filter_that_catches_them() -> None:
    people = [
        rater("short", 5, attention=FAILED),
        rater("inattentive", attention=FAILED),
        rater("left", None, attention=UNSEEN),
        rater("no", consent=False),
        rater("good"),
    ]
    done = filters.apply(of(people), Bounds(), None)
    assert removed(done) == {
        "consent": ("no",), "duration": ("short",), "attention": ("inattentive",), "early exit": ("left",),
    }  # fmt: skip
    assert [step.left for step in done.steps] == [5, 4, 3, 2, 1, 1, 1]
    assert done.kept == ("good",)
    assert not done.gold_used


def test_who_rated_too_little_left_early() -> None:
    rows = [*ratings("a", GIVEN), *ratings("b", GIVEN)[:1]]
    done = filters.apply(of([rater("a"), rater("b"), rater("c")], rows), Bounds(), None)
    assert removed(done) == {"early exit": ("b", "c")}
    half = filters.apply(of([rater("a"), rater("b"), rater("c")], rows), Bounds(share=0.5), None)
    assert removed(half) == {"early exit": ("c",)}


def test_too_fast_is_the_median_page() -> None:
    """Three pages of two replies, 4, 12 and 80 seconds: the median is 12."""
    rows = [
        replace(row, scenario=f"s{page}", item=f"{page}-{row.item}", seconds=seconds)
        for page, seconds in enumerate((2, 6, 40))
        for row in ratings("a", GIVEN)
    ]
    assert filters.page_seconds(rows) == 12
    people = of([rater("a")], rows)
    assert not removed(filters.apply(people, Bounds(page_seconds=12), None))
    assert removed(filters.apply(people, Bounds(page_seconds=12.1), None)) == {"too fast": ("a",)}


def test_spread_by_hand() -> None:
    """Ratings 4 and 2: sd is the root of 2; gold 3 and 2.5: (1 + .5) / 2."""
    gold: dict[Key, float] = {("panic-A-zs", "A", "zs"): 3, ("panic-A-ft", "A", "ft"): 2.5}
    found = filters.spread(ratings("a", GIVEN), gold)
    assert found.sd == pytest.approx(2**0.5)
    assert found.mae == pytest.approx(0.75)
    assert filters.spread([], gold) == filters.Spread(None, None)


def test_gold_takes_out_only_who_is_both_flat_and_far() -> None:
    keys = [("s", "A", "zs"), ("s", "A", "ft"), ("s", "B", "zs"), ("s", "B", "ft")]
    gold: dict[Key, float] = {("-".join(key), key[1], key[2]): 3.0 for key in keys}
    given = {
        "flat and far": dict(zip(keys, (5, 5, 5, 5), strict=True)),
        "flat and near": dict(zip(keys, (3, 3, 3, 3), strict=True)),
        "lively and far": dict(zip(keys, (1, 5, 1, 5), strict=True)),
    }
    done = filters.apply(study(given), Bounds(), gold)
    assert removed(done) == {"gold": ("flat and far",)}
    assert set(done.before_gold) == set(given)
    assert done.gold_used
    assert "selects for agreement" in done.steps[-1].note
    assert filters.apply(study(given), Bounds(), None).kept == done.before_gold


def test_the_bad_raters_of_a_simulation_go_where_they_should() -> None:
    made = make(3, 120)
    gold = {(one.item, one.model, one.state): one.score for one in made.gold}
    people = Study(made.ratings, {one.rater: one for one in made.raters}, True, ())
    done = filters.apply(people, Bounds(), gold)
    assert all(made.bad[kind] for kind in BAD)
    assert removed(done) == {
        "duration": tuple(sorted((*made.bad[TOO_SHORT], *made.bad[TOO_LONG]))),
        "attention": made.bad[INATTENTIVE],
        "early exit": made.bad[LEAVES],
        "too fast": made.bad[TOO_FAST],
        "gold": made.bad[FLAT],
    }
