"""Run folders as values. Knows which files the evaluations write, not what the numbers in them mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tide_chat.errors import DataError
from training.evaluation import runs, tables
from training.evaluation.report import svg
from training.evaluation.report.svg import Drawing
from training.evaluation.tables import Table
from training.sft.metrics import RUN

SAFETY = "safety.json"  # describes a run where no run.json does, and holds its figures
SAFETY_PAGE, SAMPLES, MISSES = "safety.md", "samples.md", "misses.md"


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
    about = _described(folder)
    found = Run(
        number,
        folder.name,
        about,
        tuple(tables.read_all(folder)),
        tuple(Figure(path.stem, svg.read(path)) for path in sorted((folder / tables.FIGURES).glob("*.svg"))),
        _text(folder / SAFETY_PAGE),
        _text(folder / SAMPLES),
        _text(folder / MISSES),
    )
    if not found.tables and not found.results:
        looked = f"{folder / tables.FOLDER}/*.json"
        raise DataError("This run folder holds no results.", details=looked, help="Let the evaluation finish first.")
    return found


def _described(folder: Path) -> dict[str, Any]:
    path = next((folder / name for name in (RUN, SAFETY) if (folder / name).exists()), None)
    if path is None:
        raise DataError("This is not a run folder.", details=f"{folder}: neither {RUN} nor {SAFETY} is there.")
    return runs.read(path)


def _text(path: Path) -> str:
    if not path.exists():
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError("A file of a run cannot be read.", details=f"{path}: {error}") from error
