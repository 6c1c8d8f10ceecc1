"""The authored care texts: whole, in the tone of the cards, with no word of a way to be hurt and no promise."""

import re
from collections.abc import Iterator

import pytest

from tide_chat.care import checkin, plan, summary
from tide_chat.care.files import data
from tide_chat.care.keeping import KEPT, PAPER_HINTS, UNKEPT, Paper
from tide_chat.care.names import IDS
from tide_chat.care.tools import Step, all_tools, find

NEVER = {
    "an exclamation mark": r"!",
    "an order to feel otherwise": r"calm down|relax\b|cheer up|stay positive|get over it",
    "a promise of an outcome": r"you('ll| will) (be|feel) |it (gets|will get) better|everything will|always works",
    "safety as a fact": r"\byou are safe\b|you're safe",
    "a means or a method": r"\b(pills?|tablets?|rope|noose|guns?|firearms?|weapons?|knife|knives|blades?|razors?|bridge"
    r"|overdos\w+|hang(ing)? (your|my|one)self|jump(ing)?|poison|alcohol)\b",
    "blame": r"\b(selfish|attention|manipulat\w+|weak|lazy|fail\w*)\b",
    "a claim to feel": r"\bi (care|love|worry|am (sad|proud|happy|glad|worried))\b",
    "a clinical claim": r"diagnos|\bsymptoms?\b|\bPTSD\b|proven|\bcures?\b|\btreats?\b|\bscores?\b",
    "an order": r"you (must|have to|need to|should)\b",
    "holding the breath": r"hold (your|the) breath",
}
ORDERS = re.compile(
    r"(?:^|[.:?]\s+|\n)(call|go|take|put|tell|keep|stay|write|breathe|stop|try|wait|leave|unlock|reach|text|remember"
    r"|look|name|notice|imagine|close|press|sit|lie|think|feel|focus|count|let)\b",
    re.IGNORECASE,
)


def authored() -> Iterator[tuple[str, str]]:
    for tool in all_tools():
        yield from ((tool.id, words) for words in (tool.title, tool.short, tool.why, tool.close, tool.missing))
        yield from ((tool.id, step.still()) for step in tool.steps)
        yield from ((tool.id, f"{one.title}. {one.note}") for one in tool.patterns)
    yield from (("levels", checkin.match(level).words) for level in range(11))
    yield from (("levels", words) for words in (*checkin.asking().anchors, checkin.asking().question))
    yield from (("plan", words) for words in (plan.texts()["title"], plan.texts()["intro"]))
    yield from ((section.name, f"{section.title}. {section.hint}") for section in plan.SafetyPlan().sections)
    yield from (("summary", words) for words in summary.OWN)
    yield from (("papers", words) for words in (*PAPER_HINTS.values(), KEPT, UNKEPT))


@pytest.mark.parametrize("what", NEVER)
def test_what_is_never_said(what: str) -> None:
    found = [(name, hit.group()) for name, text in authored() if (hit := re.search(NEVER[what], text, re.IGNORECASE))]
    assert found == []


def test_choices_not_commands() -> None:
    assert [(name, hit.group()) for name, text in authored() if (hit := ORDERS.search(text))] == []


def test_steps_are_short_enough_to_read_in_a_hard_moment() -> None:
    long = [(name, len(text)) for name, text in authored() if len(text) > 300]
    assert long == []


def test_every_tool_says_why_ends_in_words_and_names_what_it_leans_on() -> None:
    assert tuple(tool.id for tool in all_tools()) == IDS
    for tool in all_tools():
        assert tool.why
        assert tool.close
        assert re.search(r"\(20[12]\d\)|no guideline", tool.source)
        assert tool.steps or tool.patterns


def test_nothing_holds_the_breath_unless_it_is_chosen_by_name() -> None:
    patterns = find("breathing").patterns
    assert not patterns[0].holds
    assert [one.id for one in patterns if one.holds] == ["square"]
    assert "Only if" in patterns[-1].note


def test_the_still_words_of_a_timed_step_say_how_long_and_who_counts() -> None:
    assert Step(text="Hands.", seconds=6).still() == "Hands. For about 6 seconds, counted in your own time."
    assert Step(text="Hands.").still() == "Hands."
    assert all(step.seconds for step in find("muscles").steps[1:])


def test_own_words_take_their_place_and_the_day_is_put_in() -> None:
    tool = find("orienting").filled("My flat, with the cat.", day="Monday, 1 June 2026", time="03:10, at night")
    assert tool.steps[0].text == "Today is Monday, 1 June 2026. It is 03:10, at night."
    assert tool.steps[1].text == "Your own words: My flat, with the cat."
    assert "{" not in "".join(step.text for step in tool.steps) + tool.close
    assert find("orienting").filled("  ", day="d", time="t").steps[1].text == find("orienting").missing


def test_own_words_with_braces_are_left_alone() -> None:
    assert find("calm_place").filled("{day} {own}", day="d").steps[0].text == "{day} {own}"


def test_an_unknown_tool_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        find("nothing")


def test_papers_named_by_tools_are_papers() -> None:
    assert {tool.paper for tool in all_tools() if tool.paper} <= {paper.value for paper in Paper}


def test_every_file_says_that_it_waits_for_review() -> None:
    from importlib.resources import files

    root = files("tide_chat.care").joinpath("data")
    found = [one for folder in (root, root.joinpath("tools")) for one in folder.iterdir() if one.name.endswith(".toml")]
    assert len(found) == len(IDS) + 2
    assert all("clinician review pending" in one.read_text(encoding="utf-8").splitlines()[0] for one in found)


def test_the_plan_names_whose_structure_it_is() -> None:
    assert "Stanley" in data("plan")["credit"]
    assert [section.name for section in plan.SafetyPlan().sections] == [
        "signs",
        "coping",
        "distraction",
        "people",
        "professionals",
        "safer",
    ]
