"""GGUF to an HF folder without torch: names, order of rows, tokenizer, and everything that is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy
import pytest

from convert import rope
from convert.dequantize import dequantize
from convert.from_gguf import config, reader, tensors, tokenizer
from convert.from_gguf.source import Source
from convert.weights import Weights
from tide_chat.errors import DataError, ModelNotFound, ModelUnusable, TideError, UsageError

WIDTH, HEADS, ROWS = 32, 2, 32
TOKENS = ["<|end|>", "h", "i", "hi", "\u0120", "<tool>", "[PAD6]", "!"]
TYPES = [3, 1, 1, 1, 1, 4, 5, 1]
Change = Callable[[dict[str, Any], dict[str, Any]], None]


def layer(generator: numpy.random.Generator) -> dict[str, Any]:
    def some(*shape: int) -> Any:
        return generator.standard_normal(shape, dtype=numpy.float32)

    named = {f"attn_{part}.weight": some(ROWS, WIDTH) for part in ("q", "k", "v", "output")}
    named |= {f"ffn_{part}.weight": some(WIDTH, WIDTH) for part in ("gate", "up", "down")}
    named |= {"attn_norm.weight": some(WIDTH), "ffn_norm.weight": some(WIDTH)}
    return {f"blk.0.{name}": values for name, values in named.items()}


def model(path: Path, *, architecture: str = "llama", change: Change | None = None, kind: str = "F32") -> Path:
    """A GGUF of one layer, written by the `gguf` package. change: gets metadata and tensors before that."""
    generator = numpy.random.default_rng(0)
    weights = layer(generator) | {
        "token_embd.weight": generator.standard_normal((len(TOKENS), WIDTH), dtype=numpy.float32),
        "output_norm.weight": numpy.ones(WIDTH, numpy.float32),
    }
    values: dict[str, Any] = {
        f"{architecture}.block_count": 1,
        f"{architecture}.context_length": 128,
        f"{architecture}.embedding_length": WIDTH,
        f"{architecture}.feed_forward_length": WIDTH,
        f"{architecture}.attention.head_count": HEADS,
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{architecture}.rope.freq_base": 500000.0,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": TOKENS,
        "tokenizer.ggml.token_type": TYPES,
        "tokenizer.ggml.merges": ["h i"],
        "tokenizer.ggml.eos_token_id": 0,
        "tokenizer.chat_template": "{{ messages }}",
    }
    if change:
        change(values, weights)
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in values.items():
        add(writer, key, value)
    for name, tensor in weights.items():
        quant = gguf.GGMLQuantizationType[kind if tensor.ndim > 1 else "F32"]
        writer.add_tensor(name, gguf.quants.quantize(tensor, quant), raw_dtype=quant)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add(writer: Any, key: str, value: Any) -> None:
    if isinstance(value, list):
        writer.add_array(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    else:
        writer.add_uint32(key, value)


def load(folder: Path, name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return data


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_folder_holds_what_a_model_needs(tmp_path: Path) -> None:
    dequantize(model(tmp_path / "m.gguf"), tmp_path / "out")
    assert names(tmp_path / "out") == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    found = load(tmp_path / "out", "config.json")
    assert (found["model_type"], found["rope_theta"], found["rms_norm_eps"]) == ("llama", 500000.0, 1e-5)
    assert (found["tie_word_embeddings"], found["eos_token_id"], found["bos_token_id"]) == (True, 0, None)
    assert load(tmp_path / "out", "tokenizer_config.json")["chat_template"] == "{{ messages }}"
    assert names(tmp_path) == {"m.gguf", "out"}


def test_rows_of_q_and_k_go_back_to_the_halves_of_their_heads(tmp_path: Path) -> None:
    file = model(tmp_path / "m.gguf")
    dequantize(file, tmp_path / "out")
    stored, source = Weights.of_model(tmp_path / "out"), Source(file)
    there = source.floats("blk.0.attn_q.weight")
    back = stored.floats("model.layers.0.self_attn.q_proj.weight")
    # Row 2 i of a head is HF's row i, row 2 i + 1 is row i + half.
    assert numpy.array_equal(back[3], there[6])
    assert numpy.array_equal(back[8 + 3], there[7])
    assert numpy.array_equal(back[16 + 3], there[16 + 6])
    assert numpy.array_equal(
        stored.floats("model.layers.0.self_attn.v_proj.weight"), source.floats("blk.0.attn_v.weight")
    )


def test_qwen2_keeps_its_rows(tmp_path: Path) -> None:
    file = model(tmp_path / "m.gguf", architecture="qwen2")
    dequantize(file, tmp_path / "out")
    back = Weights.of_model(tmp_path / "out").floats("model.layers.0.self_attn.q_proj.weight")
    assert numpy.array_equal(back, Source(file).floats("blk.0.attn_q.weight"))


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1"])
def test_values_are_those_of_the_gguf_package(tmp_path: Path, kind: str) -> None:
    file = model(tmp_path / "m.gguf", kind=kind)
    dequantize(file, tmp_path / "out")
    theirs = {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}["blk.0.ffn_up.weight"]
    wanted = gguf.quants.dequantize(theirs.data, theirs.tensor_type)
    assert numpy.array_equal(Weights.of_model(tmp_path / "out").floats("model.layers.0.mlp.up_proj.weight"), wanted)


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_a_smaller_type_is_rounded_once(tmp_path: Path, dtype: str) -> None:
    file = model(tmp_path / "m.gguf")
    dequantize(file, tmp_path / "out", dtype=dtype)
    stored = Weights.of_model(tmp_path / "out")
    assert {stored.info(name).dtype for name in stored} == {dtype}
    wanted = Source(file).floats("token_embd.weight")
    near = stored.floats("model.embed_tokens.weight")
    assert numpy.allclose(near, wanted, rtol=2**-8)
    assert not numpy.array_equal(near, wanted)


def test_an_output_matrix_of_its_own_is_not_tied(tmp_path: Path) -> None:
    def change(_values: dict[str, Any], weights: dict[str, Any]) -> None:
        weights["output.weight"] = 2 * weights["token_embd.weight"]

    dequantize(model(tmp_path / "m.gguf", change=change), tmp_path / "out")
    assert load(tmp_path / "out", "config.json")["tie_word_embeddings"] is False
    assert "lm_head.weight" in Weights.of_model(tmp_path / "out")


def test_llama3_scaling_is_found_from_its_factors(tmp_path: Path) -> None:
    settings = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }

    def change(_values: dict[str, Any], weights: dict[str, Any]) -> None:
        factors = rope.llama3_factors(rope.Rope("llama3", 500000.0, settings), WIDTH // HEADS)
        weights["rope_freqs.weight"] = numpy.array(factors, numpy.float32)

    found = config.config_of(Source(model(tmp_path / "m.gguf", change=change)))
    assert found["rope_scaling"] == settings


def test_other_factors_are_refused(tmp_path: Path) -> None:
    def change(_values: dict[str, Any], weights: dict[str, Any]) -> None:
        weights["rope_freqs.weight"] = numpy.array([3, 1, 4, 1, 5, 9, 2, 6], numpy.float32)

    refused(tmp_path, "rope scaling is not known", change=change)


def test_linear_scaling_is_kept(tmp_path: Path) -> None:
    def change(values: dict[str, Any], _weights: dict[str, Any]) -> None:
        values |= {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0}

    found = config.config_of(Source(model(tmp_path / "m.gguf", change=change)))
    assert found["rope_scaling"] == {"rope_type": "linear", "factor": 4.0}


def test_the_vocabulary_keeps_ids_and_kinds(tmp_path: Path) -> None:
    found = tokenizer.tokenizer_of(Source(model(tmp_path / "m.gguf")))
    assert found["model"]["vocab"] == {token: i for i, token in enumerate(TOKENS) if token != "[PAD6]"}
    assert found["model"]["merges"] == [["h", "i"]]
    assert [(one["id"], one["special"]) for one in found["added_tokens"]] == [(0, True), (5, False)]
    assert [step["type"] for step in found["pre_tokenizer"]["pretokenizers"]] == ["Digits", "ByteLevel"]


def test_several_ends_of_a_reply_are_all_kept(tmp_path: Path) -> None:
    def change(values: dict[str, Any], _weights: dict[str, Any]) -> None:
        values["tokenizer.ggml.eot_token_id"] = 5

    dequantize(model(tmp_path / "m.gguf", change=change), tmp_path / "out")
    assert load(tmp_path / "out", "generation_config.json")["eos_token_id"] == [0, 5]


def test_every_kind_of_metadata_is_read_as_the_gguf_package_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint8("a.u8", 200)
    writer.add_int8("a.i8", -3)
    writer.add_uint16("a.u16", 60000)
    writer.add_int16("a.i16", -300)
    writer.add_int32("a.i32", -70000)
    writer.add_uint64("a.u64", 1 << 40)
    writer.add_int64("a.i64", -(1 << 40))
    writer.add_float32("a.f32", 0.1)
    writer.add_float64("a.f64", 0.1)
    writer.add_bool("a.bool", True)
    writer.add_array("a.texts", ["é", "", "😀"])
    writer.add_array("a.numbers", [1, -2, 3])
    writer.add_array("a.floats", [0.5, 0.25])
    writer.add_tensor("t", numpy.ones((2, 3), numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    theirs = gguf.GGUFReader(path)
    ours, places = reader.read(path)
    assert ours == {name: field.contents() for name, field in theirs.fields.items() if not name.startswith("GGUF.")}
    assert [(place.name, place.shape, place.begin) for place in places] == [
        ("t", (2, 3), theirs.tensors[0].data_offset)
    ]


def test_unpermuting_undoes_the_order_of_the_way_there() -> None:
    values = numpy.arange(48).reshape(24, 2)
    there = values.reshape(3, 2, 4, 2).swapaxes(1, 2).reshape(24, 2)
    assert not numpy.array_equal(there, values)
    assert numpy.array_equal(tensors.unpermute(there, 3), values)


def refused(tmp_path: Path, words: str, *, architecture: str = "llama", change: Change | None = None) -> TideError:
    """Dequantizing fails with these words and leaves nothing."""
    file = model(tmp_path / "m.gguf", architecture=architecture, change=change)
    with pytest.raises(DataError, match=words) as error:
        dequantize(file, tmp_path / "out")
    assert names(tmp_path) == {"m.gguf"}
    return error.value


def test_other_architectures_are_refused_by_name(tmp_path: Path) -> None:
    assert "granitemoe" in refused(tmp_path, "'gemma' is not known", architecture="gemma").help


def test_other_tokenizers_are_refused_by_name(tmp_path: Path) -> None:
    def change(values: dict[str, Any], _weights: dict[str, Any]) -> None:
        values["tokenizer.ggml.pre"] = "tekken"

    assert "smollm" in refused(tmp_path, "pre-tokenizer is not known", change=change).help


def test_tensors_that_no_table_has_are_refused(tmp_path: Path) -> None:
    def change(_values: dict[str, Any], weights: dict[str, Any]) -> None:
        weights["blk.0.ffn_mystery.weight"] = numpy.ones((2, WIDTH), numpy.float32)

    assert "ffn_mystery" in refused(tmp_path, "A tensor is not known", change=change).details


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    def change(values: dict[str, Any], weights: dict[str, Any]) -> None:
        values["llama.block_count"] = 2
        weights |= {
            name.replace("blk.0", "blk.1"): tensor for name, tensor in weights.items() if name.startswith("blk.0")
        }
        del weights["blk.1.ffn_up.weight"]

    error = refused(tmp_path, "lacks tensors", change=change)
    assert "model.layers.1.mlp.up_proj.weight" in error.details


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    def change(_values: dict[str, Any], weights: dict[str, Any]) -> None:
        weights["blk.0.ffn_down.weight"][3, 4] = numpy.nan

    assert "blk.0.ffn_down.weight" in refused(tmp_path, "no numbers", change=change).details


def test_a_token_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    def change(values: dict[str, Any], _weights: dict[str, Any]) -> None:
        values["tokenizer.ggml.tokens"] = ["h" if token == "i" else token for token in TOKENS]

    assert "'h' is 1 and 2" in refused(tmp_path, "occurs twice", change=change).details


def test_values_too_large_for_half_precision_are_refused(tmp_path: Path) -> None:
    def change(_values: dict[str, Any], weights: dict[str, Any]) -> None:
        weights["blk.0.ffn_down.weight"][0, 0] = 1e5

    with pytest.raises(DataError, match="too large for F16"):
        dequantize(model(tmp_path / "m.gguf", change=change), tmp_path / "out", dtype="F16")
    assert names(tmp_path) == {"m.gguf"}


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    file = model(tmp_path / "m.gguf")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelUnusable, match="cut off"):
        dequantize(file, tmp_path / "out")
    assert names(tmp_path) == {"m.gguf"}


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_text("hello, this is not a model")
    with pytest.raises(ModelUnusable, match="not a usable model"):
        dequantize(tmp_path / "m.gguf", tmp_path / "out")
    with pytest.raises(ModelNotFound):
        dequantize(tmp_path / "none.gguf", tmp_path / "out")


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError):
        dequantize(model(tmp_path / "m.gguf"), tmp_path / "out")
    assert names(tmp_path / "out") == {"mine.txt"}
    with pytest.raises(UsageError, match="no type 'F64'"):
        dequantize(tmp_path / "m.gguf", tmp_path / "new", dtype="F64")


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def stop(_what: str, done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    file = model(tmp_path / "m.gguf")
    with pytest.raises(KeyboardInterrupt):
        dequantize(file, tmp_path / "out", say=stop)
    assert names(tmp_path) == {"m.gguf"}
