"""Risk encoders beside each other on the held-out themes. python tools/compare_encoders.py RUN [RUN ...]

A RUN is a folder of `tide-train risk`. Prints, at the threshold that finds 95 % of T3 and T4, what share of the other
tiers and of the dialogues' messages is raised to T2; and what share of messages without a flag gets one, on the
held-out dialogues and on `plain-more.jsonl`, which no encoder has learnt from. With several runs also the mean of their
chances.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from training.risk import data, ngrams, sources
from training.risk.data import Row
from training.risk.model import HEADS_FILE
from training.risk.train import Recipe, Trainer

RECALL = 0.95  # of T3 and T4
MORE = data.DIALOGUES / "plain-more.jsonl"


@dataclass(frozen=True, slots=True)
class Seen:
    """Of one encoder: tier chances (rows, 5), and whether any flag was raised (rows)."""

    name: str
    tiers: torch.Tensor
    flagged: torch.Tensor | None


def rows() -> list[Row]:
    """The held-out themes, and messages of dialogues that are in no training."""
    _, held = data.split(sources.rows())
    lines = MORE.read_text(encoding="utf-8").splitlines()
    return held + [Row(json.loads(line)["user_input"], MORE.stem, MORE.stem, flags=frozenset()) for line in lines]


def see(run: Path, texts: list[Row]) -> Seen:
    trainer = Trainer(Recipe(), run, lambda _: None)
    described = json.loads((run / "run.json").read_text(encoding="utf-8"))
    if not trainer.took_over or described["recipe"]["fold"] != trainer.recipe.fold:
        sys.exit(f"{run} was trained on other labels or with another --fold: nothing can be compared.")
    parts = trainer.model.parts(trainer.logits(texts))
    counted = ngrams.logits(trainer.ngrams, trainer.texts(texts, varied=False))
    heads = json.loads((run / HEADS_FILE).read_text(encoding="utf-8"))
    temperature = next(head["temperature"] for head in heads["heads"] if head["name"] == "tier")
    limits = torch.tensor([heads["thresholds"]["flags"][flag] for flag in data.FLAGS])
    tiers = (parts["tier"] / temperature + counted).softmax(-1)
    return Seen(run.name, tiers, (parts["flags"].sigmoid() >= limits).any(-1))


def line(seen: Seen, texts: list[Row]) -> str:
    chance = seen.tiers[:, 2:].sum(-1)
    grave = chance[[i for i, row in enumerate(texts) if row.tier is not None and row.tier >= 3]].sort().values
    limit = grave[int((1 - RECALL) * len(grave))]
    groups = [[i for i, row in enumerate(texts) if row.tier is not None and row.tier == tier] for tier in (2, 1, 0)]
    calm = [i for i, row in enumerate(texts) if row.kind == "dialogue"]
    more = [i for i, row in enumerate(texts) if row.group == MORE.stem]
    shares = [float((chance[group] >= limit).float().mean()) for group in (*groups, calm, more)]
    unflagged = [[i for i in group if texts[i].flags == frozenset()] for group in (calm, more)]
    if seen.flagged is not None:
        shares += [float(seen.flagged[group].float().mean()) for group in unflagged]
    cells = [f"{share:.3f}" for share in shares]
    return f"| {' | '.join([seen.name, *cells])} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    texts = rows()
    seen = [see(run, texts) for run in parser.parse_args().runs]
    if len(seen) > 1:
        seen.append(Seen("mean", torch.stack([one.tiers for one in seen]).mean(0), None))
    columns = ["T2", "T1", "T0", "held-out dialogues", "plain-more", "flag, dialogues", "flag, plain-more"]
    print(f"| raised to T2, with {RECALL} of T3 and T4 | {' | '.join(columns)} |")
    print(f"|---|{'---|' * len(columns)}")
    print(*(line(one, texts) for one in seen), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
