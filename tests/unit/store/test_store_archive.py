"""Conversations in a real encrypted file: what is written is read, found, branched, deleted."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tide_chat.errors import NoConversation, StoreError
from tide_chat.messages import Conversation, Message, Role
from tide_chat.store import cipher, schema, search, values
from tide_chat.store.archive import Archive
from tide_chat.store.diary import Diary
from tide_chat.store.keys import Key
from tide_chat.store.vault import Vault

KEY = Key(bytes(range(32)))
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
MESSAGE = st.builds(Message, st.sampled_from([Role.USER, Role.ASSISTANT]), TEXT, st.booleans())


class Clock:
    """A second later at each look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def opened(folder: Path) -> Archive:
    path = folder / "a.db"
    connection = cipher.create(path, KEY, bytes(16))
    connection.execute("PRAGMA synchronous = OFF")  # what survives a crash is tested elsewhere; this is many writes
    schema.migrate(connection, path)
    return Archive(connection, path, clock=Clock())


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with opened(tmp_path) as found:
        yield found


def user(text: str) -> Message:
    return Message(Role.USER, text)


def reply(text: str) -> Message:
    return Message(Role.ASSISTANT, text)


def texts(archive: Archive, number: int) -> list[str]:
    return [one.message.text for one in archive.messages(number)]


class TestReading:
    def test_messages_come_back_as_they_were(self, archive: Archive) -> None:
        number = archive.create()
        said = [user("a\nb"), Message(Role.ASSISTANT, "ça va", authored=True)]
        kept = [archive.append(number, one) for one in said]
        assert list(archive.messages(number)) == kept
        assert [one.message for one in kept] == said
        assert kept[0].at < kept[1].at
        assert kept[0].at.tzinfo is UTC

    def test_the_newest_conversation_comes_first_and_windows_meet(self, archive: Archive) -> None:
        numbers = [archive.create([user(f"n {i}")]) for i in range(7)]
        archive.append(numbers[2], reply("again"))
        order = [one.id for one in archive.conversations(100)]
        assert order == [3, 7, 6, 5, 4, 2, 1]
        assert [one.id for first in range(0, 7, 3) for one in archive.conversations(3, first)] == order
        assert archive.count() == 7

    def test_a_summary_tells_how_it_begins(self, archive: Archive) -> None:
        number = archive.create([user("so\n many   words " + "x" * 100), reply("r")])
        found = archive.summary(number)
        assert (found.messages, found.title, found.revision) == (2, "", 0)
        assert found.name == "so many words…"
        assert archive.summary(archive.create([user("x" * 500)])).name == "x" * values.OPENING + "…"
        assert archive.summary(archive.create()).name == "(empty)"

    def test_a_window_of_a_long_conversation(self, archive: Archive) -> None:
        number = archive.create([user(str(i)) for i in range(100)])
        window = archive.messages(number, first=40, limit=5)
        assert [(one.position, one.message.text) for one in window] == [(i, str(i)) for i in range(40, 45)]
        assert archive.messages(number, first=100) == ()

    def test_what_is_not_there_is_said(self, archive: Archive) -> None:
        for call in (archive.summary, archive.messages, archive.delete, archive.record):
            with pytest.raises(NoConversation, match="no conversation 9"):
                call(9)
        for attempt in (
            lambda: archive.append(9, user("x")),
            lambda: archive.rename(9, "x"),
            lambda: archive.branch(9, 0),
        ):
            with pytest.raises(NoConversation):
                attempt()
        assert archive.count() == 0


class TestWriting:
    def test_rename(self, archive: Archive) -> None:
        number = archive.create([user("first words")])
        archive.rename(number, " two\nlines " + "x" * 300)
        assert archive.summary(number).name.startswith("two lines xxx")
        assert len(archive.summary(number).title) == values.TITLE
        archive.rename(number, "")
        assert archive.summary(number).name == "first words"

    def test_a_branch_lives_apart(self, archive: Archive) -> None:
        number = archive.create([user("a"), reply("b"), user("c")])
        copy = archive.branch(number, 1)
        assert texts(archive, copy) == ["a", "b"]
        assert archive.messages(copy)[0].at == archive.messages(number)[0].at
        archive.append(copy, user("other"))
        archive.delete(number)
        assert texts(archive, copy) == ["a", "b", "other"]
        assert archive.summary(copy).name == "a (branch)"

    def test_numbers_are_never_used_again(self, archive: Archive) -> None:
        archive.delete(archive.create())
        assert archive.create() == 2

    def test_what_is_no_character_is_not_kept(self, archive: Archive) -> None:
        assert texts(archive, archive.create([user("a\ud800b\0c")])) == ["a?bc"]

    def test_a_failure_in_the_middle_leaves_nothing(self, archive: Archive) -> None:
        def messages() -> Iterator[Message]:
            yield user("one")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            archive.create(list(itertools.chain([user("x")], messages())))
        number = archive.create([user("kept")])
        with pytest.raises(AttributeError):
            archive.rewrite(number, 0, [user("new"), None], 0)  # type: ignore[list-item]
        assert texts(archive, number) == ["kept"]

    def test_retention_counts_from_the_last_change(self, archive: Archive, tmp_path: Path) -> None:
        clock = archive.clock
        assert isinstance(clock, Clock)
        old, touched = archive.create([user("old")]), archive.create([user("touched")])
        clock.now += timedelta(days=29)
        archive.append(touched, user("again"))
        clock.now += timedelta(days=2)
        assert archive.delete_older(30) == 1
        assert [one.id for one in archive.conversations()] == [touched]
        assert archive.search("old") == ()
        assert old != touched

    def test_threads_may_share_it(self, archive: Archive) -> None:
        number = archive.create()

        def write(name: int) -> None:
            for i in range(10):
                archive.append(number, user(f"{name}-{i}"))

        threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(texts(archive, number))) == 40


class TestSearch:
    def test_all_words_must_occur_and_the_last_may_be_begun(self, archive: Archive) -> None:
        number = archive.create([user("The night was cold."), reply("Nights are long"), user("cold water")])
        assert [hit.position for hit in archive.search("NIGHT cold")] == [0]
        assert [hit.position for hit in archive.search("nig")] == [1, 0]
        assert [hit.position for hit in archive.search("cold wat")] == [2]
        assert archive.search("cold day") == ()
        assert archive.search("col water") == ()
        assert archive.search("cold")[0].conversation == number

    def test_accents_do_not_count(self, archive: Archive) -> None:
        archive.create([user("Café, crème brûlée, Zoë")])
        for typed in ("cafe", "CREME", "brulée", "zoe"):
            assert archive.search(typed), typed

    def test_spans_show_what_matched(self, archive: Archive) -> None:
        archive.create([user("before " * 30 + "I can't sleep, sleep is gone" + " after" * 30)])
        snippet = archive.search("can't sleep")[0].snippet
        assert [snippet.text[start:end] for start, end in snippet.spans] == ["can't", "sleep", "sleep"]
        assert len(snippet.text) <= search.LENGTH + 2
        assert snippet.text.startswith("…")

    def test_a_long_text_full_of_matches_does_not_hang(self, archive: Archive) -> None:
        archive.create([user("words " * 50_000)])
        began = time.process_time()
        assert archive.search("words")
        assert time.process_time() - began < 1, "FTS5's own snippets need half a minute"

    def test_deleted_and_rewritten_words_are_not_found(self, archive: Archive) -> None:
        number = archive.create([user("secretword")])
        archive.create([user("otherword")])
        archive.delete(number)
        assert archive.search("secretword") == ()
        archive.rewrite(2, 0, (), 0)
        assert archive.search("otherword") == ()

    def test_hits_come_in_windows_newest_first(self, archive: Archive) -> None:
        for i in range(5):
            archive.create([user(f"word {i}")])
        assert [hit.conversation for hit in archive.search("word", 2, 1)] == [4, 3]

    def test_a_query_without_a_word_finds_nothing(self, archive: Archive) -> None:
        archive.create([user("… !? *")])
        for typed in ("", "  ", "?!", '"', "*", "\0", "́"):
            assert archive.search(typed) == ()

    @given(typed=st.text(max_size=30) | st.text(st.sampled_from('abc "*()^:+-{}NEAR AND OR NOT\0'), max_size=20))
    @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_anything_can_be_typed(self, archive: Archive, typed: str) -> None:
        archive.search(typed)

    @given(text=TEXT)
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_a_snippet_holds_the_words_of_the_text_only(self, archive: Archive, text: str) -> None:
        archive.create([user(f"{text} findme")])
        snippet = archive.search("findme", limit=1)[0].snippet
        assert snippet.text.removeprefix("…").removesuffix("…") in f"{text} findme"
        assert "findme" in {snippet.text[start:end] for start, end in snippet.spans}


class TestDiary:
    @given(steps=st.lists(st.lists(MESSAGE, max_size=5), max_size=5))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_after_save_the_stored_conversation_is_the_one_on_the_screen(
        self, archive: Archive, steps: list[list[Message]]
    ) -> None:
        diary = Diary(archive)
        for step in steps:
            conversation = Conversation(tuple(step))
            diary.save(conversation)
            if diary.id is None:
                assert not step
            else:
                assert Diary(archive).resume(diary.id) == conversation

    def test_nothing_is_stored_for_nothing(self, archive: Archive) -> None:
        Diary(archive).save(Conversation())
        assert archive.count() == 0

    def test_a_turn_again_and_taken_back(self, archive: Archive) -> None:
        diary, said = Diary(archive), Conversation().user("hello")
        diary.save(said)
        assert diary.id
        assert texts(archive, diary.id) == ["hello"]
        diary.save(said.assistant("part"))
        first = archive.messages(diary.id)[0]
        diary.save(said.assistant("another"))
        assert texts(archive, diary.id) == ["hello", "another"]
        assert archive.messages(diary.id)[0] == first
        diary.save(Conversation())
        assert texts(archive, diary.id) == []

    def test_the_end_of_a_long_conversation_can_be_continued(self, archive: Archive) -> None:
        number = archive.create([user(str(i)) for i in range(10)])
        diary = Diary(archive)
        screen = diary.resume(number, last=3)
        assert [one.text for one in screen.messages] == ["7", "8", "9"]
        diary.save(screen.user("10"))
        diary.save(Conversation(screen.messages[:1]).assistant("new"))
        assert texts(archive, number) == [*map(str, range(8)), "new"]

    def test_two_windows_in_one_conversation_part_and_lose_nothing(self, archive: Archive) -> None:
        number = archive.create([user(str(i)) for i in range(4)])
        one, two = Diary(archive), Diary(archive)
        screens = one.resume(number), two.resume(number, last=2)
        one.save(screens[0].user("one"))
        two.save(screens[1].user("two"))
        two.save(screens[1].user("two").assistant("reply"))
        assert one.id == number
        assert two.id not in (None, number)
        assert texts(archive, number) == ["0", "1", "2", "3", "one"]
        assert texts(archive, two.id or 0) == ["0", "1", "2", "3", "two", "reply"]

    def test_what_another_window_deleted_does_not_come_back(self, archive: Archive) -> None:
        diary, said = Diary(archive), Conversation().user("deleted words").assistant("reply")
        diary.save(said)
        archive.delete(diary.id or 0)
        said = said.user("lost")
        with pytest.raises(NoConversation):
            diary.save(said)
        assert archive.count() == 0
        diary.save(said)
        diary.save(said := said.assistant("an answer to what is not kept"))
        assert archive.count() == 0
        diary.save(said.user("after").assistant("kept"))
        assert archive.search("deleted") == ()
        assert texts(archive, diary.id or 0) == ["after", "kept"]

    def test_forget_and_leave(self, archive: Archive) -> None:
        diary, said = Diary(archive), Conversation().user("hello")
        diary.save(said)
        diary.leave()
        diary.save(said)
        assert archive.count() == 2
        diary.forget()
        diary.forget()
        assert archive.count() == 1

    def test_a_failed_save_can_be_tried_again(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        diary, said = Diary(archive), Conversation().user("a")
        diary.save(said)
        pages = archive._connection.execute("PRAGMA page_count").fetchone()[0]
        archive._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        longer = said.assistant("x" * 100_000)
        with pytest.raises(StoreError, match="disk is full"):
            diary.save(longer)
        assert texts(archive, diary.id or 0) == ["a"]
        archive._connection.execute("PRAGMA max_page_count = 100000").fetchall()
        diary.save(longer)
        assert Diary(archive).resume(diary.id or 0) == longer

    def test_a_copy_that_fails_half_way_holds_everything_the_next_time(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        diary, said = Diary(archive), Conversation().user("one").assistant("two")
        diary.save(said)
        other = Diary(archive)
        other.save(other.resume(diary.id or 0).user("from another window"))
        mine, answers = said.user("mine"), [False]

        def fails_at_the_copy(id: int, keep: int, messages: Sequence[Message], revision: int) -> bool:
            if answers:
                return answers.pop()
            raise StoreError("The disk is full.")

        with monkeypatch.context() as patch:
            patch.setattr(archive, "rewrite", fails_at_the_copy)
            with pytest.raises(StoreError, match="full"):
                diary.save(mine)
        diary.save(mine)
        assert texts(archive, diary.id or 0) == ["one", "two", "mine"]
        assert diary.id != other.id


@pytest.mark.usefixtures("cheap_keys")
class TestSchema:
    def test_an_older_file_is_brought_up_and_keeps_what_it_holds(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        vault = Vault(tmp_path)
        key = vault.create("a passphrase")
        with vault.open(key) as archive:
            archive.create([user("kept")])
        added = "ALTER TABLE conversation ADD COLUMN summary TEXT NOT NULL DEFAULT ''"
        monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, (added,)))
        with vault.open(key) as archive:
            assert archive.rows("SELECT summary FROM conversation") == [("",)]
            assert archive.search("kept")

    def test_a_broken_migration_changes_nothing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        vault = Vault(tmp_path)
        key = vault.create("a passphrase")
        with monkeypatch.context() as patch:
            patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE extra (a)", "no sql")))
            with pytest.raises(StoreError):
                vault.open(key)
        with vault.open(key) as archive:
            assert archive.rows("SELECT count(*) FROM sqlite_master WHERE name = 'extra'") == [(0,)]

    def test_a_newer_file_is_left_alone(self, tmp_path: Path) -> None:
        vault = Vault(tmp_path)
        key = vault.create("a passphrase")
        with vault.open(key) as archive:
            archive._connection.execute("PRAGMA user_version = 99")
        with pytest.raises(StoreError, match="newer tide-chat"):
            vault.open(key)
