"""The rows of a csv, tsv, json, jsonl or parquet file, each with its place. Knows nothing of dialogues.

A row that cannot be read is a `Problem` and the rest is still read; a file that cannot be read raises DataError.
"""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tide_chat.errors import DataError, MissingExtra
from training.data.schema import Place, Problem, Record

Read = Iterator[Record | Problem]
_BATCH = 1024  # rows of a parquet file in memory at a time


def records(path: Path) -> Read:
    """Raises DataError naming the file, MissingExtra for parquet without its library."""
    reader = FORMATS.get(path.suffix.casefold())
    if reader is None:
        raise DataError(
            "This kind of file is not known.", details=str(path), help=f"Known are: {', '.join(sorted(FORMATS))}."
        )
    try:
        yield from reader(path)
    except UnicodeDecodeError as error:
        raise DataError(
            "The file is not UTF-8.", details=f"{path}, byte {error.start}", help="Save it again as UTF-8."
        ) from error
    except OSError as error:
        raise DataError("The file cannot be read.", details=f"{path}: {error.strerror or error}") from error


def _jsonl(path: Path) -> Read:
    with path.open(encoding="utf-8-sig", newline="\n") as file:  # \n only: a text may hold other line separators
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            place = Place(path.name, number)
            try:
                yield _object(place, json.loads(line.rstrip("\n"), parse_constant=_refuse))
            except json.JSONDecodeError as error:
                yield Problem(place, "", "is not JSON", f"{error.msg.removesuffix(' at')} at column {error.colno}")
            except (ValueError, RecursionError) as error:
                yield Problem(place, "", "is not JSON", str(error))


def _json(path: Path) -> Read:
    """A list of objects, or an object with one list in it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise DataError("The file is not JSON.", details=f"{path}: {error}") from error
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list)]
        found = lists[0] if len(lists) == 1 else None
    if not isinstance(found, list):
        raise DataError("The file holds no list of rows.", details=str(path))
    for number, value in enumerate(found, 1):
        yield _object(Place(path.name, number), value)


def _separated(delimiter: str) -> Callable[[Path], Read]:
    def read(path: Path) -> Read:
        with path.open(encoding="utf-8-sig", newline="") as file:
            number = 0
            try:
                for row in _rows(path, csv.DictReader(file, delimiter=delimiter, strict=True)):
                    number += 1
                    yield row
            except csv.Error as error:
                raise DataError(
                    "The table cannot be read.",
                    details=f"{path}, after row {number}: {error}",
                    help="Is a quotation mark there opened and never closed, or not doubled within a text?",
                ) from error

    return read


def _rows(path: Path, table: "csv.DictReader[str]") -> Read:
    names = table.fieldnames or []
    if len(set(names)) != len(names):
        raise DataError("Two columns have the same name.", details=f"{path}: {', '.join(names)}")
    for number, values in enumerate(table, 1):
        place = Place(path.name, number)
        extra = values.pop(None, None)  # csv's key for cells beyond the header
        yield Problem(place, "", "has more cells than columns", str(extra)) if extra else Record(place, values)


def _parquet(path: Path) -> Read:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtra("Reading parquet", "train") from error
    try:
        with parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                for values in batch.to_pylist():
                    number += 1
                    yield Record(Place(path.name, number), values)
    except (pyarrow.ArrowException, OSError) as error:  # the latter has no number where a page is broken
        if isinstance(error, OSError) and error.errno:
            raise
        said = " ".join(str(error).split())
        raise DataError("The file is not readable as parquet.", details=f"{path}: {said}") from error


def _object(place: Place, value: Any) -> Record | Problem:
    return Record(place, value) if isinstance(value, dict) else Problem(place, "", "is not an object")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


FORMATS: dict[str, Callable[[Path], Read]] = {
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".json": _json,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
