"""What a check found: one fault of one row, with its place and how grave it is. Knows no check."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tide_chat.progress import Say
from training.data.schema import Problem, Row

_SHOWN = 80  # characters of a text in a finding


class Severity(StrEnum):
    ERROR = "error"  # not fit to train on
    WARNING = "warning"  # a person should look


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. `where` is file and row; `turn` counts messages from 0, None for the dialogue as a whole."""

    kind: str
    severity: Severity
    where: str
    message: str
    dialogue_id: str = ""
    turn: int | None = None
    text: str = ""

    def __str__(self) -> str:
        name = f" [{self.dialogue_id}]" if self.dialogue_id else ""
        shown = f": “{self.text}”" if self.text else ""
        return f"{self.where}{name}: {self.message}{shown}"


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure about the whole: `value` as it is read, `data` as numbers for programs."""

    name: str
    value: str
    data: dict[str, float | int | str]


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check gives."""

    findings: tuple[Finding, ...] = ()
    measures: tuple[Measure, ...] = ()


Check = Callable[[Sequence[Row], Say], Checked]


def of_row(
    kind: str, severity: Severity, row: Row, message: str, *, turn: int | None = None, text: str = ""
) -> Finding:
    return Finding(kind, severity, str(row.place), message, row.dialogue.dialogue_id, turn, shorten(text))


def of_problem(problem: Problem) -> Finding:
    """A row that could not be read as a dialogue."""
    where, _, message = str(problem).partition(": ")
    return Finding("empty" if problem.what == "is empty" else "schema", Severity.ERROR, where, message)


def shorten(text: str, most: int = _SHOWN) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "none"
