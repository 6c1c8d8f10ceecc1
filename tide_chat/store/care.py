"""Check-ins and own texts in the encrypted file. Fulfils the protocols of `care.keeping` without knowing that package.

Nothing here is touched by a retention time; destroying the history takes it along.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from tide_chat.store import values
from tide_chat.store.opened import OpenFile


class Noted(Protocol):
    """What is kept of a check-in. at: an aware time; it comes back in whole milliseconds, in this computer's zone."""

    @property
    def at(self) -> datetime: ...

    @property
    def level(self) -> int: ...

    @property
    def when(self) -> str: ...

    @property
    def tool(self) -> str: ...


Note = TypeVar("Note", bound=Noted)


class StoredJournal(Generic[Note]):
    """Check-ins. make: builds one from its time, level, moment and tool. Methods raise StoreError."""

    def __init__(self, file: OpenFile, make: Callable[[datetime, int, Any, str], Note]) -> None:
        self._file, self._make = file, make

    def add(self, check_in: Note) -> None:
        sql = "INSERT INTO check_in (at, level, moment, tool) VALUES (?, ?, ?, ?)"
        with self._file.writing():
            self._file.run(sql, values.stamp(check_in.at), check_in.level, check_in.when, check_in.tool)

    def read(self) -> Sequence[Note]:
        """All of them, oldest first."""
        rows = self._file.rows("SELECT at, level, moment, tool FROM check_in ORDER BY at, id")
        return tuple(self._make(values.moment(at).astimezone(), *rest) for at, *rest in rows)

    def clear(self) -> None:
        with self._file.writing():
            self._file.run("DELETE FROM check_in")
        self._file.settle()


class StoredPapers:
    """Own texts by name. Methods raise StoreError."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file

    def get(self, name: str) -> str:
        """The text; empty when there is none."""
        rows = self._file.rows("SELECT text FROM paper WHERE name = ?", str(name))
        return str(rows[0][0]) if rows else ""

    def put(self, name: str, text: str) -> None:
        """Replace a text; an empty one removes it. What stood there before is overwritten in the file."""
        with self._file.writing():
            replace_text(self._file, str(name), text)
        self._file.settle()


def replace_text(file: OpenFile, name: str, text: str) -> None:
    """Within `writing`; an empty text removes what is there."""
    file.run("DELETE FROM paper WHERE name = ?", name)
    if kept := values.storable(text):
        file.run("INSERT INTO paper (name, text) VALUES (?, ?)", name, kept)


def in_file(
    file: OpenFile, make: Callable[[datetime, int, Any, str], Note]
) -> tuple[StoredJournal[Note], StoredPapers]:
    """Where check-ins and own texts are kept in an open history."""
    return StoredJournal(file, make), StoredPapers(file)
