"""Items from dialogues, and which of them are drawn."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.errors import DataError
from tide_chat.messages import Message, Role
from training.data import split
from training.data.schema import Dialogue
from training.evaluation.auto import items
from training.evaluation.auto.items import Item


def dialogue(name: str, exchanges: int, persona: str | None = None) -> Dialogue:
    texts = [text for n in range(exchanges) for text in (f"{name} says {n}", f"reply {n}")]
    roles = (Role.USER, Role.ASSISTANT)
    turns = tuple(Message(roles[i % 2], text) for i, text in enumerate(texts))
    return Dialogue(dialogue_id=name, turns=turns, scenario="sleep", persona_id=persona)


def made(count: int) -> list[Item]:
    return [Item(f"d{n}/0", (f"text {n}",), "reply", persona_id=f"p{n % 3}") for n in range(count)]


def test_each_exchange_is_an_item_with_the_history_of_the_data() -> None:
    first, second = items.of_dialogue(dialogue("d", 2, "p1"))
    assert (first.id, first.said, first.reference) == ("d/0", ("d says 0",), "reply 0")
    assert (second.id, second.said, second.reference) == ("d/1", ("d says 0", "reply 0", "d says 1"), "reply 1")
    assert [message.role for message in second.conversation.messages] == [Role.USER, Role.ASSISTANT, Role.USER]
    answer = second.reply("m", "ft", "words")
    assert (answer.item, answer.said, answer.scenario, answer.persona_id) == ("d/1", second.said, "sleep", "p1")


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 2**31))
def test_a_larger_limit_keeps_what_a_smaller_one_drew_in_the_order_of_the_data(a: int, b: int, seed: int) -> None:
    whole = made(30)
    small, large = (items.chosen(whole, limit, seed) for limit in sorted((a or 1, b or 1)))
    assert set(small) <= set(large)
    assert list(large) == [item for item in whole if item in large]
    assert len(large) == max(a or 1, b or 1)


def test_persons() -> None:
    assert {item.persona_id for item in items.chosen(made(9), None, 0, ["p1"])} == {"p1"}
    with pytest.raises(DataError, match="persons"):
        items.chosen(made(9), None, 0, ["p1", "nobody"])


def test_the_same_item_twice_is_an_error() -> None:
    with pytest.raises(DataError, match="twice"):
        items.chosen(made(3) + made(3), None, 0)


def test_seeds_differ_by_item_and_fit_the_engine() -> None:
    seeds = {item.seed(7) for item in made(200)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert made(1)[0].seed(7) == made(1)[0].seed(7) != made(1)[0].seed(8)


def test_of_a_split_the_held_out_part_is_read(tmp_path: Path) -> None:
    out = tmp_path / "split"
    manifest = split.split(out, ("open:plain",))
    found, files = items.read(str(out))
    assert [file.name for file in files] == ["test.jsonl"]
    assert len(found) == manifest.splits["test"].exchanges
    (out / "test.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match="changed"):
        items.read(str(out))


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"user_input": "Hello", "reference_response": "Hi."}\n')
    found, _ = items.read(str(path))
    assert [(item.said, item.reference) for item in found] == [(("Hello",), "Hi.")]
