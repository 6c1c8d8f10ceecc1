"""A table as a value, and as Markdown, CSV, LaTeX and JSON. Knows nothing about what is in it.

A run folder holds `tables/NAME.{json,md,csv,tex}` and `figures/NAME.svg`; the report collects them from there.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tide_chat.atomic import write_text
from tide_chat.errors import DataError

FOLDER, FIGURES = "tables", "figures"
Cell = str | int | float | None  # None: not there, shown as a dash
_LATEX = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
    | {"<": "$<$", ">": "$>$", "|": r"\textbar{}", "–": "--"}
)


@dataclass(frozen=True, slots=True)
class Table:
    """rows: as many cells as columns. note: what a reader must know. command: what makes it anew."""

    name: str  # of its files
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    command: str = ""
    digits: int = 3  # of floats, where people read

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row of {self.name} has not {len(self.columns)} cells")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises DataError."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            rows = tuple(tuple(row) for row in values.pop("rows"))
            found = cls(columns=tuple(values.pop("columns")), rows=rows, **values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError("A table cannot be read.", details=f"{path}: {error}") from error
        found._check(path)
        return found

    def _check(self, path: Path) -> None:
        """Raises DataError unless all parts are of the types that they are shown as."""
        texts: tuple[Any, ...] = (self.name, self.title, self.note, self.command, *self.columns)
        cells: list[Any] = [cell for row in self.rows for cell in row]
        if not all(isinstance(one, str) for one in texts) or not isinstance(self.digits, int):
            raise DataError("A table cannot be read.", details=f"{path}: name, title, columns, note or digits")
        if wrong := [cell for cell in cells if not isinstance(cell, str | int | float | None)]:
            raise DataError("A cell of a table is no text and no number.", details=f"{path}: {wrong[0]!r}")

    def shown(self, cell: Cell) -> str:
        if cell is None:
            return "–"
        return self._rounded(cell) if isinstance(cell, float) else str(cell)

    def _rounded(self, value: float) -> str:
        """A value that would round to 0 without being 0 says so: <0.001."""
        least = 10**-self.digits
        if value and abs(value) < least / 2:
            return f"<{least:.{self.digits}f}" if value > 0 else f">-{least:.{self.digits}f}"
        return f"{value:.{self.digits}f}"

    def markdown(self) -> str:
        """With title and note."""
        lines = [self.columns, ["---"] * len(self.columns), *([self.shown(cell) for cell in row] for row in self.rows)]
        rows = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
        made = f"Made by `{self.command}`." if self.command else ""
        return "\n\n".join(part for part in (f"**{self.title}**", rows, self.note, made) if part) + "\n"

    def csv(self) -> str:
        """Whole precision; empty where there is no value."""
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([self.columns, *self.rows])
        return out.getvalue()

    def latex(self) -> str:
        """A `tabular` for booktabs."""
        numeric = [all(not isinstance(row[i], str) for row in self.rows) for i in range(len(self.columns))]
        body = [_latex_row(self.columns), r"\midrule", *(_latex_row(map(self.shown, row)) for row in self.rows)]
        layout = "".join("r" if one else "l" for one in numeric)
        return "\n".join([rf"\begin{{tabular}}{{{layout}}}", r"\toprule", *body, r"\bottomrule", r"\end{tabular}", ""])

    def write(self, run: Path) -> None:
        """Into the run's folder of tables."""
        folder = run / FOLDER
        values = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        for suffix, text in (("json", values), ("md", self.markdown()), ("csv", self.csv()), ("tex", self.latex())):
            write_text(folder / f"{self.name}.{suffix}", text)


def read_all(run: Path) -> list[Table]:
    """The tables of a run folder, by name. Raises DataError."""
    return [Table.read(path) for path in sorted((run / FOLDER).glob("*.json"))]


def _latex_row(cells: "Sequence[str] | map[str]") -> str:
    return " & ".join(cell.translate(_LATEX) for cell in cells) + r" \\"
