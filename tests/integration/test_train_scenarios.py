"""Adapters for some scenarios: chosen by the recipe, or one for each family, begun with a common one; tiny models."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration import tiny_models
from training import cli, scenarios
from training.sft import loop, metrics

pytestmark = pytest.mark.usefixtures("one_thread")
NAMES = ("panic_public", "grief_anger", "flashback", "other")
WORDS = "tired scared angry numb lonely ashamed".split()
QUICK = ["data.system=none", "training.epochs=1", "training.batch=4", "training.accumulation=1", "evaluation.samples=0"]

LEARNT = ["--set", "lora.r=3", "--set", "training.epochs=25", "--set", "optimizer.learning_rate=5e-3"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.smollm(tmp_path_factory.mktemp("models") / "tiny-smollm2")


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    rows = ["dialogue_id,scenario,user_input,reference_response"]
    rows += [
        f"{name}{i},{name},I feel {word} about the {name} on day {i}.,Being {word} on day {i} is hard."
        for name in NAMES
        for i, word in enumerate(WORDS)
    ]
    (folder / "mine.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    # Rows at random, since these are nearly equal: this is no test of splits.
    assert cli.main(["data", "split", str(folder / "mine.csv"), "--out", str(folder / "split"), "--paper"]) == 0
    _rename(folder / "split")
    return folder / "split"


def _rename(folder: Path) -> None:
    """The paper's split has no validation part; its test part becomes one."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["splits"]["validation"] = manifest["splits"].pop("test")
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def common(model: Path, split: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "common"
    assert cli.main(given("sft", model, split, out, *LEARNT)) == 0
    return out


def given(command: str, model: Path, split: Path, out: Path, *more: str) -> list[str]:
    named = ["--model", str(model), "--data", str(split), "--out", str(out)]
    quick = [part for one in QUICK for part in ("--set", one)]
    return [command, "--recipe", "family-smollm2-135m", *named, *quick, *more]


def run_of(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / metrics.RUN).read_text(encoding="utf-8"))
    return found


def test_a_recipe_names_scenarios(model: Path, split: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, wanted in (("all", "[]"), ("two", '["panic", "flashback"]'), ("one", '["flashback"]')):
        assert cli.main(given("sft", model, split, tmp_path / name, "--set", f"data.scenarios={wanted}")) == 0
    counts = {name: run_of(tmp_path / name)["counts"] for name in ("all", "two", "one")}
    train = {name: count["train"]["dialogues"] for name, count in counts.items()}
    assert train["all"] > train["two"] > train["one"] > 0
    assert counts["all"]["held"] + train["all"] == len(NAMES) * len(WORDS)
    assert cli.main(given("sft", model, split, tmp_path / "none", "--set", 'data.scenarios=["flashbak"]')) == 2
    assert "Did you mean flashback" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_each_family_begins_with_the_common_adapter(
    model: Path, split: Path, common: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "families"
    assert cli.main(given("families", model, split, out, "--from", str(common), "--dry-run")) == 0
    assert not out.exists()
    assert cli.main(given("families", model, split, out, "--from", str(common))) == 0
    assert "held-out loss" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {"panic", "grief_anger", "reliving", scenarios.SUMMARY}
    summary = json.loads((out / scenarios.SUMMARY).read_text())
    for family, row in summary.items():
        told = run_of(out / family)
        assert told["recipe"]["lora"]["r"] == 3  # the common adapter's, not the recipe's
        assert list(told["start"]) == ["common"]
        assert row["held_loss"] == told["outcome"]["best"] <= row["held_loss_before"]
        assert json.loads((out / family / "adapter_config.json").read_text())["r"] == 3
    assert cli.main(given("families", model, split, out, "--from", str(common))) == 2  # it is there
    assert cli.main(given("families", model, split, out, "--from", str(common), "--resume")) == 0
    assert "panic: finished before." in capsys.readouterr().out


def test_training_that_makes_it_worse_keeps_the_common_adapter(
    model: Path, split: Path, common: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    worse = ["--set", "optimizer.learning_rate=1", "--set", "evaluation.every=1", "--set", "optimizer.warmup=0"]
    assert cli.main(given("sft", model, split, out, "--from", str(common), *worse)) == 0
    held = [line["held_loss"] for line in metrics.read(out / loop.METRICS) if "held_loss" in line]
    assert held[0] == min(held)
    assert run_of(out)["outcome"]["best_step"] == 0
    assert (out / "adapter_model.safetensors").read_bytes() == (common / "adapter_model.safetensors").read_bytes()


def test_what_cannot_be_begun_with(
    model: Path, split: Path, common: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tiny_models.smollm(tmp_path / "other", width=32)
    for code, said, line in (
        (
            2,
            "has its shape already",
            given("sft", model, split, tmp_path / "a", "--from", str(common), "--set", "lora.r=4"),
        ),
        (4, "does not fit this model", given("sft", other, split, tmp_path / "b", "--from", str(common))),
        (4, "not an adapter's folder", given("sft", model, split, tmp_path / "c", "--from", str(split))),
        (
            2,
            "choose the scenarios",
            given("families", model, split, tmp_path / "d", "--set", 'data.scenarios=["panic"]'),
        ),
    ):
        assert cli.main(line) == code
        assert said in capsys.readouterr().err
    config = json.loads((common / "adapter_config.json").read_text())
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "adapter_config.json").write_text(json.dumps(config | {"modules_to_save": ["lm_head"]}))
    (odd / "adapter_model.safetensors").write_bytes((common / "adapter_model.safetensors").read_bytes())
    assert cli.main(given("sft", model, split, tmp_path / "e", "--from", str(odd))) == 4
    assert "modules_to_save" in capsys.readouterr().err
