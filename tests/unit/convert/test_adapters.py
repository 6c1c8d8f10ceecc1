"""What an adapter's folder is read as, and which are refused with which words."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from convert import adapters
from convert.adapters import Settings
from tests.unit.convert import folders
from tests.unit.convert.folders import Q, adapter, noise, pair, q_pair
from tide_chat.errors import DataError

A, B, M = (f"base_model.model.{Q}.{part}" for part in ("lora_A.weight", "lora_B.weight", "lora_magnitude_vector"))


def refusal(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        adapters.read(folder)
    return str(caught.value)


def test_plain(tmp_path: Path) -> None:
    found = adapters.read(adapter(tmp_path / "a"))
    [layer] = found.layers
    assert (layer.module, layer.nesting, layer.a, layer.b, layer.magnitude, layer.embedding) == (
        Q,
        0,
        A,
        B,
        None,
        False,
    )
    assert found.settings.scaling(Q) == 2.0
    assert not found.wholes


@pytest.mark.parametrize("suffix", ["", ".weight"])
def test_dora(suffix: str, tmp_path: Path) -> None:
    found = adapters.read(adapter(tmp_path / "a", q_pair() | {M + suffix: noise(8)}, use_dora=True))
    assert found.layers[0].magnitude == M + suffix


def test_nested_parameters_and_whole_layers(tmp_path: Path) -> None:
    module = "model.layers.0.block_sparse_moe.experts"
    values = pair(module, 4, 8) | pair(f"{module}.base_layer", 8, 8)
    values |= {
        "base_model.model.model.norm.weight": noise(8),
        "base_model.model.lm_head.base_layer.weight": noise(4, 4),
    }
    found = adapters.read(adapter(tmp_path / "a", values, target_parameters=["experts.down_proj"]))
    assert [(layer.module, layer.nesting) for layer in found.layers] == [(module, 0), (module, 1)]
    assert found.wholes == {
        "model.norm.weight": "base_model.model.model.norm.weight",
        "lm_head.weight": "base_model.model.lm_head.base_layer.weight",
    }
    assert found.settings.target_parameters == ("experts.down_proj",)


def test_scaling_follows_the_patterns() -> None:
    settings = Settings(
        r=4, lora_alpha=8, rank_pattern={"q_proj": 16, r"layers\.1\..*": 2}, alpha_pattern={"model.layers.0.o_proj": 3}
    )
    assert settings.scaling("model.layers.0.k_proj") == 2
    assert settings.scaling("model.layers.1.q_proj") == 0.5, "the first pattern counts"
    assert settings.scaling("model.layers.1.k_proj") == 4
    assert settings.scaling("model.layers.0.my_q_proj") == 2, "a pattern begins at a dot"
    assert settings.scaling("model.layers.0.o_proj") == 0.75
    stable = settings.model_copy(update={"use_rslora": True})
    assert stable.scaling("model.layers.0.q_proj") == 8 / 4
    assert math.isclose(stable.scaling("model.layers.1.k_proj"), 8 / math.sqrt(2))


def test_settings_that_are_null_count_as_absent(tmp_path: Path) -> None:
    absent = {"rank_pattern": None, "alpha_pattern": None, "target_parameters": None, "base_model_name_or_path": None}
    settings = adapters.read(adapter(tmp_path / "a", **absent)).settings
    assert (settings.rank_pattern, settings.target_parameters, settings.base_model_name_or_path) == ({}, (), "")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"peft_type": "LOHA"}, "LOHA"),
        ({"peft_type": None}, "not known"),
        ({"bias": "all"}, "'all'"),
        ({"bias": "lora_only"}, "'lora_only'"),
        ({"lora_bias": True}, "lora_bias"),
        ({"use_qalora": True}, "QALoRA"),
        ({"use_bdlora": {"nblocks": 2}}, "BD-LoRA"),
        ({"kasa_config": {"beta": 1}}, "KaSA"),
        ({"arrow_config": {"top_k": 2}}, "Arrow"),
        ({"alora_invocation_tokens": [1, 2]}, "aLoRA"),
        ({"layer_replication": [[0, 2]]}, "repeats layers"),
        ({"trainable_token_indices": [3]}, "rows of the embedding"),
        ({"init_lora_weights": "pissa"}, "path_initial_model_for_weight_conversion"),
        ({"init_lora_weights": "pissa_niter_4"}, "path_initial_model_for_weight_conversion"),
        ({"init_lora_weights": "olora"}, "path_initial_model_for_weight_conversion"),
        ({"r": 0}, "r: "),
        ({"r": "four"}, "r: "),
        ({"lora_alpha": None}, "lora_alpha: "),
        ({"lora_alpha": float("nan")}, "lora_alpha: "),
        ({"rank_pattern": {"(": 2}}, "no regular expression"),
        ({"rank_pattern": {"q_proj": 0}}, "rank_pattern"),
        ({"rank_pattern": ["q_proj"]}, "rank_pattern"),
        ({"alpha_pattern": {"q_proj": float("inf")}}, "alpha_pattern"),
        ({"target_parameters": "experts"}, "target_parameters"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], words: str, tmp_path: Path) -> None:
    assert words in refusal(adapter(tmp_path / "a", **settings))


@pytest.mark.parametrize("start", [True, False, "gaussian", "eva", "orthogonal"])
def test_ways_to_start_that_leave_the_base_alone(start: Any, tmp_path: Path) -> None:
    assert adapters.read(adapter(tmp_path / "a", init_lora_weights=start)).layers


@pytest.mark.parametrize(
    ("values", "settings", "words"),
    [
        ({A: noise(2, 8)}, {}, "lora_B"),
        ({B: noise(8, 2)}, {}, "lora_A"),
        (q_pair(), {"use_dora": True}, "lora_magnitude_vector"),
        (q_pair() | {M: noise(8)}, {}, "lora_magnitude_vector"),
        (q_pair() | {f"base_model.model.{Q}.lora_B.bias": noise(8)}, {}, "lora_B.bias"),
        (q_pair() | {f"base_model.model.{Q}.lora_diag.weight": noise(2)}, {}, "lora_diag"),
        (q_pair() | {"base_model.model.x.token_adapter.trainable_tokens_delta": noise(2, 8)}, {}, "trainable_tokens"),
        (q_pair() | {"model.norm.weight": noise(8)}, {}, "does not begin with"),
        (q_pair() | {f"base_model.model.{Q}.lora_embedding_A": noise(2, 8)}, {}, "do not belong together"),
        ({A: noise(3, 8), B: noise(8, 2)}, {}, "do not belong together"),
        ({A: noise(2), B: noise(8, 2)}, {}, "do not belong together"),
        ({A: noise(0, 8), B: noise(8, 0)}, {}, "do not belong together"),
        ({}, {}, "holds no tensors"),
    ],
)
def test_tensors_that_are_refused(values: Any, settings: dict[str, Any], words: str, tmp_path: Path) -> None:
    assert words in refusal(adapter(tmp_path / "a", values, **settings))


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a")
    (folder / adapters.TENSORS).rename(folder / adapters.PICKLE)
    words = refusal(folder)
    assert "can run code" in words
    assert "safetensors" in words


def test_a_link_out_of_the_folder(tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a")
    (folder / adapters.TENSORS).rename(tmp_path / "elsewhere")
    (folder / adapters.TENSORS).symlink_to(tmp_path / "elsewhere")
    assert "leads out of the folder" in refusal(folder)


def test_no_adapter_at_all(tmp_path: Path) -> None:
    assert "not an adapter's folder" in refusal(tmp_path / "nowhere")
    assert "not an adapter's folder" in refusal(folders.base(tmp_path / "base"))
    folder = adapter(tmp_path / "a")
    (folder / adapters.TENSORS).unlink()
    assert "missing" in refusal(folder)
    for text in ("", "{", "[]", "3"):
        (folder / adapters.CONFIG).write_text(text, encoding="utf-8")
        assert adapters.CONFIG in refusal(folder)


def test_what_is_not_known_does_not_matter(tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a", a_new_setting=None, lora_dropout=0.1, loftq_config={}, corda_config=None)
    assert json.loads((folder / adapters.CONFIG).read_text(encoding="utf-8"))["lora_dropout"] == 0.1
    assert adapters.read(folder).layers
