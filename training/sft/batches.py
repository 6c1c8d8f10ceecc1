"""Which sequences are read together, in which order, and as which arrays. Needs numpy; knows no model and no torch.

Everything follows from the seed, the epoch and the lengths, so a run can begin again anywhere, and each of several
processes knows what the others read.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.recipe import Training
from training.render import Counts, Example
from training.sft import kept
from training.sft.devices import Group

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRETCH = 40  # steps within which sequences are sorted by length
Steps = list[list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """ids (b, t) int64 and mask (b, t) bool of what follows the shared prefix, padded at the right; prefix (p,) int64.

    Padding comes last and attention looks back only, so no attention mask is needed.
    """

    prefix: "NDArray[Any]"
    ids: "NDArray[Any]"
    mask: "NDArray[Any]"

    @property
    def computed(self) -> int:
        """Positions that the model reads."""
        return int(self.ids.size + self.prefix.size)


def steps(lengths: Sequence[int], size: int, *, epoch: int, seed: int, grouped: bool) -> Steps:
    """Numbers of the sequences of each optimizer step of an epoch, `size` a step; the last step may hold fewer.

    grouped: sorted by length within stretches of many steps, and the steps shuffled.
    """
    source = random.Random(f"{seed}/{epoch}")
    order = list(range(len(lengths)))
    source.shuffle(order)
    if not grouped:
        return [order[i : i + size] for i in range(0, len(order), size)]
    stretch = size * STRETCH
    found: Steps = []
    for start in range(0, len(order), stretch):
        part = sorted(order[start : start + stretch], key=lambda i: lengths[i])
        found += [part[i : i + size] for i in range(0, len(part), size)]
    source.shuffle(found)
    return found


def passes(
    step: Sequence[int],
    lengths: Sequence[int],
    *,
    batch: int,
    tokens: int,
    rank: int = 0,
    world: int = 1,
    prefix: int = 0,
) -> Steps:
    """The part of a step that process `rank` of `world` reads, as micro-batches of like length.

    A micro-batch holds `batch` sequences, or more while its padded size stays within `tokens`. Shares of processes are
    dealt out by length, so that they take the same time.
    """
    order = sorted(step, key=lambda i: (lengths[i], i))[rank::world]
    found: Steps = []
    for number in order:
        longest = lengths[number] - prefix
        if found and (len(found[-1]) < batch or (len(found[-1]) + 1) * longest + prefix <= tokens):
            found[-1].append(number)
        else:
            found.append([number])
    return found


def own(step: Sequence[int], lengths: Sequence[int], prefix: int, wanted: Training, group: Group) -> Steps:
    """The part of a step that one process of a run reads, as the recipe has its passes."""
    return passes(
        step,
        lengths,
        batch=wanted.batch,
        tokens=wanted.tokens_per_pass,
        rank=group.rank,
        world=group.world,
        prefix=prefix,
    )


def share(step: Sequence[int], lengths: Sequence[int], prefix: int, wanted: Training, group: Group) -> Steps:
    """`own`. Where the base is sharded, all processes have the same number of passes, since they lend each other their
    layers: those that would have fewer get empty ones.
    """
    found = own(step, lengths, prefix, wanted, group)
    if not wanted.shared_out(group.world):
        return found
    others = (own(step, lengths, prefix, wanted, Group(rank, group.world)) for rank in range(group.world))
    return found + [[]] * (max(map(len, others)) - len(found))


def common_prefix(examples: Sequence[Example]) -> int:
    """How many tokens all sequences begin with, leaving to each at least one token before the first to learn."""
    if not examples:
        return 0
    first = examples[0].ids
    limit = min(int(one.mask.argmax()) for one in examples) - 1
    for one in examples:
        same = one.ids[:limit] == first[: len(one.ids)][:limit]
        limit = limit if same.all() else int(same.argmin())
    return max(limit, 0)


def stacked(examples: Sequence[Example], prefix: int) -> Batch:
    """Arrays of some sequences that share their first `prefix` tokens."""
    import numpy

    longest = max(len(one) for one in examples) - prefix
    ids = numpy.zeros((len(examples), longest), numpy.int64)
    mask = numpy.zeros((len(examples), longest), bool)
    for row, one in enumerate(examples):
        ids[row, : len(one) - prefix] = one.ids[prefix:]
        mask[row, : len(one) - prefix] = one.mask[prefix:]
    return Batch(examples[0].ids[:prefix].astype(numpy.int64), ids, mask)


# Tokenised once


def key(*parts: str) -> str:
    """What a set of examples was made from."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


Made = tuple[list[Example], Counts]


def cached(path: Path, wanted: str, make: Callable[[], Made]) -> Made:
    """The examples in `path` if it is whole and they are the wanted ones, else made and kept there. Raises OSError."""
    return _read(path, wanted) or _kept(path, wanted, make())


def _read(path: Path, wanted: str) -> Made | None:
    import numpy

    if (found := kept.read(path, wanted)) is None:
        return None
    try:
        ends = numpy.cumsum(found["lengths"])[:-1]
        columns = zip(
            numpy.split(found["ids"], ends), numpy.split(found["mask"], ends), found["numbers"].tolist(), strict=True
        )
        return [Example(ids, mask, *numbers) for ids, mask, numbers in columns], Counts(*found["counts"].tolist())
    except (KeyError, TypeError, ValueError):
        return None  # of another version


def _kept(path: Path, wanted: str, made: Made) -> Made:
    import numpy

    examples, counts = made
    if examples:
        kept.write(
            path,
            wanted,
            ids=numpy.concatenate([one.ids for one in examples]),
            mask=numpy.concatenate([one.mask for one in examples]),
            lengths=numpy.array([len(one) for one in examples]),
            numbers=numpy.array([(one.replies, one.ended, one.source) for one in examples]),
            counts=numpy.array([getattr(counts, name) for name in Counts.__dataclass_fields__]),
        )
    return made
