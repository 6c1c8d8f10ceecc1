"""Adapters mixed by weight: the sum of what each adds, as peft computes it; and what cannot be added."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.integration import tiny_models
from tide_chat.errors import DataError, UsageError
from training import cli, mixing, recipe
from training.hushed import hushed
from training.mixing import Weighted, mix
from training.sft import adapter, checkpoint

pytestmark = pytest.mark.usefixtures("one_thread")
IDS = torch.arange(3, 19)[None]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    made = {name: tiny_models.MAKERS[name](folder / name) for name in ("smollm", "granitemoe", "qwen2")}
    return made | {"wide": tiny_models.smollm(folder / "wide" / "smollm", width=32)}


def made(out: Path, model: Path, seed: int, *overrides: str) -> Path:
    """An adapter with random values, as a run leaves it."""
    wanted = recipe.load("tide-smollm2-135m", ["lora.dropout=0", f"training.seed={seed}", *overrides])
    tuned = adapter.load(model, wanted, torch.device("cpu"), torch.float32)
    torch.manual_seed(seed)
    with torch.no_grad():
        for value in adapter.trained(tuned).values():
            value.copy_(torch.randn_like(value) * 0.1)
    out.mkdir(parents=True)
    checkpoint.save_adapter(tuned, out)
    return out


def loaded(model: Path, folder: Path) -> Any:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    with hushed():
        base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        return PeftModel.from_pretrained(base, folder).eval()


def merged(model: Path, folder: Path) -> dict[str, torch.Tensor]:
    """The weights with the adapter in them, by peft."""
    with hushed():
        return dict(loaded(model, folder).merge_and_unload().state_dict())


def added(model: Path, folder: Path) -> dict[str, torch.Tensor]:
    from transformers import AutoModelForCausalLM

    with hushed():
        base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).state_dict()
    return {name: value - base[name] for name, value in merged(model, folder).items()}


def test_it_is_the_sum_of_what_each_adds(models: dict[str, Path], tmp_path: Path) -> None:
    """Of other ranks, scalings and layers."""
    model = models["smollm"]
    a = made(tmp_path / "a", model, 1, "lora.r=4", "lora.alpha=8", "lora.rslora=true")
    b = made(tmp_path / "b", model, 2, "lora.r=2", "lora.rslora=false", 'lora.targets=["q_proj", "down_proj"]')
    done = mix([Weighted(a, 0.7), Weighted(b, -0.3)], tmp_path / "mix")
    assert (done.rank, done.kept) == (6, 1)
    first, second, both = (added(model, folder) for folder in (a, b, tmp_path / "mix"))
    changed = [name for name in both if bool(both[name].any())]
    assert len(changed) == 2 * 7  # all linear layers of both layers
    for name, value in both.items():
        torch.testing.assert_close(value, 0.7 * first[name] - 0.3 * second[name], rtol=1e-4, atol=1e-5)
    tuned = loaded(model, tmp_path / "mix")
    assert tuned.peft_config["default"].use_rslora is False
    with torch.no_grad():
        logits = tuned(input_ids=IDS).logits
    assert bool(logits.isfinite().all())
    told = json.loads((tmp_path / "mix" / "run.json").read_text())
    assert [(one["run"], one["weight"]) for one in told["mix"]] == [("a", 0.7), ("b", -0.3)]


def test_one_alone_with_weight_one_is_itself(models: dict[str, Path], tmp_path: Path) -> None:
    a = made(tmp_path / "a", models["qwen2"], 1, "lora.r=4")
    mix([Weighted(a, 1.0)], tmp_path / "mix")
    for name, value in added(models["qwen2"], a).items():
        torch.testing.assert_close(added(models["qwen2"], tmp_path / "mix")[name], value, rtol=1e-4, atol=1e-5)


def test_experts_are_added_each_for_itself(models: dict[str, Path], tmp_path: Path) -> None:
    model = models["granitemoe"]
    experts = 'lora.parameters=["experts.gate_up_proj", "experts.down_proj"]'
    a = made(tmp_path / "a", model, 1, "lora.r=4", experts)
    b = made(tmp_path / "b", model, 2, "lora.r=2", experts)
    mix([Weighted(a, 0.5), Weighted(b, 2.0)], tmp_path / "mix")
    first, second, both = (added(model, folder) for folder in (a, b, tmp_path / "mix"))
    assert any("experts" in name and bool(value.any()) for name, value in both.items())
    for name, value in both.items():
        torch.testing.assert_close(value, 0.5 * first[name] + 2.0 * second[name], rtol=1e-4, atol=1e-4)


def test_a_lower_rank_is_the_best_there_is(models: dict[str, Path], tmp_path: Path) -> None:
    model = models["smollm"]
    a, b = (made(tmp_path / name, model, seed, "lora.r=3") for name, seed in (("a", 1), ("b", 2)))
    given = [Weighted(a, 1.0), Weighted(b, 0.5)]
    exact = mix(given, tmp_path / "exact")
    less = mix(given, tmp_path / "less", 2)
    twice = mix([Weighted(a, 1.0), Weighted(a, 1.0)], tmp_path / "twice", 3)  # of rank 3 again
    assert (exact.rank, less.rank) == (6, 2)
    assert 0.3 < less.kept < 1
    assert twice.kept == pytest.approx(1, abs=1e-6)
    kept = whole = 0.0
    small, full = (added(model, tmp_path / name) for name in ("less", "exact"))
    for name, value in full.items():
        if not bool(value.any()):
            continue
        u, size, v = torch.linalg.svd(value.double())
        best = (u[:, :2] * size[:2]) @ v[:2]
        torch.testing.assert_close(small[name].double(), best, rtol=1e-3, atol=1e-4)
        kept, whole = kept + float(size[:2].square().sum()), whole + float(size.square().sum())
    assert less.kept == pytest.approx(kept / whole, rel=1e-4)


def test_the_mix_is_exported_for_the_app(models: dict[str, Path], tmp_path: Path) -> None:
    from convert import lora

    model = models["smollm"]
    a, b = (made(tmp_path / name, model, seed, "lora.r=2") for name, seed in (("a", 1), ("b", 2)))
    mix([Weighted(a, 0.5), Weighted(b, 0.5)], tmp_path / "mix")
    lora.convert(tmp_path / "mix", tmp_path / "mix.gguf", base=model)
    from gguf import GGUFReader

    tensors = {tensor.name: tensor for tensor in GGUFReader(tmp_path / "mix.gguf").tensors}
    assert tensors["blk.0.attn_v.weight.lora_a"].data.shape[0] == 4


def test_what_cannot_be_added(models: dict[str, Path], tmp_path: Path) -> None:
    model, out = models["smollm"], tmp_path / "mix"
    a = made(tmp_path / "a", model, 1, "lora.r=2")
    dora = made(tmp_path / "dora", model, 1, "lora.r=2", "lora.dora=true")
    other = made(tmp_path / "other", models["qwen2"], 1, "lora.r=2")
    wide = made(tmp_path / "wide", models["wide"], 1, "lora.r=2")
    for second, said in ((dora, "DoRA"), (other, "different models"), (wide, "different models")):
        with pytest.raises(DataError, match=said):
            mix([Weighted(a, 0.5), Weighted(second, 0.5)], out)
    with pytest.raises(DataError, match="not an adapter's folder"):
        mix([Weighted(tmp_path / "nowhere", 1.0)], out)
    with pytest.raises(UsageError, match="add up to 2"):
        mix([Weighted(a, 1.0)], out, 3)
    with pytest.raises(UsageError, match="exists already"):
        mix([Weighted(a, 1.0)], a)
    (a / "adapter_model.safetensors").write_bytes(b"broken")
    with pytest.raises(DataError, match="cannot be read"):
        mix([Weighted(a, 1.0)], out)
    assert not out.exists()


def test_the_command(models: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (made(tmp_path / name, models["smollm"], seed, "lora.r=2") for name, seed in (("a=b", 1), ("b", 2)))
    out = tmp_path / "mix"
    assert cli.main(["mix", f"{a}=0.7", f"{b}=0.3", "--out", str(out), "--rank", "3"]) == 0
    assert "rank 3: keeps" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {"adapter_config.json", "adapter_model.safetensors", "run.json"}
    assert cli.main(["mix", str(b), "--out", str(tmp_path / "no")]) == 2
    assert "RUN=WEIGHT" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["run", "run=", "=0.5", "run=nan", "run=inf", "run=0", "run=much"])
def test_weights_that_are_none(given: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        mixing.weighted(given)
