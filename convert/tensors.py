"""Which tensors a GGUF gets from a model's weights, and their values in stretches of rows. Knows no file format.

All that is missing, left over or of another shape is found before a byte is written.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from convert import architectures
from convert.architectures import Architecture, Config, Dimensions, Tensor
from convert.weights import Array, Weights
from tide_chat.errors import DataError

STRETCH = 1 << 22  # values in memory at a time: small enough for a processor's cache to help

Blocks = Callable[[], Iterator[Array]]


@dataclass(frozen=True, slots=True)
class Planned:
    """One tensor of the GGUF. shape: slowest dimension first. blocks: its float32 values, in order, row by row."""

    name: str
    shape: tuple[int, ...]
    blocks: Blocks


def plan(architecture: Architecture, config: Config, weights: Weights) -> list[Planned]:
    """Raises DataError when the weights are not those that the config describes."""
    dimensions = architecture.dimensions(config)
    prefix = architecture.prefix if any(name.startswith(architecture.prefix) for name in weights) else ""
    planned = [_computed(name, values) for name, values in architecture.computed(config).items()]
    used = set()
    for line in _lines(architecture, config):
        name = prefix + line.hf
        if name not in weights and line.optional:
            continue
        used.add(name)
        planned.append(_planned(line, name, weights, dimensions))
    _nothing_left(weights, used, prefix, architecture, config)
    return planned


def _lines(architecture: Architecture, config: Config) -> Iterator[Tensor]:
    """The architecture's list, written out for every layer."""
    layers = int(config["num_hidden_layers"])
    for line in architecture.tensors:
        if line.gguf == "output.weight" and architectures.tied(config):
            continue
        for number in range(layers) if "{n}" in line.hf else (0,):
            yield Tensor(line.hf.format(n=number), line.gguf.format(n=number), line.shape, line.part, line.optional)


def _planned(line: Tensor, name: str, weights: Weights, dimensions: Dimensions) -> Planned:
    shape, expected = weights.info(name).shape, tuple(dimensions[part] for part in line.shape.split())
    if shape != expected:
        raise DataError(
            "A tensor has another shape than the config says.",
            details=f"{name}: {list(shape)}, expected {list(expected)} ({line.shape}).",
        )
    if line.part in ("gate", "up"):
        half = (shape[0], shape[1] // 2, shape[2])
        return Planned(line.gguf, half, lambda: _halves(weights, name, line.part == "up"))
    if line.part in ("q", "k"):
        heads = dimensions[f"{line.part} heads"]
        return Planned(line.gguf, shape, lambda: iter((rotated(weights.floats(name), heads),)))
    return Planned(line.gguf, shape, lambda: weights.blocks(name, STRETCH))


def _computed(name: str, values: list[float]) -> Planned:
    import numpy

    array = numpy.array(values, dtype=numpy.float32)
    return Planned(name, array.shape, lambda: iter((array,)))


def rotated(values: Array, heads: int) -> Array:
    """Rows of each head in pairs that rotate together: 0 and size / 2, 1 and size / 2 + 1, ... become neighbours.

    values: (heads * size, width), or a bias, (heads * size).
    """
    size = values.shape[0] // heads
    paired = values.reshape(heads, 2, size // 2, *values.shape[1:]).swapaxes(1, 2)
    return paired.reshape(values.shape)


def _halves(weights: Weights, name: str, second: bool) -> Iterator[Array]:
    """Of each expert's rows the first half or the second, one expert at a time. (experts, 2 inner, width)"""
    middle = weights.info(name).shape[1] // 2
    for block in weights.blocks(name, 1):
        yield block[:, middle:] if second else block[:, :middle]


def _nothing_left(
    weights: Weights, used: set[str], prefix: str, architecture: Architecture, config: Mapping[str, object]
) -> None:
    left = [name for name in weights if name not in used]
    if architectures.tied(config):
        left = [name for name in left if name != "lm_head.weight"]
    unknown = [name for name in left if not re.fullmatch(architecture.left_out, name.removeprefix(prefix))]
    if unknown:
        raise DataError(
            f"The weights hold tensors that {architecture.name} has not.",
            details=", ".join(unknown[:3]) + (f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""),
            help="An adapter has to be merged first: tide-convert merge.",
        )
