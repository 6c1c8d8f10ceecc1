"""Our GGUF beside the one of llama.cpp's own converter: every tensor bit-equal, every key equal or explained."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import pytest

from convert.gguf_file import convert
from tests.integration import llama_converter, tiny_models
from tests.integration.llama_converter import Pair

# Keys that may differ, and why. Tests below prove that each explanation is needed, and what we write there.
DIFFERENCES = {
    "general.name": "The runtime knows by 'phi-3' in the name that spaces after special tokens belong to them. "
    "llama.cpp's own converter writes 'Phi 3.5', and then the tokens are others than in training.",
    "tokenizer.ggml.add_eos_token": "Always written; the runtime's default is what we write.",
    "tokenizer.ggml.add_sep_token": "Left out: it is about pairs of texts, which are never encoded.",
    "tokenizer.ggml.add_space_prefix": "Always written, from the normalizer; the runtime's default is the same.",
    "tokenizer.ggml.eot_token_id": "The end of a turn where it is another token than the end of a text, from "
    "generation_config.json. llama.cpp's converter leaves it for the runtime to find by well-known texts.",
    "bert.pooling_type": "The mean, which is how our encoder is trained; llama.cpp asks for modules.json.",
}
OURS = {
    ("general.name", "phi3"): "Phi-3.5 Mini Instruct",
    ("tokenizer.ggml.add_eos_token", "deepseek"): False,
    ("tokenizer.ggml.add_sep_token", "llama"): None,
    ("tokenizer.ggml.add_sep_token", "deepseek"): None,
    ("tokenizer.ggml.add_sep_token", "bert"): None,
    ("tokenizer.ggml.add_space_prefix", "llama"): False,
    ("tokenizer.ggml.add_space_prefix", "smollm"): False,
    ("tokenizer.ggml.add_space_prefix", "deepseek"): False,
    ("tokenizer.ggml.add_space_prefix", "qwen2"): False,
    ("tokenizer.ggml.add_space_prefix", "phi3"): True,
    ("tokenizer.ggml.eot_token_id", "phi3"): "<|end|>",
    ("bert.pooling_type", "bert"): 1,
}

PRE = {
    "llama": "llama-bpe",
    "smollm": "smollm",
    "qwen2": "qwen2",
    "deepseek": "deepseek-r1-qwen",
    "phi3": "default",
    "granitemoe": "refact",
    "bert": "default",
}

CARD = """---
license: apache-2.0
language: [en, de]
base_model: Qwen/Qwen2.5-0.5B-Instruct
datasets: [somebody/dialogues]
tags: [text-generation]
---
# A model card
"""


@dataclass(frozen=True)
class Case:
    """A tiny model, the type to convert it to, and how it is made."""

    model: str
    kind: str
    how: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return "-".join([self.model, self.kind, *(f"{name}={value}" for name, value in self.how)])


CASES = (
    Case("llama", "f32", (("form", "new"), ("shards", 3), ("dtype", "float32"))),
    Case("llama", "bf16"),
    Case("llama", "q8_0"),
    Case("smollm", "f16"),
    Case("qwen2", "f16", (("dtype", "float16"),)),
    Case("qwen2", "q8_0", (("form", "new"), ("width", 80))),  # rows of 80 fit no block: these fall back to f16
    Case("deepseek", "bf16", (("shards", 2),)),
    Case("phi3", "f16"),
    Case("phi3", "q8_0", (("form", "new"),)),
    Case("granitemoe", "f16", (("form", "new"),)),
    Case("granitemoe", "q8_0"),
    Case("bert", "q8_0"),
    Case("bert", "f32"),
)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Mapping[Case, Pair]:
    home = tmp_path_factory.mktemp("parity")
    files, jobs = {}, []
    for number, case in enumerate(CASES):
        folder = made(case, home / str(number))
        ours, theirs = home / f"{number}-ours.gguf", home / f"{number}-theirs.gguf"
        convert(folder, ours, case.kind)
        jobs.append(llama_converter.Job(folder, theirs, case.kind, PRE[case.model]))
        files[case] = (ours, theirs)
    llama_converter.run(checkout, jobs)
    return {case: Pair(*map(gguf.GGUFReader, both)) for case, both in files.items()}


def made(case: Case, home: Path) -> Path:
    make = {**tiny_models.MAKERS, "bert": tiny_models.bert}[case.model]
    folder = make(home / tiny_models.FOLDERS[case.model], **dict(case.how))
    if case.model == "qwen2":
        (folder / "README.md").write_text(CARD, encoding="utf-8")
    if case.model == "granitemoe":
        move_template(folder)
    return folder


def move_template(folder: Path) -> None:
    """The chat template in a file of its own, as newer models have it."""
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    (folder / "chat_template.jinja").write_text(settings.pop("chat_template"), encoding="utf-8")
    path.write_text(json.dumps(settings), encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_tensor_is_bit_equal(pairs: Mapping[Case, Pair], case: Case) -> None:
    pairs[case].assert_same_tensors()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_key_is_equal_or_explained(pairs: Mapping[Case, Pair], case: Case) -> None:
    assert pairs[case].differing() <= set(DIFFERENCES)


def test_every_explanation_is_needed(pairs: Mapping[Case, Pair]) -> None:
    assert set(DIFFERENCES) == set().union(*(pair.differing() for pair in pairs.values()))


def test_what_we_write_where_keys_differ(pairs: Mapping[Case, Pair]) -> None:
    found = {}
    for case, pair in pairs.items():
        ours = llama_converter.keys(pair.ours)
        for name in pair.differing():
            value = ours.get(name, ([], None))[1]
            if name == "tokenizer.ggml.eot_token_id":
                value = ours["tokenizer.ggml.tokens"][1][value]
            found[name, case.model] = value
    assert found == OURS


def test_files_of_the_cases_are_of_their_type(pairs: Mapping[Case, Pair]) -> None:
    """Equal to each other, they could still both be f32."""
    for case, pair in pairs.items():
        kinds = {tensor.name: tensor.tensor_type.name for tensor in pair.ours.tensors}
        assert kinds["blk.0.ffn_down.weight" if case.model != "granitemoe" else "blk.0.ffn_down_exps.weight"] == (
            case.kind.upper()
        )
        assert kinds["token_embd.weight"] == ("F16" if ("width", 80) in case.how else case.kind.upper())
