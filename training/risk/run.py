"""One training of the risk encoder from data to run folder: train, calibrate, write. Behind `tide-train risk`."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from tide_chat.errors import UsageError
from training.risk import ngrams
from training.risk.calibrate import Calibration, calibrate
from training.risk.model import base_folder
from training.risk.refit import kept, refit
from training.risk.teachers import CHANCES, Chances, of
from training.risk.train import Recipe, Say, Trainer


def train(
    out: Path,
    base: Path | None,
    given: dict[str, Any],
    limit: int | None,
    say: Say,
    *,
    only_head: str | None = None,
    leave_out: int | None = None,
) -> None:
    """Raises DataError, ModelNotFound, MissingExtra, UsageError. `given` replaces fields of the recipe.

    only_head: train this head alone, or the n-grams, on the finished encoder of the run folder `base`; all else stays.
    leave_out: a quarter of the themes that is not learnt from; what the encoder makes of it is written beside it. Such
    a teacher learns from labels alone, if not told otherwise: earlier teachers had learnt from that quarter.
    """
    if leave_out is not None:
        given = {"teachers": 0.0, **given}
    trainer = Trainer(replace(Recipe(), **given), base, say, limit, leave_out=leave_out)
    say(f"{len(trainer.train_rows)} messages to train on, {len(trainer.held_rows)} held out by theme")
    if only_head:
        refit(trainer, only_head)
    else:
        trainer.run()
        if leave_out is None:
            trainer.ngrams = ngrams.learn(trainer)
    found = calibration(trainer)
    if only_head:
        found = kept(base_folder(base), only_head, found)
    trainer.save(out, found)
    if leave_out is not None:
        chances(trainer).save(out / CHANCES)
        say(f"{CHANCES}: what it makes of the {len(trainer.left_out)} messages left out")
    say(f"Written to {out}. Next: tide-convert risk {out} --out models")


@contextmanager
def computing_on(device: str) -> Iterator[None]:
    """Tensors are made there. Raises UsageError where there is no such device."""
    if device != "cuda":
        yield
        return
    if not torch.cuda.is_available():
        raise UsageError("There is no graphics card that torch can use.", help="Leave out --device.")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what equal sums in every run need on a card
    torch.set_float32_matmul_precision("high")
    with torch.device(device), sdpa_kernel(SDPBackend.MATH):  # the fused kernels add up in another order each time
        yield


def calibration(trainer: Trainer) -> Calibration:
    """On the held-out themes; without any, on the training data, which flatters."""
    rows = trainer.held_rows or trainer.train_rows
    parts = trainer.model.parts(trainer.logits(rows))
    counted = ngrams.logits(trainer.ngrams, trainer.texts(rows, varied=False))
    found = calibrate(parts["tier"], counted, parts["flags"], rows)
    trainer.say(f"temperature {found.temperature}, share {found.share}, thresholds {json.dumps(found.tiers)}")
    trainer.say(f"n-grams alone: temperature {found.alone_temperature}, thresholds {json.dumps(found.alone)}")
    return found


def chances(trainer: Trainer) -> Chances:
    """Of the rows that were left out."""
    texts = [row.text for row in trainer.left_out]
    parts = trainer.model.parts(trainer.logits(trainer.left_out))
    return of(texts, parts["tier"].softmax(-1).cpu().numpy(), parts["flags"].sigmoid().cpu().numpy())


torch.use_deterministic_algorithms(True)
torch.utils.deterministic.fill_uninitialized_memory = False  # finds what is read before it is written; costs a tenth
