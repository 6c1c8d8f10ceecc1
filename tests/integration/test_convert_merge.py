"""Merging compared with peft's own, on tiny models of each family: real adapters, saved and loaded by peft."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import peft
import pytest
import torch
import transformers

from convert.merge import merge
from convert.weights import INDEX, Weights, to_stored
from tests.integration import tiny_models
from tide_chat.errors import DataError

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::UserWarning:peft", "ignore::RuntimeWarning:peft", "ignore::FutureWarning"),
]

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
FUSED = ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]
Maker = Callable[..., Path]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    """The folder of a tiny model, made once."""
    made: dict[Any, Path] = {}

    def make(family: str, **how: Any) -> Path:
        key = (family, *sorted(how.items()))
        if key not in made:
            made[key] = tiny_models.MAKERS[family](tmp_path_factory.mktemp(family) / "base", **how)
        return made[key]

    return make


def loaded(folder: Path, dtype: str = "float32") -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()


def adapter(base: Path, out: Path, *, seed: int = 0, dtype: str = "float32", **settings: Any) -> Path:
    """An adapter as if it had been trained: every tensor of it differs from where it started."""
    model = peft.get_peft_model(loaded(base, dtype), peft.LoraConfig(**settings))
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, values in model.named_parameters():
            noise = torch.randn(values.shape, generator=source)
            if "magnitude" in name:
                values.mul_(1 + 0.2 * noise.abs())
            elif "lora_" in name:
                values.copy_(0.2 * noise)
            elif values.requires_grad:
                values.add_(0.1 * noise)
    model.save_pretrained(out)
    return out


def with_adapter(base: Path, adapter: Path, dtype: str = "float32") -> Any:
    return peft.PeftModel.from_pretrained(loaded(base, dtype), adapter).eval()


def by_peft(base: Path, adapter: Path, dtype: str = "float32") -> dict[str, Any]:
    merged: dict[str, Any] = with_adapter(base, adapter, dtype).merge_and_unload().state_dict()
    return merged


def by_us(folder: Path, dtype: str = "float32") -> dict[str, Any]:
    """The folder as transformers loads it, which must have nothing to say about it."""
    model, report = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=getattr(torch, dtype), output_loading_info=True
    )
    assert not any(report.values()), report
    weights: dict[str, Any] = model.state_dict()
    return weights


def difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest one between the values of two models."""
    assert one.keys() == other.keys()
    return max(float((one[name].double() - other[name].double()).abs().max()) for name in one)


def changed(base: Path, merged: Path) -> set[str]:
    """Which stored tensors differ."""
    before, after = Weights.of_model(base), Weights.of_model(merged)
    return {name for name in after if name not in before or not numpy.array_equal(before.raw(name), after.raw(name))}


def logits(model: Any) -> Any:
    with torch.no_grad():
        return model(torch.tensor([list(range(3, 60, 3))])).logits[0]


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("llama", {"r": 4, "lora_alpha": 8, "target_modules": LINEAR}),
    "qwen2": ("qwen2", {"r": 4, "lora_alpha": 16, "target_modules": LINEAR}),
    "rank-stabilised": ("llama", {"r": 8, "lora_alpha": 8, "use_rslora": True, "target_modules": LINEAR}),
    "dora": ("llama", {"r": 4, "use_dora": True, "target_modules": LINEAR}),
    "rsdora": ("qwen2", {"r": 4, "use_dora": True, "use_rslora": True, "target_modules": LINEAR}),
    "fused": ("phi3", {"r": 4, "target_modules": FUSED}),
    "fused-dora": ("phi3", {"r": 4, "use_dora": True, "target_modules": FUSED}),
    "patterns": (
        "qwen2",
        {
            "r": 4,
            "lora_alpha": 8,
            "target_modules": LINEAR,
            "rank_pattern": {"q_proj": 2, r"^model\.layers\.1\.mlp\..*": 6},
            "alpha_pattern": {"layers.0.self_attn.o_proj": 3, "v_proj": 32},
        },
    ),
    "patterns-rs": (
        "llama",
        {
            "r": 4,
            "use_rslora": True,
            "target_modules": LINEAR,
            "rank_pattern": {"q_proj": 9},
            "alpha_pattern": {"k_proj": 2},
        },
    ),
    "whole-layers": (
        "phi3",
        {"r": 4, "target_modules": ["o_proj"], "modules_to_save": ["embed_tokens", "lm_head", "norm"]},
    ),
    "embedding": ("phi3", {"r": 4, "target_modules": ["embed_tokens", "lm_head", "o_proj"]}),
    "embedding-dora": ("phi3", {"r": 4, "use_dora": True, "target_modules": ["embed_tokens", "lm_head"]}),
    "experts": (
        "granitemoe",
        {
            "r": 4,
            "lora_alpha": 12,
            "target_modules": ["q_proj"],
            "target_parameters": ["experts.gate_up_proj", "experts.down_proj", "router.weight"],
            "rank_pattern": {"experts.down_proj": 2},
            "alpha_pattern": {"router.weight": 3},
        },
    ),
    "one-parameter": (
        "granitemoe",
        {"r": 3, "use_rslora": True, "target_modules": [], "target_parameters": ["block_sparse_moe.experts.down_proj"]},
    ),
    "whole-router": ("granitemoe", {"r": 4, "target_modules": ["v_proj"], "modules_to_save": ["router"]}),
}


@pytest.mark.parametrize("case", CASES)
def test_equals_peft(case: str, base: Maker, tmp_path: Path) -> None:
    family, settings = CASES[case]
    folder = base(family, dtype="float32")
    trained = adapter(folder, tmp_path / "adapter", **settings)
    done = merge(folder, [(trained, 1.0)], tmp_path / "out")
    assert len(changed(folder, tmp_path / "out")) == done.changed > 0
    assert difference(by_peft(folder, trained), by_us(tmp_path / "out")) <= 1e-6


HALVES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("qwen2", {"r": 8, "target_modules": LINEAR}),
    "dora": ("llama", {"r": 4, "use_dora": True, "target_modules": LINEAR}),
    "experts": ("granitemoe", {"r": 4, "target_modules": ["q_proj"], "target_parameters": ["experts.down_proj"]}),
}


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("case", HALVES)
def test_half_precision_is_rounded_once(case: str, dtype: str, base: Maker, tmp_path: Path) -> None:
    """What peft computes in float32, then rounded. In bfloat16 peft rounds the experts' change and then the sum."""
    family, settings = HALVES[case]
    folder = base(family, dtype=dtype)
    trained = adapter(folder, tmp_path / "adapter", dtype=dtype, **settings)
    merge(folder, [(trained, 1.0)], tmp_path / "out")
    exact, ours = by_peft(folder, trained), by_us(tmp_path / "out", dtype)
    total = differing = 0
    for name, values in exact.items():
        wanted = values.to(getattr(torch, dtype))
        apart = (wanted.view(torch.int16).int() - ours[name].view(torch.int16).int()).abs()
        assert int(apart.max()) <= 1, name
        total, differing = total + values.numel(), differing + int(apart.sum())
    # A float32 sum in another order is off by some 2**-23, and lands beyond a tie as often as the type is coarse.
    assert differing <= total * {"bfloat16": 1e-4, "float16": 1e-3}[dtype]
    if case == "plain":
        assert difference(by_peft(folder, trained, dtype), ours) <= 2.0**-8


def test_bfloat16_is_rounded_as_torch_does() -> None:
    bits = numpy.random.default_rng(0).integers(0, 1 << 32, 200_000, dtype=numpy.uint32)
    bits = numpy.concatenate([bits, bits & 0xFFFF0000 | 0x8000, bits & 0xFFFF0000])  # ties, and what needs no rounding
    values = bits.view(numpy.float32)
    values = values[numpy.isfinite(values)]
    wanted = torch.from_numpy(values).to(torch.bfloat16).view(torch.int16).numpy().view(numpy.uint16)
    assert numpy.array_equal(to_stored(values, "BF16"), wanted)


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_another_type(dtype: str, base: Maker, tmp_path: Path) -> None:
    folder = base("qwen2", dtype="bfloat16")
    trained = adapter(folder, tmp_path / "adapter", r=4, target_modules=LINEAR)
    merge(folder, [(trained, 1.0)], tmp_path / "out", dtype=dtype)
    long = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}[dtype]
    assert loaded(tmp_path / "out", long).dtype == getattr(torch, long)
    assert json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))["torch_dtype"] == long
    exact = by_peft(folder, trained)
    ours = by_us(tmp_path / "out", "float32")
    limit = {"f32": 1e-6, "f16": 2.0**-10, "bf16": 2.0**-7}[dtype] * max(float(v.abs().max()) for v in exact.values())
    assert difference(exact, ours) <= limit


def test_a_sum_of_adapters(base: Maker, tmp_path: Path) -> None:
    folder = base("llama", dtype="float32")
    one = adapter(folder, tmp_path / "one", seed=1, r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"])
    two = adapter(folder, tmp_path / "two", seed=2, r=6, use_rslora=True, target_modules=["v_proj", "up_proj"])
    merge(folder, [(one, 0.5), (two, -2.0)], tmp_path / "out")
    model = peft.PeftModel.from_pretrained(loaded(folder), one, adapter_name="one")
    model.load_adapter(two, adapter_name="two")
    for module in model.modules():
        if isinstance(module, peft.tuners.lora.LoraLayer):
            module.set_scale("one", 0.5)
            module.set_scale("two", -2.0)
    model.set_adapter("one")
    theirs = model.base_model.merge_and_unload(adapter_names=["one", "two"]).state_dict()
    assert difference(theirs, by_us(tmp_path / "out")) <= 1e-6


def test_dora_adds_up_in_any_order(base: Maker, tmp_path: Path) -> None:
    """Each is what it would be alone: peft's own result depends on which comes first."""
    folder = base("llama", dtype="float32")
    one = adapter(folder, tmp_path / "one", seed=1, r=4, use_dora=True, target_modules=["q_proj"])
    two = adapter(folder, tmp_path / "two", seed=2, r=4, use_dora=True, target_modules=["q_proj"])
    merge(folder, [(one, 1.0), (two, 0.5)], tmp_path / "out")
    merge(folder, [(two, 0.5), (one, 1.0)], tmp_path / "turned")
    before, first, second = loaded(folder).state_dict(), by_peft(folder, one), by_peft(folder, two)
    wanted = {name: first[name] + 0.5 * (second[name] - before[name]) for name in before}
    assert difference(wanted, by_us(tmp_path / "out")) <= 1e-6
    assert difference(by_us(tmp_path / "turned"), by_us(tmp_path / "out")) <= 1e-6


TIED: dict[str, dict[str, Any]] = {
    "input": {"target_modules": ["embed_tokens", "q_proj"]},
    "output": {"target_modules": ["lm_head", "q_proj"]},
    "both": {"target_modules": ["embed_tokens", "lm_head"], "use_rslora": True},
    "whole": {"target_modules": ["q_proj"], "modules_to_save": ["embed_tokens"]},
    "kept-tied": {"target_modules": ["embed_tokens", "lm_head"], "ensure_weight_tying": True},
}


@pytest.mark.parametrize("case", TIED)
def test_a_changed_tied_embedding_becomes_two(case: str, base: Maker, tmp_path: Path) -> None:
    """What was trained changes one side only. peft's merge changes both: compared is the adapter at work instead."""
    folder = base("qwen2", dtype="float32")
    trained = adapter(folder, tmp_path / "adapter", r=4, **TIED[case])
    done = merge(folder, [(trained, 1.0)], tmp_path / "out")
    assert done.untied
    assert json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))["tie_word_embeddings"] is False
    by_us(tmp_path / "out")
    with_it, without = logits(with_adapter(folder, trained)), logits(loaded(folder))
    assert float((with_it - without).abs().max()) > 0.1
    assert float((with_it - logits(loaded(tmp_path / "out"))).abs().max()) <= 1e-4


def test_layers_stored_the_other_way_round(tmp_path: Path) -> None:
    """GPT-2 keeps its matrices as (in, out): fan_in_fan_out, on square and on oblong ones, with DoRA too."""
    config = transformers.GPT2Config(vocab_size=128, n_positions=32, n_embd=64, n_layer=1, n_head=4)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path / "base")
    settings: dict[str, Any] = {
        "r": 4,
        "fan_in_fan_out": True,
        "use_dora": True,
        "target_modules": ["c_attn", "c_proj", "c_fc"],
    }
    trained = adapter(tmp_path / "base", tmp_path / "adapter", **settings)
    done = merge(tmp_path / "base", [(trained, 1.0)], tmp_path / "out")
    assert done.changed == 4
    assert difference(by_peft(tmp_path / "base", trained), by_us(tmp_path / "out")) <= 1e-6


def test_a_tied_embedding_under_another_name(tmp_path: Path) -> None:
    config = transformers.GPT2Config(vocab_size=128, n_positions=32, n_embd=64, n_layer=1, n_head=4)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path / "base")
    trained = adapter(tmp_path / "base", tmp_path / "adapter", r=4, target_modules=["wte"])
    with pytest.raises(DataError, match="also the output"):
        merge(tmp_path / "base", [(trained, 1.0)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_folder_is_like_the_base(base: Maker, tmp_path: Path) -> None:
    folder = base("llama", dtype="bfloat16", shards=3)
    trained = adapter(folder, tmp_path / "adapter", r=4, target_modules=["q_proj"])
    (trained / "run.json").write_text('{"steps": 3}', encoding="utf-8")
    out = tmp_path / "a folder, größer"
    merge(folder, [(trained, 1.0)], out)
    assert {file.name for file in out.iterdir()} == {file.name for file in folder.iterdir()} | {"run.json"}
    for file in folder.iterdir():
        if file.suffix != ".safetensors" and file.name != INDEX:
            assert (out / file.name).read_bytes() == file.read_bytes()
    index = json.loads((out / INDEX).read_text(encoding="utf-8"))
    assert index["weight_map"] == json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
    assert changed(folder, out) == {f"model.layers.{number}.self_attn.q_proj.weight" for number in range(2)}
    assert transformers.AutoTokenizer.from_pretrained(out)("hello").input_ids
