"""The open file: one connection, used from several threads behind one lock. Knows no tables.

What was written when a method returns survives a power cut; several processes may have the same file open.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tide_chat.store import cipher, values
from tide_chat.store.cipher import Connection, Cursor


class OpenFile:
    """What `archive` and `care` stand on. Every method raises StoreError when the file fails."""

    def __init__(
        self,
        connection: Connection,
        path: Path,
        *,
        on_close: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._path = path
        self._on_close = on_close
        self._lock = threading.RLock()
        self.clock = clock

    def close(self) -> None:
        """Twice does no harm."""
        with self._lock:
            self._connection.close()
            self._on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rows(self, sql: str, *values: object) -> list[Any]:
        with self._lock, cipher.told(self._path):
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> Cursor:
        """A statement that changes something; only within `writing`."""
        return self._connection.execute(sql, values)

    @contextmanager
    def together(self) -> Iterator[None]:
        """No other thread comes between what is read inside."""
        with self._lock:
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing."""
        with self._lock, cipher.transaction(self._connection, self._path):
            yield

    @contextmanager
    def briefly(self) -> Iterator[None]:
        """What is done inside does not wait for another process that is writing: it raises StoreLocked at once."""
        with self._lock, cipher.told(self._path):
            cipher.wait(self._connection, 0.0)
            try:
                yield
            finally:
                cipher.wait(self._connection, cipher.WAIT_S)

    def settle(self) -> None:
        """Empty the write-ahead log, so that what was deleted is nowhere any more."""
        with self._lock, cipher.told(self._path):
            cipher.settle(self._connection)

    def now(self) -> int:
        """The time as it is kept."""
        return values.stamp(self.clock())
