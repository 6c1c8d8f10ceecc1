"""Small studies in files, and the command that analyses them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.unit.training.study_rows import Given, rater, study
from training.evaluation import cli
from training.evaluation.study import records
from training.evaluation.tables import Cell, Table

QUICK = ("--draws", "100")


def run(*arguments: str | Path) -> int:
    return cli.main(["study", *map(str, arguments)])


def table(out: Path, name: str) -> dict[str, dict[str, Cell]]:
    """Row by its first cell to cells by column."""
    found = Table.read(out / "tables" / f"{name}.json")
    return {str(row[0]): dict(zip(found.columns, row, strict=True)) for row in found.rows}


def number(cell: Cell) -> float:
    assert isinstance(cell, int | float)
    return cell


def written(folder: Path, given: Mapping[str, Given], **about: Any) -> Path:
    """A study's folder, its raters all with `about`."""
    people = [rater(name, **about) for name in given]
    of = study(given, people)
    records.write_ratings(folder / "ratings.csv", of.ratings)
    records.write_raters(folder / "raters.csv", of.raters.values())
    return folder
