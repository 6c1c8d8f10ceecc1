"""The model that comes with the app, tuned on pairs of our dialogues for a few steps: it tells them apart."""

from functools import partial
from pathlib import Path

import pytest

from convert import lora
from convert.dequantize import dequantize
from tide_chat.registry.gguf_header import read_header
from training import recipe
from training.data import split
from training.preference import pairs, prepare
from training.sft import loop, metrics
from training.sft.prepared import Job


@pytest.mark.timeout(900)
def test_a_few_steps_tell_better_from_worse(embedded_model: Path, tmp_path: Path) -> None:
    base, run, file = tmp_path / "base", tmp_path / "run", tmp_path / "adapter.gguf"
    dequantize(embedded_model, base)
    split.split(tmp_path / "split", ("open:plain",), shares=(0.9, 0.1, 0))
    pairs.build(tmp_path / "split", tmp_path / "pairs")
    found = pairs.read(tmp_path / "pairs")
    short = ("data.system=none", "training.batch=6", "training.accumulation=1", "lora.r=4", "evaluation.samples=0")
    few = ("training.epochs=4", "optimizer.learning_rate=5e-4", "optimizer.warmup=0", "training.precision=float32")
    wanted = recipe.load("dpo-smollm2-135m", [*short, *few])
    shortest = sorted(
        (pair for pair in pairs.choose(found.train, wanted.pairs, 42) if pair.rule == "generic"),
        key=lambda pair: len(pair.chosen) + len(pair.rejected),
    )[:6]
    job = Job(wanted, base, run, device="cpu")
    loop.train(job, lambda _line: None, prepare=partial(prepare.prepare, shortest, ()))
    first, *_, last = metrics.read(run / loop.METRICS)
    assert first["margin"] == pytest.approx(0, abs=1e-3)
    assert last["accuracy"] == 1
    assert last["margin"] > 0.05
    assert last["loss"] < first["loss"] - 0.05
    lora.convert(run, file, base=base, kind="f16")
    assert read_header(file).kind == "adapter"
