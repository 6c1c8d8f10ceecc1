"""`plain`: what is said, in order, and nothing that only works on a screen."""

import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.plain_room import Room, Typed
from tide_chat.care.keeping import Care, Paper
from tide_chat.commands import plain, turns
from tide_chat.commands.line_input import LineInput
from tide_chat.commands.plain import Plain
from tide_chat.engine.base import Cancel
from tide_chat.errors import EngineDied
from tide_chat.events import Done, Event, Progress, Stage, TextDelta, TurnResult
from tide_chat.safety import disclosure, protocol
from tide_chat.safety.assessment import Assessment
from tide_chat.turn import Companion


@pytest.fixture(autouse=True)
def accepted(tide_home: Path) -> None:
    disclosure.accept()


def talk(*typed: str | BaseException, replies: tuple[str | Exception, ...] = (), interactive: bool = True) -> int:
    return Plain(Room(*replies), Typed(*typed, interactive=interactive)).run()


def test_a_conversation(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("It was long.", "", "And cold.", replies=("I hear you.", "Cold too.")) == 0
    assert capsys.readouterr().out == "/help lists what you can do.\nReply: I hear you.\nReply: Cold too.\n"


def test_a_pipe_gets_the_replies_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("It was long.", "And cold.", replies=("I hear you.", "Cold too."), interactive=False) == 0
    assert capsys.readouterr().out == "Reply: I hear you.\nReply: Cold too.\n"


def test_the_first_words_are_accepted_once_a_day(tide_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tide_home / "state").iterdir():
        path.unlink()
    assert disclosure.due()
    assert talk("n", "never said") == 0
    assert disclosure.due()
    assert talk("", "/quit") == 0
    assert not disclosure.due()
    out = capsys.readouterr().out
    assert out.count(disclosure.text("US").strip()) == 2
    talk("/quit")
    assert disclosure.text("US").strip() not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("/ground", "Grounding 5-4-3-2-1"), ("/help-lines", "call 988"), ("I cannot do this", "Press Enter")],
)
def test_help_and_tools_come_before_the_first_words_are_accepted(
    tide_home: Path, capsys: pytest.CaptureFixture[str], typed: str, shown: str
) -> None:
    for path in (tide_home / "state").iterdir():
        path.unlink()
    asked: list[str] = []

    class Asked(Typed):
        def _line(self, prompt: str, draft: str = "") -> str:
            asked.append(prompt)
            if prompt.startswith("Press Enter") and len(asked) > 1:
                assert disclosure.due()
            return super()._line(prompt, draft)

    answers = [typed, *(["q"] if typed == "/ground" else []), "", "/quit"]
    assert Plain(Room(), Asked(*answers)).run() == 0
    assert [prompt[:11] for prompt in asked].count("Press Enter") == 2
    assert not disclosure.due()
    assert shown in capsys.readouterr().out + "".join(asked)


def test_own_contacts_stand_below_the_help_lines(capsys: pytest.CaptureFixture[str]) -> None:
    care = Care()
    care.papers.put(Paper.CONTACTS, "Maria, my sister: 555 0100")
    Plain(Room(), Typed("/help-lines", "/card", "/quit"), care).run()
    out = capsys.readouterr().out
    assert out.count("My own contacts\nMaria, my sister: 555 0100") == 2
    assert out.index("call 988") < out.index("Maria")


def test_a_pipe_is_told_the_first_words_and_not_asked(tide_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tide_home / "state").iterdir():
        path.unlink()
    assert talk("Hello there.", replies=("I hear you.",), interactive=False) == 0
    out = capsys.readouterr().out
    assert out.index(disclosure.text("US").strip()) < out.index("Reply: I hear you.")


def test_where_nothing_can_be_written_the_first_words_come_once_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIDE_CHAT_HOME", "/proc/tide-chat")
    talk("", "Hello there.", "And more.", replies=("One.", "Two."))
    assert capsys.readouterr().out.count("This is a program, not a person.") == 1


def test_after_three_hours_a_paragraph_between_turns_asks_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = [0.0]

    class Slow(Typed):
        """An hour goes by before each line."""

        def _line(self, prompt: str, draft: str = "") -> str:
            seconds[0] += 3600
            return super()._line(prompt, draft)

    room = Room("One.", "Two.", "Three.", "Four.")
    room.companion = Companion(room.engine, country="US", clock=lambda: seconds[0])
    assert Plain(room, Slow("First.", "Second.", "Third.", "Fourth.")).run() == 0
    out = capsys.readouterr().out
    assert out.count(disclosure.REMINDER) == 1
    assert out.index("Reply: Three.") < out.index(disclosure.REMINDER) < out.index("Reply: Four.")
    assert "Press Enter" not in out


def test_a_new_day_in_the_middle_of_a_talk_asks_nothing(tide_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Overnight(Typed):
        def _line(self, prompt: str, draft: str = "") -> str:
            for path in (tide_home / "state").iterdir():
                path.unlink()
            return super()._line(prompt, draft)

    room = Room()
    Plain(room, Overnight("I am going to kill myself tonight", "I am still here")).run()
    assert "Press Enter" not in capsys.readouterr().out


def test_after_a_week_the_first_words_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    disclosure.accept(datetime.now(UTC) - timedelta(days=8))
    talk("", "/quit")
    assert "It has been a week or more" in capsys.readouterr().out


def test_why_safety_and_about(capsys: pytest.CaptureFixture[str]) -> None:
    talk("/why", "/safety", "/about", "I want to kill myself", "/why", "/quit")
    out = capsys.readouterr().out
    assert "There is no message yet." in out
    assert protocol.text() in out
    assert disclosure.text("US") in out
    assert "What made the safety check act on your last message:" in out


@pytest.mark.parametrize(("typed", "code"), [(EOFError(), 0), ("/quit", 0), (KeyboardInterrupt(), 130)])
def test_ways_to_leave(typed: str | BaseException, code: int) -> None:
    assert talk(typed, "never read") == code


def test_again_gives_another_answer(capsys: pytest.CaptureFixture[str]) -> None:
    talk("/again", "Hello there.", "/again", replies=("One.", "Two."))
    out = capsys.readouterr().out
    assert "There is nothing to answer yet." in out
    assert out.endswith("Reply: One.\nReply: Two.\n")


def test_edit_takes_the_message_back_and_offers_it(capsys: pytest.CaptureFixture[str]) -> None:
    room, lines = Room("One.", "Two."), Typed("/edit", "I fel it.", "/edit", "I feel it.", "/quit")
    Plain(room, lines).run()
    assert lines.drafts[3] == "I fel it."
    assert [message.text for message in room.companion.conversation.messages] == ["I feel it.", "Two."]
    assert "Your message was: I fel it." in capsys.readouterr().out


def test_edit_with_text_replaces_the_message() -> None:
    room = Room("One.", "Two.")
    Plain(room, Typed("I fel it.", "/edit I feel it.")).run()
    assert [message.text for message in room.companion.conversation.messages] == ["I feel it.", "Two."]


def test_a_bare_cry_for_help_is_answered_beside_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("help!", "help me find a word for it", replies=("One.", "Two.")) == 0
    out = capsys.readouterr().out
    assert out.index("/help-lines has people you can reach now") < out.index("One.")
    assert out.count("/help-lines has people") == 1


@pytest.mark.parametrize("command", ["/clear", "/forget"])
def test_clear_forgets_the_conversation_and_what_was_typed(command: str) -> None:
    room, lines = Room("One."), Typed("Hello there.", command)
    Plain(room, lines).run()
    assert len(room.companion.conversation) == 0
    assert lines.forgotten == 1


def test_model_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("/model", "/model other", "/help") == 0
    out = capsys.readouterr().out
    assert "Model: scripted." in out
    assert "other: the model you chose" in out
    assert "988" in out
    for name in ("/again", "/edit", "/card", "/model", "/clear", "/quit", "/multi"):
        assert name in out


def test_a_wrong_command_is_answered_and_the_talk_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("/model nothing", "/agian", "Hello there.", replies=("One.",)) == 3
    out = capsys.readouterr().out
    assert "There is no model nothing." in out
    assert "There is no /agian. /help" in out
    assert out.endswith("Reply: One.\n")


@pytest.mark.parametrize("text", ["/me wants to say this", " /again", "/two\nlines"])
def test_what_only_looks_like_a_command_is_said(text: str) -> None:
    room = Room("One.")
    Plain(room, Typed(text)).run()
    assert len(room.engine.prompts) == 1


def test_in_a_crisis_the_card_is_printed_and_comes_again(capsys: pytest.CaptureFixture[str]) -> None:
    room = Room("Never said.")
    Plain(room, Typed("I am going to kill myself tonight")).run()
    once = capsys.readouterr().out
    assert room.engine.prompts == []
    assert "988" in once
    assert "911" in once
    Plain(room, Typed("/card")).run()
    assert "988" in capsys.readouterr().out


def test_a_card_that_nothing_new_asks_for_is_named_and_not_read_again(capsys: pytest.CaptureFixture[str]) -> None:
    talk("I don't want to wake up tomorrow", "my partner says I am a ghost at dinner", "I want to be dead")
    first, held, third = capsys.readouterr().out.split("Reply: ")[:3]
    assert "988" in first
    assert "988" not in held
    assert "The card from before is still there. /card says it again." in held
    assert "988" in third


def test_help_lines_are_there_without_a_crisis(capsys: pytest.CaptureFixture[str]) -> None:
    talk("/card")
    assert "988" in capsys.readouterr().out


def test_a_dead_engine_does_not_end_the_talk(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("Hello there.", "/again", replies=(EngineDied("It ended."), "Back.")) == 1
    out = capsys.readouterr().out
    assert "What you wrote is still here." in out
    assert out.endswith("Reply: Back.\n")


def test_nothing_is_printed_that_is_not_a_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    talk("I am going to kill myself tonight", "Hello there.", "/help", replies=("\x1b[1mBold\x1b[0m\rnow.",))
    out = capsys.readouterr().out
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2500-\u259f]", out) is None


class Silent:
    """A talk whose turn stays silent until two silences were announced."""

    pinned_cards = ()

    def reminder(self) -> None:
        return None

    def __init__(self) -> None:
        self.go_on = Cancel()

    def reply(self, text: str, cancel: Cancel) -> Iterator[Event]:
        yield Progress(Stage.READING)
        assert self.go_on.wait(20)
        yield TextDelta("Here I am.")
        yield Done(TurnResult("Here I am.", Assessment()))


def test_a_long_silence_is_put_into_words_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plain, "_QUIET_S", 0.01)
    silent, seen = Silent(), []
    announce = plain._Out._announce

    def counting(out: plain._Out) -> None:
        announce(out)
        seen.append(1)
        if len(seen) == 3:
            silent.go_on.set()

    monkeypatch.setattr(plain._Out, "_announce", counting)
    room = Room()
    room.companion = silent  # type: ignore[assignment]
    Plain(room, Typed("Hello there.", interactive=False)).run()
    lines = capsys.readouterr().out.splitlines()
    assert lines.count("Reading...") == 1
    assert lines[-1] == "Reply: Here I am."


def test_an_error_of_the_turn_is_raised_where_it_is_read() -> None:
    def failing(cancel: Cancel) -> Iterator[Event]:
        yield Progress(Stage.READING)
        raise ZeroDivisionError

    events = turns.read(failing)
    assert next(events) == Progress(Stage.READING)
    with pytest.raises(ZeroDivisionError):
        next(events)


def test_a_reader_that_leaves_cancels_the_turn() -> None:
    cancels: list[Cancel] = []

    def endless(cancel: Cancel) -> Iterator[Event]:
        cancels.append(cancel)
        while not cancel.is_set():
            yield TextDelta("on ")

    events = turns.read(endless)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert cancels[0].is_set()


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> LineInput:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    return LineInput()


def test_lines_of_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = typed(monkeypatch, "one\r\ntwo \\\n three\\\nfour\n/multi\na\n\nb\\\n.\nlast\\")
    assert lines.message("") == "one"
    assert lines.message("") == "two \n three\nfour"
    assert lines.message("") == "a\n\nb\\"
    assert lines.message("") == "last"
    with pytest.raises(EOFError):
        lines.message("")


def test_an_open_block_ends_with_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    assert typed(monkeypatch, "/multi\na\nb").message("") == "a\nb"


def test_a_closed_input_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = typed(monkeypatch, "")
    sys.stdin.close()
    with pytest.raises(EOFError):
        lines.message("")
