"""The whole header of a GGUF file: every metadata value, and where every tensor lies.

`tide_chat.registry.gguf_header` distrusts the file and counts; this trusts what that has checked and keeps the values.
(The reader of the `gguf` package takes ten times as long for a vocabulary.)
"""

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from tide_chat.errors import ModelUnusable
from tide_chat.registry import gguf_tables as tables
from tide_chat.registry.gguf_header import GgufHeader, read_header

AGAIN = "Get or make the file again."


@dataclass(frozen=True, slots=True)
class Place:
    """One tensor: its type's number, its shape with rows first, and the bytes it takes in the file."""

    name: str
    type: int
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def row_bytes(self) -> int:
        return (self.end - self.begin) // max(1, prod(self.shape[:-1]))


def whole(path: Path) -> GgufHeader:
    """The checked header of a model that is all there. Raises ModelNotFound, ModelUnusable."""
    header = read_header(path)
    if not header.complete:
        raise ModelUnusable(
            f"{path.name} is cut off.", details=f"{header.size:,} of {header.needed:,} bytes are there.", help=AGAIN
        )
    if header.kind != "model" or header.parts > 1:
        what = f"one of {header.parts} parts" if header.parts > 1 else f"of the kind {header.kind!r}"
        raise ModelUnusable(f"{path.name} is not a whole model.", details=f"It is {what}.")
    return header


def read(path: Path) -> tuple[dict[str, Any], list[Place]]:
    """Metadata and tensors of a file that `whole` accepted. Raises ModelUnusable."""
    import mmap

    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _parse(_Cursor(data))
    except (OSError, ValueError, struct.error, UnicodeDecodeError) as error:
        raise ModelUnusable(f"{path.name} cannot be read.", details=str(error), help=AGAIN) from error


class _Cursor:
    def __init__(self, data: Any) -> None:
        self.data, self.at = data, 0

    def number(self, letter: str) -> Any:
        layout = struct.Struct("<" + letter)
        value = layout.unpack_from(self.data, self.at)[0]
        self.at += layout.size
        return value

    def text(self) -> str:
        length = self.number("Q")
        self.at += length
        return str(self.data[self.at - length : self.at], "utf-8")

    def value(self, kind: int) -> Any:
        if kind == tables.STRING:
            return self.text()
        if kind != tables.ARRAY:
            return self.number(tables.VALUE_FORMATS[kind])
        inner, length = self.number("I"), self.number("Q")
        if inner == tables.STRING:
            return [self.text() for _ in range(length)]
        layout = struct.Struct(f"<{length}{tables.VALUE_FORMATS[inner]}")
        self.at += layout.size
        return list(layout.unpack_from(self.data, self.at - layout.size))


def _parse(cursor: _Cursor) -> tuple[dict[str, Any], list[Place]]:
    cursor.at = 8  # behind magic and version
    tensor_count, key_count = cursor.number("Q"), cursor.number("Q")
    metadata: dict[str, Any] = {}
    for _ in range(key_count):
        key = cursor.text()
        metadata[key] = cursor.value(cursor.number("I"))
    entries = []
    for _ in range(tensor_count):
        name = cursor.text()
        shape = tuple(cursor.number("Q") for _ in range(cursor.number("I")))
        entries.append((name, shape[::-1], cursor.number("I"), cursor.number("Q")))
    alignment = int(metadata.get("general.alignment", 32))
    base = -(-cursor.at // alignment) * alignment
    return metadata, [_place(base, *entry) for entry in entries]


def _place(base: int, name: str, shape: tuple[int, ...], kind: int, offset: int) -> Place:
    if kind not in tables.TENSOR_BLOCKS:
        raise ValueError(f"The tensor {name} has the type {kind}, which is not known.")
    block, size = tables.TENSOR_BLOCKS[kind]
    if not shape or not prod(shape) or shape[-1] % block:
        raise ValueError(f"The tensor {name} has the shape {list(shape)}, which its type cannot have.")
    return Place(name, kind, shape, base + offset, base + offset + prod(shape) // block * size)
