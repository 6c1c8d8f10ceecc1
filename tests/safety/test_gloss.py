"""Other languages in English words, for the encoder: whole tables, the right one, and English left alone."""

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.safety import gloss, unread

PLAIN = Path(__file__).resolve().parents[2] / "training" / "data_files" / "dialogues" / "plain-more.jsonl"


@pytest.mark.parametrize("code", gloss.LANGUAGES)
def test_a_table_is_whole(code: str) -> None:
    lines = (files("tide_chat.safety") / "gloss" / f"{code}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert len(rows) >= 500
    assert all(len(row) == 2 for row in rows)
    forms = [form for form, _ in rows]
    assert len(set(forms)) == len(forms)
    assert max(len(form.replace("'", "' ").split()) for form in forms) <= gloss.LONGEST
    assert all(re.fullmatch(r"[a-z' ,.-]*", english) for _, english in rows)


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("me quiero morir", "i want to die"),
        ("Je veux mourir.", "i want to die ."),
        ("j’ai peur", "i am afraid"),
        ("jai peur", "i am afraid"),
        ("ich kann nicht mehr", "i can not go on"),
        ("não quero mais viver", "i do not want to live any more"),
        ("nao quero mais viver", "i do not want to live any more"),
        ("voglio morire stanotte", "i want to die tonight"),
        ("main marna chahta hoon", "i i want to die"),
        ("aku capek hidup", "i am tired of life"),
        ("me muero de risa", "i laugh so much"),
    ],
)
def test_words_become_english(text: str, english: str) -> None:
    assert gloss.english(text) == english


@pytest.mark.parametrize(
    "text",
    [
        "",
        "💔💔",
        "i want to die",
        "die die die",
        "no no no",
        "I made the pasta al dente and a cafe au lait",
        "\u0301\u0301",
    ],
)
def test_english_is_left_alone(text: str) -> None:
    assert gloss.english(text) is None


def test_a_word_is_known_in_a_text_of_its_language() -> None:
    assert gloss.knows("Quiero", "me quiero morir")
    assert not gloss.knows("quiero", "I want to say quiero")
    assert not gloss.knows("xyz", "me quiero morir xyz")


def test_english_messages_are_left_alone() -> None:
    texts = [json.loads(line)["user_input"] for line in PLAIN.read_text(encoding="utf-8").splitlines()]
    assert [text for text in texts if gloss.english(text)] == []


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    found = gloss.english(text)
    assert found is None or isinstance(found, str)


def test_without_tables_the_message_is_read_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gloss, "files", lambda _: tmp_path)
    monkeypatch.setattr(unread, "_found", {})
    for each in (gloss._load, gloss._table_of):
        each.cache_clear()
    try:
        assert gloss.english("me quiero morir") is None
        assert not gloss.knows("quiero", "me quiero morir")
    finally:
        for each in (gloss._load, gloss._table_of):
            each.cache_clear()
