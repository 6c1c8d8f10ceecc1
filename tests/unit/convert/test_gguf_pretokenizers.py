"""Pre-tokenizers are recognised by what they do."""

import json
from typing import Any

import pytest
from tokenizers import Tokenizer

from convert import pretokenizers
from tests.integration import tiny_tokenizers
from tide_chat.errors import DataError


def data(tokenizer: Tokenizer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tokenizer.to_str())
    return found


def name(of: dict[str, Any]) -> str:
    tokens = [*of["model"]["vocab"], *(added["content"] for added in of["added_tokens"])]
    return pretokenizers.name(of, tokens)


@pytest.mark.parametrize(
    ("tokenizer", "expected"),
    [
        (tiny_tokenizers.llama3, "llama-bpe"),
        (tiny_tokenizers.qwen2, "qwen2"),
        (tiny_tokenizers.deepseek, "deepseek-r1-qwen"),
        (lambda: tiny_tokenizers.digits(["<|im_start|>"]), "smollm"),
        (lambda: tiny_tokenizers.digits(["<fim_prefix>"]), "refact"),
    ],
)
def test_each_family_is_recognised(tokenizer: Any, expected: str) -> None:
    assert name(data(tokenizer()[0])) == expected


def steps(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": list(parts)}, "model": {"vocab": {}}}


def split(regex: str, **changed: Any) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False} | changed


WHOLE = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
QWEN2 = tiny_tokenizers.QWEN2_SPLIT


def test_sequences_may_be_nested() -> None:
    inner = {"type": "Sequence", "pretokenizers": [split(QWEN2), WHOLE]}
    assert pretokenizers.name(steps(inner), []) == "qwen2"


@pytest.mark.parametrize(
    "section",
    [
        steps(split(QWEN2 + " "), WHOLE),
        steps(split(QWEN2, behavior="Removed"), WHOLE),
        steps(split(QWEN2, invert=True), WHOLE),
        steps(split(QWEN2, pattern={"String": QWEN2}), WHOLE),
        steps(split(QWEN2), WHOLE | {"add_prefix_space": True}),
        steps(split(QWEN2), WHOLE | {"use_regex": True}),
        steps(WHOLE, split(QWEN2)),
        steps(split(QWEN2)),
        steps({"type": "Digits", "individual_digits": False}, WHOLE | {"use_regex": True}),
        steps({"type": "Whitespace"}),
        {"pre_tokenizer": None, "model": {"vocab": {}}},
        steps(split(QWEN2), WHOLE) | {"model": {"vocab": {}, "ignore_merges": True}},
        steps(split(tiny_tokenizers.LLAMA3_SPLIT), WHOLE),  # llama.cpp would take whole words, this one does not
    ],
)
def test_anything_else_is_refused_with_the_known_ones(section: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="not known") as caught:
        pretokenizers.name(section, [])
    assert caught.value.help == "Known: deepseek-r1-qwen, llama-bpe, qwen2, refact, smollm."
