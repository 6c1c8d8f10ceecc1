"""What a run is going to take: tokens and steps exactly, memory and time as estimates that say so.

The estimates come from a trial of two layers (`probe`), at the speed that the machine has at that moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from tide_chat.errors import DataError
from tide_chat.registry.machine import human_size
from training.recipe import Recipe
from training.render import Example
from training.sft import batches, probe
from training.sft.devices import Group
from training.sft.loss import CHUNK

PROGRAM = 500_000_000  # bytes of Python and the libraries
HELD = {
    "cpu": 1.8,
    "cuda": 1.1,
}  # what allocators hold of what is kept, as passes of other shapes follow; measured: cpu
BYTES = {"no": 0.0, "int8": 1.1, "nf4": 0.6}  # of a quantized weight, with its scales
AGAIN = 1.5  # times the work of a layer, when its activations are computed twice


@dataclass(frozen=True, slots=True)
class Plan:
    """tokens, targets and computed (positions, padding included) are of one epoch; memory in bytes."""

    sequences: int
    epochs: int
    steps: int
    tokens: int
    targets: int
    computed: int
    shared: int  # tokens that all sequences begin with
    parameters: int
    trained: int
    memory: int  # estimated
    seconds: float  # estimated

    def lines(self) -> tuple[str, ...]:
        saved = 1 - self.computed / self.tokens if self.tokens else 0
        return (
            f"{self.sequences} sequences, {self.epochs} epochs, {self.steps} steps",
            f"an epoch: {self.tokens} tokens, {self.targets} learnt, {self.computed} computed: {saved:.0%} less",
            f"{self.shared} tokens are the same at the start of all sequences",
            f"{self.trained:,} of {self.parameters:,} parameters are trained ({self.trained / self.parameters:.2%})",
            f"memory about {human_size(self.memory)} (estimate)",
            f"time about {duration(self.seconds)} (estimate)",
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def duration(seconds: float) -> str:
    """2 h 05 min, 3 min 20 s, 12 s"""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def read(run: Mapping[str, Any]) -> Plan:
    """From what run.json holds. Raises DataError."""
    try:
        return Plan(**run["plan"])
    except (KeyError, TypeError) as error:
        raise DataError("The plan of the run cannot be read.", details=str(error)) from error


def make(
    recipe: Recipe,
    model: Any,
    examples: Sequence[Example],
    prefix: int,
    device: torch.device,
    dtype: torch.dtype,
    world: int,
) -> Plan:
    """model: with its adapter; weights are not looked at and may be absent. prefix: what all examples begin with."""
    wanted = recipe.training
    lengths = [len(one) for one in examples]
    size = wanted.batch * wanted.accumulation
    order = batches.steps(lengths, size, epoch=0, seed=wanted.seed, grouped=wanted.grouping == "length")
    parts = [
        part
        for step in order
        for rank in range(world)
        for part in batches.own(step, lengths, prefix, wanted, Group(rank, world))
    ]
    sizes = [prefix + len(part) * (max(lengths[i] for i in part) - prefix) for part in parts]
    total = sum(value.numel() for value in model.parameters())
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    targets = sum(int(one.mask.sum()) for one in examples)
    longest = [examples[i] for i in parts[sizes.index(max(sizes))]]
    cost = probe.run(recipe, model.config, longest, prefix, device, dtype)
    return Plan(
        len(examples),
        wanted.epochs,
        len(order) * wanted.epochs,
        sum(lengths),
        targets,
        sum(sizes),
        prefix,
        total,
        trained,
        _memory(recipe, model, max(sizes), cost, dtype, device, world),
        wanted.epochs * _seconds(recipe, model, sum(sizes), targets, cost) / world,
    )


def shared_prefix(recipe: Recipe, examples: Sequence[Example]) -> int:
    """Tokens computed once a pass; none where activations are computed twice, since that keeps no keys and values."""
    share = recipe.training.share_prefix and not recipe.training.checkpointing
    return batches.common_prefix(examples) if share else 0


def _seconds(recipe: Recipe, model: Any, computed: int, targets: int, cost: probe.Cost) -> float:
    """Of an epoch."""
    again = AGAIN if recipe.training.checkpointing else 1.0
    layers: int = model.config.num_hidden_layers
    return again * layers * computed * cost.layer_seconds + targets * cost.head_seconds


def _memory(
    recipe: Recipe, model: Any, positions: int, cost: probe.Cost, dtype: torch.dtype, device: torch.device, world: int
) -> int:
    """Bytes that a process holds at its peak. positions: of the largest pass. cost: what the trial found."""
    config, layers = model.config, model.config.num_hidden_layers
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    thin = config.hidden_size * dtype.itemsize
    kept = positions * (layers * thin + cost.kept if recipe.training.checkpointing else layers * cost.kept)
    logits = min(CHUNK, positions * config.vocab_size) * 4 * 2
    held = HELD.get(device.type, 1.1) * kept
    return int(PROGRAM + _weights(recipe, model, world, dtype) + 16 * trained + held + logits)


def _weights(recipe: Recipe, model: Any, world: int, dtype: torch.dtype) -> float:
    """Bytes of the base that a process holds at once. What is outside the layers is never quantized nor shared out; of
    a sharded base there are its share of the layers and two whole ones, that which computes and the next.
    """
    frozen = {name: value.numel() for name, value in model.named_parameters() if not value.requires_grad}
    layered = sum(count for name, count in frozen.items() if ".layers." in name)
    shared_out = recipe.training.shared_out(world)
    share = min(1.0, 1 / world + 2 / int(model.config.num_hidden_layers)) if shared_out else 1.0
    in_layers = share * layered * (BYTES[recipe.training.quantized] or dtype.itemsize)
    return float(in_layers + (sum(frozen.values()) - layered) * dtype.itemsize)
