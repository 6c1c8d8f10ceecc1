"""Learns the table of n-grams that stands beside the risk encoder (`tide_chat/safety/ngrams.py`).

A linear classifier over bags of n-grams, from the same messages, variants and teachers as the encoder: some minutes.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import nn

from tide_chat.safety import ngrams
from tide_chat.safety.ngrams import TIERS, Ngrams
from training.risk import teachers
from training.risk.data import Row
from training.risk.train import Trainer

LEAST = 3  # messages that an n-gram stands in; a rarer one says little, and would be half of the table
EPOCHS = 6
RATE = 0.3  # of Adagrad, which moves rare n-grams as far as frequent ones
BATCH = 256


def learn(trainer: Trainer) -> Ngrams:
    """From the trainer's rows, with their teachers where its recipe has any."""
    rows = trainer.train_rows
    counts = Counter(chain.from_iterable(ngrams.keys_of(text) for text in trainer.texts(rows, varied=False)))
    places = {key: place for place, key in enumerate(sorted(key for key, n in counts.items() if n >= LEAST))}
    with torch.device("cpu"):
        wanted = targets(rows, trainer.chances, trainer.recipe.teachers)
        table = nn.EmbeddingBag(max(len(places), 1), TIERS, mode="sum")
        nn.init.zeros_(table.weight)
        optimizer = torch.optim.Adagrad(table.parameters(), lr=RATE)
        rng = random.Random(trainer.recipe.seed)
        for epoch in range(EPOCHS):
            bags = [_bag(text, places) for text in trainer.texts(rows, varied=True)]
            order, total = rng.sample(range(len(rows)), len(rows)), 0.0
            for batch in (order[i : i + BATCH] for i in range(0, len(order), BATCH)):
                logits = _summed(table, [bags[i] for i in batch])
                loss = -(wanted[batch] * logits.log_softmax(-1)).sum(-1).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            trainer.say(f"n-grams, epoch {epoch + 1} of {EPOCHS}: {len(places)} of them, loss {total / len(rows):.4f}")
    return ngrams.of(zip(places, table.weight.tolist(), strict=False))


def targets(rows: Sequence[Row], chances: teachers.Chances | None, share: float) -> torch.Tensor:
    """(rows, TIERS): the label, and this share of the teachers' chances; T0 and T1 where only `below T2` is known."""
    labels = torch.stack([_label(row) for row in rows])
    if chances is None:
        return labels
    places = chances.places([row.text for row in rows])
    read = [i for i, place in enumerate(places) if place >= 0]
    taught = torch.tensor(chances.tiers[[places[i] for i in read]])
    labels[read] = (1 - share) * labels[read] + share * taught
    return labels


def logits(table: Ngrams, texts: Sequence[str]) -> torch.Tensor:
    """(texts, TIERS), as the app has them."""
    return torch.tensor([table.logits(text) for text in texts])


def _label(row: Row) -> torch.Tensor:
    if row.tier is None:
        return torch.tensor([0.5, 0.5, 0.0, 0.0, 0.0])
    return nn.functional.one_hot(torch.tensor(int(row.tier)), TIERS).float()


@dataclass(frozen=True, slots=True)
class _Bag:
    """The places of a text's n-grams that the table knows, and by what their sum is multiplied."""

    known: list[int]
    scale: float


def _bag(text: str, places: dict[int, int]) -> _Bag:
    keys = ngrams.keys_of(text)
    known = sorted(places[key] for key in keys if key in places)  # sums of floats depend on their order
    return _Bag(known, ngrams.scale(len(known), len(keys)))


def _summed(table: nn.EmbeddingBag, bags: Sequence[_Bag]) -> torch.Tensor:
    """(bags, TIERS): as `Ngrams.logits` has them, without FEW and MANY: weights learnt with them make up for them."""
    sizes = torch.tensor([len(bag.known) for bag in bags])
    starts = sizes.cumsum(0) - sizes
    factors = torch.tensor([bag.scale for bag in bags]).repeat_interleave(sizes)
    ids = torch.tensor([*chain.from_iterable(bag.known for bag in bags)], dtype=torch.long)
    summed: torch.Tensor = table(ids, starts, per_sample_weights=factors)
    return summed
