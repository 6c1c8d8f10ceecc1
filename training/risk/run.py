"""One training of the risk encoder from data to run folder: train, calibrate, write. Behind `tide-train risk`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from training.risk.calibrate import Calibration, calibrate
from training.risk.train import Recipe, Say, Trainer


def train(out: Path, base: Path | None, given: dict[str, Any], limit: int | None, say: Say) -> None:
    """Raises DataError, ModelNotFound, MissingExtra. `given` replaces fields of the recipe."""
    trainer = Trainer(replace(Recipe(), **given), base, say, limit)
    say(f"{len(trainer.train_rows)} messages to train on, {len(trainer.held_rows)} held out by theme")
    trainer.run()
    found = calibration(trainer)
    trainer.save(out, found.temperature, found.as_json())
    say(f"Written to {out}. Next: tide-convert risk {out} --out models")


def calibration(trainer: Trainer) -> Calibration:
    """On the held-out themes; without any, on the training data, which flatters."""
    rows = [row for row in trainer.held_rows or trainer.train_rows if row.tier is not None]
    parts = trainer.model.parts(trainer.logits(rows))
    found = calibrate(parts["tier"], parts["flags"], rows)
    trainer.say(f"temperature {found.temperature}, thresholds {json.dumps(found.tiers)}")
    return found


torch.use_deterministic_algorithms(True)
