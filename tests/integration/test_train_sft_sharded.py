"""A base that two processes hold in halves: the adapter is that of one process, in files that one process goes on from.

Real processes and PyTorch's FSDP over gloo, on tiny random models; all runs of the two are made by one pair.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.integration import test_train_preference as preference
from tests.integration import tiny_models
from tests.integration.test_train_sft import DIALOGUES, LONGER, nobody, settings, tensors, tiny
from tests.integration.training_runs import lines, two
from tide_chat.errors import UsageError
from training.recipe import load
from training.sft import adapter, devices, loop, sharding
from training.sft.loop import train
from training.sft.prepared import Job

SHARDED = "training.sharding=full"
RUNS: dict[str, tuple[str, ...]] = {  # three sequences a step are not shared out evenly
    "smollm": ("training.batch=1", "training.accumulation=3", "training.tokens_per_pass=0"),
    "granitemoe": (
        "training.batch=3",
        "training.checkpointing=true",
        'lora.parameters=["experts.gate_up_proj", "experts.down_proj"]',
    ),
}
SCRIPT = """
import sys
from pathlib import Path
from tests.integration import test_train_sft_sharded as here
here.all_runs(Path(sys.argv[1]), Path(sys.argv[2]), here.SHARDED)
print(here.held(Path(sys.argv[1])))
"""

pytestmark = pytest.mark.usefixtures("one_thread")


def go(models: Path, out: Path, family: str, *overrides: str, resume: bool = False) -> None:
    wanted = settings("lora.dropout=0", "training.accumulation=1", "training.epochs=2", *RUNS[family], *overrides)
    model = models / tiny_models.FOLDERS[family]
    train(Job(wanted, model, out, LONGER[:7], DIALOGUES[:3], device="cpu", resume=resume), nobody)


def prefer(models: Path, out: Path, *overrides: str) -> None:
    wanted = preference.settings("training.batch=3", "training.epochs=1", *overrides)
    preference.run(preference.job(out, models / tiny_models.FOLDERS["smollm"], wanted))


def all_runs(models: Path, out: Path, *overrides: str) -> None:
    torch.set_num_threads(1)
    for family in RUNS:
        go(models, out / family, family, *overrides)
    prefer(models, out / "pairs", *overrides)


def held(models: Path) -> int:
    """Numbers of the base and its adapter that this process holds."""
    cpu = torch.device("cpu")
    group = devices.group()
    found = adapter.load(models / tiny_models.FOLDERS["smollm"], settings(), cpu, torch.float32)
    if group.world > 1:
        sharding.shard(found, group, cpu)
    return sum(getattr(value, "_local_tensor", value).numel() for value in found.parameters())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(models, the runs of one process, those of two, what each of these held)"""
    folder = tmp_path_factory.mktemp("sharded")
    for family in RUNS:
        tiny(folder, family)
    said = two(SCRIPT, str(folder), str(folder / "two"))
    threads = torch.get_num_threads()
    all_runs(folder, folder / "one")
    torch.set_num_threads(threads)
    return folder, folder / "one", folder / "two", [int(one.splitlines()[-1]) for one in said]


def same(alone: Path, shared: Path) -> None:
    """But for the order of sums: losses to a part in a thousand, weights after some steps to one in a hundred."""
    for left, right in zip(lines(alone), lines(shared), strict=True):
        assert left == pytest.approx(right, rel=1e-3, abs=1e-4)
    a, b = tensors(alone), tensors(shared)
    assert a.keys() == b.keys()
    for name, value in a.items():
        torch.testing.assert_close(value, b[name], rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("name", [*RUNS, "pairs"])
def test_a_sharded_run_is_the_run_of_one(name: str, runs: Any) -> None:
    _, one, shared, _ = runs
    same(one / name, shared / name)
    assert lines(one / name, loop.SAMPLES) == lines(shared / name, loop.SAMPLES)


def test_one_process_goes_on_where_two_stopped(runs: Any, tmp_path: Path) -> None:
    models, one, shared, _ = runs
    broken = shared / "smollm"
    last = max((broken / "checkpoints").iterdir())
    last.rename(tmp_path / last.name)
    go(models, broken, "smollm", resume=True)
    assert (broken / "checkpoints" / last.name).is_dir()
    same(one / "smollm", broken)


def test_each_process_holds_half_of_the_layers(runs: Any) -> None:
    models, _, _, found = runs
    model = adapter.load(models / tiny_models.FOLDERS["smollm"], settings(), torch.device("cpu"), torch.float32)
    layers = sum(
        value.numel() for name, value in model.named_parameters() if ".layers." in name and not value.requires_grad
    )
    assert [held(models) - own for own in found] == [layers / 2] * 2


def test_the_plan_counts_a_share_and_two_whole_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, layers = tiny(tmp_path), 12
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"num_hidden_layers": layers}))
    monkeypatch.setenv("WORLD_SIZE", "2")
    whole, shared = (
        loop.dry_run(Job(settings(*more), model, tmp_path / "run", LONGER, device="cpu"), nobody)
        for more in ((), (SHARDED,))
    )
    frozen = (whole.parameters - whole.trained - embedding(model)) * 4
    assert whole.memory - shared.memory == pytest.approx(frozen * (1 / 2 - 2 / layers), rel=0.01)


def embedding(model: Path) -> int:
    """Numbers of the tied embedding."""
    config = json.loads((model / "config.json").read_text())
    return int(config["vocab_size"] * config["hidden_size"])


def test_a_quantized_base_cannot_be_sharded() -> None:
    with pytest.raises(UsageError, match="not valid") as caught:
        load("tide-phi-3.5-mini", [SHARDED, "training.quantized=nf4"])
    assert "training.sharding does not work" in str(caught.value.details)
