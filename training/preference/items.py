"""Tokenised pairs as the loop's items: both replies of a pair are read in one pass, next to the other pairs of it.

The reference, the model as it was before the first step, is asked once for all pairs; what it said is kept in the run
folder, so a run that goes on compares with the same numbers to the bit. Knows no rule and no file of pairs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

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
        self._rules = sorted({pair.rule for pair in pairs})
        self.prefix = prefix
        self.lengths = lengths(pairs, prefix)
        self.weights = [1] * len(pairs)
        self.width = len(MEANS) + len(self._rules)

    def sums(self, part: Sequence[int]) -> torch.Tensor:
        pairs = [self._pairs[i] for i in part]
        found = asked(self._loss, pairs, self.prefix)
        losses, margins = dpo(found, self._reference[list(part)], self._wanted.beta, self._wanted.label_smoothing)
        if self._wanted.sft:
            tokens = torch.tensor([int(pair.chosen.mask.sum()) for pair in pairs], device=found.device)
            losses = losses - self._wanted.sft * found[:, 0] / tokens
        right = (margins > 0).float()
        rules = [[pair.rule == rule for pair in pairs] for rule in self._rules]
        of_rules = [right[torch.tensor(those, device=right.device)].sum() for those in rules]
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


def kept(path: Path, key: str, count: int) -> torch.Tensor | None:
    """The (count, 2) log-probabilities in the file, if it is whole and they are the wanted ones."""
    import numpy

    if not path.is_file():
        return None
    try:
        with path.open("rb") as handle, numpy.load(handle, allow_pickle=False) as file:
            found = torch.from_numpy(file["values"]) if str(file["key"]) == key else None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None  # asked anew
    return found if found is not None and found.shape == (count, 2) else None


def keep(path: Path, key: str, values: torch.Tensor) -> None:
    """Whole or not at all. Raises OSError."""
    import numpy

    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            numpy.savez(file, key=key, values=values.cpu().numpy())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def reference(
    loss: Loss, pairs: Sequence[TokenPair], prefix: int, parts: Sequence[Sequence[int]], say: Callable[[int, int], None]
) -> torch.Tensor:
    """(n, 2) without gradient and dropout, of the pairs that `parts` name; zero for the others."""
    found = torch.zeros(len(pairs), 2, device=loss.device)
    training, done = loss.base.training, 0
    loss.base.eval()
    for part in parts:
        with torch.no_grad():
            found[list(part)] = asked(loss, [pairs[i] for i in part], prefix)
        done += len(part)
        say(done, len(pairs))
    loss.base.train(training)
    return found
