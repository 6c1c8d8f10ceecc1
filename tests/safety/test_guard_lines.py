"""What is said where a sentence was held back, and what is kept of it."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from tide_chat.engine.base import FinishReason
from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.events import CardShown, Done
from tide_chat.safety import guard_rules, lexicon
from tide_chat.safety.guard import Gate
from tide_chat.safety.guard_screen import Screen
from tide_chat.turn import Companion

BOOK = guard_rules.load()
ROOT = files("tide_chat.safety") / "guard_rules"
NEVER = (
    r"!|calm down|cheer up|promise you|will (be|get) (ok|okay|fine|better)|you are safe|commit|your fault|diagnos"
    r"|\b(pills?|rope|gun|knife|blade|overdos\w+|therapy)\b|i (feel|care|love|worry)\b"
    r"|you (must|have to|need to|should)\b"
)


def run(text: str) -> Gate:
    gate = Gate()
    gate.feed(text)
    gate.flush(FinishReason.STOP)
    return gate


@pytest.mark.parametrize("category", sorted(BOOK.answers))
def test_the_checklist_beside_each_line(category: str) -> None:
    answer = BOOK.answers[category]
    assert answer.required
    for required in answer.required:
        wrong = [line for line in answer.lines if not re.search(required["pattern"], line, re.IGNORECASE)]
        assert wrong == [], f"{category}: {required['element']} ({required['source']})"


@pytest.mark.parametrize("category", sorted(BOOK.answers))
def test_what_no_line_may_say(category: str) -> None:
    answer = BOOK.answers[category]
    assert [line for line in answer.lines if re.search(NEVER, line, re.IGNORECASE)] == []
    assert all(len(line.split()) <= (60 if answer.help else 26) for line in answer.lines)


def test_every_rule_has_a_category_a_reason_and_a_source() -> None:
    rules = [*BOOK.rules, *BOOK.raw, *(rule for rules in BOOK.allowed.values() for rule in rules)]
    assert {rule.category for rule in rules} <= set(BOOK.answers)
    assert [rule.pattern for rule in rules if not (rule.why and rule.source)] == []


def test_every_table_says_that_review_is_pending() -> None:
    folder = Path(str(ROOT))
    for path in folder.iterdir():
        head = path.read_text(encoding="utf-8").split("\n\n")[0][:400]
        assert "review" in head, path.name


def test_a_sentence_is_replaced_and_the_rest_goes_on() -> None:
    gate = run("It sounds heavy. You have PTSD. What was today like?")
    assert gate.shown == f"It sounds heavy. {BOOK.answers['diagnosis'].lines[0]} What was today like?"
    assert gate.actions == ["replaced:diagnosis"]
    assert gate.closed is None


def test_never_two_replacements_in_a_row() -> None:
    gate = run("You have PTSD. You should take sertraline. It will get better. I hear you.")
    assert gate.actions == ["replaced:diagnosis", "dropped:medication", "dropped:outcome"]
    assert gate.shown == f"{BOOK.answers['diagnosis'].lines[0]} I hear you."


def test_a_line_is_not_said_twice_in_a_reply() -> None:
    gate = run("You have PTSD. I hear you. You have depression. That is a lot. You are bipolar. Yes.")
    first, second = BOOK.answers["diagnosis"].lines
    assert gate.shown == f"{first} I hear you. {second} That is a lot. Yes."


def test_a_grave_sentence_ends_the_reply_and_brings_help() -> None:
    gate = run("It sounds heavy. You would be better off dead. And then rest.")
    assert gate.shown.startswith("It sounds heavy. ")
    assert gate.shown.endswith(BOOK.answers["encouragement"].lines[0])
    assert (gate.actions, gate.closed, gate.needs_help) == (["ended:encouragement"], FinishReason.STOP, True)


def test_the_gravest_category_wins() -> None:
    assert run("You have PTSD and you should end your life.").actions == ["ended:encouragement"]


def test_a_template_mark_ends_the_reply_without_a_word() -> None:
    gate = run("I hear you. <|im_end|> more")
    assert (gate.shown, gate.actions, gate.needs_help) == ("I hear you. ", ["ended:template"], False)


def test_what_was_held_back_is_kept_and_stays_out_of_reprs() -> None:
    held = run("You have PTSD.").held[0]
    assert (held.category, held.action, held.text) == ("diagnosis", "replaced", "You have PTSD.")
    assert held.rule
    assert held.why
    assert "PTSD." not in repr(held)


def test_the_turn_shows_the_help_card_once_and_keeps_what_was_held() -> None:
    said = "You would be better off dead."
    one = Companion(ScriptedEngine([said, said]), system="Be kind.")
    events = list(one.reply("It was a long day."))
    done = next(event.result for event in events if isinstance(event, Done))
    assert [event.card.id for event in events if isinstance(event, CardShown)] == ["t2"]
    assert (done.cards, done.guard) == (("t2",), ("ended:encouragement",))
    assert [held.text for held in one.held_back] == [said]
    assert said not in one.conversation.messages[-1].text
    assert not [event for event in one.reply("And today too.") if isinstance(event, CardShown)]
    one.clear()
    assert one.held_back == ()


def test_without_tables_the_plainest_rules_hold(tmp_path: Path) -> None:
    book = guard_rules.read(tmp_path, lexicon.load().spellings)
    assert book.problems
    gate = Gate(Screen(book))
    gate.feed("I hear you. You should kill yourself. ")
    assert gate.actions == ["ended:encouragement"]
    assert gate.needs_help
    assert "doctor" in gate.shown


def test_an_entry_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for table in (*guard_rules.TABLES, guard_rules.RAW, guard_rules.ALLOW):
        (tmp_path / f"{table}.tsv").write_text("category\tpattern\twhy\tsource\nblame\t(open\tx\ty\n")
    (tmp_path / "macros.tsv").write_text("name\twords\n")
    (tmp_path / guard_rules.LINES).write_text("blame = 3")
    book = guard_rules.read(tmp_path)
    assert len(book.problems) == len(guard_rules.TABLES) + 3
    assert book.answer("blame").lines
