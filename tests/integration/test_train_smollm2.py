"""The model that comes with the app, from its GGUF through twenty real steps on our dialogues to a GGUF adapter."""

from pathlib import Path
from statistics import mean

import pytest

from convert import lora
from convert.dequantize import dequantize
from tide_chat.registry.gguf_header import read_header
from training import recipe
from training.data import sources
from training.sft import loop, metrics
from training.sft.prepared import Job


@pytest.mark.timeout(900)
def test_twenty_steps_lower_the_loss(embedded_model: Path, checkout: Path, tmp_path: Path) -> None:
    base, run, file = tmp_path / "base", tmp_path / "run", tmp_path / "adapter.gguf"
    dequantize(embedded_model, base)
    short = ("data.system=none", "training.batch=1", "training.accumulation=1", "training.epochs=2", "lora.r=8")
    wanted = recipe.load("tide-smollm2-135m", [*short, "optimizer.warmup=0"])
    plain = sources.dialogues([str(checkout / "training/data_files/dialogues/plain.jsonl")])
    shortest = sorted(plain, key=lambda one: sum(len(message.text) for message in one.turns))[:10]
    outcome = loop.train(
        Job(wanted, base, run, [one.conversation for one in shortest], device="cpu"), lambda _line: None
    )
    assert outcome.steps == 20
    losses = [line["loss"] for line in metrics.read(run / loop.METRICS)]
    assert mean(losses[10:]) < mean(losses[:10]) - 0.3  # the same dialogues
    lora.convert(run, file, base=base, kind="f16")
    assert read_header(file).kind == "adapter"
