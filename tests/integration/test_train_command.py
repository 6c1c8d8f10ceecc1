"""`tide-train` as its user runs it: split, look, plan, train for a moment, and bad input to one line."""

import json
from pathlib import Path

import pytest

from tests.integration import tiny_models
from training import cli

QUICK = ["training.epochs=1", "training.batch=4", "training.accumulation=1", "lora.r=2", "lora.alpha=2"]
OVERRIDES = [part for each in QUICK for part in ("--set", each)]
FEELINGS = "tired scared angry numb lonely ashamed restless low tense sad worried flat".split()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.llama(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def dialogues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("data") / "mine.csv"
    rows = [
        f"p{i},I feel {word} after the night shift number {i}.,That sounds {word}." for i, word in enumerate(FEELINGS)
    ]
    file.write_text("persona_id,user_input,reference_response\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def data(dialogues: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("split") / "split"
    assert cli.main(["data", "split", str(dialogues), "--out", str(out), "--shares", "70,30,0"]) == 0
    return out


def arguments(model: Path, data: Path, out: Path, *more: str) -> list[str]:
    return [
        "sft",
        "--recipe",
        "tide-llama-3.2-1b",
        "--model",
        str(model),
        "--data",
        str(data),
        "--out",
        str(out),
        *more,
    ]


def test_train_for_a_moment(model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    assert cli.main(arguments(model, data, run, *OVERRIDES)) == 0
    assert f"Next: tide-convert all {run} --base {model}" in capsys.readouterr().out
    assert {"adapter_config.json", "adapter_model.safetensors", "run.json", "metrics.jsonl"} <= {
        path.name for path in run.iterdir()
    }
    assert "train.jsonl" in json.dumps(json.loads((run / "run.json").read_text(encoding="utf-8")))
    assert cli.main(arguments(model, data, run, *OVERRIDES)) != 0  # there is a run already
    assert "--resume" in capsys.readouterr().err


def test_a_dry_run_writes_nothing(model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments(model, data, tmp_path / "run", "--dry-run", *OVERRIDES)) == 0
    assert "tokens" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_what_would_be_learnt(model: Path, dialogues: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "show", str(dialogues), "--model", str(model)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Between ⟦ and ⟧: learnt\n")
    assert "⟦That sounds tired.<|" in out
    assert out.count("⟦") == 2


def test_what_does_not_fit_is_said(model: Path, dialogues: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "show", str(dialogues), "--model", str(model), "--max-length", "16"]) == 0
    assert "1 of 1 dialogues do not fit 16 tokens." in capsys.readouterr().err


def test_words_between_colons_stay_as_they_are(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("persona_id,user_input,reference_response\np1,I feel [bold] :heart: today.,Tell me :fire: more.\n")
    assert cli.main(["data", "show", str(file), "--model", str(model)]) == 0
    out = capsys.readouterr().out
    assert "[bold] :heart: today." in out
    assert "⟦Tell me :fire: more." in out


def test_recipes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["recipes"]) == 0
    assert "tide-smollm2-135m" in capsys.readouterr().out
    assert cli.main(["recipes", "--fields"]) == 0
    assert "lora.r" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("--recipe", "tide-lama"), 2, "tide-llama"),
        (("--set", "lora.rang=4"), 2, "lora.r"),
        (("--set", "lora.r=much"), 2, "lora.r"),
        (("--model", "nowhere"), 3, "nowhere"),
        (("--data", "nowhere"), 4, "nowhere"),
    ],
)
def test_wrong_input_is_one_message(
    change: tuple[str, str],
    code: int,
    words: str,
    model: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main([*arguments(model, data, tmp_path / "run"), *change]) == code
    _, err = capsys.readouterr()
    assert words in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
