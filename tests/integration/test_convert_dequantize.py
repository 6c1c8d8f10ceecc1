"""The embedded model and tiny ones as HF folders: held against transformers, and against the runtime on the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
import transformers
from tokenizers import Tokenizer

from convert import gguf_file
from convert.dequantize import dequantize
from convert.from_gguf.source import Source
from convert.from_gguf.tensors import targets
from convert.verify.folder import read
from convert.verify.reference import Reference
from convert.verify.runtime import Runtime
from convert.verify.tokens import CORPUS
from convert.weights import Weights
from tests.integration import tiny_models
from tide_chat.messages import Conversation
from tide_chat.prompt import Renderer

CHAT = [
    {"role": "system", "content": "You are kind."},
    {"role": "user", "content": "Hello 😀"},
    {"role": "assistant", "content": "Hi. What is on your mind?"},
    {"role": "user", "content": "I can't sleep."},
]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def embedded(embedded_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("embedded") / "folder"
    dequantize(embedded_model, out)
    return out


@pytest.fixture(scope="module")
def runtime(embedded_model: Path) -> Iterator[Runtime]:
    with Runtime(embedded_model, 1) as opened:
        yield opened


def test_the_embedded_model_cuts_text_as_the_runtime_does(embedded: Path, runtime: Runtime) -> None:
    tokenizer = Tokenizer.from_file(str(embedded / "tokenizer.json"))
    control = "".join(f"{token} x{token}\n" for token in runtime.about.control)
    texts = [*CORPUS, *tiny_models.NASTY, control]
    cut = [(tokenizer.encode(text).ids, runtime.tokenize(text, framed=True), text) for text in texts]
    assert [text for theirs, ours, text in cut if theirs != ours] == []
    assert sum(len(ours) for _, ours, _ in cut) > 1000


def test_transformers_loads_its_tokenizer_and_writes_the_same_chat(
    embedded: Path, embedded_model: Path, runtime: Runtime
) -> None:
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(embedded)
    named = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id)
    assert named == (1, 2, 2, 0)
    about = runtime.about
    template = Source(embedded_model).get("tokenizer.chat_template")
    conversation = Conversation().user(CHAT[1]["content"]).assistant(CHAT[2]["content"]).user(CHAT[3]["content"])
    ours = Renderer(template, bos=about.bos, eos=about.eos, control_tokens=about.control).render(
        CHAT[0]["content"], conversation
    )
    assert tokenizer.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True) == ours.text
    ids = tokenizer.apply_chat_template(CHAT, add_generation_prompt=True, return_dict=True)["input_ids"]
    assert ids == runtime.tokenize(ours.text)


def test_the_embedded_model_goes_on_as_the_runtime_does(embedded: Path, runtime: Runtime) -> None:
    prompt = runtime.tokenize("The capital of France is Paris. The capital of Italy is")
    reply = list(runtime.greedy(prompt, 24).ids)
    # Greedy is the likeliest token after each prefix, so one pass over the whole says whether HF would write the same.
    logits = Reference(embedded).logits(prompt + reply)[len(prompt) - 1 : -1]
    behind = logits.max(axis=-1) - logits[range(len(reply)), reply]
    # With 4-bit weights the runtime rounds what it multiplies with, and HF does not: only near-ties may turn over.
    assert (behind == 0).sum() >= 20
    assert behind.max() < 0.5
    assert len(reply) == 24


@pytest.mark.parametrize("family", ["llama", "smollm", "qwen2"])
def test_tensors_are_those_that_transformers_itself_decodes(family: str, tmp_path: Path) -> None:
    """transformers reads GGUF too, with another mapping and another decoder of its own."""
    folder = tiny_models.MAKERS[family](tmp_path / "base")
    file = tmp_path / "m.gguf"
    gguf_file.convert(folder, file, "q8_0", name=family)
    dequantize(file, tmp_path / "out")
    theirs: Any = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path,
        gguf_file=file.name,
        quantization_config=transformers.GgufConfig(dequantize=True),
        dtype=torch.float32,
    )
    ours: Any = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    wanted, found = theirs.state_dict(), ours.state_dict()
    assert found.keys() == wanted.keys()
    assert [name for name in found if not torch.equal(found[name], wanted[name].float())] == []


@pytest.mark.parametrize("family", sorted(tiny_models.MAKERS))
def test_there_and_back_changes_nothing(family: str, tmp_path: Path) -> None:
    """HF to f32 GGUF to HF: all values, and what the config means; then to GGUF again: the same weights."""
    folder = tiny_models.MAKERS[family](tmp_path / tiny_models.FOLDERS[family])
    gguf_file.convert(folder, tmp_path / "there.gguf", "f32")
    dequantize(tmp_path / "there.gguf", tmp_path / "back")
    before, after = Weights.of_model(folder), Weights.of_model(tmp_path / "back")
    assert list(before) == list(after)
    assert [name for name in before if not numpy.array_equal(before.floats(name), after.floats(name))] == []
    meant, found = read(folder).config, read(tmp_path / "back").config
    keys = ("num_hidden_layers", "num_attention_heads", "num_key_value_heads", "rms_norm_eps", "vocab_size")
    multipliers = ("attention_multiplier", "embedding_multiplier", "residual_multiplier", "logits_scaling")
    assert {key: found.get(key) for key in keys + multipliers} == {key: meant.get(key) for key in keys + multipliers}
    rope = {key: value for key, value in meant["rope_parameters"].items() if key != "type"}
    assert {key: found["rope_parameters"].get(key) for key in rope} == rope
    gguf_file.convert(tmp_path / "back", tmp_path / "again.gguf", "f32", name=tiny_models.FOLDERS[family])
    first, second = Source(tmp_path / "there.gguf"), Source(tmp_path / "again.gguf")
    assert [name for name in first.tensors if not numpy.array_equal(first.floats(name), second.floats(name))] == []
    for key in ("tokens", "token_type", "merges", "scores", "pre", "eos_token_id", "eot_token_id", "add_bos_token"):
        assert first.get(f"tokenizer.ggml.{key}") == second.get(f"tokenizer.ggml.{key}"), key


def test_half_of_a_fused_expert_is_joined_in_order(tmp_path: Path) -> None:
    folder = tiny_models.granitemoe(tmp_path / "base")
    gguf_file.convert(folder, tmp_path / "m.gguf", "f32", name="granite")
    found = targets(Source(tmp_path / "m.gguf"))["model.layers.1.block_sparse_moe.input_linear.weight"]
    assert found.parts == ("blk.1.ffn_gate_exps.weight", "blk.1.ffn_up_exps.weight")
    assert found.shape == Weights.of_model(folder).info(found.name).shape
