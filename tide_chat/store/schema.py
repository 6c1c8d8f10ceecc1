"""The tables of the history and how older files become newer ones. Knows nothing of who reads them.

Kept of a message: who, the text, whether people wrote it (authored), when. Not kept: risk tier, model, anything else.
Check-ins and own texts (`paper`) stand apart: no retention time touches them.
Times are milliseconds since 1970 in UTC. Numbers of conversations are never used again.
"""

from pathlib import Path

from tide_chat.errors import StoreError
from tide_chat.store.cipher import Connection, told, transaction

WORDS = """
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = 'message', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
    )"""

_FIRST = (
    """
    CREATE TABLE conversation (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL DEFAULT '',
        created INTEGER NOT NULL,
        updated INTEGER NOT NULL,
        revision INTEGER NOT NULL DEFAULT 0  -- grows with each change of its messages
    )""",
    "CREATE INDEX conversation_by_birth ON conversation (created)",
    "CREATE INDEX conversation_by_time ON conversation (updated DESC, id DESC)",
    """
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL REFERENCES conversation ON DELETE CASCADE,
        position INTEGER NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
        text TEXT NOT NULL,
        authored INTEGER NOT NULL,
        at INTEGER NOT NULL,
        UNIQUE (conversation, position)
    )""",
    WORDS,
    "INSERT INTO words (words, rank) VALUES ('secure-delete', 1)",  # else deleted words stay in the index for a while
    """
    CREATE TRIGGER message_said AFTER INSERT ON message BEGIN
        INSERT INTO words (rowid, text) VALUES (new.id, new.text);
    END""",
    """
    CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
        INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
    END""",
)

_CARE = (
    """
    CREATE TABLE check_in (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 10),
        moment TEXT NOT NULL CHECK (moment IN ('alone', 'before', 'after')),
        tool TEXT NOT NULL
    )""",
    "CREATE INDEX check_in_by_time ON check_in (at)",
    "CREATE TABLE paper (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _CARE)  # version n is reached by the first n; never change one


def version(connection: Connection) -> int:
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def migrate(connection: Connection, path: Path) -> None:
    """Bring the file to the newest version, all or nothing. Raises StoreError when it is newer than this program."""
    with told(path):
        if version(connection) == len(MIGRATIONS):
            return
    with transaction(connection, path):
        found = version(connection)  # another process may have done it meanwhile
        if found > len(MIGRATIONS):
            raise StoreError(
                "The history was written by a newer tide-chat.",
                details=f"{path}: version {found}; this program knows {len(MIGRATIONS)}",
                help="Use the newer program. The file was left as it is.",
            )
        for statement in (one for migration in MIGRATIONS[found:] for one in migration):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
