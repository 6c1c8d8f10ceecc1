"""Numbers for the replies of a run, and their tables. Knows no model and no cache."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from tide_chat.atomic import write_text
from tide_chat.progress import Say, quiet
from training.data.families import families, family_of
from training.evaluation import comparison, metrics, statistics
from training.evaluation.measures import catalogue, factors
from training.evaluation.measures.catalogue import REFERENCE, Measure
from training.evaluation.metrics import Scorer, Settings
from training.evaluation.replies import Reply
from training.evaluation.tables import Cell, Table

SCORES = "scores.jsonl"
MEASURES, REFERENCES = "measures", "references"  # groups of names
JOULES = "joules"
BY_FAMILY = ("factors", "recognition", "normalization", "reflection", "questions", "advice", "concrete", "words")
_NOTE = (
    "Means over replies. {finishes}. {error} The levels called EPITOME-like and everything about advice and roles go "
    "by rules (measures/patterns.tsv). The reference is what the data's writer answered to the same items."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to compute: measures of the reply alone, and a scorer that compares it with its reference, if any."""

    measures: tuple[Measure, ...]
    scorer: Scorer | None = None

    @classmethod
    def of(cls, names: Sequence[str], settings: Settings) -> Self:
        """From names of measures and metrics and of the two groups; none means all.

        Raises UsageError, MissingExtra, ModelNotFound.
        """
        groups = {MEASURES: catalogue.NAMES, REFERENCES: metrics.NAMES}
        chosen = [one for name in names or groups for one in groups.get(name, (name,))]
        compared = [name for name in chosen if name in metrics.NAMES]
        measures = catalogue.named([name for name in chosen if name not in compared])
        return cls(measures, Scorer(compared, settings) if compared else None)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: a measure, and how to show it."""

    name: str
    what: str
    unit: str
    better: str
    times: float = 1.0


@dataclass(frozen=True, slots=True)
class Scored:
    """scores: by metric a number for each reply, nan where there is none. reference: the same for the references."""

    replies: Sequence[Reply]
    rows: tuple[Row, ...]
    scores: dict[str, list[float]]
    references: Sequence[Reply]
    reference: dict[str, list[float]]

    @property
    def conditions(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys(reply.condition for reply in self.replies))

    def values(self, metric: str, condition: tuple[str, str]) -> list[float]:
        return [
            value
            for value, reply in zip(self.scores[metric], self.replies, strict=True)
            if reply.condition == condition and not math.isnan(value)
        ]


def score(
    replies: Sequence[Reply], wanted: Sequence[Measure], joules: Sequence[float | None], say: Say = quiet
) -> Scored:
    """The measures of replies alone. Raises MissingExtra, ModelNotFound, DataError."""
    rows = [Row(one.name, one.what, one.unit, one.better, one.times) for one in wanted]
    rows.append(Row(JOULES, "Energy of the processor (RAPL)", "J a reply", "low"))
    references = catalogue.references(replies)
    both = catalogue.score([*replies, *references], wanted, say)
    scores = {name: values[: len(replies)] for name, values in both.items()}
    reference = {name: values[len(replies) :] for name, values in both.items()}
    scores[JOULES] = [math.nan if value is None else value for value in joules]
    return Scored(replies, tuple(rows), scores, references, reference)


def compare(
    run: Path, replies: Sequence[Reply], scorer: Scorer, command: str, seed: int, say: Say = quiet
) -> dict[str, list[float]]:
    """The metrics against references, with their tables and figures. Raises DataError, OSError."""
    compared, floor = scorer.with_floor(replies, seed, say)
    comparison.write(run, replies, compared, floor=floor, about=scorer.about, command=command, seed=seed)
    return compared


def write_scores(run: Path, replies: Sequence[Reply], scores: dict[str, list[float]]) -> None:
    """scores.jsonl: item, model, state, and each metric; null where it has no value."""
    lines = []
    for number, reply in enumerate(replies):
        line: dict[str, Any] = {"item": reply.item, "model": reply.model, "state": reply.state}
        values = {name: values[number] for name, values in scores.items()}
        line |= {name: None if math.isnan(value) else round(value, 6) for name, value in values.items()}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    write_text(run / SCORES, "".join(lines))


def tables(found: Scored, command: str, seed: int) -> list[Table]:
    """One of all conditions side by side, one of each with spread and interval, and one by the paper's situations."""
    made = [_overview(found, command), *(_of(found, one, command, seed) for one in found.conditions)]
    return [*made, _by_family(found, command)] if len(found.conditions) > 1 and _families(found) else made


def _overview(found: Scored, command: str) -> Table:
    columns = ("measure", "unit", "better", *(" ".join(one) for one in found.conditions), REFERENCE)
    rows = tuple(
        (
            row.what,
            row.unit,
            row.better or None,
            *(mean(found.values(row.name, one), row.times) for one in found.conditions),
            mean([x for x in found.reference.get(row.name, ()) if not math.isnan(x)], row.times),
        )
        for row in found.rows
    )
    return Table("measures", "Measures without a reference", columns, rows, _note(found), command)


def _families(found: Scored) -> list[str]:
    """Those of the paper's situations that the replies are about, in the paper's order."""
    there = {family_of(reply.scenario) for reply in found.replies}
    return [family.name for family in families() if family.name in there]


def _by_family(found: Scored, command: str) -> Table:
    """What shows whether a reply fits its situation, for each of them."""
    columns = ("situation", "items", "measure", *(" ".join(one) for one in found.conditions))
    rows = tuple(
        (
            family,
            len({reply.item for reply in part.replies}),
            row.what,
            *(mean(part.values(row.name, one), row.times) for one in found.conditions),
        )
        for family in _families(found)
        for part in [_only(found, family)]
        for row in found.rows
        if row.name in BY_FAMILY
    )
    return Table("measures-by-family", "Measures by the paper's situations", columns, rows, _note(found), command)


def _only(found: Scored, family: str) -> Scored:
    kept = [i for i, reply in enumerate(found.replies) if family_of(reply.scenario) == family]
    scores = {name: [values[i] for i in kept] for name, values in found.scores.items()}
    return replace(found, replies=[found.replies[i] for i in kept], scores=scores)


def _of(found: Scored, condition: tuple[str, str], command: str, seed: int) -> Table:
    columns = ("measure", "unit", "mean", "low", "high", "sd", "replies")
    mine = [reply for reply in found.replies if reply.condition == condition]
    rows = []
    for row in found.rows:
        values = [
            x for x, reply in zip(found.scores[row.name], found.replies, strict=True) if reply.condition == condition
        ]
        rows.append((row.what, row.unit, *_spread(values, [one.cluster for one in mine], row.times, seed)))
    name = re.sub(r"[^\w.-]+", "-", "-".join(("measures", *condition)))
    drawn = f"low, high: {statistics.LEVEL:.0%} interval of the mean, BCa bootstrap by persons, seed {seed}."
    return Table(name, f"Measures: {' '.join(condition)}", columns, tuple(rows), f"{drawn} {_note(found)}", command)


def _spread(values: Sequence[float], clusters: Sequence[str], times: float, seed: int) -> tuple[Cell, ...]:
    """mean, low, high, sd, n."""
    there = [(value * times, name) for value, name in zip(values, clusters, strict=True) if not math.isnan(value)]
    if not there:
        return None, None, None, None, 0
    kept = [value for value, _ in there]
    found = statistics.bootstrap_mean(kept, [name for _, name in there], seed=seed)
    return found.value, found.low, found.high, statistics.summary(kept).sd, len(kept)


def mean(values: Sequence[float], times: float = 1.0) -> float | None:
    return times * math.fsum(values) / len(values) if values else None


def _note(found: Scored) -> str:
    by_classifier = any(row.name in catalogue.BY_CLASSIFIER for row in found.rows)
    counts = [f"{' '.join(one)} {_finishes(found, one)}" for one in found.conditions]
    error = factors.error_note() if by_classifier else ""
    return " ".join(_NOTE.format(finishes=f"How replies ended: {'; '.join(counts)}", error=error).split())


def _finishes(found: Scored, condition: tuple[str, str]) -> str:
    ends = [reply.finish for reply in found.replies if reply.condition == condition]
    return ", ".join(f"{ends.count(end)} {end}" for end in sorted(set(ends)))
