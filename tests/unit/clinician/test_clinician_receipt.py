"""Receipts as files: what is written is read again, and what is damaged is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.clinician import receipt
from tide_chat.clinician.receipt import Made, ModelFiles, Receipt
from tide_chat.clinician.recorded import Do, Step
from tide_chat.engine.base import SamplingParams
from tide_chat.errors import DataError, UsageError
from tide_chat.messages import Conversation, Message, Role

words = st.text(st.characters(exclude_categories=["Cs"]))
steps = st.builds(Step, st.sampled_from(Do), words, words, st.integers(0, 2**32), words, words, words, st.booleans())
messages = st.builds(Message, st.sampled_from([Role.USER, Role.ASSISTANT]), words, st.booleans())
receipts = st.builds(
    Receipt,
    st.builds(Made, words, words, words, words, st.integers(0, 99)),
    st.lists(st.builds(ModelFiles, words, words, words), max_size=2).map(tuple),
    st.dictionaries(words, st.none() | words | st.integers(), max_size=3),
    st.builds(SamplingParams, seed=st.none() | st.integers(0, 2**31), stop=st.lists(words, max_size=2).map(tuple)),
    st.lists(messages, max_size=3).map(tuple).map(Conversation),
    st.lists(steps, max_size=4).map(tuple),
)
ONE = Receipt(
    Made("0.1", "runtime", "Linux", "CPU", 2), (), {}, SamplingParams(), Conversation(), (Step(Do.SAY, "Hello"),)
)


@given(receipts)
def test_what_is_written_is_read_again(paid: Receipt) -> None:
    assert receipt.parse(receipt.to_text(paid), "r.json") == paid


def test_it_is_a_new_file_in_a_folder_that_is_there(tmp_path: Path) -> None:
    path = receipt.write(tmp_path / "r.json", ONE)
    assert receipt.read(path) == ONE
    with pytest.raises(UsageError, match="already"):
        receipt.write(path, ONE)
    with pytest.raises(UsageError, match="home folder"):
        receipt.write("~nobody-of-this-name/r.json", ONE)
    with pytest.raises(UsageError, match="no such folder"):
        receipt.write(tmp_path / "no" / "r.json", ONE)


def damaged(change: Any) -> str:
    values = json.loads(receipt.to_text(ONE))
    change(values)
    return json.dumps(values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "line 1"),
        ("[]", "tide_chat_receipt must be 1"),
        (damaged(lambda v: v["sampling"].update(temperature="hot")), "temperature"),
        (damaged(lambda v: v["sampling"].update(seed="7")), "seed"),
        (damaged(lambda v: v.update(tide_chat_receipt=2)), "tide_chat_receipt must be 1"),
        (damaged(lambda v: v.pop("steps")), "steps"),
        (damaged(lambda v: v["steps"][0].update(do="shout")), "shout"),
        (damaged(lambda v: v["steps"][0].update(text=7)), "text must be str, got 7"),
        (damaged(lambda v: v["steps"][0].update(extra=7)), "extra"),
        (damaged(lambda v: v["made"].update(threads="two")), "threads must be int"),
    ],
)
def test_a_damaged_one_is_named(text: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        receipt.parse(text, "r.json")
    assert caught.value.details.startswith("r.json: ")
    assert said in caught.value.details


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        receipt.read(tmp_path / "none.json")
