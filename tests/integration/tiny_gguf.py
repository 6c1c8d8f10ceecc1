"""Tiny models as GGUF files, and what lies in a GGUF file by the format's own library."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf

from convert import gguf_file
from tests.integration import tiny_models


@dataclass(frozen=True)
class Tiny:
    """A folder as the hub has it, and the same as a GGUF in f32."""

    folder: Path
    file: Path


def tiny(kind: str, at: Path, width: int) -> Tiny:
    folder = at / tiny_models.FOLDERS[kind]
    tiny_models.MAKERS[kind](folder, width=width, dtype="float32")
    gguf_file.convert(folder, at / f"{kind}.gguf", "f32")
    return Tiny(folder, at / f"{kind}.gguf")


def values(file: Path) -> dict[str, Any]:
    """Tensors by name, as float32 numbers, shape (rows, columns)."""
    return {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type) for tensor in gguf.GGUFReader(file).tensors
    }


def types(file: Path) -> dict[str, str]:
    """Q4_K and the like, by the tensor's name."""
    return {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(file).tensors}
