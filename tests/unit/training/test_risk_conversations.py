"""What the risk encoder learns from conversations: messages alone, and those that the router reads together."""

import json
from pathlib import Path

import pytest

from tide_chat.errors import DataError
from tide_chat.safety.assessment import Tier
from training.risk import conversations, sources

CALM = ("hello", "T0", "T0")


def written(folder: Path, *turns: tuple[str, str, str], name: str = "a", id_: str = "cv-01") -> Path:
    lines = [{"text": text, "alone": alone, "so_far": so_far, "flags": []} for text, alone, so_far in turns]
    (folder / f"{name}.jsonl").write_text(json.dumps({"id": id_, "turns": lines}) + "\n", encoding="utf-8")
    return folder


def learnt(folder: Path) -> list[tuple[str, Tier | None]]:
    return [(row.text, row.tier) for row in conversations.rows(folder)]


def test_each_message_is_learnt_alone_and_with_those_before(tmp_path: Path) -> None:
    written(tmp_path, ("up again.", "T0", "T0"), ("same dream.", "T1", "T1"))
    assert learnt(tmp_path) == [("up again.", Tier.T0), ("same dream.", Tier.T1), ("up again. same dream.", Tier.T1)]


def test_what_sounds_calm_in_the_middle_of_danger_is_not_taught_to_be_calm(tmp_path: Path) -> None:
    written(tmp_path, ("I just want", "T0", "T0"), ("to close my eyes for good", "T0", "T2"))
    assert learnt(tmp_path) == [("I just want", Tier.T0), ("I just want to close my eyes for good", Tier.T2)]


def test_what_was_said_before_the_last_messages_is_not_read_into_them(tmp_path: Path) -> None:
    grave = ("I want to die", "T2", "T2")
    after = [(f"a day of rain, number {number}.", "T0", "T2") for number in range(5)]
    texts = [text for text, _ in learnt(written(tmp_path, grave, *after))]
    assert texts[0] == "I want to die"
    assert all("I want to die" in text for text in texts)
    assert len(texts) == 4  # alone, and with one, two, three of those that followed


def test_held_out_conversations_are_not_learnt(tmp_path: Path) -> None:
    written(tmp_path, CALM, name="held-out-x")
    assert conversations.rows(tmp_path) == []


def test_twins_are_one_theme(tmp_path: Path) -> None:
    written(tmp_path, CALM, name="a", id_="cv-7-split")
    written(tmp_path, CALM, name="b", id_="cv-7-twin")
    assert {row.group for row in conversations.rows(tmp_path)} == {"turns/cv-7"}


@pytest.mark.parametrize("turn", [{"text": "x"}, {"text": "x", "alone": "T9", "so_far": "T0", "flags": []}, "x"])
def test_a_broken_line_is_named(tmp_path: Path, turn: object) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "cv-1", "turns": [turn]}) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="lacks a field"):
        conversations.rows(tmp_path)


def test_the_projects_own_are_among_the_sources() -> None:
    rows = {row.source for row in sources.rows() if row.kind == "conversation"}
    assert rows == {"a", "b", "c", "d"}
    assert {f"conversations/{name}.jsonl" for name in rows} <= sources.checksums().keys()
