"""An HF folder (config, safetensors, tokenizer) to one GGUF file: a stretch of a tensor at a time, written atomically.

Knows how the file is laid out and which type a tensor gets. What the tensors and keys are called is in `architectures`,
the vocabulary in `tokenizers`. Only safetensors are read: a pickle can run code.
"""

import os
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from convert import architectures, output, specials, tensors, tokenizers
from convert.architectures import Architecture, Config, Metadata
from convert.tensors import Planned
from convert.weights import Array, Weights, to_stored
from tide_chat import extras
from tide_chat.errors import DataError, UsageError
from tide_chat.progress import Say, quiet

Library = Any  # the module `gguf`, loaded when a conversion starts


@dataclass(frozen=True, slots=True)
class Type:
    """number: of the file, as general.file_type says it. tensor: the name of the type that its matrices have.

    words: that of the word embeddings, which are looked up and cost no time.
    """

    number: int
    tensor: str
    words: str


TYPES = {
    "f32": Type(0, "F32", "F32"),
    "f16": Type(1, "F16", "F16"),
    "bf16": Type(32, "BF16", "BF16"),
    "q8_0": Type(7, "Q8_0", "Q8_0"),
    "q4_0": Type(2, "Q4_0", "Q8_0"),
}

# Kept in f32 beside all vectors, as llama.cpp does: they are small, and it computes with them in f32.
FULL = re.compile(r".*_norm\.weight|.*\.ffn_gate_inp\.weight|token_types\.weight|position_embd\.weight")


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor with the type it gets. size: bytes in the file, without padding."""

    tensor: Planned
    kind: str
    size: int


def convert(
    folder: Path,
    out: Path,
    kind: str = "f16",
    *,
    name: str = "",
    licence: str = "",
    description: str = "",
    say: Say = quiet,
) -> None:
    """Write `out`. kind: f32, f16, bf16, q8_0 or q4_0. name: general.name, else what the model card or the folder says.

    Raises UsageError, DataError, MissingExtra, TideError; leaves no half-written file.
    """
    if kind not in TYPES:
        raise UsageError(f"There is no type '{kind}'.", help=f"Types: {', '.join(TYPES)}.")
    gguf = library()
    config = specials.read_json(folder / "config.json", needed=True)
    architecture = architectures.of(config)
    metadata, planned = _described(architecture, config, Weights.of_model(folder))
    stored = [_stored(gguf, tensor, kind) for tensor in planned]
    keys = {f"{architecture.name}.{key}": value for key, value in metadata.items()}
    vocabulary = tokenizers.keys(folder, config, architecture.vocabularies)
    keys |= {f"tokenizer.{key}": value for key, value in vocabulary.items()}
    general = _general(gguf, folder, architecture, planned, name)
    general.license, general.description = licence or general.license, description or general.description
    with output.file(out, sum(one.size for one in stored)) as part:
        writer = gguf.GGUFWriter(part, architecture.name)
        try:
            writer.add_type("model")
            writer.add_file_type(TYPES[kind].number)
            writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
            _add_tensors(gguf, writer, stored)
            _write_keys(writer, general, keys)
            _write_tensors(gguf, writer, stored, say)
        finally:
            writer.close()


def library() -> Library:
    """The module `gguf`. Raises MissingExtra."""
    extras.require("Writing GGUF files", "convert")
    import gguf

    return gguf


def _described(architecture: Architecture, config: Config, weights: Weights) -> tuple[Metadata, list[Planned]]:
    try:
        return architecture.metadata(config), tensors.plan(architecture, config, weights)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise DataError("config.json holds a value that makes no sense.", details=str(error)) from error


def _general(gguf: Library, folder: Path, architecture: Architecture, planned: Sequence[Planned], name: str) -> Any:
    """Name, size, licence, origin: from the model card, generation_config.json and the folder's name.

    Raises DataError.
    """
    sizes = {tensor.name: prod(tensor.shape) for tensor in planned}
    try:
        found = gguf.Metadata.load(None, folder.resolve(), name or _of_the_hub(folder), sum(sizes.values()))
    except (gguf.metadata.yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        raise DataError("The model card cannot be read.", details=str(error)[:300]) from error
    penalty = specials.read_json(folder / "generation_config.json").get("repetition_penalty")
    if isinstance(penalty, int | float):
        found.sampling_penalty_repeat = float(penalty)  # which the library reads under another name only
    found.name = _title(found.name or folder.resolve().name, architecture.name_holds)
    if found.size_label is None:
        experts = [tensor for tensor in planned if "_exps." in tensor.name]
        each = sum(sizes[tensor.name] // tensor.shape[0] for tensor in experts)
        shared = sum(sizes.values()) - sum(sizes[tensor.name] for tensor in experts)
        found.size_label = gguf.size_label(sum(sizes.values()), shared, each, experts[0].shape[0] if experts else 0)
    return found


def _of_the_hub(folder: Path) -> str | None:
    """The repository's name, where the folder is one of the hub's cache: its own name is a revision."""
    home = folder.resolve().parent
    if home.name != "snapshots" or not home.parent.name.startswith("models--"):
        return None
    return home.parent.name.split("--")[-1]


def _title(name: str, holds: str) -> str:
    """The name, with what the runtime looks for in it: "Phi-3" or "Phi3", in letters of any size."""
    if not holds or holds.lower() in name.lower() or holds.lower().replace("-", "") in name.lower():
        return name
    spaced = re.compile(re.escape(holds.replace("-", " ")), re.IGNORECASE)
    return spaced.sub(holds, name) if spaced.search(name) else f"{holds} {name}"


def _add_keys(writer: Any, keys: Mapping[str, Any]) -> None:
    """Each in the type that the specification gives it: numbers are uint32 and float32."""
    for key, value in keys.items():
        if key.endswith("chat_template"):
            writer.add_chat_template(value)
        elif isinstance(value, bool):
            writer.add_bool(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        elif isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_array(key, value)


def _write_keys(writer: Any, general: Any, keys: Mapping[str, Any]) -> None:
    """All that comes before the tensors. Raises DataError for values of files we read that no key can hold."""
    try:
        general.set_gguf_meta_model(writer)
        _add_keys(writer, keys)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
    except (struct.error, ValueError, TypeError, AttributeError, KeyError) as error:
        raise DataError(
            "A value in config.json, generation_config.json or the model card makes no sense.", details=str(error)
        ) from error


def _stored(gguf: Library, tensor: Planned, kind: str) -> Stored:
    wanted = TYPES[kind].words if tensor.name == "token_embd.weight" else TYPES[kind].tensor
    if len(tensor.shape) < 2 or FULL.fullmatch(tensor.name):
        wanted = "F32"
    elif tensor.shape[-1] % gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[wanted]][0]:
        wanted = "F16"  # rows that no block of values divides
    values, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[wanted]]
    return Stored(tensor, wanted, prod(tensor.shape) // values * size)


def _add_tensors(gguf: Library, writer: Any, stored: Sequence[Stored]) -> None:
    import numpy

    for one in stored:
        kind = gguf.GGMLQuantizationType[one.kind]
        writer.add_tensor_info(one.tensor.name, one.tensor.shape, numpy.dtype("float32"), one.size, raw_dtype=kind)


def _write_tensors(gguf: Library, writer: Any, stored: Sequence[Stored], say: Say) -> None:
    """Their descriptions, then their values."""
    writer.write_ti_data_to_file()
    (file,) = writer.fout
    writer.write_padding(file, file.tell())
    total, done = sum(one.size for one in stored), 0
    for one in stored:
        for values in one.tensor.blocks():
            encoded = _encoded(gguf, one, values)
            file.write(encoded.data)
            done += encoded.nbytes
            say("Writing", done, total)
        writer.write_padding(file, one.size)
    file.flush()
    os.fsync(file.fileno())


def _encoded(gguf: Library, one: Stored, values: Array) -> Array:
    """float32 values as they are stored, contiguous. Raises DataError for what float16 cannot hold."""
    import numpy

    values = numpy.ascontiguousarray(values, dtype=numpy.float32)
    if one.kind == "F32":
        return values
    if one.kind == "BF16":
        return to_stored(values, "BF16")
    try:
        with numpy.errstate(over="raise"):
            return gguf.quants.quantize(values, gguf.GGMLQuantizationType[one.kind])
    except FloatingPointError as error:
        raise DataError(
            "A tensor holds values that are too large for 16 bits.",
            details=one.tensor.name,
            help="Convert to bf16 or f32 instead.",
        ) from error
