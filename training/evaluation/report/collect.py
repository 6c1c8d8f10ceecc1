"""Run folders as values. Knows which files the evaluations write, not what the numbers in them mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tide_chat.errors import DataError
from training.evaluation import runs, tables
from training.evaluation.report import svg
from training.evaluation.report.svg import Drawing
from training.evaluation.study.records import SIMULATED
from training.evaluation.tables import Table
from training.sft.metrics import RUN

RESULTS = ("safety.md", "adversarial.md")  # of evaluations that write a page and no tables
SAMPLES, MISSES = "samples.md", "misses.md"
_FIRST = (  # then by name
    *("table1", "differences", "measures", "judge", "judge-pairs"),
    *("study-filters", "study-raters", "study-means", "study-wins", "study-wins-test", "study-differences-models"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """name: of its file, without suffix."""

    name: str
    drawing: Drawing

    @property
    def title(self) -> str:
        return self.drawing.title or self.name.replace("-", " ").capitalize()

    @property
    def alternative(self) -> str:
        """For whoever does not see it: the words on it, and where its values are."""
        words = f"It shows: {', '.join(self.drawing.words)}. " if self.drawing.words else ""
        return f"{words}Its values are in the tables of this run."


@dataclass(frozen=True, slots=True)
class Run:
    """about: the run's own description. results, samples, misses: Markdown of the run, empty where it has none."""

    number: int
    name: str
    about: dict[str, Any]
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    results: str = ""
    samples: str = ""
    misses: str = ""

    @property
    def title(self) -> str:
        return f"Run {self.number}: {self.name}"

    @property
    def simulated(self) -> bool:
        return bool(self.about.get("simulated"))


def read_all(folders: Iterable[Path]) -> tuple[Run, ...]:
    """In the order given, each folder once. Raises DataError."""
    once = dict.fromkeys(folder.resolve() for folder in folders)
    return tuple(read(folder, number) for number, folder in enumerate(once, start=1))


def read(folder: Path, number: int) -> Run:
    """Raises DataError, which names the file."""
    if not (folder / RUN).exists():
        raise DataError("This is not a run folder.", details=f"{folder}: {RUN} is not there.")
    about = runs.read(folder / RUN)
    found = Run(
        number,
        folder.name,
        about,
        tuple(sorted(tables.read_all(folder), key=_place)),
        tuple(Figure(path.stem, svg.read(path)) for path in sorted((folder / tables.FIGURES).glob("*.svg"))),
        "\n".join(text for name in RESULTS if (text := _text(folder / name))),
        _text(folder / SAMPLES),
        _text(folder / MISSES),
    )
    if not found.tables and not found.results:
        looked = f"{folder / tables.FOLDER}/*.json"
        raise DataError("This run folder holds no results.", details=looked, help="Let the evaluation finish first.")
    return found


def _place(table: Table) -> tuple[int, str]:
    """What one asks first comes first."""
    name = table.name.removeprefix(SIMULATED)
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST)), name


def _text(path: Path) -> str:
    if not path.exists():
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError("A file of a run cannot be read.", details=f"{path}: {error}") from error
