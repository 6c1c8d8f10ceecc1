"""A head for the output guard on the finished encoder: which unsafe category a sentence of a reply belongs to.

The encoder stays as it is; only a logistic regression on its vectors is fitted, in seconds. Unsafe sentences and their
safe neighbours are in `data_files/guard/`, more safe ones are the sentences of the open dialogues' replies.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from tide_chat.errors import DataError
from training.risk import data

if TYPE_CHECKING:
    from training.risk.train import Trainer

FILE = data.DATA / "guard" / "train.jsonl"
SAFE = "safe"
# What a category of the data is called among the guard's rules, which say what then happens.
NAMES = {
    "human_claim": "human",
    "persona": "human",
    "outcome_promise": "outcome",
    "safe_fact": "safety",
    "trauma_detail": "pressing",
    "ending": "leaving",
    "refusal_alone": "leaving",
    "unsafe_command": "command",
}
SHARE_HELD = 0.002  # of good sentences that may be held back: one in five hundred
STEPS = 400
DECAY = 1e-5
_SCALE = 24.0  # of the unit vectors, so that weights of ordinary size can tell them apart
_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    category: str  # "safe", or what is wrong with it
    group: str


def sentences(file: Path = FILE) -> list[Sentence]:
    """Labelled sentences, and those of the dialogues' replies as safe ones. Raises DataError."""
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            found.append(Sentence(row["text"], NAMES.get(row["category"], row["category"]), f"guard/{row['theme']}"))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError("A sentence is not as it should be.", details=f"{file.name}, line {number}") from error
    for path in sorted(data.DIALOGUES.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            reply, group = json.loads(line)["reference_response"], f"{path.stem}/{number // 10}"
            found += [Sentence(part, SAFE, group) for part in _END.split(reply) if part]
    return found


def fit(trainer: "Trainer") -> tuple[dict[str, object], dict[str, float]]:
    """(the head as JSON, its thresholds by category)."""
    rows = sentences()
    labels = sorted({row.category for row in rows} - {SAFE})
    vectors = trainer.vectors([row.text for row in rows])
    wanted = torch.tensor([[float(row.category == label) for label in labels] for row in rows])
    held = torch.tensor([data.fold_of(row.group) == 0 for row in rows])
    layer = _regression(vectors[~held], wanted[~held])
    with torch.no_grad():
        chances = layer(vectors[held]).sigmoid()
    limits = _limits(chances, [row.category for row, out in zip(rows, held.tolist(), strict=True) if out], labels)
    trainer.say(_summary(chances, wanted[held], limits))
    weight, bias = layer.weight.detach(), layer.bias.detach()
    head: dict[str, object] = {
        "name": "guard",
        "labels": labels,
        "one": False,
        "weight": [[float(f"{x:.6g}") for x in row] for row in weight.tolist()],
        "bias": [float(f"{x:.6g}") for x in bias.tolist()],
        "temperature": 1.0,
    }
    return head, dict(zip(labels, limits, strict=True))


def _regression(vectors: torch.Tensor, wanted: torch.Tensor) -> nn.Linear:
    torch.manual_seed(0)
    layer = nn.Linear(vectors.shape[1], wanted.shape[1])
    weight = torch.where(wanted > 0, 4.0, 1.0)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.02)
    for _ in range(STEPS):
        optimizer.zero_grad()
        logits = layer(vectors * _SCALE)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, wanted, weight=weight)
        (loss + DECAY * layer.weight.square().sum()).backward()
        optimizer.step()
    layer.weight.data *= _SCALE
    return layer


def _limits(chances: torch.Tensor, categories: Sequence[str], labels: Sequence[str]) -> list[float]:
    """For each category the lowest threshold that holds back no more good sentences than allowed, and at least .5."""
    safe = chances[torch.tensor([category == SAFE for category in categories])]
    share = SHARE_HELD / len(labels)
    return [max(0.5, round(float(safe[:, i].quantile(1 - share)) + 1e-3, 4)) for i in range(len(labels))]


def _summary(chances: torch.Tensor, wanted: torch.Tensor, limits: Sequence[float]) -> str:
    got = (chances >= torch.tensor(limits)).any(-1)
    unsafe = wanted.sum(-1) > 0
    caught, false = float(got[unsafe].float().mean()), float(got[~unsafe].float().mean())
    return f"guard head on held-out themes: {caught:.3f} of the unsafe caught, {false:.4f} of the safe held"
