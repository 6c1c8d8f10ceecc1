"""Raters and ratings in one SQLite file. What it has returned from is on disk. Knows no page and no order.

One connection behind a lock: writes queue in SQLite anyway. Other processes may read, and even write, at the same time.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tide_chat.errors import DataError
from training.evaluation.study import codes
from training.evaluation.study.questions import About
from training.evaluation.study.records import FAILED, PASSED

FILE = "raters.sqlite3"

# AUTOINCREMENT: the number of a rater who withdrew is not given again.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS study (only INTEGER PRIMARY KEY CHECK (only = 1), fingerprint TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS raters (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT NOT NULL UNIQUE,
    ticket TEXT NOT NULL UNIQUE,
    started TEXT NOT NULL,
    finished TEXT,
    attention TEXT NOT NULL DEFAULT 'unseen' CHECK (attention IN ('passed', 'failed', 'unseen')),
    age INTEGER, gender TEXT NOT NULL DEFAULT '', education TEXT NOT NULL DEFAULT '', region TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS ratings (
    rater INTEGER NOT NULL REFERENCES raters ON DELETE CASCADE,
    item TEXT NOT NULL,
    position INTEGER NOT NULL,
    rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
    seconds REAL NOT NULL CHECK (seconds >= 0),
    PRIMARY KEY (rater, item), UNIQUE (rater, position)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Rater:
    """started, finished: ISO 8601, UTC. attention: passed, failed, unseen."""

    number: int
    code: str
    started: str
    finished: str | None
    attention: str
    about: About


@dataclass(frozen=True, slots=True)
class Rating:
    """position: from 1, the reply's place in the rater's order. seconds: time spent on it."""

    item: str
    position: int
    rating: int
    seconds: float


class Store:
    """Use as a context manager. Methods raise sqlite3.Error when the disk does not take it."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """Makes the file, readable for its owner only. Raises DataError when it belongs to another study."""
        path = folder / FILE
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
            self._lock = threading.RLock()
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(path, error) from error
        try:
            self._prepare(fingerprint)
        except sqlite3.Error as error:
            self.close()
            raise _unusable(path, error) from error
        except DataError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def new_rater(self, ticket: str) -> Rater:
        """The same ticket gives the same rater: who clicks twice begins once."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO raters (code, ticket, started) VALUES (?, ?, ?) ON CONFLICT (ticket) DO NOTHING",
                (codes.new(), ticket, _now()),
            )
            found = self._one("ticket = ?", ticket)
        assert found is not None
        return found

    def rater(self, number: int) -> Rater | None:
        return self._one("number = ?", number)

    def with_code(self, code: str) -> Rater | None:
        return self._one("code = ?", code)

    def everything(self) -> tuple[list[Rater], list[tuple[int, Rating]]]:
        """All raters, and all ratings with the rater's number, as they were at one moment."""
        with self._writing() as db:
            raters = [_rater(row) for row in db.execute(f"{_SELECT} ORDER BY number")]
            rows = db.execute("SELECT rater, item, position, rating, seconds FROM ratings ORDER BY rater, position")
            return raters, [(rater, Rating(*values)) for rater, *values in rows]

    def rated(self, number: int) -> list[Rating]:
        """In the order in which the rater saw them."""
        query = "SELECT item, position, rating, seconds FROM ratings WHERE rater = ? ORDER BY position"
        with self._lock:
            return [Rating(*row) for row in self._connection.execute(query, (number,))]

    def rate(self, number: int, ratings: Sequence[Rating]) -> bool:
        """All of a page or nothing. False, and nothing changes, when one of them is there: the first answer stands."""
        rows = [(number, one.item, one.position, one.rating, one.seconds) for one in ratings]
        try:
            with self._writing() as db:
                db.executemany("INSERT INTO ratings VALUES (?, ?, ?, ?, ?)", rows)
        except sqlite3.IntegrityError:
            return False
        return True

    def attend(self, number: int, passed: bool) -> bool:
        """False when the check was answered before."""
        return self._changed(
            "UPDATE raters SET attention = ? WHERE number = ? AND attention = 'unseen'",
            (PASSED if passed else FAILED, number),
        )

    def finish(self, number: int, about: About) -> bool:
        """False when the rater had finished."""
        return self._changed(
            "UPDATE raters SET age = ?, gender = ?, education = ?, region = ?, finished = ?"
            " WHERE number = ? AND finished IS NULL",
            (about.age, about.gender, about.education, about.region, _now(), number),
        )

    def withdraw(self, number: int) -> None:
        """Deletes everything about a rater, in the file too (secure_delete, and the log is emptied)."""
        with self._writing() as db:
            db.execute("DELETE FROM raters WHERE number = ?", (number,))
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _prepare(self, fingerprint: str) -> None:
        for pragma in (
            "busy_timeout = 10000",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        self._connection.executescript(_SCHEMA)
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO study VALUES (1, ?)", (fingerprint,))
            (known,) = db.execute("SELECT fingerprint FROM study").fetchone()
        if known != fingerprint:
            raise DataError(
                "study.json was changed after raters had begun.",
                details=f"sha256 now {fingerprint[:12]}, then {known[:12]}",
                help="Put the old file back, or make a new study: ratings belong to the texts and the order of then.",
            )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise

    def _changed(self, statement: str, values: tuple[object, ...]) -> bool:
        with self._writing() as db:
            return db.execute(statement, values).rowcount == 1

    def _one(self, where: str, value: object) -> Rater | None:
        with self._lock:
            row = self._connection.execute(f"{_SELECT} WHERE {where}", (value,)).fetchone()
        return None if row is None else _rater(row)


_SELECT = "SELECT number, code, started, finished, attention, age, gender, education, region FROM raters"


def _rater(row: tuple[int, str, str, str | None, str, int | None, str, str, str]) -> Rater:
    return Rater(*row[:5], About(*row[5:]))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _unusable(path: Path, error: Exception) -> DataError:
    return DataError("The file of ratings cannot be used.", details=f"{path}: {error}")
