"""Trains one head anew on a finished encoder, or the n-grams beside it, in minutes: nothing else changes.

For labels that came later than the encoder. Knows the trainer's rows and losses, and the heads of the earlier run.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tide_chat.errors import UsageError
from training.risk import ngrams
from training.risk.calibrate import Calibration
from training.risk.data import Row
from training.risk.model import HEADS_FILE, SCALE
from training.risk.train import Trainer

NGRAMS = "ngrams"
STEPS = 200  # few: on the lines that it learnt from the finished encoder is surer than on others
RATE = 1e-3
DECAY = 0.05


def refit(trainer: Trainer, name: str) -> None:
    """Raises UsageError when the folder that was started from has no heads for the labels of the data."""
    if not trainer.took_over:
        help_ = "Give the folder of an earlier run on the same labels as --base."
        raise UsageError("One head alone needs a trained encoder.", help=help_)
    if name == NGRAMS:
        trainer.ngrams = ngrams.learn(trainer)
        trainer.refitted = {"only_head": name, "seed": trainer.recipe.seed, "fold": trainer.recipe.fold}
    else:
        _refit_head(trainer, name)


def _refit_head(trainer: Trainer, name: str) -> None:
    rows = _labelled(trainer.train_rows, name)
    vectors = trainer.vectors([row.text for row in rows]) * SCALE
    mine = trainer.model.rows_of(name)
    weight = trainer.model.out.weight.detach()[mine].clone().requires_grad_()
    bias = trainer.model.out.bias.detach()[mine].clone().requires_grad_()
    optimizer = torch.optim.AdamW([{"params": [weight], "weight_decay": DECAY}, {"params": [bias]}], lr=RATE)
    for step in range(STEPS):
        loss = trainer.head_loss(name, vectors @ weight.T + bias, rows)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step in (0, STEPS - 1):
            trainer.say(f"{name}, step {step + 1} of {STEPS}: loss {loss.item():.4f}")
    trainer.refitted = {"only_head": name, "steps": STEPS, "rate": RATE, "decay": DECAY, "fold": trainer.recipe.fold}
    with torch.no_grad():
        trainer.model.out.weight[mine], trainer.model.out.bias[mine] = weight, bias


def _labelled(rows: Sequence[Row], name: str) -> list[Row]:
    """The rows that cost something: of tiers all do, of another head those whose label is known."""
    return [row for row in rows if name == "tier" or getattr(row, name) is not None]


def kept(base: Path, name: str, found: Calibration) -> Calibration:
    """That of the earlier run, but for what belongs to what is new."""
    earlier: dict[str, Any] = json.loads((base / HEADS_FILE).read_text(encoding="utf-8"))
    flags = found.flags if name == "flags" else earlier["thresholds"]["flags"]
    if name in ("tier", NGRAMS):
        return replace(found, flags=flags)
    temperature = next(head["temperature"] for head in earlier["heads"] if head["name"] == "tier")
    limits = earlier["thresholds"]
    known = replace(found, temperature=temperature, share=1.0, tiers=_by_number(limits["tiers"]), flags=flags)
    if alone := limits.get("alone"):  # a run from before the n-grams has none
        known = replace(known, alone_temperature=alone["temperature"], alone=_by_number(alone["tiers"]))
    return known


def _by_number(limits: dict[str, float]) -> dict[int, float]:
    return {int(tier): limit for tier, limit in limits.items()}
