"""A search for a letter or two finds in the newest messages what the whole file would give, and reads no more."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tide_chat.messages import Message, Role
from tide_chat.store import cipher, newest, schema, search
from tide_chat.store.archive import Archive
from tide_chat.store.keys import Key
from tide_chat.store.values import Hit

WORD = st.text("aábB-'ı不\u0301", min_size=1, max_size=3)
TEXTS = st.lists(st.lists(WORD, max_size=4).map(" ".join), max_size=12)
ROWS = "SELECT id FROM message JOIN words ON words.rowid = message.id WHERE words MATCH ? ORDER BY id DESC"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    path = tmp_path / "a.db"
    connection = cipher.create(path, Key(bytes(range(32))), bytes(16))
    connection.execute("PRAGMA synchronous = OFF")
    schema.migrate(connection, path)
    with Archive(connection, path) as found:
        yield found


@pytest.fixture
def read(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the file is asked."""
    asked, rows = [], archive.rows

    def told(sql: str, *values: object) -> list[Any]:
        asked.append(sql)
        return rows(sql, *values)

    monkeypatch.setattr(archive, "rows", told)
    return asked


def user(text: str) -> Message:
    return Message(Role.USER, text)


def whole(archive: Archive, typed: str, limit: int, first: int) -> tuple[Hit, ...]:
    """Without looking at the newest by themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "is_short", lambda _: False)
        return archive.search(typed, limit, first)


@given(texts=TEXTS, typed=st.lists(WORD, min_size=1, max_size=2).map(" ".join), limit=st.integers(1, 5))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_is_found_as_in_the_whole_file(archive: Archive, texts: list[str], typed: str, limit: int) -> None:
    archive.create([user(text) for text in texts])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(newest, "BATCH", 3)
        for first in (0, 1):
            assert archive.search(typed, limit, first) == whole(archive, typed, limit, first)


def test_of_what_most_messages_have_the_index_of_the_file_is_not_asked(archive: Archive, read: list[str]) -> None:
    archive.create([user(f"about {n}") for n in range(3 * newest.BATCH)])
    assert len(archive.search("a", 100)) == 100
    assert not [sql for sql in read if "MATCH" in sql]
    assert read.count(newest._READ) == 2


@pytest.mark.parametrize(
    ("texts", "typed", "batches"),
    [
        (["about", *["other"] * 300], "a", 1),  # rare
        (["about"] * 5, "a", 2),  # few: the second batch is empty
        (["about"] * 300, "ab", 2),
        (["about it"] * 300, "about i", 2),
        (["about it"] * 300, "abo", 0),  # a longer word is looked for in the whole file
        (["about " * 10_000] * 30, "a", 1),  # long ones
    ],
)
def test_how_far_the_newest_are_read(
    archive: Archive, read: list[str], texts: list[str], typed: str, batches: int
) -> None:
    archive.create([user(text) for text in texts])
    found = archive.search(typed, 80)
    assert found == whole(archive, typed, 80, 0)
    assert read.count(newest._READ) == batches


def test_accents_count_as_little_as_in_the_file(archive: Archive) -> None:
    archive.create([user("Ärger über Ähnliches")] * 3)
    assert newest.ask(archive.rows, '"a"*', 2, ROWS, ('"a"*',)) == [(3,), (2,), (1,)]


def test_nothing_is_written_beside_the_file(archive: Archive, tmp_path: Path) -> None:
    archive.create([user("about")] * 300)
    before = sorted(tmp_path.iterdir())
    assert archive.search("a", 100)
    assert sorted(tmp_path.iterdir()) == before
    databases = archive.rows("PRAGMA database_list")
    assert [row[1] for row in databases] == ["main"]


def test_the_index_in_memory_has_no_file_and_never_sorts_in_one() -> None:
    with closing(cipher.in_memory()) as near:
        assert [row[2] for row in near.execute("PRAGMA database_list").fetchall()] == [""]
        assert near.execute("PRAGMA temp_store").fetchone()[0] == 2  # memory
        assert "TEMP_STORE=0" not in [
            row[0] for row in near.execute("PRAGMA compile_options").fetchall()
        ]  # else unheard
