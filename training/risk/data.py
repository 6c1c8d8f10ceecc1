"""Labelled messages for the risk encoder, and their split into training and validation by theme.

Reads the lines in `data_files/risk/` (tier, flags, subject, time) and the messages of the open dialogues (scenario; all
of them non-crisis, so their tier is known to lie below T2, and without a flag, but for those that
`dialogue-flags.jsonl` names). Knows no model.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tide_chat.errors import DataError
from tide_chat.safety.assessment import Flag, Tier
from training.data import near

DATA = Path(__file__).resolve().parent.parent / "data_files"
RISK, DIALOGUES = DATA / "risk", DATA / "dialogues"

SCENARIO_FILES = ("dialogues.jsonl", "plain.jsonl")  # those that the shipped encoder learnt scenarios from
DIALOGUE_FLAGS = "dialogue-flags.jsonl"
SUBJECTS = ("self", "other", "fiction", "none")
TIMES = ("now", "past", "future", "none")
FLAGS = tuple(str(flag) for flag in Flag)
FOLDS = 10
_BLOCK = 12  # lines: where no theme is given, neighbours stay together, since contrast pairs are adjacent
_SHINGLE = 6  # characters
_ALIKE = 0.6  # Jaccard similarity of shingles from which two texts count as the same


@dataclass(frozen=True, slots=True)
class Row:
    """A message and what is known of it; None is unknown and costs nothing in training."""

    text: str
    group: str  # texts of one group are never on both sides of a split
    source: str
    kind: str = ""
    tier: Tier | None = None  # None: below T2
    flags: frozenset[str] | None = None
    subject: str | None = None
    time: str | None = None
    scenario: str | None = None


def risk_rows(folder: Path = RISK) -> list[Row]:
    """All lines of `train-*.jsonl`. Raises DataError naming file and line."""
    rows: list[Row] = []
    for path in sorted(folder.glob("train-*.jsonl")):
        for number, record in records(path):
            theme = record.get("theme") or f"block-{(number - 1) // _BLOCK}"
            rows.append(_risk_row(path, number, record, f"{path.stem}/{theme}"))
    if not rows:
        raise DataError("There are no labelled lines.", details=str(folder), help="Expected train-*.jsonl there.")
    return rows


def scenario_rows(folder: Path = DIALOGUES) -> list[Row]:
    """What people say in the open dialogues, with the scenario; grouped by person. Raises DataError."""
    flagged = dialogue_flags()
    rows: list[Row] = []
    for path in [folder / name for name in SCENARIO_FILES]:
        for number, record in records(path):
            try:
                group = f"{path.stem}/{record.get('persona_id') or f'block-{(number - 1) // _BLOCK}'}"
                text, scenario = record["user_input"], record["scenario"]
                flags = flagged.get(text, frozenset())
                rows.append(Row(text, group, path.stem, "dialogue", flags=flags, scenario=scenario))
            except KeyError as error:
                raise DataError("A dialogue lacks a field.", details=f"{path.name}, line {number}: {error}") from error
    return rows


def dialogue_flags(folder: Path = RISK) -> dict[str, frozenset[str] | None]:
    """By text: the flags of the messages of dialogues that have some; None where that is in doubt. Raises DataError."""
    found: dict[str, frozenset[str] | None] = {}
    for number, record in records(folder / DIALOGUE_FLAGS):
        try:
            flags = record["flags"]
            found[record["text"]] = None if flags is None else frozenset(flags)
        except (KeyError, TypeError) as error:
            where = f"{DIALOGUE_FLAGS}, line {number}: {error}"
            raise DataError("A labelled line is not as it should be.", details=where) from error
    return found


def scenarios(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(sorted({row.scenario for row in rows if row.scenario}))


def split(rows: list[Row], fold: int = 0) -> tuple[list[Row], list[Row]]:
    """(training, validation): one theme in ten is held out. Near-duplicates count as one theme."""
    rows = merge_alike(rows)
    held = [row for row in rows if fold_of(row.group) == fold]
    kept = [row for row in rows if fold_of(row.group) != fold]
    return kept, held


def merge_alike(rows: list[Row]) -> list[Row]:
    """The rows with groups joined wherever two of them hold nearly the same text."""
    leader: dict[str, str] = {}

    def find(group: str) -> str:
        while group in leader:
            group = leader[group]
        return group

    for first, second in alike([row.text for row in rows]):
        a, b = find(rows[first].group), find(rows[second].group)
        if a != b:
            leader[max(a, b)] = min(a, b)
    return [replace(row, group=find(row.group)) for row in rows]


def alike(texts: list[str]) -> Iterator[tuple[int, int]]:
    """Pairs of positions of nearly equal texts."""
    return near.overlapping([_shingles(text) for text in texts], _ALIKE)


def _shingles(text: str) -> set[str]:
    plain = re.sub(r"\W+", " ", text.casefold()).strip()
    return {plain[i : i + _SHINGLE] for i in range(max(1, len(plain) - _SHINGLE + 1))}


def fold_of(group: str) -> int:
    """Which tenth a group belongs to; the same in every run."""
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % FOLDS


def records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with their line numbers, from 1. Raises DataError."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise DataError("A line is not JSON.", details=f"{path.name}, line {number}: {error}") from error
        if not isinstance(record, dict):
            raise DataError("A line is not an object.", details=f"{path.name}, line {number}")
        yield number, record


def _risk_row(path: Path, number: int, record: dict[str, Any], group: str) -> Row:
    place = f"{path.name}, line {number}"
    try:
        tier, flags = Tier[record["tier"]], frozenset(record["flags"])
        row = Row(record["text"], group, path.stem, record["kind"], tier, flags, record["subject"], record["time"])
    except (KeyError, TypeError) as error:
        raise DataError("A labelled line is not as it should be.", details=f"{place}: {error}") from error
    wrong = [*(flags - set(FLAGS)), *({row.subject} - set(SUBJECTS)), *({row.time} - set(TIMES))]
    if wrong:
        raise DataError("A labelled line has an unknown label.", details=f"{place}: {wrong[0]}")
    return row
