"""What a run is made of, as the loop sees it: items of known length whose loss can be summed over a few of them.

An item is a sequence here; preference tuning brings pairs of sequences. Knows no optimizer and no order.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import torch

from training.render import Example
from training.sft import batches
from training.sft.loss import Loss


class Items(Protocol):
    """lengths: tokens of each item. weights: what each counts in a mean. prefix: tokens that all begin with.
    width: how many sums there are.
    """

    @property
    def lengths(self) -> Sequence[int]: ...
    @property
    def weights(self) -> Sequence[int]: ...
    @property
    def prefix(self) -> int: ...
    @property
    def width(self) -> int: ...

    def sums(self, part: Sequence[int]) -> torch.Tensor:
        """(width,) sums over the items of `part`, one at least, the loss first: what is made smaller."""
        ...

    def metrics(self, sums: Sequence[float], part: Sequence[int]) -> Mapping[str, float]:
        """The sums over `part` as they are written down, `loss` among them."""
        ...


def sums_of(items: Items, part: Sequence[int]) -> torch.Tensor:
    """Of an empty part zeros, for which the model runs all the same: the other processes need its layers."""
    return items.sums(part) if part else 0 * items.sums([0])


class Sequences:
    """Supervised: the cross entropy of every token to learn, a mean over tokens."""

    width = 1

    def __init__(self, examples: Sequence[Example], loss: Loss, prefix: int) -> None:
        self._examples, self._loss, self.prefix = examples, loss, prefix
        self.lengths = [len(one) for one in examples]
        self.weights = [int(one.mask[1:].sum()) for one in examples]

    def sums(self, part: Sequence[int]) -> torch.Tensor:
        total, _ = self._loss(batches.stacked([self._examples[i] for i in part], self.prefix))
        return total[None]

    def metrics(self, sums: Sequence[float], part: Sequence[int]) -> Mapping[str, float]:
        loss = sums[0] / sum(self.weights[i] for i in part)
        return {"loss": loss, "perplexity": math.exp(min(loss, 700.0))}
