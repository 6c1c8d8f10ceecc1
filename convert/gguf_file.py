"""An HF folder (config, safetensors, tokenizer) to one GGUF file: tensor by tensor, written atomically.

Knows the architectures of `architectures.TABLE` and refuses others by name. Only safetensors are read: a pickle can run
code.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convert import tokenizers
from convert.architectures import TABLE, Architecture, gguf_name
from tide_chat.errors import DataError, MissingExtra

Tensor = Any  # numpy.ndarray; numpy is loaded when a conversion starts

TYPES = {"f32": (0, "F32"), "f16": (1, "F16"), "q8_0": (7, "Q8_0")}  # file type number, tensor type


def convert(folder: Path, out: Path, kind: str = "f16", *, name: str, licence: str, description: str = "") -> None:
    """Write `out`. kind: f32, f16 or q8_0. Raises DataError; leaves no half-written file."""
    if kind not in TYPES:
        raise DataError(f"There is no type '{kind}'.", help=f"Types: {', '.join(TYPES)}.")
    config = _config(folder)
    architecture = _architecture(config)
    vocabulary = tokenizers.WRITERS[architecture.tokenizer](folder)
    gguf = _library()
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    out.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(part, architecture.name)
    try:
        writer.add_name(name)
        writer.add_license(licence)
        if description:
            writer.add_description(description)
        writer.add_file_type(TYPES[kind][0])
        _add_metadata(writer, architecture, config)
        _add_vocabulary(writer, vocabulary)
        for tensor, data in _tensors(folder, architecture):
            _add_tensor(gguf, writer, architecture, tensor, data, kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _library() -> Any:
    try:
        import gguf
    except ImportError as error:
        raise MissingExtra("Writing GGUF files", "convert") from error
    return gguf


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("The folder holds no readable config.json.", details=f"{folder}: {error}") from error
    return config if isinstance(config, dict) else {}


def _architecture(config: dict[str, Any]) -> Architecture:
    kind = str(config.get("model_type"))
    if kind not in TABLE:
        raise DataError(f"The architecture '{kind}' is not known.", help=f"Known: {', '.join(sorted(TABLE))}.")
    return TABLE[kind]


def _add_metadata(writer: Any, architecture: Architecture, config: dict[str, Any]) -> None:
    try:
        values = architecture.metadata(config)
    except KeyError as error:
        raise DataError("config.json lacks a value.", details=str(error)) from error
    for key, value in values.items():
        full = f"{architecture.name}.{key}"
        if isinstance(value, bool):
            writer.add_bool(full, value)
        elif isinstance(value, float):
            writer.add_float32(full, value)
        else:
            writer.add_uint32(full, value)


def _add_vocabulary(writer: Any, vocabulary: tokenizers.Vocabulary) -> None:
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre("default")
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    for key, value in vocabulary.extra.items():
        writer.add_uint32(f"tokenizer.ggml.{key}", value)


def _tensors(folder: Path, architecture: Architecture) -> Iterator[tuple[str, Tensor]]:
    """(GGUF name, values) of every tensor that belongs in the file, one in memory at a time. Raises DataError."""
    from safetensors import SafetensorError, safe_open

    shards = sorted(folder.glob("*.safetensors"))
    if not shards:
        raise DataError(
            "The folder holds no weights.", details=str(folder), help="Expected *.safetensors; .bin is refused."
        )
    for shard in shards:
        try:
            with safe_open(shard, framework="numpy") as file:
                for name in sorted(file.keys()):
                    wanted = gguf_name(architecture, name)
                    if wanted is None:
                        raise DataError("A tensor is not known.", details=f"{name} in {shard.name}")
                    if wanted:
                        yield wanted, file.get_tensor(name)
        except (SafetensorError, OSError) as error:
            raise DataError("The weights cannot be read.", details=f"{shard.name}: {error}") from error


def _add_tensor(gguf: Any, writer: Any, architecture: Architecture, name: str, data: Tensor, kind: str) -> None:
    import numpy

    if not numpy.isfinite(data).all():
        raise DataError("A tensor holds values that are no numbers.", details=name)
    data = data.astype(numpy.float32)
    if data.ndim < 2 or name in architecture.full or kind == "f32":
        writer.add_tensor(name, data)
        return
    wanted = gguf.GGMLQuantizationType[TYPES[kind][1]]
    writer.add_tensor(name, gguf.quants.quantize(data, wanted), raw_dtype=wanted)
