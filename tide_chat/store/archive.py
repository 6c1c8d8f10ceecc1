"""Conversations in the open history: list, read, write, branch, search, delete. Knows no passphrase and no screen.

Windows (`limit`, `first`) keep long lists and long conversations cheap.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tide_chat.errors import NoConversation
from tide_chat.messages import Message, Role
from tide_chat.store import cipher, newest, search, values
from tide_chat.store.opened import OpenFile
from tide_chat.store.search import Marks
from tide_chat.store.values import Hit, Kept, Record, Summary
from tide_chat.wording import say

_MESSAGE = "SELECT position, role, text, authored, at FROM message WHERE conversation = ?"
_SUMMARY = f"""
    SELECT id, title,
           coalesce((SELECT substr(text, 1, {2 * values.OPENING}) FROM message
                     WHERE conversation = c.id AND position = 0), ''),
           created, updated,
           coalesce((SELECT max(position) + 1 FROM message WHERE conversation = c.id), 0), revision
    FROM conversation AS c"""
_HITS = f"""
    SELECT message.conversation, position, role, at,
           CASE WHEN length(message.text) > {search.LONGEST} THEN message.text ELSE highlight(words, 0, ?, ?) END
    FROM words JOIN message ON message.id = words.rowid
    WHERE words MATCH ? ORDER BY words.rowid DESC LIMIT ? OFFSET ?"""
_INSERT = "INSERT INTO message (conversation, position, role, text, authored, at) VALUES (?, ?, ?, ?, ?, ?)"


class Archive(OpenFile):
    """Made by `vault`. Every method raises StoreError when the file fails, NoConversation when `id` is not there."""

    # -- reading -----------------------------------------------------------------------------------------------------

    def count(self) -> int:
        return int(self.rows("SELECT count(*) FROM conversation")[0][0])

    def conversations(self, limit: int = 50, first: int = 0) -> tuple[Summary, ...]:
        """Conversations, the newest first, from the `first`-th on."""
        rows = self.rows(f"{_SUMMARY} ORDER BY updated DESC, id DESC LIMIT ? OFFSET ?", limit, first)
        return tuple(map(_summary, rows))

    def summary(self, id: int) -> Summary:
        rows = self.rows(f"{_SUMMARY} WHERE id = ?", id)
        if not rows:
            raise _gone(id)
        return _summary(rows[0])

    def messages(self, id: int, *, limit: int = -1, first: int = 0) -> tuple[Kept, ...]:
        """Messages from position `first` on, at most `limit` of them (all: -1)."""
        rows = self.rows(
            f"{_MESSAGE} AND position >= ? ORDER BY position LIMIT ?",
            *(id, first, limit),
        )
        if not rows:
            self.summary(id)
        return tuple(map(_kept, rows))

    def search(self, typed: str, limit: int = 50, first: int = 0) -> tuple[Hit, ...]:
        """Messages with all the words of `typed`, the newest first. Nothing for text without a word."""
        wanted, marks = search.query(typed), Marks.draw()
        if wanted is None:
            return ()
        with self.together():
            rows = self._hits(wanted, marks, limit, first)
            names = {found: self.summary(found).name for found in {row[0] for row in rows}}
        return tuple(
            Hit(row[0], names[row[0]], row[1], Role(row[2]), values.moment(row[3]), marks.read(row[4])) for row in rows
        )

    def turns(self, id: int, limit: int = 50, first: int = 0) -> tuple[Kept, ...]:
        """What the user said, the newest first, from the `first`-th on."""
        rows = self.rows(
            f"{_MESSAGE} AND role = 'user' ORDER BY position DESC LIMIT ? OFFSET ?",
            *(id, limit, first),
        )
        return tuple(map(_kept, rows))

    def turn_count(self, id: int) -> int:
        return int(self.rows("SELECT count(*) FROM message WHERE conversation = ? AND role = 'user'", id)[0][0])

    def turn_end(self, id: int, position: int) -> int:
        """The last position of the turn that begins at `position`: before the user's next message, or the last one."""
        after = "SELECT min(position) - 1 FROM message WHERE conversation = ? AND role = 'user' AND position > ?"
        end = self.rows(after, id, position)[0][0]
        return self.summary(id).messages - 1 if end is None else int(end)

    def record(self, id: int) -> Record:
        """All of a conversation."""
        with self.together():
            summary, kept = self.summary(id), self.messages(id)
        return Record(summary.title, summary.created, tuple((one.message, one.at) for one in kept))

    def ids(self) -> tuple[int, ...]:
        """All conversations, the oldest first."""
        return tuple(row[0] for row in self.rows("SELECT id FROM conversation ORDER BY created, id"))

    # -- writing -----------------------------------------------------------------------------------------------------

    def create(self, messages: Sequence[Message] = (), title: str = "") -> int:
        """A new conversation, at revision 0. Returns its number."""
        with self.writing():
            now = self.now()
            made = self._new(title, now, now)
            self._insert(made, 0, [(message, now) for message in messages])
        return made

    def rename(self, id: int, title: str) -> None:
        """The title loses line breaks and what is over 200 characters; an empty one shows the first words again."""
        with self.writing():
            self._change("UPDATE conversation SET title = ? WHERE id = ?", id, values.as_title(title))

    def append(self, id: int, message: Message) -> Kept:
        with self.writing():
            found, now = self.summary(id), self.now()
            self._insert(id, found.messages, [(message, now)])
            self._touch(id, now)
        return Kept(found.messages, message, values.moment(now))

    def rewrite(self, id: int, keep: int, messages: Sequence[Message], revision: int) -> bool:
        """Keep the first `keep` messages and put `messages` behind them.

        False, and nothing done, when the conversation is not at `revision`: somebody else has changed it.
        """
        with self.writing():
            found, now = self.summary(id), self.now()
            if found.revision != revision:
                return False
            self._cut(id, keep)
            self._insert(id, min(keep, found.messages), [(message, now) for message in messages])
            self._touch(id, now)
        return True

    def branch(self, id: int, upto: int, title: str = "") -> int:
        """A copy with the messages up to and with position `upto`. The two then live and are deleted apart."""
        with self.writing():
            name = title or f"{self.summary(id).name[: values.TITLE - 10]} (branch)"
            copy = self._new(name, self.now(), self.now())
            self._connection.execute(
                "INSERT INTO message (conversation, position, role, text, authored, at)"
                " SELECT ?, position, role, text, authored, at FROM message"
                " WHERE conversation = ? AND position <= ? ORDER BY position",
                (copy, id, upto),
            )
        return copy

    def add(self, records: Sequence[Record]) -> int:
        """Put in conversations from elsewhere, all or none. Those that are already here, just the same, are left out.

        Returns how many were added.
        """
        with self.writing():
            return sum(self._add(record) for record in records)

    # -- deleting ----------------------------------------------------------------------------------------------------

    def delete(self, id: int) -> None:
        """Overwrites it in the file, in the index and in the write-ahead log, and gives the space back."""
        with self.writing():
            self._change("DELETE FROM conversation WHERE id = ?", id)
        self.settle()

    def delete_older(self, days: int) -> int:
        """Delete what was not touched for so many days. Returns how many conversations that were."""
        limit = values.stamp(self.clock() - timedelta(days=days))
        with self.writing():
            gone = self._connection.execute("DELETE FROM conversation WHERE updated < ?", (limit,)).rowcount
        if gone:
            self.settle()
        return gone

    # -- inside ------------------------------------------------------------------------------------------------------

    def _hits(self, wanted: str, marks: Marks, limit: int, first: int) -> list[Any]:
        values = (marks.start, marks.end, wanted, limit, first)
        if search.is_short(wanted):
            with cipher.told(self._path):
                near = newest.ask(self.rows, wanted, first + limit, _HITS, values)
            if near is not None:
                return near
        return self.rows(_HITS, *values)

    def _new(self, title: str, created: int, updated: int) -> int:
        sql = "INSERT INTO conversation (title, created, updated) VALUES (?, ?, ?)"
        return self._connection.execute(sql, (values.as_title(title), created, updated)).lastrowid

    def _change(self, sql: str, id: int, *values: object) -> None:
        if not self._connection.execute(sql, (*values, id)).rowcount:
            raise _gone(id)

    def _insert(self, id: int, first: int, messages: "Sequence[tuple[Message, int]]") -> None:
        rows = [
            (id, first + n, one.role.value, values.storable(one.text), one.authored, at)
            for n, (one, at) in enumerate(messages)
        ]
        self._connection.executemany(_INSERT, rows)

    def _add(self, record: Record) -> bool:
        created = values.stamp(record.created)
        same = self.rows("SELECT id FROM conversation WHERE created = ?", created)
        if any(self.record(row[0]) == record for row in same):
            return False
        made = self._new(record.title, created, values.stamp(record.touched))
        self._insert(made, 0, [(message, values.stamp(at)) for message, at in record.messages])
        return True

    def _cut(self, id: int, keep: int) -> None:
        self._connection.execute("DELETE FROM message WHERE conversation = ? AND position >= ?", (id, keep))

    def _touch(self, id: int, now: int) -> None:
        sql = "UPDATE conversation SET updated = ?, revision = revision + 1 WHERE id = ?"
        self._connection.execute(sql, (now, id))


def _kept(row: Any) -> Kept:
    position, role, text, authored, at = row
    return Kept(position, Message(Role(role), text, bool(authored)), values.moment(at))


def _summary(row: Any) -> Summary:
    number, title, opening, created, updated, messages, revision = row
    return Summary(
        number, title, values.opening(opening), values.moment(created), values.moment(updated), messages, revision
    )


def _gone(id: int) -> NoConversation:
    what = say("There is no conversation {number}.", number=id)
    return NoConversation(what, help="To see which there are: tide-chat history list")
