"""The GGUF adapter's contents, and what it is refused for. That the runtime computes the same is tested elsewhere."""

import math
from pathlib import Path
from typing import Any

import gguf
import numpy
import pytest

from convert.lora import convert
from tests.unit.convert import folders
from tests.unit.convert.folders import INNER, TOKENS, UP, WIDTH, Q, adapter, base, noise, pair, q_pair
from tide_chat.errors import DataError, ModelNotFound, TideError, UsageError

A, B = f"base_model.model.{Q}.lora_A.weight", f"base_model.model.{Q}.lora_B.weight"


def failure(error: type[TideError], *arguments: Any, **how: Any) -> str:
    with pytest.raises(error) as caught:
        convert(*arguments, **how)
    return str(caught.value)


def fields(file: Path) -> dict[str, Any]:
    return {name: field.contents() for name, field in gguf.GGUFReader(file).fields.items()}


def tensors(file: Path) -> dict[str, Any]:
    return {tensor.name: numpy.array(tensor.data) for tensor in gguf.GGUFReader(file).tensors}


def test_contents(tmp_path: Path) -> None:
    values = q_pair() | pair(UP, WIDTH, INNER)
    out = tmp_path / "größer, with spaces.gguf"
    convert(adapter(tmp_path / "a", values), out, base=base(tmp_path / "base"))
    found = fields(out)
    assert {name: found[name] for name in found if "." in name and not name.startswith("GGUF.")} == {
        "general.architecture": "llama",
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": 4.0,
    }
    there = tensors(out)
    assert set(there) == {f"blk.0.{name}.weight.lora_{side}" for name in ("attn_q", "ffn_up") for side in "ab"}
    assert numpy.array_equal(there["blk.0.attn_q.weight.lora_a"], values[A])
    assert numpy.array_equal(there["blk.0.ffn_up.weight.lora_b"], values[f"base_model.model.{UP}.lora_B.weight"])
    # Two heads of four rows: the halves of each head are interleaved.
    assert numpy.array_equal(there["blk.0.attn_q.weight.lora_b"], values[B][[0, 2, 1, 3, 4, 6, 5, 7]])


def test_qwen2_keeps_its_rows(tmp_path: Path) -> None:
    convert(adapter(tmp_path / "a"), tmp_path / "a.gguf", base=base(tmp_path / "base", model_type="qwen2"))
    assert numpy.array_equal(tensors(tmp_path / "a.gguf")["blk.0.attn_q.weight.lora_b"], q_pair()[B])


@pytest.mark.parametrize("stable", [False, True])
def test_scaling_is_what_the_runtime_makes_of_it(stable: bool, tmp_path: Path) -> None:
    """alpha / rank times B A, for ranks and alphas that differ between layers."""
    k, v = Q.replace("q_proj", "k_proj"), Q.replace("q_proj", "v_proj")
    values = q_pair() | pair(k, WIDTH, WIDTH, rank=5) | pair(v, WIDTH, WIDTH) | pair(UP, WIDTH, INNER)
    model = folders.base_values() | {f"{name}.weight": noise(WIDTH, WIDTH) for name in (k, v)}
    settings = {"rank_pattern": {"k_proj": 5}, "alpha_pattern": {"up_proj": 7}, "use_rslora": stable}
    trained = adapter(tmp_path / "a", values, **settings)
    convert(trained, tmp_path / "a.gguf", base=base(tmp_path / "base", values=model))
    alpha = fields(tmp_path / "a.gguf")["adapter.lora.alpha"]
    assert math.isclose(alpha, 4 * math.sqrt(2) if stable else 4, rel_tol=1e-7)
    there = tensors(tmp_path / "a.gguf")
    for name, module, rank, wanted in (("attn_v", v, 2, 4), ("attn_k", k, 5, 4), ("ffn_up", UP, 2, 7)):
        a, b = (values[f"base_model.model.{module}.lora_{side}.weight"] for side in "AB")
        product = there[f"blk.0.{name}.weight.lora_b"] @ there[f"blk.0.{name}.weight.lora_a"] * alpha / rank
        if name == "attn_k":
            product = product[[0, 2, 1, 3, 4, 6, 5, 7]]
        assert numpy.abs(product - b @ a * wanted / (math.sqrt(rank) if stable else rank)).max() < 1e-5


def test_the_output_and_its_copy(tmp_path: Path) -> None:
    """peft saves the base's output beside its adapter: no change, so no reason to refuse."""
    copy = {"base_model.model.lm_head.base_layer.weight": folders.base_values()["lm_head.weight"]}
    trained = adapter(tmp_path / "a", pair("lm_head", WIDTH, TOKENS) | copy)
    convert(trained, tmp_path / "a.gguf", base=base(tmp_path / "base"))
    assert set(tensors(tmp_path / "a.gguf")) == {"output.weight.lora_a", "output.weight.lora_b"}


def test_a_base_of_which_only_the_config_is_there(tmp_path: Path) -> None:
    model = base(tmp_path / "base")
    (model / "model.safetensors").unlink()
    convert(adapter(tmp_path / "a"), tmp_path / "a.gguf", base=model)
    assert len(tensors(tmp_path / "a.gguf")) == 2


def test_the_base_that_the_adapter_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = base(tmp_path / "base")
    convert(adapter(tmp_path / "a", base_model_name_or_path=str(model)), tmp_path / "a.gguf")
    assert (tmp_path / "a.gguf").exists()
    failure(ModelNotFound, adapter(tmp_path / "b", base_model_name_or_path=str(tmp_path / "gone")), tmp_path / "b.gguf")


MORE = "base_model.model.model.embed_tokens.lora_embedding_"
REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (q_pair() | {f"base_model.model.{Q}.lora_magnitude_vector": noise(WIDTH)}, {"use_dora": True}, "DoRA"),
    (q_pair() | {"base_model.model.model.norm.weight": noise(WIDTH, seed=9)}, {}, "model.norm.weight"),
    (q_pair() | {MORE + "A": noise(2, TOKENS), MORE + "B": noise(WIDTH, 2)}, {}, "model.embed_tokens"),
    (q_pair(), {"target_parameters": ["mlp.experts"]}, "mlp.experts"),
]


@pytest.mark.parametrize(("values", "settings", "words"), REFUSED)
def test_what_only_merging_can_do(values: Any, settings: dict[str, Any], words: str, tmp_path: Path) -> None:
    trained = adapter(tmp_path / "a", values, **settings)
    said = failure(DataError, trained, tmp_path / "a.gguf", base=base(tmp_path / "base"))
    assert words in said
    assert "tide-convert merge" in said
    assert not list(tmp_path.glob("*a.gguf*"))


def test_an_output_that_is_the_embedding(tmp_path: Path) -> None:
    values = folders.base_values()
    del values["lm_head.weight"]
    model = base(tmp_path / "base", values=values, tie_word_embeddings=True)
    trained = adapter(tmp_path / "a", pair("lm_head", WIDTH, TOKENS))
    assert "tide-convert merge" in failure(DataError, trained, tmp_path / "a.gguf", base=model)


@pytest.mark.parametrize(
    ("values", "config", "words"),
    [
        (pair(Q, WIDTH, WIDTH + 2), {}, "does not fit"),
        (pair("model.layers.3.self_attn.q_proj", WIDTH, WIDTH), {}, "does not fit"),
        (pair(Q, WIDTH, WIDTH, rank=3), {}, "different ranks"),
        (q_pair(), {"model_type": "mamba"}, "mamba"),
        (q_pair(), {"model_type": "phi3"}, "not known for phi3"),
        (q_pair() | {B: numpy.full((WIDTH, 2), numpy.inf, dtype=numpy.float32)}, {}, "no numbers"),
    ],
)
def test_bad_input(values: Any, config: dict[str, Any], words: str, tmp_path: Path) -> None:
    trained = adapter(tmp_path / "a", values)
    assert words in failure(DataError, trained, tmp_path / "a.gguf", base=base(tmp_path / "base", **config))
    assert {file.name for file in tmp_path.iterdir()} == {"a", "base"}


def test_no_effect_and_no_such_type(tmp_path: Path) -> None:
    model = base(tmp_path / "base")
    assert "changes nothing" in failure(
        DataError, adapter(tmp_path / "a", lora_alpha=0), tmp_path / "a.gguf", base=model
    )
    assert "f32, f16" in failure(UsageError, adapter(tmp_path / "b"), tmp_path / "b.gguf", base=model, kind="q4_k_m")


def test_a_failure_in_the_middle_keeps_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "a.gguf"
    out.write_bytes(b"before")
    trained = adapter(tmp_path / "a", q_pair() | {B: 1e6 * noise(WIDTH, 2)})
    assert "too large for f16" in failure(DataError, trained, out, base=base(tmp_path / "base"), kind="f16")
    assert out.read_bytes() == b"before"
    assert {file.name for file in tmp_path.iterdir()} == {"a", "base", "a.gguf"}
