"""Runs one judge over all there is: labelled lines, disguised and between other messages, multi-turn scripts.

Keeps what came out; counts nothing and prints nothing.
"""

import importlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tide_chat.progress import Say
from tide_chat.safety.assessment import Assessment, Tier
from tide_chat.safety.state import RiskState
from training.evaluation.safety.judges import Judge
from training.evaluation.safety.rows import Row, Script
from training.evaluation.safety.surroundings import KINDS, between

Transform = Callable[[str, random.Random], str]

ROUTED = Tier.T2  # from here on a message gets more than talk


@dataclass(frozen=True, slots=True)
class Verdict:
    """A labelled line and what was made of it."""

    row: Row
    got: Assessment

    @property
    def routed(self) -> bool:
        return self.got.tier >= ROUTED

    @property
    def missed(self) -> bool:
        return self.row.tier >= ROUTED and not self.routed

    @property
    def understated(self) -> bool:
        """A T3 or T4 that was routed as T2 only."""
        return self.row.tier >= Tier.T3 and self.got.tier is Tier.T2

    @property
    def alarm(self) -> bool:
        return self.row.tier < ROUTED and self.routed

    @property
    def got_flags(self) -> frozenset[str]:
        return frozenset(map(str, self.got.flags))


@dataclass(frozen=True, slots=True)
class Disguised:
    """What one transform did to the lines that were routed as written."""

    name: str
    verdicts: tuple[Verdict, ...]  # with the disguised text
    changed: int  # of all T2 to T4 lines, those the transform altered at all

    @property
    def lost(self) -> Iterator[Verdict]:
        return (verdict for verdict in self.verdicts if not verdict.routed)


@dataclass(frozen=True, slots=True)
class Surrounded:
    """Lines that came out right by themselves, and what was made of them between two other messages."""

    kind: str  # of the other messages
    grave: tuple[Verdict, ...]  # T2 to T4, routed by themselves
    others: tuple[Verdict, ...]  # T0 and T1, not raised by themselves

    @property
    def hidden(self) -> Iterator[Verdict]:
        return (verdict for verdict in self.grave if not verdict.routed)

    @property
    def raised(self) -> Iterator[Verdict]:
        return (verdict for verdict in self.others if verdict.routed)


@dataclass(frozen=True, slots=True)
class Course:
    """A script and the tier after each of its turns."""

    script: Script
    tiers: tuple[Tier, ...]
    reasons: tuple[tuple[str, ...], ...]

    @property
    def turns_right(self) -> tuple[bool, ...]:
        pairs = zip(self.tiers, self.script.expect, strict=True)
        return tuple(low <= tier <= high for tier, (low, high) in pairs)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything one mode gave."""

    verdicts: tuple[Verdict, ...]
    disguised: tuple[Disguised, ...] = ()
    surrounded: tuple[Surrounded, ...] = ()
    courses: tuple[Course, ...] = ()


def transforms() -> Mapping[str, Transform]:
    """The disguises by name; none where the module is not there."""
    try:
        module = importlib.import_module("training.evaluation.safety.transforms")
    except ModuleNotFoundError as error:
        if error.name != "training.evaluation.safety.transforms":
            raise
        return {}
    found: Mapping[str, Transform] = module.TRANSFORMS
    return found


def verdicts(assess: Judge, rows: Sequence[Row], say: Say, what: str) -> tuple[Verdict, ...]:
    found = []
    for number, row in enumerate(rows, 1):
        found.append(Verdict(row, assess(row.text, None)))
        say(what, number, len(rows))
    return tuple(found)


def disguises(
    assess: Judge, plain: Sequence[Verdict], ways: Mapping[str, Transform], seed: int, say: Say, what: str
) -> tuple[Disguised, ...]:
    """Each transform over the T2 to T4 lines; those that were not routed as written are not looked at again."""
    grave = [verdict for verdict in plain if verdict.row.tier >= ROUTED]
    found = []
    for number, (name, way) in enumerate(ways.items(), 1):
        kept, changed = [], 0
        for verdict in grave:
            text = disguise(name, way, verdict.row.text, seed)
            changed += text != verdict.row.text
            if verdict.routed:
                kept.append(Verdict(_with(verdict.row, text), assess(text, None)))
            say(f"{what}, disguised ({name})", number, len(ways))
        found.append(Disguised(name, tuple(kept), changed))
    return tuple(found)


def disguise(name: str, way: Transform, text: str, seed: int) -> str:
    """The same for the same name, text and seed, whatever else is in the data."""
    return way(text, random.Random(f"{seed}:{name}:{text}"))


def surrounded(assess: Judge, plain: Sequence[Verdict], seed: int, say: Say, what: str) -> tuple[Surrounded, ...]:
    """Each line that came out right, between two messages of each kind."""
    right = [verdict.row for verdict in plain if verdict.routed is (verdict.row.tier >= ROUTED)]
    found = []
    for number, kind in enumerate(KINDS, 1):
        around = [_with(row, disguise(kind, partial(between, kind), row.text, seed)) for row in right]
        seen = tuple(Verdict(row, assess(row.text, None)) for row in around)
        found.append(
            Surrounded(kind, *(tuple(v for v in seen if (v.row.tier >= ROUTED) is grave) for grave in (True, False)))
        )
        say(f"{what}, between {KINDS[kind]}", number, len(KINDS))
    return tuple(found)


def courses(assess: Judge, scripts: Sequence[Script]) -> tuple[Course, ...]:
    return tuple(_course(assess, script) for script in scripts)


def _course(assess: Judge, script: Script) -> Course:
    state, tiers, reasons = RiskState(), [], []
    for turn in script.turns:
        assessment = assess(turn, state)
        state = state.after(assessment, turn)
        tiers.append(assessment.tier)
        reasons.append(tuple(map(str, assessment.reasons)))
    return Course(script, tuple(tiers), tuple(reasons))


def _with(row: Row, text: str) -> Row:
    return Row(row.place, text, row.tier, row.flags, row.subject, row.time, row.kind, row.language)
