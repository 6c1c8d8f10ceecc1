"""Model cards: golden files for our data, for TIDE and for data of unknown origin; what no card may leave out."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tide_chat.registry.catalogue import load_entries
from training import card, recipe
from training.data import origins, sources
from training.sft import metrics

GOLDEN = Path(__file__).parents[2] / "golden" / "training"
SHA = "0123456789abcdef" * 4
ORIGINS: dict[str, list[dict[str, Any]]] = {
    "open": [{"name": "plain.jsonl", "sha256": SHA, "rows": 780, "licence": origins.OURS}],
    "tide": [
        {"name": "plain.jsonl", "sha256": SHA, "rows": 780, "licence": origins.OURS},
        {"name": "train.csv", "sha256": SHA[::-1], "rows": 10_000, "licence": origins.TIDE},
    ],
    "unknown": [{"name": "a|b.jsonl", "sha256": SHA, "rows": 3, "licence": ""}],
}


def run(name: str, model: str = "smollm2-135m", **changed: Any) -> dict[str, Any]:
    """What run.json would hold, with a short recipe."""
    wanted = {
        "name": "tide-smollm2-135m",
        "about": "Our recipe for the embedded model.",
        "model": {"name": model},
        "lora": {"r": 32, "targets": "all-linear"},
        "optimizer": {"learning_rate": 0.0005},
    }
    return {
        "recipe": wanted,
        "base": "base",
        "start": None,
        "data": {"train.jsonl": SHA, "validation.jsonl": SHA[::-1]},
        "origins": ORIGINS[name],
        "counts": {"train": {"dialogues": 702, "tokens": 184_934, "targets": 33_774}, "held": 78},
        "device": "cpu, x86_64, 2 threads",
        "processes": 1,
        "precision": "float32",
        "plan": {"seconds": 1440.4, "memory": 2_000_000_000, "trained": 9_000_000, "parameters": 143_515_008},
        "outcome": {
            "steps": 176,
            "best": 1.9445,
            "best_step": 132,
            "stopped_early": False,
            "tokens": 739_736,
            "seconds": 2051.2,
            "peak_memory": 4_000_000_000,
        },
        "tide_chat": "0.1.0",
        "python": "3.11.9",
        "system": "Linux x86_64",
        "versions": {"torch": "2.13.0", "peft": None},
        "git": {"commit": SHA[:40], "changed": True},
        "started": "2026-01-31T12:00:00+00:00",
        **changed,
    }


@pytest.mark.parametrize("name", ORIGINS)
def test_golden(name: str) -> None:
    path, got = GOLDEN / f"card-{name}.md", card.text(run(name))
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(got, encoding="utf-8")
    assert got == path.read_text(encoding="utf-8")


def test_data_of_tide_forbid_commerce_whatever_else_was_read() -> None:
    got = card.text(run("tide"))
    assert got.startswith("---\nlicense: cc-by-nc-4.0\n")
    assert "Not for commercial use" in got
    assert "commercial" not in card.text(run("open"))


@pytest.mark.parametrize(
    ("name", "model", "wanted"),
    [
        ("open", "smollm2-135m", "apache-2.0"),
        ("open", "llama-3.2-1b", "llama3.2"),
        ("open", "r1-distill-qwen-1.5b", "mit"),
        ("open", "qwen2.5-3b", "other"),  # for research only
        ("open", "my-own", "other"),
        ("unknown", "smollm2-135m", "other"),
        ("tide", "my-own", "cc-by-nc-4.0"),
    ],
)
def test_the_licence_is_the_strictest_one(name: str, model: str, wanted: str) -> None:
    assert f"license: {wanted}\n" in card.text(run(name, model))


def test_data_of_which_nothing_is_recorded_are_not_called_free() -> None:
    got = card.text(run("open", origins=[]))
    assert "license: other" in got
    assert "not recorded" in got


@pytest.mark.parametrize("name", ORIGINS)
def test_every_card_says_what_it_is_not_for(name: str) -> None:
    got = card.text(run(name))
    for words in ("Not for crisis", "No clinician has reviewed", "Not for diagnosis"):
        assert words in got


def test_every_base_of_a_recipe_is_known_by_its_name_on_the_hub() -> None:
    bases = {recipe.load(name).model.name for name in recipe.names()}
    assert bases <= set(card.MAKERS) <= {entry.alias for entry in load_entries()}


def test_a_run_without_held_out_dialogues_and_outside_a_checkout() -> None:
    done = {**run("open")["outcome"], "best": None, "peak_memory": None}
    got = card.text(run("open", outcome=done, git=None, start={"common": SHA}))
    assert "held-out loss" not in got
    assert "commit" not in got
    assert f"another adapter: common ({SHA})" in got


def test_it_is_written_beside_run_json(tmp_path: Path) -> None:
    (tmp_path / metrics.RUN).write_text(json.dumps(run("open")))
    card.write(tmp_path)
    assert (tmp_path / card.NAME).read_text(encoding="utf-8") == card.text(run("open"))


def test_the_bytes_tell_where_dialogues_come_from(tmp_path: Path) -> None:
    """A copy under another name is ours; with one more byte it is nobody's that we know."""
    plain = sources.OPEN / "plain.jsonl"
    copy, changed = tmp_path / "copy.jsonl", tmp_path / "changed.jsonl"
    copy.write_bytes(plain.read_bytes())
    changed.write_bytes(plain.read_bytes() + b"\n")
    found = origins.of(sources.SourceFile(one.name, sources.digest(one), 1) for one in (copy, changed))
    assert [(one.name, one.licence) for one in found] == [("copy.jsonl", origins.OURS), ("changed.jsonl", "")]
