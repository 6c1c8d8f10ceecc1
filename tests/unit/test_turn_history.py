"""A turn and the history: what is kept and when, and that a history that fails costs nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.errors import StoreError
from tide_chat.events import CardShown, Done, Notice, TextDelta
from tide_chat.messages import Conversation
from tide_chat.safety.assessment import Tier
from tide_chat.store import keys
from tide_chat.store.archive import Archive
from tide_chat.store.diary import Diary
from tide_chat.store.vault import Vault
from tide_chat.turn import NOT_KEPT, Companion

GRAVE = "I am going to kill myself tonight"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    monkeypatch.setattr(keys, "COST", 2**4)
    vault = Vault(tmp_path / "history")
    with vault.open(vault.create("four words of mine")) as opened:
        yield opened


def kept_by(archive: Archive, *replies: str) -> Companion:
    one = Companion(ScriptedEngine(replies), system="Be kind.", country="US")
    one.keeper = Diary(archive)
    return one


def texts(archive: Archive, id: int = 1) -> list[str]:
    return [kept.message.text for kept in archive.messages(id)]


def test_what_was_said_is_kept_before_the_reply_begins(archive: Archive) -> None:
    events = kept_by(archive, "I hear you. It was long.").reply("It was a long day.")
    next(event for event in events if isinstance(event, TextDelta))
    assert texts(archive) == ["It was a long day."]
    list(events)
    assert texts(archive) == ["It was a long day.", "I hear you. It was long."]


def test_a_card_waits_for_no_disk(archive: Archive) -> None:
    events = kept_by(archive).reply(GRAVE)
    assert isinstance(next(events), CardShown)
    assert archive.count() == 0
    list(events)
    assert texts(archive)[0] == GRAVE
    assert archive.messages(1)[1].message.authored


def test_another_answer_and_a_new_conversation(archive: Archive) -> None:
    one = kept_by(archive, "First.", "Second.", "Third.")
    list(one.reply("Hello there."))
    list(one.again())
    assert texts(archive) == ["Hello there.", "Second."]
    one.clear()
    list(one.reply("A new day."))
    assert texts(archive, 2) == ["A new day.", "Third."]


def test_an_earlier_conversation_goes_on_with_what_is_known_of_risk(archive: Archive) -> None:
    first = kept_by(archive)
    list(first.reply(GRAVE))
    later = kept_by(archive, "not this")
    assert isinstance(later.keeper, Diary)
    later.go_on_with(later.keeper.resume(1))
    done = list(later.reply("ok"))[-1]
    assert isinstance(done, Done)
    assert done.result.assessment.tier >= Tier.T2
    assert len(texts(archive)) == 4


class Broken:
    def save(self, conversation: Conversation) -> None:
        raise StoreError("The disk is full.", help="Make some room.")

    def leave(self) -> None:
        raise AssertionError("nothing to leave")


def test_a_history_that_fails_is_said_and_the_reply_comes() -> None:
    one = Companion(ScriptedEngine(["I hear you."]), system="Be kind.", country="US")
    one.keeper = Broken()
    events = list(one.reply("It was a long day."))
    assert isinstance(events[-1], Done)
    assert events[-1].result.reply == "I hear you."
    assert f"{NOT_KEPT} The disk is full. Make some room." in [e.text for e in events if isinstance(e, Notice)]
