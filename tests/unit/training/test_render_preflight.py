"""What is refused before the first step, and what the colours show."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.unit.training.chat_folders import chat_folder
from tests.unit.training.test_render import TALK, encoder
from tide_chat.errors import DataError
from tide_chat.messages import Conversation
from training import chat_files, preflight, show
from training.render import ChatEncoder


def test_a_report_of_what_will_be_learnt() -> None:
    one = encoder("qwen2.5")
    found = preflight.check(one, *one.examples([TALK, Conversation(TALK.messages[:2])], 4096))
    assert (found.share_cut, found.share_ended, found.doubts) == (0.0, 1.0, ())
    assert found.longest > found.counts.tokens // 2
    assert "replies whose end is learnt: 100.0%" in "\n".join(found.lines())


def test_the_papers_cut_is_allowed_and_told() -> None:
    one = encoder("llama-3.2", "")
    whole = one.fitted(Conversation(TALK.messages[:2]), 4096)[0][0]
    found = preflight.check(one, *one.examples([Conversation(TALK.messages[:2])], len(whole) - 2, cut=True))
    assert (found.share_cut, found.share_ended) == (1.0, 0.0)
    assert any("do not stop" in line for line in found.lines())


def test_nothing_to_train_on() -> None:
    one = encoder("qwen2.5")
    with pytest.raises(DataError, match="nothing to train on"):
        preflight.check(one, *one.examples([], 4096))
    with pytest.raises(DataError, match="No dialogue fits") as caught:
        preflight.check(one, *one.examples([TALK], 20))
    assert "max_length" in caught.value.help


def test_most_dialogues_left_out() -> None:
    one = encoder("qwen2.5")
    short = Conversation().user("a").assistant("b")
    length = len(one.fitted(short, 4096)[0][0])
    with pytest.raises(DataError, match="Most dialogues"):
        preflight.check(one, *one.examples([short, TALK, TALK], length))


def test_a_tokenizer_of_another_model(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path, "qwen2.5")
    (folder / "config.json").write_text(json.dumps({"vocab_size": 300}))
    one = ChatEncoder(chat_files.load(folder), "Be kind.")
    with pytest.raises(DataError, match="does not belong"):
        preflight.check(one, *one.examples([TALK], 4096))


def test_a_model_that_stops_at_another_token(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path, "qwen2.5")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 3}))
    one = ChatEncoder(chat_files.load(folder), "Be kind.")
    with pytest.raises(DataError, match="does not stop"):
        preflight.check(one, *one.examples([TALK], 4096))


def test_text_that_the_vocabulary_cannot_write() -> None:
    one = encoder("qwen2.5")
    letter = one.files.tokenizer.encode("e").ids[0]
    blind = ChatEncoder(replace(one.files, unknown=letter), "Be kind.")
    with pytest.raises(DataError, match="cannot write"):
        preflight.check(blind, *blind.examples([TALK], 4096))


def test_an_end_that_is_not_learnt_though_nothing_was_cut() -> None:
    one = encoder("qwen2.5")
    examples, counts = one.examples([TALK], 4096)
    with pytest.raises(DataError, match="would not be learnt"):
        preflight.check(one, examples, replace(counts, ended=1))
    everything = replace(examples[0], mask=examples[0].mask | True)
    with pytest.raises(DataError, match="no prompt"):
        preflight.check(one, [everything], counts)


def test_colours_follow_the_mask() -> None:
    one = encoder("smollm2")
    (example,) = one.fitted(TALK, 4096)[0]
    kinds = [(run.kind, run.text) for run in show.runs(one, example)]
    assert [text for kind, text in kinds if kind == "end"] == ["<|im_end|>"] * 2
    assert ("reply", TALK.messages[1].text) in kinds
    assert sum(run.tokens for run in show.runs(one, example)) == len(example)
    console = Console(color_system="truecolor", force_terminal=True, width=200)
    with console.capture() as capture:
        console.print(show.coloured(one, example))
    assert "\x1b[1;32mThat sounds exhausting." in capture.get()
    assert "learnt" in show.legend().plain
