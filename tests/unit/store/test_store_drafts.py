"""Drafts in a real encrypted file: each process its own, found again when the process is gone."""

import os
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.store.conftest import PASSPHRASE
from tide_chat.care.checkin import CheckIn
from tide_chat.care.keeping import Care, Paper
from tide_chat.errors import StoreLocked
from tide_chat.store.archive import Archive
from tide_chat.store.care import StoredPapers, in_file
from tide_chat.store.drafts import Drafts
from tide_chat.store.vault import Vault

pytestmark = pytest.mark.usefixtures("cheap_keys")

MARKER = "zqxwplantedvqz"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def keep_as(pid: int, archive: Archive, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: pid)
        Drafts(archive).keep(text)


@pytest.fixture
def gone() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(TEXT, TEXT)
def test_the_newest_is_what_is_found(archive: Archive, first: str, second: str) -> None:
    Drafts(archive).keep(first)
    Drafts(archive).keep(second)
    assert Drafts(archive).left() == second
    Drafts(archive).keep("")
    assert Drafts(archive).left() == ""


def test_what_another_window_is_writing_stays_there(
    archive: Archive, gone: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_as(os.getppid(), archive, "in another window", monkeypatch)
    keep_as(1, archive, "in one of another user", monkeypatch)  # there, and not ours to signal
    keep_as(gone, archive, "left behind", monkeypatch)
    drafts = Drafts(archive)
    assert drafts.left() == "left behind"
    assert drafts.left() == "left behind", "it is this window's now, until it is sent"
    drafts.keep("")
    assert drafts.left() == ""


def test_what_several_left_comes_together(archive: Archive, gone: int, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_as(gone, archive, "one", monkeypatch)
    keep_as(99_999_999_999, archive, "two", monkeypatch)
    assert sorted(Drafts(archive).left().split("\n")) == ["one", "two"]


@pytest.mark.parametrize("number", [os.getpid(), os.getppid(), 1], ids=["ours", "another's", "another user's"])
def test_a_later_program_with_the_same_number_holds_nothing_back(archive: Archive, number: int) -> None:
    StoredPapers(archive).put(f"draft {number}-1000000000 message", "before the computer was started again")
    assert Drafts(archive).left() == "before the computer was started again"


def test_each_box_has_its_own(archive: Archive, gone: int, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_as(gone, archive, "a message", monkeypatch)
    Drafts(archive).keep("a plan", "plan")
    drafts = Drafts(archive)
    assert drafts.boxes() == {"message", "plan"}
    assert drafts.left() == "a message"
    assert drafts.left("plan") == "a plan"
    assert drafts.left("contacts") == ""


def test_whoever_cannot_wait_is_told_at_once_that_another_is_writing(vault: Vault, archive: Archive) -> None:
    with vault.open(vault.unlock(PASSPHRASE)) as beside:
        with beside.writing():
            start = time.monotonic()
            with pytest.raises(StoreLocked), archive.briefly():
                Drafts(archive).keep(MARKER)
            assert time.monotonic() - start < 1
        assert archive.rows("PRAGMA busy_timeout") == [(5000,)]
        Drafts(archive).keep(MARKER)


def test_own_texts_stand_apart(archive: Archive) -> None:
    care = Care()
    care.keep_in(*in_file(archive, CheckIn))
    care.papers.put(Paper.CALM_PLACE, "the sea")
    Drafts(archive).keep("")
    assert Drafts(archive).left() == ""
    assert care.papers.get(Paper.CALM_PLACE) == "the sea"


def test_it_stands_in_no_file_and_survives_the_end_of_the_process(vault: Vault, archive: Archive) -> None:
    Drafts(archive).keep(MARKER)
    assert not [file for file in vault.folder.iterdir() if MARKER.encode() in file.read_bytes()]
    with vault.open(vault.unlock(PASSPHRASE)) as beside:
        assert Drafts(beside).left() == MARKER
