"""Which raters count: the paper's filters (appendix C), one after the other, with who went at each and why.

A rater is taken out whole. Knows nothing of what is computed from those who stay.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median, stdev

from training.evaluation.study.records import FAILED, Key, Page, Rater, Rating, Study


@dataclass(frozen=True, slots=True)
class Bounds:
    """The paper's, except `page_seconds`, for which it names none.

    share: of the study's replies, that a rater has to have rated. page_seconds: the median page may not be quicker.
    """

    minutes: tuple[float, float] = (10, 75)
    share: float = 1.0
    page_seconds: float = 10
    sd: float = 0.6
    mae: float = 0.9


@dataclass(frozen=True, slots=True)
class Step:
    """rule: whom it takes out. removed: those raters. note: why it could not be used, or what to know."""

    name: str
    rule: str
    removed: tuple[str, ...]
    left: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Filtered:
    """before_gold: raters whom all filters but the last let pass; `kept` are among them."""

    steps: tuple[Step, ...]
    before_gold: tuple[str, ...]
    kept: tuple[str, ...]
    gold_used: bool


@dataclass(frozen=True, slots=True)
class Spread:
    """sd: of a rater's ratings (n - 1). mae: mean distance to the gold scores. None: fewer than 2, or no, ratings."""

    sd: float | None
    mae: float | None


_Bad = Callable[[Rater, Sequence[Rating]], bool]
GOLD_NOTE = "This filter selects for agreement with the judge; study-gold-filter has the results without it."


def apply(study: Study, bounds: Bounds, gold: Mapping[Key, float] | None) -> Filtered:
    """gold None: the last filter is left out."""
    rated = by_rater(study.ratings)
    replies = {one.key for one in study.ratings}
    left = list(study.raters)
    steps = [Step("begun", "everyone who began", (), len(left))]
    for name, rule, bad in _rules(bounds, len(replies)):
        left, step = _step(study, rated, left, name, rule, bad)
        steps.append(step)
    before = tuple(left)
    rule = f"sd below {bounds.sd:g} and mean distance to the gold scores above {bounds.mae:g}"
    if gold is None:
        steps.append(Step("gold", rule, (), len(left), "Not used."))
    else:
        left, step = _step(study, rated, left, "gold", rule, _far_from(gold, bounds))
        steps.append(replace(step, note=GOLD_NOTE + _unscored(replies, gold)))
    return Filtered(tuple(steps), before, tuple(left), gold is not None)


def spread(ratings: Iterable[Rating], gold: Mapping[Key, float]) -> Spread:
    """Of one rater, over the replies that have a gold score."""
    pairs = [(one.rating, gold[one.key]) for one in ratings if one.key in gold]
    sd = stdev(float(rating) for rating, _ in pairs) if len(pairs) > 1 else None
    return Spread(sd, fmean(abs(rating - score) for rating, score in pairs) if pairs else None)


def by_rater(ratings: Iterable[Rating]) -> dict[str, list[Rating]]:
    found: dict[str, list[Rating]] = defaultdict(list)
    for one in ratings:
        found[one.rater].append(one)
    return found


def page_seconds(ratings: Iterable[Rating]) -> float | None:
    """The median over a rater's pages; None where there is no page."""
    pages: dict[Page, float] = defaultdict(float)
    for one in ratings:
        pages[one.page] += one.seconds
    return median(pages.values()) if pages else None


def _step(
    study: Study, rated: Mapping[str, Sequence[Rating]], left: list[str], name: str, rule: str, bad: _Bad
) -> tuple[list[str], Step]:
    removed = tuple(one for one in left if bad(study.raters[one], rated.get(one, ())))
    stay = [one for one in left if one not in set(removed)]
    return stay, Step(name, rule, removed, len(stay))


def _rules(bounds: Bounds, replies: int) -> Iterable[tuple[str, str, _Bad]]:
    """Name, whom it takes out, and whether it takes out this one. Who left early has no duration and passes there."""
    low, high = bounds.minutes

    def stalled(rater: Rater, _: Sequence[Rating]) -> bool:
        return rater.minutes is not None and not low <= rater.minutes <= high

    def early(rater: Rater, ratings: Sequence[Rating]) -> bool:
        return rater.finished is None or not ratings or len(ratings) < bounds.share * replies

    def fast(_: Rater, ratings: Sequence[Rating]) -> bool:
        return (page_seconds(ratings) or 0) < bounds.page_seconds

    yield "consent", "no consent", lambda rater, _: not rater.consent
    yield "duration", f"finished in less than {low:g} or more than {high:g} minutes", stalled
    yield "attention", "failed the attention check", lambda rater, _: rater.attention == FAILED
    yield "early exit", f"not finished, or fewer than {bounds.share:.0%} of {replies} replies rated", early
    yield "too fast", f"half of the pages in less than {bounds.page_seconds:g} seconds", fast


def _unscored(replies: Collection[Key], gold: Mapping[Key, float]) -> str:
    count = sum(key not in gold for key in replies)
    return f" {count} of {len(replies)} replies have no gold score and do not count in it." if count else ""


def _far_from(gold: Mapping[Key, float], bounds: Bounds) -> _Bad:
    def bad(_: Rater, ratings: Sequence[Rating]) -> bool:
        of = spread(ratings, gold)
        return of.sd is not None and of.mae is not None and of.sd < bounds.sd and of.mae > bounds.mae

    return bad
