"""Check-ins, own texts, the plan, the summary and the file they may become."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.care import export, summary, weeks
from tide_chat.care.checkin import HIGHEST, CheckIn, When, asking, compared, match
from tide_chat.care.contacts import Contact, parse
from tide_chat.care.keeping import KEPT, UNKEPT, Care, MemoryPapers, Paper, or_else
from tide_chat.care.names import IDS
from tide_chat.care.plan import SafetyPlan
from tide_chat.errors import DataError, TideError, UsageError

NOW = datetime(2026, 6, 9, 21, 40, tzinfo=UTC)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60).map(str.strip)
PLANS = st.builds(
    SafetyPlan, signs=WORDS, coping=WORDS, distraction=WORDS, people=WORDS, professionals=WORDS, safer=WORDS
)


def noted(level: int, days: float = 0, when: When = "alone", tool: str = "") -> CheckIn:
    return CheckIn(NOW - timedelta(days=days), level, when, tool)


# -- the check-in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", range(HIGHEST + 1))
def test_every_level_has_words_and_tools(level: int) -> None:
    assert len(asking().anchors) == HIGHEST + 1
    found = match(level)
    assert found.words
    assert set(found.tools) <= set(IDS)
    assert found.people == ("none" if level <= 6 else "below" if level <= 8 else "first")


@pytest.mark.parametrize("level", [7, 8, 9, 10])
def test_where_it_is_high_what_orients_comes_first(level: int) -> None:
    assert match(level).tools[:2] == ("orienting", "grounding")


@pytest.mark.parametrize("level", [-1, 11])
def test_there_is_no_other_number(level: int) -> None:
    with pytest.raises(ValueError, match="0 to 10"):
        CheckIn(NOW, level)


def test_a_time_without_its_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        CheckIn(datetime(2026, 6, 9), 3)  # noqa: DTZ001 - that is the point


def test_two_numbers_in_words_neither_praise_nor_blame() -> None:
    assert compared(8, 5) == "8 before, 5 now."
    assert compared(5, 8) == "5 before, 8 now."
    assert "the same" in compared(5, 5)


# -- weeks ------------------------------------------------------------------------------------------------------------


def test_weeks_begin_on_monday_and_come_in_order() -> None:
    check_ins = [noted(8, 9), noted(2), noted(5, 1), noted(3, 1.5)]
    first, second = weeks.weeks(check_ins)
    assert first.monday.isoformat() == "2026-05-25"
    assert first.words == "25 May to 31 May: 1 check-in, 8."
    assert second.words == "8 June to 14 June: 3 check-ins, from 2 to 5, middle 3."


def test_before_and_after_belong_together_only_for_the_same_tool_and_the_same_hours() -> None:
    check_ins = [
        noted(8, 3, "before", "grounding"),
        noted(5, 2.99, "after", "grounding"),
        noted(7, 2, "before", "grounding"),
        noted(7, 1.99, "after", "grounding"),
        noted(6, 1, "before", "breathing"),
        noted(2, 0.99, "after", "grounding"),
        noted(4, 0.5, "before", "sleep"),
        noted(1, 0, "after", "sleep"),  # twelve hours later
    ]
    (found,) = weeks.effects(check_ins)
    assert (found.tool, found.lower, found.same, found.higher) == ("grounding", 1, 1, 0)
    assert found.words == "Grounding 5-4-3-2-1: noted before and after 2 times; afterwards 1 lower, 1 the same."


def test_a_tool_that_is_gone_keeps_its_name() -> None:
    assert weeks.title_of("an old one") == "an old one"


def test_no_check_ins_are_said_to_be_none() -> None:
    assert weeks.in_words(()) == (weeks.NOTHING,)


# -- keeping ----------------------------------------------------------------------------------------------------------


def test_in_memory_what_was_put_is_there_and_can_be_taken_away() -> None:
    care = Care()
    care.journal.add(noted(3, 1))
    care.journal.add(noted(5, 2))
    assert [one.level for one in care.journal.read()] == [5, 3]
    care.journal.clear()
    assert care.journal.read() == ()
    care.papers.put(Paper.CALM_PLACE, "A lake.")
    assert care.papers.get(Paper.CALM_PLACE) == "A lake."
    care.papers.put(Paper.CALM_PLACE, "")
    assert care.papers.get(Paper.CALM_PLACE) == ""
    care.papers.put(Paper.CALM_PLACE, "")


def test_it_is_said_whether_things_are_kept() -> None:
    assert Care().where == UNKEPT
    assert Care(kept=True).where == KEPT


def test_asking_is_off_until_it_is_wanted() -> None:
    care = Care()
    assert care.asks is False
    for wanted in (True, False):
        care.ask(wanted)
        assert care.asks is wanted


@given(PLANS)
def test_a_plan_comes_back_as_it_was_written(plan: SafetyPlan) -> None:
    care = Care()
    care.keep_plan(plan)
    assert care.plan() == plan
    assert (care.papers.get(Paper.PLAN) == "") is plan.empty


def test_a_plan_that_cannot_be_read_says_so_without_its_words() -> None:
    care = Care(papers=MemoryPapers({Paper.PLAN: '{"signs": ["secret"]}'}))
    with pytest.raises(DataError) as error:
        care.plan()
    assert "secret" not in str(error.value)
    assert or_else(care.plan, None) is None


def test_a_plan_on_a_card_is_short_and_leaves_the_signs_out() -> None:
    assert SafetyPlan().brief() == ""
    assert SafetyPlan(signs="I go quiet.").brief() == ""
    said = SafetyPlan(signs="I go quiet.", coping="a\nb\n\nc\nd", people="Maria: 555 0100").brief()
    assert said.splitlines() == [
        "My safety plan",
        "- What I can do by myself: a; b; c ...",
        "- People I can ask for help: Maria: 555 0100",
        "The whole plan: /plan",
    ]


def test_a_plan_on_paper_has_every_part_and_names_whose_structure_it_is() -> None:
    text = SafetyPlan(coping="Cold water.").text()
    assert text.count("## ") == 6
    assert "## What I can do by myself\n\nCold water.\n" in text
    assert "Stanley" in text


def test_what_is_long_is_no_wider_than_a_page_and_no_number_is_torn() -> None:
    long = (
        "Maria, my sister, who knows about all of it and can come by car within an hour, also at night: +1 555-010-0199"
    )
    lines = SafetyPlan(people=f"{long}\nJo: 555-0100").text().splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if "555-010-0199" in line]
    assert "Jo: 555-0100" in lines


def test_contacts_are_a_line_each() -> None:
    assert parse("Maria, my sister: 555 0100\n\n  Sam \n: \nDr. Osei: ext: 12") == (
        Contact("Maria, my sister", "555 0100"),
        Contact("Sam"),
        Contact("Dr. Osei", "ext: 12"),
    )
    assert [one.line for one in parse("Sam\nMaria: 1")] == ["Sam", "Maria: 1"]


def test_only_what_the_store_may_raise_is_forgiven() -> None:
    def fails(error: Exception) -> int:
        raise error

    assert or_else(lambda: 1, 2) == 1
    assert or_else(lambda: fails(TideError("locked")), 2) == 2
    assert or_else(lambda: fails(OSError("full")), 2) == 2
    with pytest.raises(ZeroDivisionError):
        or_else(lambda: fails(ZeroDivisionError()), 2)


# -- the summary and the file -----------------------------------------------------------------------------------------


def test_a_summary_holds_what_was_noted_and_room_for_own_words() -> None:
    check_ins = [noted(8, 1, "before", "grounding"), noted(5, 0.99, "after", "grounding")]
    text = summary.draft(check_ins, NOW, {summary.OWN[0]: "The nights."})
    assert "Written on Tuesday, 9 June 2026." in text
    assert f"## {summary.OWN[0]}\n\nThe nights.\n" in text
    assert f"## {summary.OWN[1]}\n\n...\n" in text
    assert "8 June to 14 June: 2 check-ins, from 5 to 8, middle 6.5." in text
    assert "no clinical scale" in text
    assert "afterwards 1 lower" in text


def test_a_summary_without_check_ins_is_own_words_alone() -> None:
    text = summary.draft((), NOW)
    assert text.count("## ") == len(summary.OWN)
    assert "clinical scale" not in text


def test_a_file_is_written_once_private_and_whole(tmp_path: Path) -> None:
    path = export.write(f"  {tmp_path / 'plan.md'} ", "Wörter.\n")
    assert path == tmp_path / "plan.md"
    assert path.read_text(encoding="utf-8") == "Wörter.\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="already"):
        export.write(str(path), "other")
    assert path.read_text(encoding="utf-8") == "Wörter.\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "no name"),
        ("   ", "no name"),
        ("plan", "end in .md"),
        ("plan.pdf", "end in .md"),
        ("no/plan.md", "no such folder"),
    ],
)
def test_a_place_that_will_not_do_is_named_and_nothing_is_written(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        export.write(str(tmp_path / name) if name.strip() else name, "text")
    assert list(tmp_path.iterdir()) == []


def test_the_suggested_file_is_in_the_documents_and_never_there_yet(tide_home: Path) -> None:
    home = Path.home()
    assert export.suggested("safety-plan") == home / "safety-plan.md"
    (home / "Documents").mkdir()
    first = export.suggested("safety-plan")
    assert first == home / "Documents" / "safety-plan.md"
    export.write(str(first), "text")
    assert export.suggested("safety-plan") == home / "Documents" / "safety-plan-2.md"


def test_the_home_folder_may_be_written_as_a_tilde(tide_home: Path) -> None:
    assert export.write("~/plan.txt", "text") == Path.home() / "plan.txt"
