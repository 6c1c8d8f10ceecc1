"""What stands in a form when the app ends comes back there where a history is kept, and is written nowhere else."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from tests.ui.care_driving import press, screen
from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles
from tests.ui.driving import app, chat, on_screen, send, settle
from tests.ui.history_driving import PASSPHRASE, kept_history, unlock
from tide_chat.care.plan import SafetyPlan
from tide_chat.store.vault import Vault
from tide_chat.ui import unsent
from tide_chat.ui.screens.care.writing import LEFT, OwnWords, WritingScreen, draft_of, read_draft

pytestmark = pytest.mark.usefixtures("cheap_keys")

TYPED = "zqxwplantedvqz"
TEXTS = st.dictionaries(st.sampled_from(["signs", "coping"]), st.text(), min_size=1)


@pytest.fixture
def vault(doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """A history; whatever is written, is written when the app ends."""
    monkeypatch.setattr(unsent, "WAIT", 600.0)
    return kept_history(doubles, tmp_path / "history")


async def open_form(pilot: Pilot[int], way: str) -> WritingScreen:
    if way.startswith("/"):
        await send(pilot, way)
    else:
        await press(pilot, *way.split())
    form = screen(pilot)
    assert isinstance(form, WritingScreen)
    return form


def end(pilot: Pilot[int], doubles: Doubles) -> None:
    """As the leave key does, and a signal; then the next run."""
    last = threading.Thread(target=app(pilot).write_last_unsent)
    last.start()
    last.join()
    doubles.book.close()
    doubles.care = type(doubles.care)()


def drafts(vault: Vault) -> list[str]:
    with vault.open(vault.unlock(PASSPHRASE)) as archive:
        return [text for (text,) in archive.rows("SELECT text FROM paper WHERE name GLOB 'draft *'")]


@pytest.mark.parametrize("way", ["alt+l e", "alt+p e", "/contacts", "/summary"])
async def test_it_stands_there_again(open_app: OpenApp, doubles: Doubles, vault: Vault, way: str) -> None:
    async with open_app() as pilot:
        await unlock(pilot)
        await open_form(pilot, way)
        await press(pilot, *TYPED)
        end(pilot, doubles)
    assert not [file for file in vault.folder.iterdir() if TYPED.encode() in file.read_bytes()]
    async with open_app() as pilot:
        await unlock(pilot)
        assert chat(pilot).composer.text == ""
        form = await open_form(pilot, way)
        box = form.query(OwnWords).first()
        assert box.text.startswith(TYPED)
        assert box.cursor_location == box.document.end
        assert LEFT in " ".join(on_screen(pilot).replace("│", " ").split())
        await press(pilot, "escape", "right", "enter")
        await settle(pilot)
        assert drafts(vault) == []
        form = await open_form(pilot, way.removeprefix("alt+l ").removeprefix("alt+p "))
        assert TYPED not in form.query(OwnWords).first().text


async def test_what_is_kept_is_no_draft(open_app: OpenApp, doubles: Doubles, vault: Vault) -> None:
    async with open_app() as pilot:
        await unlock(pilot)
        await open_form(pilot, "alt+l e")
        await press(pilot, *"quiet")
        end(pilot, doubles)
    assert len(drafts(vault)) == 1
    async with open_app() as pilot:
        await unlock(pilot)
        await open_form(pilot, "alt+l e")
        await press(pilot, "ctrl+s")
        await settle(pilot)
        assert doubles.care.plan() == SafetyPlan(signs="quiet")
        assert drafts(vault) == []


async def test_what_was_not_touched_takes_nothings_place(open_app: OpenApp, doubles: Doubles, vault: Vault) -> None:
    async with open_app() as pilot:
        await unlock(pilot)
        doubles.care.keep_plan(SafetyPlan(coping="water"))
        await open_form(pilot, "alt+l e")
        await press(pilot, *"quiet")
        end(pilot, doubles)
    async with open_app() as pilot:
        await unlock(pilot)
        doubles.care.keep_plan(SafetyPlan(coping="a walk"))  # elsewhere, meanwhile
        await open_form(pilot, "alt+l e")
        await press(pilot, "ctrl+s")
        assert doubles.care.plan() == SafetyPlan(signs="quiet", coping="a walk")


async def test_it_waits_until_its_form_is_opened(open_app: OpenApp, doubles: Doubles, vault: Vault) -> None:
    async with open_app() as pilot:
        await unlock(pilot)
        await open_form(pilot, "alt+p e")
        await press(pilot, *TYPED)
        end(pilot, doubles)
    async with open_app() as pilot:
        await unlock(pilot)
        chat(pilot).composer.put("something else")
        end(pilot, doubles)
    assert sorted(drafts(vault)) == ["something else", draft_of({"calm_place": TYPED})]


async def test_nothing_is_written_where_nothing_is_kept(open_app: OpenApp, doubles: Doubles, tide_home: Path) -> None:
    async with open_app() as pilot:
        await open_form(pilot, "alt+l e")
        await press(pilot, *TYPED)
        end(pilot, doubles)
    files = [path for path in tide_home.parent.rglob("*") if path.is_file()]
    assert not [path for path in files if TYPED.encode() in path.read_bytes()]


@given(TEXTS)
def test_a_draft_is_read_as_it_was_written(texts: dict[str, str]) -> None:
    assert read_draft(draft_of(texts)) == texts
    assert "\n" not in draft_of(texts)


def test_drafts_of_two_windows_come_together_box_by_box() -> None:
    both = f"{draft_of({'signs': 'quiet', 'coping': 'water'})}\n{draft_of({'coping': 'a walk'})}"
    assert read_draft(both) == {"signs": "quiet", "coping": "water\na walk"}


@pytest.mark.parametrize("text", ["", "words", "[1]", "\x00", '{"signs": "quiet"'])
def test_what_is_no_draft_is_nothing(text: str) -> None:
    assert read_draft(text) == {}
