"""From tokenizer.json to a vocabulary."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from convert import tokenizers
from tests.integration import tiny_models
from tide_chat.errors import DataError

LLM, BERT = ("gpt2", "llama"), ("bert",)
Change = Callable[[dict[str, Any]], object]


def keys(
    folder: Path, kinds: tuple[str, ...] = LLM, change: Change = lambda data: None, **config: Any
) -> dict[str, Any]:
    path = folder / "tokenizer.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    return tokenizers.keys(folder, json.loads((folder / "config.json").read_text(encoding="utf-8")) | config, kinds)


def test_byte_level(tmp_path: Path) -> None:
    found = keys(tiny_models.qwen2(tmp_path))
    special = tiny_models.specials(tmp_path)
    tokens, types = found["ggml.tokens"], found["ggml.token_type"]
    assert (found["ggml.model"], found["ggml.pre"]) == ("gpt2", "qwen2")
    assert len(tokens) == len(types) == 419
    assert [tokens[number] for number in special.values()] == list(special)
    assert types[special["<|im_end|>"]] == tokenizers.CONTROL
    assert types[special["<tool_call>"]] == tokenizers.USER_DEFINED
    assert types[0] == tokenizers.NORMAL
    assert tokens[406:] == [f"[PAD{number}]" for number in range(406, 419)]
    assert set(types[406:]) == {tokenizers.UNUSED}
    assert "ggml.scores" not in found


def test_added_tokens_that_look_special_are(tmp_path: Path) -> None:
    found = keys(tiny_models.deepseek(tmp_path))
    special = tiny_models.specials(tmp_path)
    assert found["ggml.token_type"][special["<｜User｜>"]] == tokenizers.CONTROL
    assert found["ggml.token_type"][special["<think>"]] == tokenizers.USER_DEFINED


def test_both_forms_of_merges_are_the_same(tmp_path: Path) -> None:
    def to_old(data: dict[str, Any]) -> None:
        data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]

    new = keys(tiny_models.smollm(tmp_path))["ggml.merges"]
    assert new[0].count(" ") == 1
    assert keys(tmp_path, change=to_old)["ggml.merges"] == new


def test_sentencepiece(tmp_path: Path) -> None:
    found = keys(tiny_models.phi3(tmp_path))
    special = tiny_models.specials(tmp_path)
    scores, types, tokens = found["ggml.scores"], found["ggml.token_type"], found["ggml.tokens"]
    assert (found["ggml.model"], found["ggml.pre"]) == ("llama", "default")
    assert tokens[3:5] == ["<0x00>", "<0x01>"]
    assert set(types[3:259]) == {tokenizers.BYTE}
    assert scores[259:263] == [0.0, -1.0, -2.0, -3.0]
    assert set(types[259:300]) == {tokenizers.NORMAL}
    assert {types[special[name]] for name in ("<unk>", "<s>", "<|end|>")} == {tokenizers.CONTROL}
    assert types[special["</s>"]] == tokenizers.USER_DEFINED
    assert {scores[number] for number in special.values()} == {-1000.0}
    assert found["ggml.add_space_prefix"] is True


def test_wordpiece(tmp_path: Path) -> None:
    found = keys(tiny_models.bert(tmp_path), BERT)
    assert found["ggml.model"] == "bert"
    assert found["ggml.tokens"][:3] == ["[PAD]", "[UNK]", "[CLS]"]
    assert "▁the" in found["ggml.tokens"]
    assert not any(text.startswith("##") for text in found["ggml.tokens"])
    assert found["ggml.token_type_count"] == 2
    assert found["ggml.normalizer.lowercase"] is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data["model"].update(type="Unigram"), "tokenizer is not known"),
        (lambda data: data["model"].update(type="WordPiece"), "tokenizer is not known"),
        (lambda data: data.update(normalizer={"type": "NFKC"}), "normalizer is not known"),
        (lambda data: data.update(pre_tokenizer={"type": "Whitespace"}), "pre-tokenizer is not known"),
        (lambda data: data["added_tokens"].append({"id": 9999, "content": "<x>"}), "more tokens than the model"),
        (lambda data: data["added_tokens"].append({"id": 7, "content": "<x>"}), "two tokens one number"),
        (lambda data: data.pop("model"), "tokenizer.json is damaged"),
        (lambda data: data["model"].pop("merges"), "tokenizer.json is damaged"),
        (lambda data: data["model"]["merges"].append("a b c"), "tokenizer.json is damaged"),
        (lambda data: data.update(added_tokens=[{}]), "tokenizer.json is damaged"),
        (lambda data: data.update(post_processor=[1]), "tokenizer.json is damaged"),
    ],
)
def test_others_are_refused(tmp_path: Path, change: Change, message: str) -> None:
    with pytest.raises(DataError, match=message):
        keys(tiny_models.qwen2(tmp_path), change=change)


def test_an_unknown_kind_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        keys(tiny_models.bert(tmp_path), LLM)
    assert caught.value.help == "Known for this architecture: byte-level BPE, SentencePiece BPE."


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(normalizer=None),
        lambda data: data.update(pre_tokenizer={"type": "Metaspace", "prepend_scheme": "first"}),
        lambda data: data["normalizer"]["normalizers"].pop(0),
    ],
)
def test_a_rewritten_sentencepiece_tokenizer_is_refused(tmp_path: Path, change: Change) -> None:
    with pytest.raises(DataError, match="treats spaces in another way") as caught:
        keys(tiny_models.phi3(tmp_path), change=change)
    assert "take tokenizer.json from the model" in caught.value.help


def test_merges_in_another_order_than_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not in the order of its merges"):
        keys(tiny_models.phi3(tmp_path), change=lambda data: data["model"]["merges"].reverse())


@pytest.mark.parametrize("text", [None, "", "{", "[1]"])
def test_no_readable_tokenizer(tmp_path: Path, text: str | None) -> None:
    path = tiny_models.qwen2(tmp_path) / "tokenizer.json"
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"tokenizer\.json"):
        tokenizers.keys(tmp_path, {"vocab_size": 419}, LLM)
