"""Who rated what and how, as three CSV files: ratings, raters and, where there is one, a judge's gold scores.

`serve` and `simulate` write them, `analyse` reads them. Other columns may stand beside ours and are passed over. Knows
no statistics and not how the ratings came about.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from tide_chat.atomic import write_text
from tide_chat.errors import DataError
from training.evaluation.replies import STATES

RATINGS, RATERS, GOLD, STUDY = "ratings.csv", "raters.csv", "gold.csv", "study.json"
SIMULATED = "simulated-"  # begins the names of a simulated study's files and raters
REFERENCE = "reference"  # both model and state of the reference
RATED_STATES = (*STATES, REFERENCE)
SCALE = (1, 5)
PASSED, FAILED, UNSEEN = ATTENTION = ("passed", "failed", "unseen")
Key = tuple[str, str, str]  # item, model, state: one reply
Page = tuple[str, str]  # scenario, block
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Rating:
    """What one person gave one reply. item: the reply's name, the same for all raters.

    Replies of one scenario and block stood on one page. position: the reply's place among all that this person was
    shown, from 1. rating: 1 to 5. seconds: on this reply; those of a page add up to the page's time.
    """

    rater: str
    item: str
    scenario: str
    block: str
    model: str
    state: str
    position: int
    rating: int
    seconds: float

    @property
    def key(self) -> Key:
        return self.item, self.model, self.state

    @property
    def page(self) -> Page:
        return self.scenario, self.block


@dataclass(frozen=True, slots=True)
class Rater:
    """A person who began. Empty text or None: not said. region: a US state's two letters. finished None: left early."""

    rater: str
    age: int | None
    gender: str
    education: str
    region: str
    started: datetime
    finished: datetime | None
    attention: str  # of ATTENTION
    consent: bool  # yes or no in the file

    @property
    def minutes(self) -> float | None:
        """From start to finish."""
        return None if self.finished is None else (self.finished - self.started).total_seconds() / 60


@dataclass(frozen=True, slots=True)
class Gold:
    """A judge's score of a reply, 1 to 5, not always whole."""

    item: str
    model: str
    state: str
    score: float


@dataclass(frozen=True, slots=True)
class Study:
    ratings: tuple[Rating, ...]
    raters: Mapping[str, Rater]
    simulated: bool
    files: tuple[Path, ...]


def read(folder: Path) -> Study:
    """A study's folder. Raises DataError that names file, line and column."""
    rated, people = (_there(folder, name) for name in (RATINGS, RATERS))
    ratings, raters = read_ratings(rated), read_raters(people)
    by_name = {rater.rater: rater for rater in raters}
    if strangers := sorted({one.rater for one in ratings} - by_name.keys()):
        raise DataError("Someone rated who is not among the raters.", details=f"{rated}: {strangers[0]} ({people})")
    marked = said_simulated(folder / STUDY) or any(path.name.startswith(SIMULATED) for path in (rated, people))
    return Study(ratings, by_name, marked or any(name.startswith(SIMULATED) for name in by_name), (rated, people))


def read_ratings(path: Path) -> tuple[Rating, ...]:
    """Raises DataError, also when someone rated a reply twice."""
    return _read(path, Rating, _RATING, lambda one: (one.rater, *one.key))


def read_raters(path: Path) -> tuple[Rater, ...]:
    """Raises DataError, also when a rater is there twice."""
    return _read(path, Rater, _RATER, lambda one: one.rater)


def read_gold(path: Path) -> dict[Key, float]:
    """(item, model, state) to score. Raises DataError."""
    rows = _read(path, Gold, _GOLD, lambda one: (one.item, one.model, one.state))
    return {(one.item, one.model, one.state): one.score for one in rows}


def write_ratings(path: Path, ratings: Iterable[Rating]) -> None:
    _write(path, Rating, ratings)


def write_raters(path: Path, raters: Iterable[Rater]) -> None:
    _write(path, Rater, raters)


def write_gold(path: Path, scores: Iterable[Gold]) -> None:
    _write(path, Gold, scores)


def _there(folder: Path, name: str) -> Path:
    found = [path for path in (folder / name, folder / f"{SIMULATED}{name}") if path.is_file()]
    if len(found) == 1:
        return found[0]
    what = "A study's file is not there." if not found else "A study is there with simulated raters and with others."
    raise DataError(
        what,
        details=f"{folder / name}" if not found else ", ".join(map(str, found)),
        help="`tide-eval study serve` writes ratings.csv and raters.csv; `tide-eval study simulate` makes an example.",
    )


def said_simulated(path: Path) -> bool:
    """Whether a study.json says so. Raises DataError."""
    if not path.is_file():
        return False
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("The study's description cannot be read.", details=f"{path}: {error}") from error
    return isinstance(values, dict) and bool(values.get("simulated"))


def _text(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return value

    return check


def _between(kind: type[int] | type[float], low: float, high: float, what: str) -> Callable[[str], Any]:
    def check(value: str) -> int | float:
        try:
            number = kind(value)
        except ValueError:
            raise ValueError(f"must be {what}") from None
        if not low <= number <= high:  # also false of nan
            raise ValueError(f"must be {what}")
        return number

    return check


_age = _between(int, 0, 130, "a whole number of years, or empty")
_yes = _one_of(("yes", "no"))


def _time(value: str) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a time like 2026-01-31T09:30:00Z") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _state_of_us(value: str) -> str:
    if value and not (len(value) == 2 and value.isascii() and value.isalpha()):
        raise ValueError("must be the two letters of a US state, or empty")
    return value.upper()


_RATING: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("rater", "item", "scenario", "model"), _text),
    "block": str,
    "state": _one_of(RATED_STATES),
    "position": _between(int, 1, 1_000_000, "a whole number from 1"),
    "rating": _between(int, *SCALE, "a whole number from 1 to 5"),
    "seconds": _between(float, 0, 1e9, "seconds, 0 or more"),
}
_RATER: dict[str, Callable[[str], Any]] = {
    "rater": _text,
    "age": lambda value: _age(value) if value else None,
    **dict.fromkeys(("gender", "education"), str),
    "region": _state_of_us,
    "started": _time,
    "finished": lambda value: _time(value) if value else None,
    "attention": _one_of(ATTENTION),
    "consent": lambda value: _yes(value) == "yes",
}
_GOLD: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("item", "model"), _text),
    "state": _one_of(RATED_STATES),
    "score": _between(float, *SCALE, "a number from 1 to 5"),
}


def _read(
    path: Path,
    made: Callable[..., _Row],
    columns: Mapping[str, Callable[[str], Any]],
    identity: Callable[[_Row], object],
) -> tuple[_Row, ...]:
    found: dict[object, _Row] = {}
    for line, values in _lines(path, columns):
        row = made(**{name: _value(path, line, name, check, values[name]) for name, check in columns.items()})
        if identity(row) in found:
            raise DataError("A row is there twice.", details=f"{path}, line {line}: {identity(row)}")
        found[identity(row)] = row
    return tuple(found.values())


def _lines(path: Path, columns: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and the cells by column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True, restval="")
            if lost := [name for name in columns if name not in (rows.fieldnames or ())]:
                raise DataError("A column is missing.", details=f"{path}, line 1: {', '.join(lost)}")
            for row in rows:
                if None in row:
                    raise DataError("A row has more cells than columns.", details=f"{path}, line {rows.line_num}")
                yield rows.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError("A table of the study cannot be read.", details=f"{path}: {error}") from error


def _value(path: Path, line: int, column: str, check: Callable[[str], Any], text: str) -> Any:
    try:
        return check(text.strip())
    except ValueError as error:
        place = f"{path}, line {line}, column {column}"
        raise DataError("A value of the study is wrong.", details=f"{place}: {error}, got {text!r}") from None


def _write(path: Path, kind: type[Any], rows: Iterable[Any]) -> None:
    """All or nothing."""
    names = [field.name for field in fields(kind)]
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(names)
    lines.writerows([_shown(getattr(row, name)) for name in names] for row in rows)
    write_text(path, out.getvalue())


def _shown(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value
