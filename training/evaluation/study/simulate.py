"""A made-up study of the paper's shape (section 5, appendix B), with effects that are known because they were put in.

For tests and demonstrations only: no person rated anything. File names, rater names and study.json say so. The sizes of
the effects are ours; only the design and the shares of the raters follow the paper.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy
from numpy.typing import NDArray

from tide_chat.atomic import write_text
from tide_chat.errors import UsageError
from training.evaluation.replies import FINE_TUNED, STATES
from training.evaluation.study import records
from training.evaluation.study.records import REFERENCE, SIMULATED, Gold, Rater, Rating
from training.evaluation.study.regions import STATES as US_STATES
from training.evaluation.study.regions import region_of

SCENARIOS = ("1 panic", "2 grief", "3 depression", "4 abuse", "5 noise", "6 drinking")
PAIRS = (  # the paper's table 2
    ("Phi-3.5-mini", "granite-3.1-3b"),
    ("Qwen2.5-3B", "Qwen2.5-1.5B"),
    ("Qwen2.5-0.5B", "R1-Distill-Qwen-1.5B"),
    ("Llama-3.2-3B", "Llama-3.2-1B"),
)
# How raters go wrong, with their number among the paper's 151; each kind is for one filter.
TOO_SHORT, TOO_LONG, INATTENTIVE, LEAVES, TOO_FAST, FLAT = (
    "too short",
    "too long",
    "fails the attention check",
    "leaves early",
    "too fast",
    "straight line",
)
BAD = {TOO_SHORT: 6, TOO_LONG: 3, INATTENTIVE: 5, LEAVES: 13, TOO_FAST: 9, FLAT: 8}
_PAPER_RATERS = 151
Numbers = NDArray[numpy.float64]
_EPOCH = datetime(2026, 1, 5, 9, tzinfo=UTC)
_GENDERS = {"woman": 0.56, "man": 0.42, "nonbinary": 0.01, "": 0.01}
_EDUCATION = {"bachelor": 0.43, "graduate": 0.29, "some_college": 0.11, "high_school": 0.12, "other": 0.05}


@dataclass(frozen=True, slots=True)
class Effects:
    """In points of the scale, before rounding to 1..5. Differences by gender: none, on purpose."""

    means: Mapping[str, float]
    fine_tuned: tuple[float, ...]  # by scenario
    over_60: Mapping[str, float]
    graduate: Mapping[str, float]
    west: Mapping[str, float]
    place: float  # for each reply above it on its page
    rater_sd: float
    page_sd: float
    reply_sd: float
    noise_sd: float


EFFECTS = Effects(
    means={
        "Phi-3.5-mini": 3.45,
        "granite-3.1-3b": 3.5,
        "Qwen2.5-3B": 3.15,
        "Qwen2.5-1.5B": 3.2,
        "Qwen2.5-0.5B": 3.1,
        "R1-Distill-Qwen-1.5B": 3.45,
        "Llama-3.2-3B": 3.5,
        "Llama-3.2-1B": 3.45,
        REFERENCE: 3.85,
    },
    fine_tuned=(0.4, -0.2, 0.2, -0.3, 0.1, 0.0),
    over_60={"Phi-3.5-mini": 0.5, "Llama-3.2-3B": 0.5},
    graduate={"Qwen2.5-3B": -0.45, "Qwen2.5-1.5B": -0.4},
    west={"1 panic": 0.45, "4 abuse": 0.45},
    place=-0.06,
    rater_sd=0.4,
    page_sd=0.1,
    reply_sd=0.1,
    noise_sd=0.85,
)


@dataclass(frozen=True, slots=True)
class Made:
    ratings: tuple[Rating, ...]
    raters: tuple[Rater, ...]
    gold: tuple[Gold, ...]
    bad: Mapping[str, tuple[str, ...]]  # kind to raters


@dataclass(frozen=True, slots=True)
class _Reply:
    item: str
    scenario: str
    block: str
    model: str
    state: str


def make(seed: int, count: int = 150) -> Made:
    """The same for the same arguments. count: raters who begin, bad ones among them."""
    random = numpy.random.default_rng(seed)
    replies = _replies()
    quality = _quality(random, replies)
    kinds = _kinds(random, count)
    raters: list[Rater] = []
    ratings: list[Rating] = []
    for number, kind in enumerate(kinds, 1):
        rater = _rater(random, f"{SIMULATED}{number:04d}", kind)
        raters.append(rater)
        ratings += _rated(random, rater, kind, replies, quality)
    gold = tuple(
        Gold(one.item, one.model, one.state, _judged(random, value))
        for one, value in zip(replies, quality, strict=True)
    )
    bad = {name: tuple(rater.rater for rater, kind in zip(raters, kinds, strict=True) if kind == name) for name in BAD}
    return Made(tuple(ratings), tuple(raters), gold, bad)


def write(folder: Path, seed: int, count: int = 150) -> Made:
    """ratings, raters and gold under names that begin with `simulated-`, and study.json.

    Raises UsageError where a study of people is: nothing of it is overwritten.
    """
    _refuse_real(folder)
    made = make(seed, count)
    records.write_ratings(folder / f"{SIMULATED}{records.RATINGS}", made.ratings)
    records.write_raters(folder / f"{SIMULATED}{records.RATERS}", made.raters)
    records.write_gold(folder / f"{SIMULATED}{records.GOLD}", made.gold)
    about = {
        "simulated": True,
        "title": "SIMULATED: no person rated anything",
        "seed": seed,
        "raters": count,
        "effects": asdict(EFFECTS),
        "bad_raters": made.bad,
    }
    write_text(folder / records.STUDY, json.dumps(about, indent=1) + "\n")
    return made


def _refuse_real(folder: Path) -> None:
    real = [folder / name for name in (records.RATINGS, records.RATERS) if (folder / name).exists()]
    study = folder / records.STUDY
    if study.exists() and not records.said_simulated(study):
        real.append(study)
    if real:
        raise UsageError("A study of people is here.", details=str(real[0]), help="Name another folder: --out FOLDER")


def _replies() -> list[_Reply]:
    """Six scenarios, four blocks each, five replies a block."""
    found: list[_Reply] = []
    for scenario in SCENARIOS:
        for block, pair in enumerate(PAIRS, 1):
            conditions = [(model, state) for model in pair for state in STATES] + [(REFERENCE, REFERENCE)]
            for model, state in conditions:
                found.append(_Reply(f"i{len(found) + 1:03d}", scenario, str(block), model, state))
    return found


def _quality(random: numpy.random.Generator, replies: Sequence[_Reply]) -> Numbers:
    """(replies,) what an average rater would give at the first place, before rounding."""
    pages = {(one.scenario, one.block): 0.0 for one in replies}
    pages = {page: random.normal(0, EFFECTS.page_sd) for page in pages}
    tuned = dict(zip(SCENARIOS, EFFECTS.fine_tuned, strict=True))
    return numpy.array(
        [
            EFFECTS.means[one.model]
            + (tuned[one.scenario] if one.state == FINE_TUNED else 0)
            + pages[one.scenario, one.block]
            + random.normal(0, EFFECTS.reply_sd)
            for one in replies
        ]
    )


def _kinds(random: numpy.random.Generator, count: int) -> list[str]:
    """Bad raters in the paper's shares, at least one of each from thirty raters on; empty: a good one."""
    least = 1 if count >= 30 else 0
    kinds = [kind for kind, of in BAD.items() for _ in range(max(least, round(of * count / _PAPER_RATERS)))]
    kinds += [""] * (count - len(kinds))
    return [kinds[i] for i in random.permutation(count)]


def _rater(random: numpy.random.Generator, name: str, kind: str) -> Rater:
    """Who leaves early is never asked about themselves."""
    started = _EPOCH + timedelta(minutes=int(random.integers(0, 7 * 24 * 60)))
    low, high = {TOO_SHORT: (4.2, 9.5), TOO_LONG: (75.5, 78)}.get(kind, (11, 70))
    minutes = float(numpy.clip(random.lognormal(numpy.log(23.7), 0.35), low, high))
    if kind in (TOO_SHORT, TOO_LONG):
        minutes = float(random.uniform(low, high))
    left = kind == LEAVES
    said = not left and random.random() > 0.03
    return Rater(
        name,
        int(numpy.clip(random.normal(45, 15), 21, 80)) if said else None,
        _drawn(random, _GENDERS) if not left else "",
        _drawn(random, _EDUCATION) if not left else "",
        str(random.choice(list(US_STATES))) if said else "",
        started,
        None if left else started + timedelta(seconds=round(minutes * 60)),
        _attention(random, kind),
        True,
    )


def _attention(random: numpy.random.Generator, kind: str) -> str:
    if kind == INATTENTIVE:
        return records.FAILED
    return records.UNSEEN if kind == LEAVES and random.random() < 0.5 else records.PASSED


def _drawn(random: numpy.random.Generator, shares: Mapping[str, float]) -> str:
    weights = numpy.array(list(shares.values()))
    return str(random.choice(list(shares), p=weights / weights.sum()))


def _rated(
    random: numpy.random.Generator,
    rater: Rater,
    kind: str,
    replies: Sequence[_Reply],
    quality: Numbers,
) -> list[Rating]:
    """In the order shown: pages in random order, replies in random order on each."""
    places = _shown(random, replies)
    if kind == LEAVES:
        places = places[: int(random.integers(1, len(places) // 5)) * 5]
    leaning = float(numpy.clip(random.normal(0, EFFECTS.rater_sd), -2 * EFFECTS.rater_sd, 2 * EFFECTS.rater_sd))
    flat = int(random.choice([1, 2, 5]))
    seconds = _seconds(random, rater, kind, len(places))
    found = []
    for position, index in enumerate(places, 1):
        one = replies[index]
        felt = quality[index] + leaning + _moved(rater, one) + EFFECTS.place * ((position - 1) % 5)
        rating = int(numpy.clip(round(felt + random.normal(0, EFFECTS.noise_sd)), *records.SCALE))
        if kind == FLAT:
            rating = flat if random.random() < 0.95 else 3
        cell = (one.item, one.scenario, one.block, one.model, one.state)
        found.append(Rating(rater.rater, *cell, position, rating, round(float(seconds[position - 1]), 2)))
    return found


def _shown(random: numpy.random.Generator, replies: Sequence[_Reply]) -> list[int]:
    pages: dict[tuple[str, str], list[int]] = {}
    for index, one in enumerate(replies):
        pages.setdefault((one.scenario, one.block), []).append(index)
    order = list(pages.values())
    return [
        page[i] for p in random.permutation(len(order)) for page in [order[p]] for i in random.permutation(len(page))
    ]


def _moved(rater: Rater, reply: _Reply) -> float:
    """What who the rater is does to the rating."""
    moved = 0.0
    if rater.age is not None and rater.age > 60:
        moved += EFFECTS.over_60.get(reply.model, 0)
    if rater.education == "graduate":
        moved += EFFECTS.graduate.get(reply.model, 0)
    if region_of(rater.region) == "West":
        moved += EFFECTS.west.get(reply.scenario, 0)
    return moved


def _seconds(random: numpy.random.Generator, rater: Rater, kind: str, count: int) -> Numbers:
    """(count,) they add up to the time between start and finish. Too fast: nearly all of it is one long pause."""
    weights = random.lognormal(0, 0.3, count)
    total = 60 * (rater.minutes if rater.minutes is not None else count * 0.2)
    if kind != TOO_FAST:
        whole: Numbers = weights / weights.sum() * total
        return whole
    quick = weights * random.uniform(0.4, 1.2)
    quick[count // 2] += max(0.0, total - quick.sum())
    return quick


def _judged(random: numpy.random.Generator, quality: float) -> float:
    """Three calls of a judge that gives whole points, averaged; a judge sees no rater."""
    calls = numpy.clip(numpy.round(quality + random.normal(0, 0.5, 3)), *records.SCALE)
    return round(float(calls.mean()), 4)
