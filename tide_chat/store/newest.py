"""The newest messages with a small index of their own, for a search that most messages answer. In memory alone.

For a letter or two the index of the file puts together all words that begin so, of every message, before it gives the
first hit. Here only as many of the newest messages are read as are needed, and indexed by the same rules.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from tide_chat.store import cipher, schema
from tide_chat.store.cipher import Connection

BATCH = 64  # messages read at once
MOST = 200_000  # characters read before it is given up
_TABLES = (
    "CREATE TABLE message (id INTEGER PRIMARY KEY, conversation, position, role, text, at)",  # what a hit is made of
    schema.WORDS,
)
_READ = "SELECT id, conversation, position, role, text, at FROM message WHERE id < ? ORDER BY id DESC LIMIT ?"
_TEXT = 4  # its place in such a row
_KEEP = "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)"
_INDEX = "INSERT INTO words (rowid, text) SELECT id, text FROM message WHERE id BETWEEN ? AND ?"
_COUNT = "SELECT count(*) FROM words WHERE words MATCH ?"
_END = 2**63 - 1

Read = Callable[..., list[Any]]  # an SQL statement, and its values


def ask(read: Read, wanted: str, hits: int, sql: str, values: Sequence[object]) -> list[Any] | None:
    """What `sql` finds in messages that stand as in the file, the newest, with `hits` of them that `wanted` finds.

    None where fewer than every second message is one, or they are long: the whole file takes no longer then.
    """
    with contextlib.closing(cipher.in_memory()) as near:
        for statement in _TABLES:
            near.execute(statement)
        return near.execute(sql, values).fetchall() if _fill(near, read, wanted, hits) else None


def _fill(near: Connection, read: Read, wanted: str, hits: int) -> bool:
    """Whether there are enough."""
    oldest, seen, found, characters = _END, 0, 0, 0
    while found < hits and 2 * found >= seen:
        rows = read(_READ, oldest, BATCH)
        characters += sum(len(row[_TEXT]) for row in rows)
        if not rows or characters > MOST:
            return False
        newest, oldest = rows[0][0], rows[-1][0]
        near.executemany(_KEEP, rows)
        near.execute(_INDEX, (oldest, newest))
        found = near.execute(_COUNT, (wanted,)).fetchone()[0]
        seen += len(rows)
    return bool(found >= hits)
