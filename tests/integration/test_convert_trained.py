"""A run of `tide-train sft` itself, by the recipe of a paper's model, to files with which the app answers."""

from pathlib import Path

import pytest

from convert import cli
from tests.integration import tiny_models
from tide_chat.engine.base import Cancel, EngineSpec, SamplingParams
from tide_chat.engine.local import LocalEngine
from tide_chat.messages import Conversation
from tide_chat.prompt import Renderer
from tide_chat.registry import Registry
from training import recipe
from training.sft import loop
from training.sft.prepared import Job

TALK = Conversation().user("I hid from the fireworks.").assistant("Hiding kept you safe. Where were you?")
ALIAS = "granite-3.1-3b-a800m"  # whose recipe also trains experts, which have no layer of their own


@pytest.mark.usefixtures("one_thread")
def test_from_training_to_an_answer(tmp_path: Path) -> None:
    base, run = tiny_models.granitemoe(tmp_path / "granite", width=256), tmp_path / ALIAS
    short = ["training.epochs=1", "training.batch=1", "training.accumulation=1", "evaluation.samples=0"]
    wanted = recipe.load(f"tide-{ALIAS}", [*short, "data.system=none"])
    loop.train(Job(wanted, base, run, [TALK] * 2, device="cpu"), lambda _line: None)
    options = ["--quant", "q4_k_m,q8_0", "--install", "--samples", "1", "--threads", "1"]
    assert cli.main(["all", str(run), *options]) == 0
    for quant in ("q4_k_m", "q8_0"):
        assert answer(Registry.load().resolve(f"{ALIAS}-{quant}").path)


def answer(file: Path) -> str:
    engine = LocalEngine()
    try:
        engine.load(EngineSpec(file, threads=1, context=256))
        prompt = Renderer.of(engine.info()).render("", Conversation().user("Hello"))
        chunks = engine.generate(prompt, SamplingParams(max_tokens=4, seed=1), Cancel())
        return "".join(chunk.text for chunk in chunks)
    finally:
        engine.close()
