"""An SQLCipher connection, and what its failures mean. The only module that knows sqlcipher3; knows no tables.

Pages are AES-256 with a MAC each; so are those of the write-ahead log. WAL with synchronous=FULL: what was committed is
on the disk. SQLCipher's memory security (each allocation locked and wiped) stays off: it made searching forty to a
hundred times slower, and the texts are in the program's own memory anyway.
"""

import contextlib
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from tide_chat.errors import StoreDamaged, StoreError, StoreLocked, TideError, WrongPassphrase
from tide_chat.store.keys import Key

PAGE = 4096  # bytes
WAIT_S = 5.0  # for another process to finish writing

_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 26
_SETTINGS = (
    "auto_vacuum = FULL",  # before the first table: deleting gives the space back at once
    "journal_mode = WAL",
    "synchronous = FULL",
    "secure_delete = ON",  # what is deleted is overwritten
    "foreign_keys = ON",
    "temp_store = MEMORY",  # sorting never spills to a plain file
)


class Cursor(Protocol):
    lastrowid: int
    rowcount: int

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """What we use of a DB-API connection in autocommit."""

    def execute(self, sql: str, values: Sequence[object] = ..., /) -> Cursor: ...

    def executemany(self, sql: str, values: Sequence[Sequence[object]], /) -> Cursor: ...

    def close(self) -> None: ...


def driver() -> Any:
    """The DB-API module. Raises StoreError: there is no history without encryption."""
    try:
        return importlib.import_module("sqlcipher3.dbapi2")
    except ImportError as error:
        raise StoreError(
            "A history is always encrypted, and SQLCipher is not installed here.",
            help="Install it: pip install sqlcipher3",
        ) from error


def create(path: Path, key: Key, salt: bytes) -> Connection:
    """A new encrypted file. Raises StoreError."""
    return _connect(path, f"{key.raw.hex()}{salt.hex()}", "rwc")


def connect(path: Path, key: Key) -> Connection:
    """An existing file. Raises WrongPassphrase, StoreError."""
    return _connect(path, key.raw.hex(), "rw")


def in_memory() -> Connection:
    """An empty one that never touches a disk, and is gone when closed. Raises StoreError."""
    connection: Connection = driver().connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def read_salt(path: Path) -> bytes:
    """The first 16 bytes of the file, which are not encrypted. Raises StoreError, StoreDamaged.

    Read by SQLite and not by us: closing a file of our own would drop the locks that this process holds on it.
    """
    with _told(path, opening=True):
        connection = _bare(path, "rw")
        try:
            _use_key(connection, "00" * 32)
            salt = bytes.fromhex(connection.execute("PRAGMA cipher_salt").fetchone()[0])
        finally:
            connection.close()
    if path.stat().st_size < PAGE:
        raise damaged(path, "It is shorter than its first page.")
    if salt.startswith(b"SQLite format 3"):
        raise damaged(path, "It is a database that is not encrypted, so it is none of ours.")
    return salt


def rekey(path: Path, old: Key, new: Key) -> None:
    """Encrypt everything anew, in one transaction. A failure changes nothing, and may go unreported by SQLCipher."""
    connection = connect(path, old)
    try:
        with told(path):
            connection.execute(f"PRAGMA rekey = \"x'{new.raw.hex()}'\"").fetchall()
    finally:
        connection.close()  # the last one that closes moves the write-ahead log into the file


def settle(connection: Connection) -> None:
    """Move the write-ahead log into the file and empty it. While somebody reads, it is done later."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def wait(connection: Connection, seconds: float) -> None:
    """How long it waits from now on for another process to finish writing."""
    connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}").fetchall()


def damaged(path: Path, details: str) -> StoreDamaged:
    return StoreDamaged(
        "The history is damaged.",
        details=f"{path}: {details}",
        help="If you have a copy of the file, put it back. Otherwise only deletion remains: "
        "tide-chat history forget-all",
    )


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Failures of SQLite in words. Raises StoreError and its kinds."""
    with _told(path, opening=False):
        yield


@contextlib.contextmanager
def transaction(connection: Connection, path: Path) -> Iterator[None]:
    """All or nothing; what is committed survives a power cut. Raises StoreError."""
    with told(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(driver().Error):  # SQLite may have rolled back by itself
                connection.execute("ROLLBACK")
            raise


def _connect(path: Path, key: str, mode: str) -> Connection:
    connection: Connection | None = None
    try:
        with _told(path, opening=True):
            connection = _bare(path, mode)
            _use_key(connection, key)
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]  # reads the first page
            if mode == "rw" and not tables:
                raise damaged(path, "It is empty.")
            for setting in _SETTINGS:
                connection.execute(f"PRAGMA {setting}").fetchall()
            return connection
    except TideError:
        if connection:
            connection.close()
        raise


def _bare(path: Path, mode: str) -> Connection:
    found: Connection = driver().connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=WAIT_S,
        isolation_level=None,
        check_same_thread=False,  # the archive has a lock of its own
    )
    return found


def _use_key(connection: Connection, key: str) -> None:
    connection.execute("PRAGMA cipher_log_level = NONE").fetchall()  # else a wrong key is announced on stderr
    connection.execute(f"PRAGMA key = \"x'{key}'\"").fetchall()


@contextlib.contextmanager
def _told(path: Path, *, opening: bool) -> Iterator[None]:
    try:
        yield
    except driver().Error as error:
        raise _in_words(path, getattr(error, "sqlite_errorcode", 0) & 0xFF, str(error), opening=opening) from error


def _in_words(path: Path, code: int, said: str, *, opening: bool) -> StoreError:
    """`opening`: the first page could not be read. A wrong key and a damaged page cannot be told apart there."""
    if code in (_BUSY, _LOCKED):
        return StoreLocked(
            "Another tide-chat is writing to the history, and it takes too long.",
            details=str(path),
            help="Try again in a moment. If it stays so, close the other one.",
        )
    if code in (_FULL, _IOERR):
        return StoreError(
            "The history could not be written or read: the disk is full, or it failed.",
            details=f"{path}: {said}",
            help="What was kept before is unharmed. Make some room, then try again.",
        )
    if code in (_READONLY, _CANTOPEN):
        return StoreError(
            "The history cannot be opened for writing.",
            details=f"{path}: {said}",
            help="See that the file and its folder belong to you and can be written.",
        )
    if code == _NOTADB and opening:
        return _wrong(path)
    if code in (_NOTADB, _CORRUPT):
        return damaged(path, said)
    return StoreError("The history could not be used.", details=f"{path}: {said}")


def _wrong(path: Path) -> StoreError:
    if path.stat().st_size < PAGE:
        return damaged(path, "It is shorter than its first page.")
    return WrongPassphrase(
        "This passphrase does not open the history.",
        help="Try again; watch for capital letters and the keyboard's language. (If it is surely right, the first page "
        "of the file is damaged.)\nNobody can recover a forgotten passphrase. Then only deletion remains: "
        "tide-chat history forget-all",
    )
