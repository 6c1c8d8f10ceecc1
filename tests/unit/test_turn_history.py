"""A turn and the history: what is kept and when, and that a history that fails costs nothing else."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.plain_room import Room, Typed
from tide_chat.care import export
from tide_chat.commands import plain_history
from tide_chat.commands.plain import Plain
from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.errors import StoreError
from tide_chat.events import CardShown, Done, Event, Notice, TextDelta
from tide_chat.messages import Conversation
from tide_chat.safety import disclosure, router
from tide_chat.safety.assessment import Assessment, Tier
from tide_chat.safety.state import RiskState
from tide_chat.store import exchange
from tide_chat.store.archive import Archive
from tide_chat.store.diary import Diary
from tide_chat.store.vault import Vault
from tide_chat.turn import NOT_KEPT, STILL_KEPT, Companion

GRAVE = "I am going to kill myself tonight"


@pytest.fixture
def archive(tmp_path: Path, cheap_keys: None) -> Iterator[Archive]:
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


class Slow:
    """The rules, which take their time over a grave message until they may go on."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.begun, self.may = threading.Event(), threading.Event()

    def __call__(self, text: str, state: RiskState | None) -> Assessment:
        self.seen.append(text)
        if text == GRAVE:
            self.begun.set()
            assert self.may.wait(20)
        return router.assess(text, state)

    def companion(self) -> Companion:
        return Companion(ScriptedEngine(["I hear you."]), system="Be kind.", country="US", assess=self)


def test_a_message_waits_until_what_was_said_earlier_was_looked_at() -> None:
    check = Slow()
    one = check.companion()
    one.go_on_with(Conversation().user(GRAVE).assistant("You matter."))
    assert check.seen == []
    events: list[Event] = []
    threads = [threading.Thread(target=one.look_back), threading.Thread(target=lambda: events.extend(one.reply("ok")))]
    for thread in threads:
        thread.start()
        assert check.begun.wait(20)
    threads[1].join(0.1)
    assert (check.seen, events) == ([GRAVE], [])
    check.may.set()
    for thread in threads:
        thread.join(20)
    assert check.seen == [GRAVE, "ok"]
    assert isinstance(events[-1], Done)
    assert events[-1].result.assessment.tier >= Tier.T2


def test_what_is_looked_at_of_a_conversation_that_was_left_touches_no_other() -> None:
    check = Slow()
    one = check.companion()
    one.go_on_with(Conversation().user(GRAVE).user("and more"))
    looking = threading.Thread(target=one.look_back)
    looking.start()
    assert check.begun.wait(20)
    one.clear()
    check.may.set()
    looking.join(20)
    assert check.seen == [GRAVE]
    assert isinstance(done := list(one.reply("ok"))[-1], Done)
    assert done.result.assessment.tier is Tier.T0


def test_an_earlier_message_that_could_not_be_checked_counts_as_one_that_needs_care() -> None:
    def fails(text: str, state: RiskState | None) -> Assessment:
        if text == "before":
            raise RuntimeError
        return router.assess(text, state)

    one = Companion(ScriptedEngine(["I hear you."]), system="Be kind.", country="US", assess=fails)
    one.go_on_with(Conversation().user("before"))
    one.look_back()
    assert one.newest is None
    assert isinstance(done := list(one.reply("ok"))[-1], Done)
    assert done.result.assessment.tier is Tier.T2


def test_who_said_earlier_that_they_are_young_is_reminded_sooner() -> None:
    now = [0.0]
    one = Companion(ScriptedEngine(), system="Be kind.", country="US", clock=lambda: now[0])
    one.go_on_with(Conversation().user("I am 14 years old"))
    one.look_back()
    now[0] = disclosure.BREAK_S + 1
    assert one.reminder() == disclosure.REMINDER_MINOR


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


def test_what_is_taken_back_leaves_the_history_as_well(archive: Archive) -> None:
    one = kept_by(archive, "First.", "Second.")
    list(one.reply("Hello there."))
    list(one.reply("Not this."))
    assert one.take_out() == ("Not this.", "")
    assert texts(archive) == ["Hello there.", "First."]


def test_what_cannot_be_taken_out_is_said_and_nothing_is_lost(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = kept_by(archive, "First.", "Second.")
    list(one.reply("Not this."))
    with monkeypatch.context() as patch:
        patch.setattr(one, "keeper", Broken())
        assert one.take_out() == ("Not this.", f"{STILL_KEPT} The disk is full. Make some room.")
    assert texts(archive) == ["Not this.", "First."]
    list(one.reply("This."))
    assert texts(archive) == ["This.", "Second."]


@pytest.fixture
def room() -> Room:
    disclosure.accept()
    return Room("First.", "Second.")


def test_after_edit_and_quit_the_message_is_gone_from_the_history(archive: Archive, room: Room) -> None:
    typed = Typed("Not this.", "/edit", "/quit")
    history = plain_history.keep(archive, room.companion, typed)
    assert Plain(room, typed, history=history).run() == 0
    assert "Not this." not in texts(archive)


@pytest.mark.parametrize(("answer", "gone"), [("y", True), ("n", False), ("", False)])
def test_forgetting_asks_first_and_takes_what_was_typed_along(
    archive: Archive, room: Room, answer: str, gone: bool
) -> None:
    typed = Typed("Hello there.", "/forget", answer, "/quit")
    history = plain_history.keep(archive, room.companion, typed)
    assert Plain(room, typed, history=history).run() == 0
    assert archive.count() == (0 if gone else 1)
    assert typed.forgotten == (1 if gone else 0)
    assert bool(room.companion.conversation.messages) is not gone


def test_where_nobody_can_be_asked_the_command_is_enough(archive: Archive, room: Room) -> None:
    typed = Typed("Hello there.", "/forget", interactive=False)
    assert Plain(room, typed, history=plain_history.keep(archive, room.companion, typed)).run() == 0
    assert archive.count() == 0


def test_a_history_that_fails_leaves_what_is_edited_in_hand(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.companion.keeper = Broken()
    typed = Typed("Not this.", "/edit", "/quit")
    Plain(room, typed).run()
    assert typed.drafts[-1] == "Not this."
    assert STILL_KEPT in capsys.readouterr().out


@pytest.mark.parametrize("number", ["²", "٣", "9" * 30, "-1", ""])
def test_a_number_that_is_none_ends_nothing(
    archive: Archive, room: Room, capsys: pytest.CaptureFixture[str], number: str
) -> None:
    typed = Typed(f"/open {number}", "Hello there.")
    history = plain_history.keep(archive, room.companion, typed)
    assert Plain(room, typed, history=history).run() == 0
    out = capsys.readouterr().out
    assert "Which one? /history lists them" in out
    assert "Reply: First." in out


def run(archive: Archive, room: Room, *typed: str) -> None:
    lines = Typed(*typed)
    Plain(room, lines, history=plain_history.keep(archive, room.companion, lines)).run()


@pytest.mark.parametrize(
    ("which", "kept"),
    [
        ("", ["One.", "First.", "Two.", "Second."]),
        ("1", ["One.", "First."]),
        ("2", ["One.", "First.", "Two.", "Second."]),
    ],
)
def test_a_copy_ends_with_the_answer_to_the_message_that_was_named(
    archive: Archive, room: Room, which: str, kept: list[str]
) -> None:
    run(archive, room, "One.", "Two.", f"/branch {which}", "/quit")
    assert [one.message.text for one in archive.messages(2)] == kept
    assert [one.text for one in room.companion.conversation.messages] == kept
    assert archive.summary(1).messages == 4


@pytest.mark.parametrize("which", ["0", "3", "two", "-1", "²"])
def test_a_message_that_is_not_there_copies_nothing(
    archive: Archive, room: Room, capsys: pytest.CaptureFixture[str], which: str
) -> None:
    run(archive, room, "One.", "Two.", f"/branch {which}", "/quit")
    assert archive.count() == 1
    assert "Which of your messages? From 1 to 2." in capsys.readouterr().out


@pytest.mark.parametrize("ending", [".md", ".json"])
@pytest.mark.parametrize(("answer", "written"), [("", True), ("y", True), ("n", False), ("what", False)])
def test_it_is_said_where_a_file_goes_before_it_is_there(
    archive: Archive, room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    ending: str, answer: str, written: bool,
) -> None:  # fmt: skip
    path = tmp_path / f"talk{ending}"

    class Looking(Typed):
        def _line(self, prompt: str, draft: str = "") -> str:
            if prompt.startswith("Enter or y writes it"):
                assert not path.exists()
                assert f"It would go to {path}\n{export.PLAIN}" in capsys.readouterr().out
            return super()._line(prompt, draft)

    lines = Looking("I saw Peter in Leeds.", f"/export {path}", answer, "/quit")
    Plain(room, lines, history=plain_history.keep(archive, room.companion, lines)).run()
    assert path.exists() is written
    assert not written or "Peter" in path.read_text()


def test_a_file_without_names(archive: Archive, room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "talk.json"
    run(archive, room, "I saw Peter in Leeds, at 5 Mill Lane.", f"/export {path}", "r", "/quit")
    text = path.read_text()
    assert not any(word in text for word in ("Peter", "Leeds", "at 5"))
    assert '"redacted": true' in text
    assert exchange.MISSES in capsys.readouterr().out
