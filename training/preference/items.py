"""Tokenised pairs as the loop's items: both replies of a pair are read in one pass, next to the other pairs of it.

The reference, the model as it was before the first step, is asked once for all pairs. Knows no rule and no file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from training.preference.loss import dpo
from training.recipe import Preference
from training.render import Example
from training.sft import batches
from training.sft.loss import Loss

MEANS = ("loss", "margin", "accuracy", "chosen_logp", "rejected_logp")


@dataclass(frozen=True, slots=True, eq=False)
class TokenPair:
    """Two sequences with the same prompt, of which the last reply alone is to learn."""

    chosen: Example
    rejected: Example
    rule: str


def asked(loss: Loss, pairs: Sequence[TokenPair], prefix: int) -> torch.Tensor:
    """(n, 2) log-probabilities of the better and the worse replies, sums over their tokens."""
    both = [pair.chosen for pair in pairs] + [pair.rejected for pair in pairs]
    losses, mask = loss.each(batches.stacked(both, prefix))
    of_tokens = losses.new_zeros(mask.shape).masked_scatter(mask, losses)
    return -of_tokens.sum(1).view(2, len(pairs)).T


class PairItems:
    """accuracy: share of pairs whose better reply gained more than the worse one; also by rule."""

    def __init__(
        self, pairs: Sequence[TokenPair], loss: Loss, prefix: int, reference: torch.Tensor, wanted: Preference
    ) -> None:
        """reference: (n, 2)."""
        self._pairs, self._loss, self._wanted = pairs, loss, wanted
        self._reference = reference.to(loss.device)
        self._tokens = torch.tensor([int(pair.chosen.mask.sum()) for pair in pairs], device=loss.device)
        self._rules = sorted({pair.rule for pair in pairs})
        self._of_rules = [
            torch.tensor([pair.rule == rule for pair in pairs], device=loss.device) for rule in self._rules
        ]
        self.prefix = prefix
        self.lengths = lengths(pairs, prefix)
        self.weights = [1] * len(pairs)
        self.width = len(MEANS) + len(self._rules)

    def sums(self, part: Sequence[int]) -> torch.Tensor:
        these = list(part)
        found = asked(self._loss, [self._pairs[i] for i in these], self.prefix)
        losses, margins = dpo(found, self._reference[these], self._wanted.beta, self._wanted.label_smoothing)
        if self._wanted.sft:
            losses = losses - self._wanted.sft * found[:, 0] / self._tokens[these]
        right = (margins > 0).float()
        of_rules = [right[those[these]].sum() for those in self._of_rules]
        means = (losses.sum(), margins.sum(), right.sum(), found[:, 0].sum(), found[:, 1].sum())
        return torch.stack([*means, *of_rules])

    def metrics(self, sums: Sequence[float], part: Sequence[int]) -> Mapping[str, float]:
        counts = [sum(self._pairs[i].rule == rule for i in part) for rule in self._rules]
        found = {name: value / len(part) for name, value in zip(MEANS, sums, strict=False)}
        of_rules = zip(self._rules, sums[len(MEANS) :], counts, strict=True)
        return found | {f"accuracy_{rule}": right / count for rule, right, count in of_rules if count}


def lengths(pairs: Sequence[TokenPair], prefix: int) -> list[int]:
    """Tokens of each pair; what all begin with counts once."""
    return [len(pair.chosen) + len(pair.rejected) - prefix for pair in pairs]


def reference(
    loss: Loss, pairs: Sequence[TokenPair], prefix: int, parts: Sequence[Sequence[int]], say: Callable[[int, int], None]
) -> torch.Tensor:
    """(n, 2) without gradient and dropout, of the pairs that `parts` name; zero for the others."""
    found = torch.zeros(len(pairs), 2, device=loss.device)
    training, done = loss.base.training, 0
    loss.base.eval()
    for part in parts:
        with torch.no_grad():
            answers = asked(loss, [pairs[i] for i in part or [0]], prefix)  # an empty part only lends its layers
        if part:
            found[list(part)] = answers
        done += len(part)
        say(done, len(pairs))
    loss.base.train(training)
    return found
