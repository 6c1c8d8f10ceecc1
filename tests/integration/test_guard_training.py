"""From written sentences to the files that the app loads: real training for a moment, real conversion, real runtime."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tide_chat.errors import DataError
from tide_chat.safety.guard_encoder import ENCODER, HEADS, NONE, SAFE, GuardEncoder
from training.guard import data, train
from training.guard.data import Sentence
from training.guard.train import Limits, Recipe


def tide(name: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    module = {"tide-train": "training.cli", "tide-convert": "convert.cli"}[name]
    code = f"import sys; from {module} import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=280
    )


def test_train_convert_and_read(tmp_path: Path) -> None:
    trained = tide("tide-train", "guard", "--out", tmp_path / "run", "--limit", "96", "--epochs", "1", "--seed", "3")
    assert trained.returncode == 0, trained.stderr
    assert "held out by theme" in trained.stdout
    converted = tide("tide-convert", "guard", tmp_path / "run", "--out", tmp_path / "models")
    assert converted.returncode == 0, converted.stderr
    assert {path.name for path in (tmp_path / "models").iterdir()} == {ENCODER, HEADS}
    wrong = tide("tide-convert", "risk", tmp_path / "run", "--out", tmp_path / "other")
    assert wrong.returncode == DataError.exit_code
    assert "This is not the run folder of a risk encoder." in wrong.stderr
    one = GuardEncoder(tmp_path / "models", patience=30)
    try:
        assert one.read("It was a long day.") == one.read("It was a long day.")
    finally:
        one.close()


def test_every_sentence_has_a_label_of_its_head() -> None:
    rows = data.sentences()
    assert {row.category for row in rows if row.asks} == set(data.TOPICS)
    assert {row.category for row in rows if not row.asks} == set(data.LABELS)
    assert all(row.category in {SAFE, NONE} for row in rows if row.plain or row.near)


def test_no_group_is_on_both_sides_and_no_held_out_text_is_learnt_from() -> None:
    learnt, held = data.split(data.sentences(), 0)
    assert {row.group for row in learnt}.isdisjoint(row.group for row in held)
    texts = {data.same(row.text) for row in (*learnt, *held)}
    assert texts.isdisjoint(data.same(row.text) for row in data.written(data.HELD_OUT))
    assert texts.isdisjoint(data.same(row.text) for row in data.wordings(data.HELD_OUT_QUESTIONS))


@pytest.mark.parametrize(
    ("name", "line", "read"),
    [
        ("train-x.jsonl", "{", data.written),
        ("train-x.jsonl", json.dumps({"text": "a", "category": "unknown", "near": None, "theme": "b"}), data.written),
        ("train-x.tsv", "unknown\tare you real", data.wordings),
        ("train-x.tsv", "program", data.wordings),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, name: str, line: str, read: type) -> None:
    (tmp_path / name).write_text(f"{line}\n")
    with pytest.raises(DataError, match=f"{name}, line 1"):
        list(read(tmp_path / name))


def test_limits_hold_back_as_few_good_sentences_as_asked() -> None:
    def made(number: int, chance: float, *, asks: bool, near: bool = False) -> tuple[Sentence, dict[str, float]]:
        row = Sentence(f"{asks} {near} {number}", NONE if asks else SAFE, "g", near=near, plain=not near, asks=asks)
        labels, good = (data.TOPICS, NONE) if asks else (data.LABELS, SAFE)
        rest = chance / (len(labels) - 1)
        return row, {label: 1 - chance if label == good else rest for label in labels}

    replies = dict(made(number, number / 1000, asks=False) for number in range(1000))
    talk = dict(made(number, number / 1000, asks=True) for number in range(1000))
    alike = dict(made(number, number / 100, asks=True, near=True) for number in range(100))
    models = {replace(row, text=f"as a model: {row.text}", plain=False): each for row, each in replies.items()}
    recipe = replace(Recipe(), grave=0.01, other=0.01, models=0.01, talk=0.01, alike=0.5)
    limits = train.limits_for(replies | models | talk | alike, recipe)
    raised = [row for row, chances in (replies | talk).items() if train.raised(row, chances, limits)]
    assert sum(not row.asks for row in raised) <= 20
    assert sum(row.asks for row in raised) <= 10
    assert limits.asks > 0.98


def test_methods_and_encouragement_need_the_lower_chance_of_theirs() -> None:
    row = Sentence("a", "methods", "g")
    chances = dict.fromkeys(data.LABELS, 0.0) | {SAFE: 0.8, "methods": 0.1, "encouragement": 0.1}
    assert train.raised(row, chances, Limits(grave=0.2, other=0.5, asks=0.5))
    assert not train.raised(row, chances, Limits(grave=0.21, other=0.5, asks=0.5))
