"""`tide-chat care` and the same tools in `plain`: words by lines, without a model, without a movement."""

import io
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.plain_room import Room, Typed
from tide_chat.care import today
from tide_chat.care.checkin import CheckIn
from tide_chat.care.keeping import UNKEPT, Care, MemoryJournal, MemoryPapers, Paper
from tide_chat.care.names import TOOLS
from tide_chat.care.plan import SafetyPlan
from tide_chat.care.tools import all_tools, find
from tide_chat.commands import care as command
from tide_chat.commands.care_lines import CareLines
from tide_chat.commands.plain import Plain
from tide_chat.errors import StoreError, TideError, UsageError
from tide_chat.safety import disclosure

NOW = datetime(2026, 6, 9, 21, 40, tzinfo=UTC)
PEOPLE = "Where to find help now"


@pytest.fixture(autouse=True)
def fixed(monkeypatch: pytest.MonkeyPatch, tide_home: Path) -> None:
    monkeypatch.setattr(today, "now", lambda: NOW)
    disclosure.accept()


def run(*arguments: str) -> int:
    code = command.command.main(list(arguments), standalone_mode=False)
    assert isinstance(code, int)
    return code


def talk(care: Care, *typed: str | BaseException, interactive: bool = True) -> int:
    return Plain(Room("I hear you."), Typed(*typed, interactive=interactive), care, still=True).run()


class TestCommand:
    @pytest.fixture(autouse=True)
    def nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))

    def test_without_a_tool_it_lists_them_all(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run() == 0
        out = capsys.readouterr().out
        assert all(f"tide-chat care {word}: {find(name).title}" in out for word, name in TOOLS.items())
        assert len(TOOLS) == len(all_tools())
        assert UNKEPT in out

    @pytest.mark.parametrize("word", TOOLS)
    def test_through_a_pipe_a_tool_is_printed_whole_and_asks_nothing(
        self, capsys: pytest.CaptureFixture[str], word: str
    ) -> None:
        assert run(word) == 0
        out = capsys.readouterr().out
        tool = find(TOOLS[word])
        assert out.startswith(f"{tool.title}\n")
        assert tool.close.split("{")[0] in out
        assert len(re.findall(r"^\d+ of \d+\. ", out, re.MULTILINE)) == len(tool.steps)
        assert "{" not in out
        assert " E " not in out  # keys of the app mean nothing here
        assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2500-\u259f]", out) is None

    @pytest.mark.parametrize(("name", "value"), [("NO_MOTION", "1"), ("TEXTUAL_ANIMATIONS", "none")])
    def test_the_environment_can_ask_for_stillness(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)
        lines = Typed("q")
        monkeypatch.setattr("tide_chat.commands.line_input.LineInput", lambda: lines)
        assert run("breathe") == 0
        assert lines.typed  # nobody was asked whether lines may come by themselves

    def test_a_shell_completes_the_words_without_loading_the_tools(self) -> None:
        script = "import sys; from tide_chat.commands.care import _complete; print(_complete(None, None, 'b'))"
        script += "; print('pydantic' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout == "['breathe']\nFalse\n"

    def test_a_way_of_breathing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("breathe", "small") == 0
        assert "while you count slowly to three." in capsys.readouterr().out
        with pytest.raises(UsageError, match="no such way"):
            run("breathe", "nothing")

    @pytest.mark.parametrize(("level", "people"), [("3", False), ("8", True), ("10", True)])
    def test_a_number_brings_tools_and_people_where_it_is_high(
        self, capsys: pytest.CaptureFixture[str], level: str, people: bool
    ) -> None:
        assert run("check-in", level) == 0
        out = capsys.readouterr().out
        assert (PEOPLE in out) is people
        assert "tide-chat care breathe" in out
        if level == "10":
            assert out.index(PEOPLE) < out.index("tide-chat care orient")

    @pytest.mark.parametrize("wrong", ["11", "-1", "five", "5.5", "٥", "9" * 5000])
    def test_a_wrong_number_is_refused(self, wrong: str) -> None:
        with pytest.raises(UsageError, match="0 to 10"):
            run("check-in", "--", wrong)

    def test_a_question_that_nobody_answers_is_the_end(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("check-in") == 0
        assert "10 the most I can imagine" in capsys.readouterr().out

    def test_an_unknown_tool_names_those_there_are(self) -> None:
        with pytest.raises(UsageError, match="no such tool") as error:
            run("groud")
        assert "ground, breathe" in error.value.help

    def test_nothing_is_written(self, tide_home: Path) -> None:
        before = sorted(tide_home.rglob("*"))
        for word in TOOLS:
            run(word)
        run("check-in", "9")
        assert sorted(tide_home.rglob("*")) == before


def test_steps_wait_and_go_back_and_can_be_left(capsys: pytest.CaptureFixture[str]) -> None:
    talk(Care(), "/ground", "", "", "b", "q", "/quit")
    out = capsys.readouterr().out
    assert [line[:6] for line in re.findall(r"\d of 6\. ", out)] == ["1 of 6", "2 of 6", "3 of 6", "2 of 6"]
    assert find("grounding").close not in out


def test_ctrl_c_leaves_the_tool_and_not_the_talk(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk(Care(), "/ground", KeyboardInterrupt(), "Hello there.") == 0
    out = capsys.readouterr().out
    assert "Stopped. You can write" in out
    assert "Reply: I hear you." in out


def test_lines_at_the_pace_of_the_breath(capsys: pytest.CaptureFixture[str]) -> None:
    waited: list[float] = []
    lines = CareLines(Typed(""), Care(), lambda: PEOPLE, wait=waited.append)
    lines.tool("breathe", "longer out")
    assert waited == [4, 6] * 18
    assert capsys.readouterr().out.count("out, 6\n") == 18


@pytest.mark.parametrize(
    ("still", "interactive", "typed"), [(True, True, ()), (False, False, ()), (False, True, ("q",))]
)
def test_nothing_comes_by_itself_where_it_is_not_wanted(still: bool, interactive: bool, typed: tuple[str, ...]) -> None:
    waited: list[float] = []
    lines = CareLines(Typed(*typed, interactive=interactive), Care(), str, still=still, wait=waited.append)
    lines.tool("breathe")
    assert waited == []


def test_before_and_after_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    care = Care()
    care.ask(True)
    talk(care, "/muscles", "eleven", "8", *[""] * 15, "5", "/quit")
    assert [(one.level, one.when, one.tool) for one in care.journal.read()] == [
        (8, "before", "muscles"),
        (5, "after", "muscles"),
    ]
    out = capsys.readouterr().out
    assert "8 before, 5 now." in out
    assert "A whole number from 0 to 10, please." in out


def test_a_question_can_be_left_with_enter() -> None:
    care = Care()
    care.ask(True)
    talk(care, "/ground", "", "q", "/check-in", "", "/quit")
    assert care.journal.read() == ()


def test_weeks_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    care = Care()
    care.journal.add(CheckIn(NOW - timedelta(days=9), 8))
    talk(care, "/check-in 4", "/weeks", "/quit")
    out = capsys.readouterr().out
    assert "25 May to 31 May: 1 check-in, 8." in out
    assert "8 June to 14 June: 1 check-in, 4." in out


def test_own_words_are_written_shown_and_emptied(capsys: pytest.CaptureFixture[str]) -> None:
    care = Care()
    talk(care, "/orient edit", "My flat.", "/orient", "", "q", "/quit")
    assert "Your own words: My flat." in capsys.readouterr().out
    talk(care, "/orient edit", "", "/contacts edit", "/multi", "Maria: 1", "Sam: 2", ".", "/contacts", "/quit")
    assert care.papers.get(Paper.WHERE_I_AM) == "My flat."
    assert care.papers.get(Paper.CONTACTS) == "Maria: 1\nSam: 2"
    assert "It says: My flat." in capsys.readouterr().out
    talk(care, "/orient edit", "-", "/quit")
    assert care.papers.get(Paper.WHERE_I_AM) == ""


def test_own_contacts_stand_before_the_lines_where_it_is_hardest(capsys: pytest.CaptureFixture[str]) -> None:
    care = Care()
    care.papers.put(Paper.CONTACTS, "Maria: 555 0100")
    talk(care, "/check-in 9", "/check-in 2", "/quit")
    out = capsys.readouterr().out
    assert out.index("Maria: 555 0100") < out.index(PEOPLE)
    assert out.count("Maria") == 1


def test_a_plan_is_written_part_by_part_and_made_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    care = Care()
    talk(care, "/plan", "/plan edit", "I go quiet.", "Cold water.", "", "", "988", "Sam keeps it.", "/plan", "/quit")
    assert care.plan() == SafetyPlan(
        signs="I go quiet.", coping="Cold water.", professionals="988", safer="Sam keeps it."
    )
    out = capsys.readouterr().out
    assert out.index(UNKEPT) < out.index("What I can do by myself:\nCold water.")
    path = tmp_path / "plan.md"
    talk(care, f"/plan file {path}", "n", f"/plan file {path}", "", "/quit")
    out = capsys.readouterr().out
    assert out.index("not encrypted") < out.index("No file was written.") < out.index(f"Written: {path}")
    assert "Cold water." in path.read_text(encoding="utf-8")


def test_a_plan_left_in_the_middle_keeps_the_parts_so_far() -> None:
    care = Care()
    care.keep_plan(SafetyPlan(safer="Sam keeps it."))
    talk(care, "/plan edit", "I go quiet.", "Cold water.", KeyboardInterrupt(), "/quit")
    assert care.plan() == SafetyPlan(signs="I go quiet.", coping="Cold water.", safer="Sam keeps it.")


def test_a_summary_is_seen_whole_before_it_becomes_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    care, path = Care(), tmp_path / "page.md"
    care.journal.add(CheckIn(NOW, 6))
    talk(care, "I said this to the model.", "/summary", "The nights.", "", "", "", "Sleep?", "y", str(path), "/quit")
    text = path.read_text(encoding="utf-8")
    assert "The nights." in text
    assert "1 check-in, 6." in text
    assert "I said this to the model." not in text
    out = capsys.readouterr().out
    assert out.index("## What was hard") < out.index("It would go to")
    talk(care, "/summary", *[""] * 5, "No", "n", "/quit")
    assert "1 check-in" not in capsys.readouterr().out


def test_what_asks_questions_needs_somebody(capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("/plan edit", "/plan file", "/summary", "/place edit"):
        assert talk(Care(), line, "never read as words", interactive=False) == 2
        assert "nobody is at the keyboard" in capsys.readouterr().out


def test_through_a_pipe_a_tool_takes_no_line_away(capsys: pytest.CaptureFixture[str]) -> None:
    care = Care()
    care.ask(True)
    assert talk(care, "/ground", "Hello there.", interactive=False) == 0
    out = capsys.readouterr().out
    assert out.index("6 of 6") < out.index("Reply: I hear you.")


def test_a_place_that_cannot_be_written_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk(Care(), "/plan file /proc/plan.md", "", "/plan nothing", "Hello there.") != 0
    assert "Reply: I hear you." in capsys.readouterr().out


class Broken:
    """A store that cannot be used."""

    def get(self, name: Paper) -> str:
        raise TideError("The history is locked.")

    def put(self, name: Paper, text: str) -> None:
        raise TideError("The history is locked.")


class Unreadable(MemoryPapers):
    """A store whose texts are there, and cannot be read."""

    def get(self, name: Paper) -> str:
        raise StoreError("The history is damaged.")


def test_a_text_that_cannot_be_read_is_not_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    papers = Unreadable({Paper.CALM_PLACE: "A lake."})
    assert talk(Care(papers=papers), "/place edit", "/quit") == 1
    assert papers.texts == {Paper.CALM_PLACE: "A lake."}
    assert "The history is damaged." in capsys.readouterr().out


class Full(MemoryJournal):
    """A disk with no room left."""

    def add(self, check_in: CheckIn) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("typed", [("/check-in 10",), ("/check-in", "10")])
def test_a_number_that_cannot_be_kept_still_brings_people(
    capsys: pytest.CaptureFixture[str], typed: tuple[str, ...]
) -> None:
    papers = MemoryPapers({Paper.CONTACTS: "Maria: 555 0100"})
    assert talk(Care(Full(), papers), *typed, "/quit") == 0
    out = capsys.readouterr().out
    assert "could not be kept. No space left on device" in out
    assert out.index("Maria: 555 0100") < out.index(PEOPLE) < out.index("/orient: ")


def test_where_nothing_can_be_read_the_tools_are_there_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    talk(Care(papers=Broken()), "/orient", *[""] * 6, "/check-in 9", "/plan", "/place edit", "Hello.")
    out = capsys.readouterr().out
    assert find("orienting").steps[3].text in out
    assert PEOPLE in out
    assert out.count("The history is locked.") == 2
    assert "Reply: I hear you." in out


def test_plain_lists_them() -> None:
    from tide_chat.commands.plain import _HELP, care_commands

    for name in care_commands(Typed(), Care(), str, still=True):
        assert re.search(rf"(^|\s){name}\b", _HELP, re.MULTILINE), name
