"""Dialogues by name: those that come with the project, TIDE, or files of one's own. Opens no connection.

`open` are the two sets beside this package, `open:plain` and `open:dialogues` one of them, `tide` what `tide.fetch`
brought; anything else is a file or a folder of files.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tide_chat.errors import DataError
from training.data.schema import Columns, Dialogue, Problem, Record, Row, parse
from training.data.tables import FORMATS, records

OPEN = Path(__file__).resolve().parent.parent / "data_files" / "dialogues"
DEFAULT = ("open",)
MANIFEST = "manifest.json"  # marks a folder that `split` wrote

_SPLITS = {"train": "train|training", "validation": "validation|valid|val|dev", "test": "test|eval"}
_SPLIT_NAME = re.compile(
    "|".join(rf"(?P<{name}>(?:{words})(?=$|[-_.]))" for name, words in _SPLITS.items()), re.IGNORECASE
)
_BLOCK = 1 << 20  # bytes
_SHOWN = 5  # problems in a message


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read, fixed by its bytes."""

    name: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """All rows of the sources, in the order of files and rows, and what was wrong with the others."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    files: tuple[SourceFile, ...]


def load(names: Sequence[str] = DEFAULT, columns: Columns | None = None) -> Loaded:
    """As `read`, and raises DataError when any row cannot be used."""
    found = read(names, columns)
    if found.problems:
        count, first = len(found.problems), "\n".join(map(str, found.problems[:_SHOWN]))
        raise DataError(
            f"{count} {'fault was' if count == 1 else 'faults were'} found in the rows.",
            details=first + ("\n…" if count > _SHOWN else ""),
            help="`tide-train data check` lists all. Columns are named with --columns user=COLUMN,reply=COLUMN.",
        )
    return found


def dialogues(names: Sequence[str] = DEFAULT, columns: Columns | None = None) -> tuple[Dialogue, ...]:
    """The dialogues alone. Raises DataError."""
    return tuple(row.dialogue for row in load(names, columns).rows)


def read(names: Sequence[str] = DEFAULT, columns: Columns | None = None) -> Loaded:
    """Every row that can be read. Raises DataError for a file that cannot, UsageError, MissingExtra."""
    rows: list[Row] = []
    problems: list[Problem] = []
    files: list[SourceFile] = []
    for path in dict.fromkeys(path for name in names for path in files_of(name)):
        split = split_of(path)
        before = len(rows), len(problems)
        for one in _read_file(path, columns or Columns()):
            if isinstance(one, Problem):
                problems.append(one)
            else:
                rows.append(Row(one[0].place, one[1], split))
        if before == (len(rows), len(problems)):
            raise DataError("The file holds no rows.", details=str(path))
        files.append(SourceFile(path.name, digest(path), len(rows) - before[0]))
    return Loaded(tuple(rows), tuple(problems), tuple(files))


def files_of(name: str) -> tuple[Path, ...]:
    """The files that a source consists of. Raises DataError, UsageError."""
    kind, _, part = name.partition(":")
    if kind == "open":
        return _files(OPEN / f"{part}.jsonl" if part else OPEN, name)
    if name == "tide":
        from training.data import tide

        return _files(tide.folder(), name)
    return _files(Path(name).expanduser(), name)


def split_of(path: Path) -> str:
    """`train`, `validation` or `test` when the file's name begins so, else nothing."""
    found = _SPLIT_NAME.match(path.stem)
    return str(found.lastgroup) if found else ""


def digest(path: Path) -> str:
    """SHA-256 of the bytes, in hex."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            whole.update(block)
    return whole.hexdigest()


def _files(path: Path, name: str) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    inside = (p for p in path.rglob("*") if p.suffix.casefold() in FORMATS and p.name != MANIFEST and p.is_file())
    if found := tuple(sorted(p for p in inside if not p.name.startswith("."))):
        return found
    raise DataError(
        "There are no dialogues in this folder." if path.is_dir() else "There is no such source.",
        details=name,
        help=f"Give open, open:plain, open:dialogues, tide, or files ({', '.join(sorted(FORMATS))}).",
    )


def _read_file(path: Path, columns: Columns) -> Iterator[tuple[Record, Dialogue] | Problem]:
    found = tuple(records(path))
    good = [one for one in found if isinstance(one, Record)]
    names = tuple(dict.fromkeys(name for record in good for name in record.values))
    resolved = columns.resolve(path.name, names) if good else columns
    for one in found:
        if isinstance(one, Problem):
            yield one
            continue
        made = parse(one, resolved)
        if isinstance(made, Dialogue):
            yield one, made
        else:
            yield from made
