"""A GGUF made smaller by llama.cpp's own function, in a child process, with a report of what came out.

Knows the types by name, when an importance matrix is needed and what has to be checked before and after. `ggml` calls
llama.cpp.
"""

import difflib
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert import imatrix as matrices
from convert import output
from convert.native import Native
from convert.quantize_types import ALIASES, TYPES, Kind
from tide_chat import extras
from tide_chat.engine.threads import usable_cores
from tide_chat.errors import DataError, ModelUnusable, UsageError
from tide_chat.progress import Say, quiet
from tide_chat.registry.gguf_header import GgufHeader, read_header

__all__ = ["TYPES", "Fallback", "Quantized", "quantize", "type_of"]

FLOATS = ("F32", "F16", "BF16")
FULL = "Is the disk full? Make room and try again."
_PART = re.compile(r"-00001-of-(\d{5})\.gguf$")  # a model in several files


@dataclass(frozen=True, slots=True)
class Tensor:
    """What a file says of a tensor. type: Q4_K and the like; size: bytes."""

    name: str
    type: str
    columns: int
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Fallback:
    """A tensor whose rows are no whole number of blocks, and the type that it has instead."""

    tensor: str
    columns: int
    type: str


@dataclass(frozen=True, slots=True)
class Quantized:
    """What came out. size: bytes of the file; bits: a weight, over all tensors; types: how many tensors have each.

    unweighted: the blocks' weights of which the importance matrix that was given says nothing.
    """

    file: Path
    kind: Kind
    size: int
    bits: float
    types: Mapping[str, int]
    fallbacks: tuple[Fallback, ...]
    unweighted: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        types = ", ".join(f"{count} {name}" for name, count in self.types.items())
        lines = [f"{self.size / 1e6:.1f} MB, {self.bits:.2f} bits a weight, {self.seconds:.1f} s. Tensors: {types}."]
        if self.fallbacks:
            instead = ", ".join(f"{n} {name}" for name, n in Counter(each.type for each in self.fallbacks).items())
            lines.append(f"Rows that {self.kind.block} does not divide have another type: {instead}.")
        if self.unweighted:
            lines.append(f"The importance matrix lacks {len(self.unweighted)} weights.")
        return " ".join(lines)


def type_of(name: str) -> Kind:
    """The type of that name, in any case. Raises UsageError with the nearest names."""
    wanted = name.strip().lower().replace("-", "_")
    known = {kind.name.lower(): kind for kind in TYPES}
    found = known.get(ALIASES.get(wanted, wanted))
    if not found:
        near = difflib.get_close_matches(wanted, known, n=4, cutoff=0.5)
        names = f"Did you mean {', '.join(near)}?" if near else f"Types: {', '.join(known)}."
        raise UsageError(f"There is no type '{name}'.", help=names)
    return found


def quantize(
    source: Path,
    out: Path,
    kind: str,
    *,
    imatrix: Path | None = None,
    threads: int | None = None,
    allow_requantize: bool = False,
    say: Say = quiet,
) -> Quantized:
    """Write `source` as `out` in the type called `kind`.

    allow_requantize: take a source that is quantized already, and lose more than once. Raises UsageError, DataError,
    ModelError, EngineDied, MissingExtra; leaves no half-written file.
    """
    extras.require("Quantizing", "convert")
    wanted, header = type_of(kind), _usable(source)
    if wanted.imatrix == "needed" and imatrix is None:
        raise UsageError(
            f"{wanted.name} needs an importance matrix: without one its replies are garbage.",
            help="Make one (tide-convert imatrix), or take a type without that need, such as q3_k_m.",
        )
    if out.exists() and out.samefile(source):
        raise UsageError("The result would replace its source.", details=str(out))
    matrix = matrices.read(imatrix) if imatrix else None
    files, began = _parts(source, header), time.perf_counter()
    with Native() as native:
        before = _tensors(native, files)
        _check_types(before, allow_requantize)
        unweighted = _check_matrix(before, matrix) if matrix else ()
        with output.file(out, _needed(native, files, before, wanted)) as part:
            native.ask(
                "quantize",
                _progress(before, say),
                source=str(source),
                out=str(part),
                number=wanted.number,
                threads=threads or usable_cores(),
                imatrix=str(imatrix) if imatrix else None,
            )
            after = _written(native, part, before)
            _to_disk(part)
    return _report(out, wanted, after, unweighted, time.perf_counter() - began)


def _usable(source: Path) -> GgufHeader:
    header = read_header(source)
    if header.kind != "model":
        raise ModelUnusable(f"{source.name} is no model.", details=f"It holds: {header.kind}.")
    if not header.complete:
        raise ModelUnusable(
            f"{source.name} is cut short.", details=f"It has {header.size:,} bytes of at least {header.needed:,}."
        )
    return header


def _parts(source: Path, header: GgufHeader) -> list[Path]:
    """The files of a model, the first of which was given."""
    if header.parts == 1:
        return [source]
    first = _PART.search(source.name)
    if not first:
        raise ModelUnusable(f"{source.name} is one of {header.parts} parts.", help="Give the first part, -00001-of-.")
    stem = source.name[: first.start()]
    return [source.with_name(f"{stem}-{n:05}-of-{first[1]}.gguf") for n in range(1, header.parts + 1)]


def _tensors(native: Native, files: Sequence[Path]) -> list[Tensor]:
    return [Tensor(**told) for told in native.ask("tensors", files=[str(file) for file in files])]


def _check_types(tensors: Sequence[Tensor], allow_requantize: bool) -> None:
    found = Counter(tensor.type for tensor in tensors if tensor.type not in FLOATS)
    if found and not allow_requantize:
        raise UsageError(
            "The model is quantized already.",
            details=f"It has {found.most_common(1)[0][0]} tensors. What they lost stays lost; the new type loses more.",
            help="Quantize from the f16 or f32 file, or accept the loss: --allow-requantize.",
        )


def _check_matrix(tensors: Sequence[Tensor], matrix: matrices.Matrix) -> tuple[str, ...]:
    """Names of the blocks' weights that the matrix says nothing of. Raises DataError when it is another model's."""
    weights = [tensor for tensor in tensors if tensor.name.startswith("blk.") and _is_weight(tensor)]
    missing = tuple(weight.name for weight in weights if weight.name not in matrix.entries)
    for weight in weights:
        entry = matrix.entries.get(weight.name)
        # An expert's rows follow the other's: the file does not say here how many experts there are.
        if entry and (entry.sums.shape[1] != weight.columns or weight.rows % len(entry.counts)):
            raise _foreign(f"{weight.name} has {weight.columns} columns, not {entry.sums.shape[1]}.")
    if weights and len(missing) == len(weights):
        raise _foreign("No name in it is a weight of this model.")
    return missing


def _foreign(why: str) -> DataError:
    return DataError("The importance matrix belongs to another model.", details=why)


def _is_weight(tensor: Tensor) -> bool:
    """Whether llama.cpp may quantize it: a matrix, and neither a norm nor a router."""
    kept = tensor.name.endswith(("_norm.weight", "ffn_gate_inp.weight")) or not tensor.name.endswith(".weight")
    return tensor.rows > 1 and not kept


def _needed(native: Native, files: Sequence[Path], tensors: Sequence[Tensor], kind: Kind) -> int:
    """Bytes of the result: llama.cpp's own count, or by the type's bits where it gives none."""
    values = sum(tensor.columns * tensor.rows for tensor in tensors)
    size = int(native.ask("estimate", source=str(files[0]), number=kind.number)) or int(values * kind.bits / 8)
    return size + sum(file.stat().st_size for file in files) - sum(tensor.size for tensor in tensors)


def _progress(tensors: Sequence[Tensor], say: Say) -> Callable[[Any], None]:
    """Bytes done, from the names that llama.cpp says before it comes to a tensor, and from "" at the end."""
    sizes = {tensor.name: tensor.size for tensor in tensors}
    total, done, current = sum(sizes.values()), 0, ""

    def step(name: str) -> None:
        nonlocal done, current
        done, current = done + sizes.get(current, 0), name
        say("Quantizing", done, total)

    return step


def _written(native: Native, part: Path, before: Sequence[Tensor]) -> list[Tensor]:
    """What lies in the new file. Raises DataError unless all is there: llama.cpp does not notice each failed write."""
    try:
        after = _tensors(native, [part])
        complete = read_header(part).complete
    except ModelUnusable as error:
        raise DataError("The quantized file is not whole.", details=error.details, help=FULL) from error
    shapes = [{tensor.name: (tensor.columns, tensor.rows) for tensor in tensors} for tensors in (before, after)]
    if shapes[0] != shapes[1] or not complete:
        raise DataError("The quantized file is not whole.", help=FULL)
    return after


def _to_disk(part: Path) -> None:
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def _report(out: Path, kind: Kind, tensors: Sequence[Tensor], unweighted: tuple[str, ...], seconds: float) -> Quantized:
    values = sum(tensor.columns * tensor.rows for tensor in tensors)
    return Quantized(
        file=out,
        kind=kind,
        size=out.stat().st_size,
        bits=8 * sum(tensor.size for tensor in tensors) / values,
        types=dict(Counter(tensor.type for tensor in tensors).most_common()),
        fallbacks=tuple(Fallback(t.name, t.columns, t.type) for t in tensors if _fell_back(t, kind)),
        unweighted=unweighted,
        seconds=seconds,
    )


def _fell_back(tensor: Tensor, kind: Kind) -> bool:
    """Rows that do not divide into blocks get a type of smaller ones, or F16 when 32 is too large as well."""
    odd = bool(tensor.columns % kind.block) and _is_weight(tensor)
    return odd and (tensor.type not in FLOATS or (tensor.type == "F16" and bool(tensor.columns % 32)))
