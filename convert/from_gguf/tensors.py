"""Which tensor of an HF model is made of which tensors of a GGUF, and how: `architectures.TABLE` read backwards.

Knows names, shapes and the order of rows, nothing of files that are written.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from convert.architectures import BLOCK, TABLE, Tensor
from convert.from_gguf.source import MOST, Array, Source
from convert.weights import to_stored
from tide_chat.errors import DataError

KNOWN = ("llama", "qwen2", "phi3", "granitemoe")
_DERIVED = re.compile(r"rope_freqs\.weight|rope_factors_(long|short)\.weight|blk\.\d+\.attn_rot_embd\.weight")


@dataclass(frozen=True, slots=True)
class Target:
    """An HF tensor. parts: the GGUF tensors it consists of, joined along the rows (of each expert).

    heads: over how many heads its rows were reordered, 0 when they were not.
    """

    name: str
    shape: tuple[int, ...]
    parts: tuple[str, ...]
    heads: int = 0


def known(source: Source) -> str:
    """The architecture, if it is one that can be read back. Raises DataError."""
    if source.architecture not in KNOWN:
        raise DataError(f"The architecture '{source.architecture}' is not known.", help=f"Known: {', '.join(KNOWN)}.")
    return source.architecture


def targets(source: Source) -> dict[str, Target]:
    """Every HF tensor that the file gives, by name. Raises DataError for tensors that are not known."""
    lines = {line.gguf: line for line in TABLE[known(source)].tensors}
    found: dict[str, Target] = {}
    for name in sorted(source.tensors):  # gate before up
        if _DERIVED.fullmatch(name):
            continue
        shape, (line, wanted) = source.tensors[name].shape, named(lines, name, source)
        if wanted in found:
            found[wanted] = _joined(found[wanted], name, shape)
        else:
            found[wanted] = Target(wanted, shape, (name,), _heads(source, line, name))
    _check_layers(source, found)
    return found


def named(lines: Mapping[str, Tensor], name: str, source: Source) -> tuple[Tensor, str]:
    """The line of the table, and HF's name. Raises DataError."""
    match = re.match(r"blk\.(\d+)\.", name)
    line = lines.get(BLOCK + name[match.end() :] if match else name)
    if line is None:
        raise DataError("A tensor is not known.", details=f"{name} in {source.path.name}")
    return line, line.hf.format(n=match[1]) if match else line.hf


def _joined(target: Target, name: str, shape: tuple[int, ...]) -> Target:
    if len(shape) != 3 or (target.shape[0], target.shape[2]) != (shape[0], shape[2]):
        raise DataError("Tensors that belong together have other shapes.", details=f"{target.parts[0]} and {name}")
    return replace(target, shape=(shape[0], target.shape[1] + shape[1], shape[2]), parts=(*target.parts, name))


def _heads(source: Source, line: Tensor, name: str) -> int:
    if line.part not in ("q", "k"):
        return 0
    heads = int(source.need("attention.head_count"))
    heads = heads if line.part == "q" else int(source.own("attention.head_count_kv", heads))
    rows = source.tensors[name].shape[0]
    if heads < 1 or rows % (2 * heads):
        raise DataError("A tensor's rows do not divide into heads.", details=f"{name}: {rows} rows, {heads} heads")
    return heads


def _check_layers(source: Source, found: Mapping[str, Target]) -> None:
    layers = int(source.need("block_count"))
    there = {int(match[1]) for name in found if (match := re.match(r"model\.layers\.(\d+)\.", name))}
    kinds = {re.sub(r"\d+", "N", name, count=1) for name in found if name.startswith("model.layers.")}
    expected = {kind.replace("N", str(layer), 1) for kind in kinds for layer in range(layers)}
    missing = sorted(expected - set(found))
    if there != set(range(layers)) or missing or "model.embed_tokens.weight" not in found:
        details = missing[0] if missing else f"{len(there)} layers, said to be {layers}"
        raise DataError("The file lacks tensors.", details=f"{source.path.name}: {details}")


def values(source: Source, target: Target, dtype: str) -> Array:
    """An HF tensor in a stored type of safetensors (bfloat16 as uint16). Raises DataError."""
    import numpy

    parts = [_stored(source, part, dtype) for part in target.parts]
    whole = parts[0] if len(parts) == 1 else numpy.concatenate(parts, axis=1)
    return unpermute(whole, target.heads) if target.heads else whole


def blocks(source: Source, target: Target) -> Iterator[Array]:
    """The values as float32, in the stretches of rows of `weights.Weights.blocks`. Raises DataError."""
    if len(target.shape) == 2 and not target.heads:
        yield from source.rows(target.parts[0], MOST)
    else:
        yield values(source, target, "F32")


def _stored(source: Source, name: str, dtype: str) -> Array:
    """Decoded stretch by stretch, so that only the result is ever whole in memory."""
    import numpy

    shape = source.tensors[name].shape
    whole, at = None, 0
    for block in source.rows(name):
        part = _narrowed(name, block, dtype)
        if whole is None:
            whole = numpy.empty((int(numpy.prod(shape)) // shape[-1], shape[-1]), part.dtype)
        whole[at : at + len(part)] = part
        at += len(part)
    if whole is None:
        raise DataError("A tensor is empty.", details=name)
    return whole.reshape(shape)


def _narrowed(name: str, block: Array, dtype: str) -> Array:
    import numpy

    if dtype == "F16" and numpy.abs(block).max() > numpy.finfo(numpy.float16).max:
        raise DataError("A tensor's values are too large for F16.", details=name, help="Take BF16 or F32.")
    return to_stored(block, dtype)


def unpermute(stored: Array, heads: int) -> Array:
    """Rows (heads, half, 2) to (heads, 2, half): neighbours that turn together move to the halves of their head."""
    rows = stored.shape[0]
    return stored.reshape(heads, rows // heads // 2, 2, -1).swapaxes(1, 2).reshape(stored.shape)
