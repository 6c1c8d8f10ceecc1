"""Questions about what this program is: true answers in any wording, and nothing else is taken for one."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tide_chat.safety import questions

TABLE = [
    line.split("\t") for line in Path(__file__).with_name("questions.tsv").read_text(encoding="utf-8").splitlines()
]
NEAR = Path(__file__).with_name("near_misses.txt").read_text(encoding="utf-8").splitlines()
ENGLISH = [row for row in TABLE if "." not in row[0]]
TOPICS = (
    "promise calling watched sending remember diagnosis not_care private conscious maker numbers links medicine driving"
    " program"
).split()
LEAD = ("so, ", "hey ", "be honest, ", "I need to know, ", "can i ask you something, ", "ok but ", "sorry, ")
REST = "It was a long week and my brother did not call. I keep thinking about the road and the noise. " * 3


def test_the_tables_are_long_enough() -> None:
    assert len(TABLE) >= 150
    assert len(NEAR) >= 100
    assert {row[0] for row in ENGLISH} == set(TOPICS)
    assert {row[0].split(".")[1] for row in TABLE if "." in row[0]} == {"es", "fr", "de", "pt", "it"}


@pytest.mark.parametrize(("topic", "said"), TABLE, ids=[row[1] for row in TABLE])
def test_each_wording_has_its_answer(topic: str, said: str) -> None:
    found = questions.find(said)
    assert found is not None
    assert found.id == topic


@pytest.mark.parametrize("said", NEAR)
def test_near_misses_go_to_the_model(said: str) -> None:
    assert questions.find(said) is None


@pytest.mark.parametrize("lead", LEAD)
def test_what_comes_before_a_question_changes_nothing(lead: str) -> None:
    wrong = [said for topic, said in ENGLISH if (found := questions.find(lead + said)) is None or found.id != topic]
    assert wrong == []


@given(
    st.sampled_from(ENGLISH), st.sampled_from(["upper", "title", "swapcase"]), st.sampled_from(["", "?", "???", " ?!"])
)
@settings(max_examples=60, deadline=None)
def test_letter_case_and_marks_change_nothing(row: list[str], case: str, mark: str) -> None:
    found = questions.find(getattr(row[1], case)() + mark)
    assert found is not None
    assert found.id == row[0]


@pytest.mark.parametrize("at", ["first", "last", "middle"])
def test_a_question_inside_a_long_message_is_found(at: str) -> None:
    said = {"first": f"Are you a real person? {REST}", "last": f"{REST}Are you a real person?"}.get(
        at, f"{REST}Are you a real person? {REST}"
    )
    assert len(said) > 200
    found = questions.find(said)
    assert found is not None
    assert found.id == "program"
    assert found.beside > 40


def test_a_question_that_is_a_part_of_another_sentence_is_none() -> None:
    assert questions.find(f"{REST} He shouted are you a real person at me and then he left the kitchen.") is None


@given(st.text(max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_it(said: str) -> None:
    questions.find(said)


@pytest.mark.parametrize("said", ["a, " * 5_000, "are you " * 4_000, "promise " * 3_000, "?" * 10_000, "\x00" * 500])
def test_absurd_input_takes_no_time(said: str) -> None:
    start = time.process_time()
    questions.find(said)
    assert time.process_time() - start < 1.0


def test_the_answers_promise_nothing_and_claim_nothing() -> None:
    answers = questions.answers()
    assert len(answers) == len(TOPICS) + 5 * 4
    for answer in answers:
        assert len(answer.text.split()) <= 90
        assert not re.search(
            r"!|your secret|i promise|nobody will ever|calm down|\bi (care|love|worry)\b", answer.text, re.IGNORECASE
        )


@pytest.mark.parametrize(
    ("topic", "needed"),
    [
        ("program", "a program, not a person"),
        ("conscious", "not conscious"),
        ("not_care", "not a therapist"),
        ("diagnosis", "do not diagnose"),
        ("diagnosis", "medical advice"),
        ("private", "stays on this machine"),
        ("private", "looks at the screen"),
        ("promise", "cannot promise more"),
        ("watched", "Nobody reads along"),
        ("watched", "cannot call anyone"),
        ("calling", "emergency number comes first"),
        ("sending", "sent anywhere"),
        ("remember", "until you close"),
        ("maker", "written by an AI"),
        ("maker", "no clinician has reviewed"),
    ],
)
def test_what_each_answer_has_to_say(topic: str, needed: str) -> None:
    (text,) = [answer.text for answer in questions.answers() if answer.id == topic]
    assert needed in text


def test_without_its_file_the_plainest_question_is_still_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> dict[str, object]:
        raise OSError

    monkeypatch.setattr(questions, "_data", broken)
    for cached in (questions.answers, questions._around):
        cached.cache_clear()
    try:
        found = questions.find("Are you a real person?")
        assert found is not None
        assert "a program, not a person" in found.text
        assert questions.find("my day was long") is None
    finally:
        for cached in (questions.answers, questions._around):
            cached.cache_clear()
