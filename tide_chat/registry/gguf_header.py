"""What a GGUF file says about itself: metadata and tensor list, never the weights.

A file can come from anywhere, so every count and length is checked against the file before it is believed. Whatever the
bytes are, reading ends soon and either gives a header or raises ModelUnusable (ModelNotFound when no file is there).
Knows nothing about registries or llama.cpp.
"""

import stat
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

from tide_chat.errors import ModelNotFound, ModelUnusable
from tide_chat.registry import gguf_tables as tables

MAGIC = b"GGUF"
_WINDOW = 1 << 20  # bytes read at a time
_MAX_HEADER = 1 << 28  # bytes: real ones have under 20 MB
_MAX_KEYS = 1 << 16
_MAX_TENSORS = 1 << 17
_MAX_STRINGS = 1 << 22  # strings in arrays, all together: vocabularies have under a million
_MAX_NAME_BYTES = 1 << 10  # of a key or a tensor's name
_MAX_ALIGNMENT = 1 << 16
_MAX_TEXT_BYTES = 1 << 20  # of a string that is kept
_MAX_DIMS = 4
_STRINGS_KEPT = frozenset(
    {"general.architecture", "general.name", "general.type", "tokenizer.chat_template", "tokenizer.ggml.model"}
)

Value = int | float | bool | str


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """Sizes in bytes, context in tokens. Empty or 0 where the file does not say."""

    path: Path
    version: int
    architecture: str
    name: str
    kind: str  # "model", "adapter", "mmproj", ... ; "model" when the file does not say
    context_length: int
    block_count: int
    vocabulary: int  # tokens
    chat_template: str | None
    quantization: str  # Q4_K_M and the like
    file_type: int | None
    parameters: int
    tensor_count: int
    parts: int  # files this model was split into; 1 when it is whole
    size: int  # of the file
    needed: int  # where the last tensor ends

    @property
    def complete(self) -> bool:
        """Whether all weights are there."""
        return self.size >= self.needed


def read_header(path: Path) -> GgufHeader:
    """Read the header. Raises ModelNotFound, ModelUnusable."""
    with _open(path) as file:
        size = file.seek(0, 2)
        try:
            return _parse(path, _Reader(file, min(size, _MAX_HEADER)), size)
        except _Malformed as error:
            raise ModelUnusable(f"{path.name} is not a usable model file.", details=str(error), help=_HELP) from None
        except OSError as error:
            raise _unreadable(path, error) from error


_CUT = "Its description does not end where it should: the file may be cut off."
_HELP = "Get the file again, or choose another one. The app needs a model in GGUF format."


class _Malformed(Exception):
    """The bytes break the format; says how."""


def _open(path: Path) -> BinaryIO:
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return path.open("rb")
    except FileNotFoundError:
        raise ModelNotFound(f"There is no file {path}.", help="Check the path, or run: tide-chat models list") from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    what = "a folder" if stat.S_ISDIR(mode) else "not an ordinary file"
    raise ModelUnusable(f"{path} is {what}.", help="Give the path of a model file that ends in .gguf.")


def _unreadable(path: Path, error: Exception) -> ModelUnusable:
    reason = getattr(error, "strerror", None) or str(error)
    return ModelUnusable(
        f"{path.name} cannot be read.", details=reason, help="Check that the file is there and that you may read it."
    )


class _Reader:
    """A bounds-checked cursor over a file, through one window at a time."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self._base, self._window = 0, b""
        self.position = 0
        self.strings_left = _MAX_STRINGS

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        start = self._load(count)
        self.position += count
        return self._window[start : start + count]

    def number(self, letter: str) -> Value:
        layout = struct.Struct("<" + letter)
        value: Value = layout.unpack(self.take(layout.size))[0]
        return value

    def count(self, limit: int, what: str) -> int:
        value = int(self.number("Q"))
        if value > limit:
            raise _Malformed(f"{value} {what} are more than can be right.")
        return value

    def text(self, limit: int) -> str:
        return self.take(self.count(limit, "bytes of text")).decode("utf-8", "replace")

    def skip(self, count: int) -> None:
        if count > self._size - self.position:
            raise _Malformed(_CUT)
        self.position += count

    def skip_strings(self, count: int) -> None:
        self.strings_left -= count
        if self.strings_left < 0:
            raise _Malformed("It lists more words than can be right.")
        length_at = struct.Struct("<Q").unpack_from
        while count:
            offset = self._load(8)
            window, last, room = self._window, len(self._window) - 8, self._size - self._base
            while count and offset <= last:
                offset += 8 + int(length_at(window, offset)[0])
                count -= 1
                if offset > room:
                    raise _Malformed(_CUT)
            self.position = self._base + offset

    def _load(self, count: int) -> int:
        """Make `count` bytes available; where they begin in the window."""
        offset = self.position - self._base
        if offset >= 0 and offset + count <= len(self._window):
            return offset
        if count > self._size - self.position:
            raise _Malformed(_CUT)
        self._file.seek(self.position)
        self._base, self._window = self.position, self._file.read(max(count, _WINDOW))
        if len(self._window) < count:
            raise _Malformed("The file became shorter while it was read.")
        return 0


def _parse(path: Path, reader: _Reader, size: int) -> GgufHeader:
    version = _version(reader, size)
    tensor_count = reader.count(_MAX_TENSORS, "tensors")
    values, vocabulary = _metadata(reader, reader.count(_MAX_KEYS, "entries"))
    parameters, extent = _tensors(reader, tensor_count)
    alignment = _int(values, "general.alignment", 32)
    if not 1 <= alignment <= _MAX_ALIGNMENT or alignment & (alignment - 1):
        raise _Malformed(f"Its alignment must be a power of two, got {alignment}.")
    architecture = _text(values, "general.architecture")
    file_type = values.get("general.file_type")
    file_type = file_type if isinstance(file_type, int) else None
    data = -(-reader.position // alignment) * alignment
    return GgufHeader(
        path=path,
        version=version,
        architecture=architecture,
        name=_text(values, "general.name"),
        kind=_text(values, "general.type") or "model",
        context_length=_int(values, f"{architecture}.context_length"),
        block_count=_int(values, f"{architecture}.block_count"),
        vocabulary=vocabulary,
        chat_template=_text(values, "tokenizer.chat_template") or None,
        quantization=tables.FILE_TYPES.get(-1 if file_type is None else file_type, "unknown"),
        file_type=file_type,
        parameters=parameters,
        tensor_count=tensor_count,
        parts=max(1, _int(values, "split.count", 1)),
        size=size,
        needed=data + extent,
    )


def _version(reader: _Reader, size: int) -> int:
    if size == 0:
        raise _Malformed("The file is empty.")
    if size < 24 or reader.take(4) != MAGIC:
        raise _Malformed("It is not in GGUF format.")
    version = int(reader.number("I"))
    if version >> 16 and not version & 0xFFFF:
        raise _Malformed("It was written for a computer with another byte order.")
    if version not in (2, 3):
        raise _Malformed(f"Its format version must be 2 or 3, got {version}.")
    return version


def _metadata(reader: _Reader, count: int) -> tuple[dict[str, Value], int]:
    """The values worth keeping, and how many tokens the vocabulary has."""
    values: dict[str, Value] = {}
    vocabulary = 0
    for _ in range(count):
        key = reader.text(_MAX_NAME_BYTES)
        kind = int(reader.number("I"))
        if kind == tables.ARRAY:
            length = _skip_array(reader)
            vocabulary = length if key == "tokenizer.ggml.tokens" else vocabulary
        elif kind != tables.STRING:
            values[key] = reader.number(_letter(kind))
        elif key in _STRINGS_KEPT:
            values[key] = reader.text(_MAX_TEXT_BYTES)
        else:
            reader.skip(int(reader.number("Q")))
    return values, vocabulary


def _letter(kind: int) -> str:
    if kind not in tables.VALUE_FORMATS:
        raise _Malformed(f"It holds a value of unknown type {kind}.")
    return tables.VALUE_FORMATS[kind]


def _skip_array(reader: _Reader) -> int:
    kind = int(reader.number("I"))
    length = int(reader.number("Q"))
    if kind == tables.STRING:
        reader.skip_strings(length)
    else:
        _letter(kind)
        reader.skip(length * tables.VALUE_SIZES[kind])
    return length


def _tensors(reader: _Reader, count: int) -> tuple[int, int]:
    """How many numbers the weights are, and how many bytes follow the header."""
    parameters = extent = 0
    for _ in range(count):
        reader.skip(reader.count(_MAX_NAME_BYTES, "bytes of a name"))
        n_dims = int(reader.number("I"))
        if n_dims > _MAX_DIMS:
            raise _Malformed(f"A tensor has at most {_MAX_DIMS} dimensions, got {n_dims}.")
        shape = [int(reader.number("Q")) for _ in range(n_dims)]
        kind, offset = int(reader.number("I")), int(reader.number("Q"))
        elements = prod(shape)
        parameters += elements
        extent = max(extent, offset + _tensor_bytes(kind, elements))
    return parameters, extent


def _tensor_bytes(kind: int, elements: int) -> int:
    """Whole blocks; 0 for a type newer than the table, whose size is not known."""
    block, size = tables.TENSOR_BLOCKS.get(kind, (1, 0))
    return -(-elements // block) * size


def _int(values: dict[str, Value], key: str, default: int = 0) -> int:
    value = values.get(key, default)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _text(values: dict[str, Value], key: str) -> str:
    value = values.get(key, "")
    return value if isinstance(value, str) else ""
