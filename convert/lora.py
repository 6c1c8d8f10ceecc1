"""A peft adapter to a GGUF adapter, which llama.cpp puts on a base model while it runs.

llama.cpp adds alpha / rank * B A to the matrices it knows and can do nothing else: what an adapter holds beyond that is
refused, and merging is the way. One alpha serves the whole file; where a layer's scaling asks for another, its B takes
the difference. So rank-stabilised adapters (alpha / sqrt(rank)) come out right as well.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert import adapters as adapter_folders
from convert import architectures, changes, gguf_file, merge, output, sources, tensors
from convert.adapters import Adapter, Layer
from convert.architectures import Architecture
from convert.weights import STORED, Array, Weights
from tide_chat.errors import DataError, UsageError
from tide_chat.progress import Say, quiet

KINDS = {"f32": "F32", "f16": "F16"}
_MERGE = "Merge it instead: tide-convert merge."


@dataclass(frozen=True, slots=True)
class _Pair:
    """One layer as the file will hold it. name: the base model's tensor in a GGUF. factor: what B is multiplied with.

    heads: in how many groups the rows of B are put in another order; 0 when they stay.
    """

    name: str
    layer: Layer
    heads: int
    factor: float


def convert(adapter: Path, out: Path, *, base: Path | None = None, kind: str = "f32", say: Say = quiet) -> None:
    """Write `out`. base: the folder of the model that the adapter was trained on, its weights may be absent; otherwise
    what the adapter names. kind: f32 or f16.

    Raises UsageError, ModelNotFound, DataError, TideError for a disk that fills up; leaves no half-written file.
    """
    if kind not in KINDS:
        raise UsageError(f"There is no type '{kind}'.", help=f"Types: {', '.join(KINDS)}.")
    base = base or sources.folder(sources.base_of(adapter))
    config = merge.read_config(base)
    architecture = architectures.of(config)
    read = adapter_folders.read(adapter)
    _refuse(read, base)
    alpha, pairs = _pairs(read, architecture, config)
    with output.file(out, _size(read, kind)) as part:
        _write(part, read, architecture.name, alpha, pairs, KINDS[kind], say)


def _refuse(adapter: Adapter, base: Path) -> None:
    """What does not fit the base model or a GGUF adapter. Raises DataError."""
    if adapter.settings.use_dora:
        raise DataError("A DoRA adapter cannot be written as GGUF.", details=str(adapter.folder), help=_MERGE)
    wholes = list(adapter.wholes)
    if any(base.glob("*.safetensors")):
        own = Weights.of_model(base)
        tied = {merge.HEAD: own.infos[merge.EMBEDDING]} if merge.EMBEDDING in own else {}
        wholes = list(changes.find(own, tied | own.infos, [(adapter, 1.0)]).wholes)  # without mere copies
    embeddings = [layer.module for layer in adapter.layers if layer.embedding]
    if more := [*wholes, *embeddings, *adapter.settings.target_parameters]:
        raise DataError(
            "The adapter changes more than a GGUF adapter can hold: whole layers, embeddings or parameters.",
            details=", ".join(more[:3]),
            help=_MERGE,
        )


def _pairs(adapter: Adapter, architecture: Architecture, config: Mapping[str, Any]) -> tuple[float, list[_Pair]]:
    """The file's alpha, and its layers."""
    wanted: dict[str, float] = {}  # module to the alpha that alpha / rank makes right
    for layer in adapter.layers:
        changes.check_rank(adapter, layer, layer.module)
        settings = adapter.settings
        wanted[layer.module] = settings.scaling(layer.module) * settings.rank(layer.module)
    [(alpha, _)] = Counter(round(value, 9) for value in wanted.values()).most_common(1)
    if not alpha:
        raise DataError("The adapter changes nothing.", details="lora_alpha is 0.")
    heads = architecture.dimensions(config)
    pairs = []
    for layer in adapter.layers:
        name, part = _name(architecture, config, layer.module)
        factor = wanted[layer.module] / alpha
        pairs.append(_Pair(name, layer, heads.get(f"{part} heads", 0), 1.0 if abs(factor - 1) < 1e-8 else factor))
    return alpha, pairs


def _name(architecture: Architecture, config: Mapping[str, Any], module: str) -> tuple[str, str]:
    """What the GGUF calls a module's weight, and which part of the table it is. Raises DataError."""
    if module == "lm_head" and architectures.tied(config):
        raise DataError("The adapter changes an output that the base model shares with its embedding.", help=_MERGE)
    weight = f"{module}.weight".removeprefix(architecture.prefix)
    for tensor in architecture.tensors:
        if match := re.fullmatch(re.escape(tensor.hf).replace(r"\{n\}", r"(\d+)"), weight):
            return tensor.gguf.replace("{n}", match[1] if match.groups() else ""), tensor.part
    raise DataError(f"A layer of the adapter is not known for {architecture.name}.", details=module)


# Writing


def _size(adapter: Adapter, kind: str) -> int:
    count = sum(adapter.weights.info(name).count for layer in adapter.layers for name in (layer.a, layer.b))
    return count * int(STORED[KINDS[kind]][-1])


def _write(
    part: Path, adapter: Adapter, architecture: str, alpha: float, pairs: list[_Pair], dtype: str, say: Say
) -> None:
    import numpy

    writer = gguf_file.library().GGUFWriter(part, architecture)
    try:
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", alpha)
        stored = numpy.dtype(STORED[dtype])
        for pair in pairs:
            for suffix, name in (("a", pair.layer.a), ("b", pair.layer.b)):
                info = adapter.weights.info(name)
                writer.add_tensor_info(f"{pair.name}.lora_{suffix}", info.shape, stored, info.count * stored.itemsize)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for number, pair in enumerate(pairs):
            say("writing", number, len(pairs))
            for values in _values(adapter, pair):
                writer.write_tensor_data(changes.rounded(numpy.ascontiguousarray(values), dtype, pair.name))
        say("writing", len(pairs), len(pairs))
    finally:
        writer.close()


def _values(adapter: Adapter, pair: _Pair) -> tuple[Array, Array]:
    """A (rank, in) and B (out, rank), float32."""
    a, b = adapter.weights.floats(pair.layer.a), adapter.weights.floats(pair.layer.b)
    if pair.factor != 1.0:
        b = b * pair.factor
    return a, _paired(b, pair.heads) if pair.heads else b


def _paired(rows: Array, heads: int) -> Array:
    """Each head's rows in llama.cpp's order. Raises DataError when they are not that many heads' rows."""
    if rows.shape[0] % (2 * heads):
        raise DataError("The adapter does not fit this base model.", details=f"{rows.shape[0]} rows, {heads} heads")
    return tensors.rotated(rows, heads)
