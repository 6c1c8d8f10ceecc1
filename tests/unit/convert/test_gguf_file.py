"""Converting to GGUF: what is refused, what is left behind, how much memory it takes."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy
import pytest

from convert import tensors
from convert.gguf_file import convert
from convert.weights import Weights
from tests.integration import tiny_models
from tide_chat.errors import DataError, TideError, UsageError

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_models.qwen2(tmp_path / "model")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """In a folder that has nothing else in it."""
    return tmp_path / "out" / "model.gguf"


def change_config(folder: Path, **changed: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changed), encoding="utf-8")


def change_weights(folder: Path, change: Change) -> None:
    weights = Weights.of_model(folder)
    values = {name: weights.floats(name).copy() for name in weights}
    change(values)
    tiny_models.write_weights(folder, values)


def refused(folder: Path, out: Path, kind: str = "f16") -> DataError:
    """The error, when nothing was left behind."""
    with pytest.raises(DataError) as caught:
        convert(folder, out, kind)
    assert not out.parent.exists() or list(out.parent.iterdir()) == []
    return caught.value


def values(file: Path, name: str) -> Any:
    (found,) = (tensor for tensor in gguf.GGUFReader(file).tensors if tensor.name == name)
    return found.data


def test_an_unknown_architecture_is_refused_with_the_known_ones(folder: Path, out: Path) -> None:
    change_config(folder, model_type="mamba")
    error = refused(folder, out)
    assert error.message == "The architecture 'mamba' is not known."
    assert error.help == "Known: bert, granitemoe, llama, phi3, qwen2."


def test_an_unknown_type_is_refused_with_the_known_ones(folder: Path, out: Path) -> None:
    with pytest.raises(UsageError) as caught:
        convert(folder, out, "q4_k_m")
    assert caught.value.help == "Types: f32, f16, bf16, q8_0, q4_0."


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"hidden_act": "gelu"}, "The activation 'gelu' is not known for qwen2."),
        ({"use_sliding_window": True}, "The model uses a sliding window."),
        ({"rope_scaling": {"type": "yarn", "factor": 4.0}}, "The rope scaling 'yarn' is not known."),
        ({"num_hidden_layers": None}, "config.json lacks a value."),
        ({"rms_norm_eps": None}, "config.json lacks a value."),
        ({"vocab_size": None}, "config.json lacks a value."),
        ({"num_attention_heads": "four"}, "config.json holds a value that makes no sense."),
        ({"num_attention_heads": 0}, "config.json holds a value that makes no sense."),
        ({"num_hidden_layers": 3}, "A tensor is missing."),
        ({"num_hidden_layers": 1}, "The weights hold tensors that qwen2 has not."),
        ({"intermediate_size": 64}, "A tensor has another shape than the config says."),
        ({"num_key_value_heads": 4}, "A tensor has another shape than the config says."),
        ({"vocab_size": 400}, "A tensor has another shape than the config says."),
        ({"tie_word_embeddings": False}, "A tensor is missing."),
    ],
)
def test_a_config_that_does_not_fit_is_refused(folder: Path, out: Path, changed: dict[str, Any], message: str) -> None:
    change_config(folder, **changed)
    assert refused(folder, out).message == message


@pytest.mark.parametrize("text", [None, "", "{", "[]", "\x00"])
def test_no_readable_config(folder: Path, out: Path, text: str | None) -> None:
    (folder / "config.json").unlink()
    if text is not None:
        (folder / "config.json").write_text(text, encoding="utf-8")
    assert "config.json" in refused(folder, out).message


def test_a_shape_is_told_with_the_expected_one(folder: Path, out: Path) -> None:
    change_config(folder, intermediate_size=64)
    assert refused(folder, out).details == (
        "model.layers.0.mlp.gate_proj.weight: [128, 64], expected [64, 64] (inner width)."
    )


def test_an_adapters_tensors_are_refused(folder: Path, out: Path) -> None:
    change_weights(folder, lambda found: found.update({f"base.lora_{x}.weight": numpy.ones((2, 2)) for x in "ABCD"}))
    error = refused(folder, out)
    assert error.details.endswith("base.lora_C.weight and 1 more")
    assert "tide-convert merge" in error.help


def test_a_missing_bias_is_no_other_model(folder: Path, out: Path) -> None:
    change_weights(folder, lambda found: found.pop("model.layers.1.self_attn.k_proj.bias"))
    assert refused(folder, out).details == "model.layers.1.self_attn.k_proj.bias"


def test_values_that_are_no_numbers_leave_nothing(folder: Path, out: Path) -> None:
    def spoil(found: dict[str, Any]) -> None:
        found["model.layers.1.mlp.down_proj.weight"][3, 4] = numpy.nan

    change_weights(folder, spoil)
    assert refused(folder, out).message == "A tensor holds values that are no numbers."


def test_values_too_large_for_f16(folder: Path, out: Path) -> None:
    def enlarge(found: dict[str, Any]) -> None:
        found["model.layers.0.mlp.down_proj.weight"][0, 0] = 70000.0

    change_weights(folder, enlarge)
    error = refused(folder, out)
    assert (error.message, error.details) == (
        "A tensor holds values that are too large for 16 bits.",
        "blk.0.ffn_down.weight",
    )
    convert(folder, out, "bf16")
    assert values(out, "blk.0.ffn_down.weight").size


def test_pickles_are_not_read(folder: Path, out: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "can run code" in refused(folder, out).help


def test_interrupting_leaves_the_old_file(folder: Path, out: Path) -> None:
    out.parent.mkdir()
    out.write_bytes(b"old")

    def stop(_what: str, done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(folder, out, say=stop)
    assert [path.read_bytes() for path in out.parent.iterdir()] == [b"old"]


def test_a_folder_in_the_place_of_the_output(folder: Path, out: Path) -> None:
    (out / "x").mkdir(parents=True)
    with pytest.raises(TideError, match="could not be written"):
        convert(folder, out)
    assert list(out.parent.iterdir()) == [out]


def test_progress_ends_at_the_whole(folder: Path, out: Path) -> None:
    said: list[tuple[str, int, int]] = []
    convert(folder, out, say=lambda *what: said.append(what))
    assert [done for _, done, _ in said] == sorted(done for _, done, _ in said)
    assert {total for _, _, total in said} == {said[-1][1]}


def test_an_unused_output_matrix_of_tied_embeddings_is_left_out(folder: Path, out: Path) -> None:
    change_weights(folder, lambda found: found.update({"lm_head.weight": found["model.embed_tokens.weight"] + 1}))
    convert(folder, out)
    assert "output.weight" not in {tensor.name for tensor in gguf.GGUFReader(out).tensors}


def test_stretches_give_what_the_whole_gives(folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = out.with_name("whole.gguf")
    convert(folder, whole, "q8_0")
    monkeypatch.setattr(tensors, "STRETCH", 100)
    convert(folder, out, "q8_0")
    assert out.read_bytes() == whole.read_bytes()


def test_memory_is_a_few_stretches_whatever_the_tensors_size(
    folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = 40_000
    large = numpy.ones((inner, 64), numpy.float32)  # 10 MB

    def enlarge(found: dict[str, Any]) -> None:
        for name in [name for name in found if ".layers.1." in name]:
            del found[name]
        found |= {f"model.layers.0.mlp.{part}_proj.weight": large for part in ("gate", "up")}
        found["model.layers.0.mlp.down_proj.weight"] = large.reshape(64, inner)

    change_config(folder, intermediate_size=inner, num_hidden_layers=1)
    change_weights(folder, enlarge)
    monkeypatch.setattr(tensors, "STRETCH", 1 << 16)  # 262 kB in float32
    convert(folder, out)  # loads what is loaded once
    assert peak(lambda: convert(folder, out)) < 3_000_000


def peak(work: Callable[[], object]) -> int:
    """Bytes at the worst moment."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Phi 3.5 Mini Instruct", "Phi-3.5 Mini Instruct"),
        ("phi-3-mini", "phi-3-mini"),
        ("My Phi3 tuned", "My Phi3 tuned"),
        ("tide companion", "Phi-3 tide companion"),
    ],
)
def test_phi_is_known_by_its_name(name: str, expected: str, tmp_path: Path, out: Path) -> None:
    convert(tiny_models.phi3(tmp_path / "x"), out, name=name)
    assert gguf.GGUFReader(out).fields["general.name"].contents() == expected


def test_what_the_caller_says_goes_before_the_card(folder: Path, out: Path) -> None:
    (folder / "README.md").write_text("---\nlicense: mit\nname: Card\n---\n", encoding="utf-8")
    convert(folder, out)
    fields = gguf.GGUFReader(out).fields
    assert (fields["general.name"].contents(), fields["general.license"].contents()) == ("Card", "mit")
    convert(folder, out, name="Mine", licence="apache-2.0", description="Tuned.")
    fields = gguf.GGUFReader(out).fields
    found = [fields[f"general.{key}"].contents() for key in ("name", "license", "description")]
    assert found == ["Mine", "apache-2.0", "Tuned."]


def test_a_snapshot_of_the_hub_is_called_as_its_repository(tmp_path: Path, out: Path) -> None:
    snapshot = tmp_path / "models--Qwen--Qwen2.5-0.5B-Instruct" / "snapshots" / ("ab12" * 10)
    convert(tiny_models.qwen2(snapshot), out)
    assert gguf.GGUFReader(out).fields["general.name"].contents() == "Qwen2.5-0.5B-Instruct"


def test_a_damaged_card_is_named(folder: Path, out: Path) -> None:
    (folder / "README.md").write_text("---\na: [\n---\n", encoding="utf-8")
    assert refused(folder, out).message == "The model card cannot be read."


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [
        ("config.json", "max_position_embeddings", -1),
        ("config.json", "max_position_embeddings", 1 << 40),
        ("generation_config.json", "temperature", "warm"),
        ("generation_config.json", "top_k", 0.5),
    ],
)
def test_values_that_no_key_can_hold(folder: Path, out: Path, file: str, key: str, value: Any) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {key: value}), encoding="utf-8")
    assert refused(folder, out).message.startswith("A value in config.json, generation_config.json or the model card")


def test_a_card_with_a_number_for_a_name(folder: Path, out: Path) -> None:
    (folder / "README.md").write_text("---\nauthor: 5\n---\n", encoding="utf-8")
    assert "makes no sense" in refused(folder, out).message


def test_nested_beyond_measure(folder: Path, out: Path) -> None:
    (folder / "tokenizer.json").write_text("[" * 100_000, encoding="utf-8")
    assert refused(folder, out).message == "tokenizer.json cannot be read."


def test_rows_of_each_head_are_paired() -> None:
    rows = numpy.arange(16, dtype=numpy.float32).reshape(16, 1)
    found = tensors.rotated(rows, 2).ravel().astype(int).tolist()
    assert found == [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15]


def test_experts_are_split_in_halves(tmp_path: Path, out: Path) -> None:
    folder = tiny_models.granitemoe(tmp_path / "model", dtype="float32")
    convert(folder, out, "f32")
    fused = Weights.of_model(folder).floats("model.layers.1.block_sparse_moe.input_linear.weight")
    assert numpy.array_equal(values(out, "blk.1.ffn_gate_exps.weight"), fused[:, :64])
    assert numpy.array_equal(values(out, "blk.1.ffn_up_exps.weight"), fused[:, 64:])
