"""From the options of `tide-eval study new` to a study's folder. Knows no page."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tide_chat import __version__
from tide_chat.errors import DataError, UsageError
from tide_chat.safety import helplines
from training.data.sources import digest
from training.evaluation import replies
from training.evaluation.study import design, draw

_MOST_A_BLOCK = 2
_SECONDS_A_REPLY = 12  # the paper: about 23 minutes for 120 ratings


@dataclass(frozen=True, slots=True)
class Shown:
    """What raters read beside the replies. country: two letters."""

    title: str
    contact: str
    country: str


def make(files: Sequence[Path], wanted: draw.Wanted, shown: Shown, out: Path) -> design.Study:
    """Writes OUT/study.json. Raises UsageError, DataError, TideError; then nothing was written."""
    if out.exists() and any(out.iterdir()):
        raise UsageError("The folder is not empty.", details=str(out), help="Name a new one: a study is never changed.")
    if helplines.find(shown.country) is None:
        known = ", ".join(sorted(helplines.directory()))
        raise UsageError("No help lines are known there.", details=f"--country {shown.country}", help=f"Known: {known}")
    answered = [reply for file in files for reply in replies.read(file)]
    drawn = draw.draw(answered, wanted)
    sources = tuple(design.Source(file.name, digest(file)) for file in files)
    study = design.Study(
        shown.title,
        shown.contact,
        shown.country,
        wanted.seed,
        wanted.blocks,
        drawn.scenarios,
        drawn.items,
        sources,
        f"tide-chat {__version__}",
    )
    design.write(out, study)
    return study


def blocks(pairs: str) -> tuple[tuple[str, ...], ...]:
    """`A+B,C+D` as (("A", "B"), ("C", "D")). Raises UsageError."""
    made = tuple(tuple(part.strip() for part in pair.split("+")) for pair in pairs.split(","))
    if any(len(models) > _MOST_A_BLOCK or not all(models) for models in made):
        raise UsageError("A block has one or two models.", details=f"--pairs {pairs}", help="Write A+B,C+D.")
    return made


def names(scenarios: str) -> tuple[str, ...]:
    """With commas between; empty: none. Raises UsageError when one is there twice."""
    made = tuple(part.strip() for part in scenarios.split(",") if part.strip())
    if len(set(made)) != len(made):
        raise UsageError("A scenario is named twice.", details=f"--scenarios {scenarios}")
    return made


def chosen(path: Path | None) -> Mapping[str, str]:
    """Scenario to item, from lines `scenario,item`. Raises DataError."""
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.reader(lines) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError("The dialogues cannot be read.", details=f"{path}: {error}") from error
    made: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        values = [value.strip() for value in row]
        if len(values) != 2 or not all(values) or values[0] in made:
            raise DataError(
                "A line is not a scenario and its dialogue.", details=f"{path}, row {number}: {','.join(row)}"
            )
        made[values[0]] = values[1]
    return made


@dataclass(frozen=True, slots=True)
class Size:
    """What a rater has to do. pages: without the attention check."""

    pages: int
    ratings: int
    minutes: int

    @classmethod
    def of(cls, study: design.Study) -> Self:
        ratings = len(study.items)
        minutes = max(1, round(ratings * _SECONDS_A_REPLY / 60))
        return cls(len(study.scenarios) * len(study.blocks), ratings, minutes)


def summary(study: design.Study) -> str:
    """For whoever makes the study."""
    size = Size.of(study)
    drawn = "\n".join(f"  {one.name}: {one.item}" for one in study.scenarios)
    return (
        f"{len(study.scenarios)} scenarios, {len(study.blocks)} blocks: {size.pages} pages and an attention check, "
        f"{size.ratings} ratings a rater, about {size.minutes} minutes at the paper's pace.\n{drawn}"
    )
