"""Check-ins and own texts in a real encrypted file: they come back, outlive retention, and go with the history."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.store.conftest import PASSPHRASE
from tide_chat.care.checkin import CheckIn
from tide_chat.care.keeping import KEPT, LOCKED, UNKEPT, Care, MemoryPapers, Paper
from tide_chat.care.plan import SafetyPlan
from tide_chat.errors import StoreError
from tide_chat.messages import Message, Role
from tide_chat.store import cipher, schema
from tide_chat.store.archive import Archive
from tide_chat.store.care import in_file
from tide_chat.store.keys import Key
from tide_chat.store.vault import Vault

pytestmark = pytest.mark.usefixtures("cheap_keys")

NOW = datetime(2026, 6, 9, 21, 40, 3, 250_000, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
CHECK_INS = st.builds(
    CheckIn,
    st.integers(0, 10**9).map(lambda ms: NOW - timedelta(milliseconds=ms)),
    st.integers(0, 10),
    st.sampled_from(["alone", "before", "after"]),
    st.sampled_from(["", "grounding", "breathing"]),
)


def kept(archive: Archive) -> Care:
    care = Care()
    care.keep_in(*in_file(archive, CheckIn))
    return care


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(CHECK_INS, max_size=6))
def test_check_ins_come_back_oldest_first(archive: Archive, noted: list[CheckIn]) -> None:
    journal = kept(archive).journal
    journal.clear()
    for one in noted:
        journal.add(one)
    assert list(journal.read()) == sorted(noted, key=lambda one: one.at)
    assert all(one.at.tzinfo for one in journal.read())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.sampled_from(list(Paper)), TEXT, TEXT)
def test_a_text_is_what_was_put_last(archive: Archive, name: Paper, first: str, second: str) -> None:
    papers = kept(archive).papers
    for text in (first, second, ""):
        papers.put(name, text)
        assert papers.get(name) == text
    assert archive.rows("SELECT count(*) FROM paper") == [(0,)]


def test_they_are_there_when_it_is_opened_again(vault: Vault, archive: Archive) -> None:
    care = kept(archive)
    care.keep_plan(SafetyPlan(coping="cold water"))
    care.journal.add(CheckIn(NOW.astimezone(timezone(timedelta(hours=5))), 7, "before", "grounding"))
    archive.close()
    with vault.open(vault.unlock(PASSPHRASE)) as again:
        found = kept(again)
        assert found.plan() == SafetyPlan(coping="cold water")
        assert [(one.level, one.when, one.tool) for one in found.journal.read()] == [(7, "before", "grounding")]
        assert found.journal.read()[0].at == NOW


def test_retention_takes_conversations_and_no_papers(vault: Vault, archive: Archive) -> None:
    care = kept(archive)
    care.papers.put(Paper.CALM_PLACE, "a lake")
    care.journal.add(CheckIn(NOW - timedelta(days=4000), 3))
    archive.create([Message(Role.USER, "old")])
    with archive.writing():
        archive.run("UPDATE conversation SET updated = 1")
    archive.close()
    with vault.open(vault.unlock(PASSPHRASE), days=1) as again:
        assert again.count() == 0
        assert kept(again).papers.get(Paper.CALM_PLACE) == "a lake"
        assert len(kept(again).journal.read()) == 1


def test_what_was_removed_is_nowhere_in_the_file_not_even_for_somebody_with_the_key(
    vault: Vault, archive: Archive, tmp_path: Path
) -> None:
    care = kept(archive)
    care.papers.put(Paper.CONTACTS, "zqxwplantedvqz " * 300)
    care.papers.put(Paper.CONTACTS, "")
    assert archive.rows("PRAGMA secure_delete") == [(1,)]  # an export shows live rows only, so this is asked for itself
    assert archive.rows("PRAGMA freelist_count") == [(0,)]
    plain = tmp_path / "plain.db"
    archive.rows(f"ATTACH DATABASE '{plain}' AS bare KEY ''")
    archive.rows("SELECT sqlcipher_export('bare')")
    archive.rows("DETACH DATABASE bare")
    assert b"zqxwplantedvqz" not in plain.read_bytes()
    assert all(b"zqxwplantedvqz" not in file.read_bytes() for file in vault.folder.iterdir())


def test_a_history_of_the_first_version_gets_the_new_tables_and_loses_nothing(tmp_path: Path) -> None:
    path, key = tmp_path / "old.db", Key(bytes(range(32)))
    old = cipher.create(path, key, bytes(16))
    for statement in schema.MIGRATIONS[0]:
        old.execute(statement)
    old.execute("PRAGMA user_version = 1")
    with Archive(old, path) as archive:
        archive.create([Message(Role.USER, "from before")])
    new = cipher.connect(path, key)
    schema.migrate(new, path)
    with Archive(new, path) as archive:
        assert [hit.snippet.text for hit in archive.search("before")] == ["from before"]
        kept(archive).papers.put(Paper.ABOUT_ME, "Sam")
        assert kept(archive).papers.get(Paper.ABOUT_ME) == "Sam"


def test_what_was_written_before_it_was_opened_moves_along_and_takes_no_place(archive: Archive) -> None:
    kept(archive).papers.put(Paper.CALM_PLACE, "a lake")
    care = Care(papers=MemoryPapers({Paper.CALM_PLACE: "a wood", Paper.CONTACTS: "Maria"}), locked=True)
    care.journal.add(CheckIn(NOW, 4))
    assert care.where == LOCKED
    care.keep_in(*in_file(archive, CheckIn))
    assert care.where == KEPT
    assert (care.papers.get(Paper.CALM_PLACE), care.papers.get(Paper.CONTACTS)) == ("a lake", "Maria")
    assert [one.level for one in kept(archive).journal.read()] == [4]
    care.keep_nothing(locked=False)
    assert care.where == UNKEPT
    assert care.papers.get(Paper.CONTACTS) == ""


@pytest.mark.parametrize(
    ("there", "here", "carried"),
    [
        ({Paper.ABOUT_ME: "Sam"}, {Paper.ABOUT_ME: "Ann", Paper.CARRY: "yes"}, ""),
        ({Paper.ABOUT_ME: "Sam"}, {Paper.CARRY: "yes"}, ""),
        ({Paper.ABOUT_ME: "Sam", Paper.CARRY: "yes"}, {Paper.ABOUT_ME: "Ann"}, "Sam"),
        ({Paper.CARRY: "yes"}, {Paper.ABOUT_ME: "Ann"}, ""),
        ({}, {Paper.ABOUT_ME: "Ann", Paper.CARRY: "yes"}, "Ann"),
    ],
)
def test_opening_a_history_switches_nothing_on_that_was_not(
    archive: Archive, there: dict[Paper, str], here: dict[Paper, str], carried: str
) -> None:
    for name, text in there.items():
        kept(archive).papers.put(name, text)
    care = Care(papers=MemoryPapers(here))
    care.keep_in(*in_file(archive, CheckIn))
    assert care.carried() == carried


def test_a_move_that_fails_half_way_goes_on_and_moves_nothing_twice(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    care = Care(papers=MemoryPapers({Paper.CONTACTS: "Maria"}))
    for level in (3, 5):
        care.journal.add(CheckIn(NOW + timedelta(minutes=level), level))
    journal, papers = in_file(archive, CheckIn)
    add = journal.add

    def full(check_in: CheckIn) -> None:
        if check_in.level == 5:
            raise StoreError("The disk is full.")
        add(check_in)

    with monkeypatch.context() as patch:
        patch.setattr(journal, "add", full)
        for _ in range(2):
            with pytest.raises(StoreError):
                care.keep_in(journal, papers)
    assert not care.kept
    assert [one.level for one in care.journal.read()] == [5]
    care.keep_in(journal, papers)
    assert [one.level for one in care.journal.read()] == [3, 5]
    assert care.papers.get(Paper.CONTACTS) == "Maria"


def test_what_is_carried_is_written_by_the_person_and_off_until_it_is_switched_on() -> None:
    care = Care()
    care.papers.put(Paper.ABOUT_ME, " Sam, my sister's name is Maria. ")
    assert care.carried() == ""
    care.carry(True)
    assert care.carried() == "Sam, my sister's name is Maria."
    care.carry(False)
    assert care.carried() == ""
