"""One training of the risk encoder from data to run folder: train, calibrate, write. Behind `tide-train risk`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from training.risk.calibrate import Calibration, calibrate
from training.risk.model import base_folder
from training.risk.refit import kept, refit
from training.risk.train import Recipe, Say, Trainer


def train(
    out: Path, base: Path | None, given: dict[str, Any], limit: int | None, say: Say, *, only_head: str | None = None
) -> None:
    """Raises DataError, ModelNotFound, MissingExtra, UsageError. `given` replaces fields of the recipe.

    only_head: train this head alone, on the finished encoder of the run folder `base`; all else stays as it is.
    """
    trainer = Trainer(replace(Recipe(), **given), base, say, limit)
    say(f"{len(trainer.train_rows)} messages to train on, {len(trainer.held_rows)} held out by theme")
    if only_head:
        refit(trainer, only_head)
        temperature, thresholds = kept(base_folder(base), only_head, calibration(trainer))
    else:
        trainer.run()
        found = calibration(trainer)
        temperature, thresholds = found.temperature, found.as_json()
    trainer.save(out, temperature, thresholds)
    say(f"Written to {out}. Next: tide-convert risk {out} --out models")


def calibration(trainer: Trainer) -> Calibration:
    """On the held-out themes; without any, on the training data, which flatters."""
    rows = trainer.held_rows or trainer.train_rows
    parts = trainer.model.parts(trainer.logits(rows))
    found = calibrate(parts["tier"], parts["flags"], rows)
    trainer.say(f"temperature {found.temperature}, thresholds {json.dumps(found.tiers)}")
    return found


torch.use_deterministic_algorithms(True)
