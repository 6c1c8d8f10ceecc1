"""Safetensors, read and written one tensor at a time, with numpy alone.

The format is a length, a JSON header and raw values. Reading it here costs no torch in memory, gives each fault a name,
and keeps bfloat16, which numpy lacks: such values travel as uint16. Only safetensors are read: a pickle can run code.
"""

import json
import os
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from tide_chat.errors import DataError

Array = Any  # numpy.ndarray; numpy is loaded when a conversion starts

STORED = {  # safetensors name to numpy type
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
FLOATS = ("F64", "F32", "F16", "BF16")
INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
MOST_HEADER = 100_000_000  # bytes; the format's own limit
_SHARD = re.compile(r"model-(\d+)-of-(\d+)\.safetensors")


@dataclass(frozen=True, slots=True)
class Info:
    """Where one tensor lies. dtype as safetensors calls it; begin and end are bytes in the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    begin: int
    end: int

    @property
    def count(self) -> int:
        return _product(self.shape)


class Weights:
    """All tensors of one model or adapter, read one at a time."""

    def __init__(self, infos: Mapping[str, Info]) -> None:
        self.infos = dict(sorted(infos.items()))

    @classmethod
    def of_model(cls, folder: Path) -> Self:
        """`model.safetensors`, or the shards of its index. Raises DataError."""
        return cls(_joined(_model_files(folder)))

    @classmethod
    def of_file(cls, file: Path) -> Self:
        """One file, such as `adapter_model.safetensors`. Raises DataError."""
        return cls(read_header(inside(file.parent, file)))

    def __contains__(self, name: object) -> bool:
        return name in self.infos

    def __iter__(self) -> Iterator[str]:
        return iter(self.infos)

    def info(self, name: str) -> Info:
        """Raises DataError when there is no such tensor."""
        if name not in self.infos:
            raise DataError("A tensor is missing.", details=name)
        return self.infos[name]

    def raw(self, name: str) -> Array:
        """The values as stored (bfloat16 as uint16). Raises DataError."""
        return _read(self.info(name))

    def floats(self, name: str) -> Array:
        """The values as float32 (float64 stays). Raises DataError, also for values that are no numbers."""
        return as_floats(_read(self.info(name)), self.info(name))

    def blocks(self, name: str, most: int = 32 << 20) -> Iterator[Array]:
        """The same in stretches of rows, of at most `most` values each where a row is no longer. Raises DataError."""
        info = self.info(name)
        if info.count <= most or len(info.shape) < 2:
            yield self.floats(name)
            return
        width = _product(info.shape[1:])
        size = (info.end - info.begin) // info.shape[0]
        rows = max(1, most // width)
        for first in range(0, info.shape[0], rows):
            last = min(info.shape[0], first + rows)
            part = replace(
                info,
                shape=(last - first, *info.shape[1:]),
                begin=info.begin + first * size,
                end=info.begin + last * size,
            )
            yield as_floats(_read(part), info)


def as_floats(values: Array, info: Info) -> Array:
    """float32 from stored values. Raises DataError for values that are no numbers and tensors that hold no floats."""
    import numpy

    if info.dtype not in FLOATS:
        raise DataError("A tensor holds no floating-point numbers.", details=f"{info.name} is {info.dtype}.")
    if info.dtype == "BF16":
        values = (values.astype(numpy.uint32) << 16).view(numpy.float32)
    elif info.dtype == "F16":
        values = values.astype(numpy.float32)
    # A sum is finite unless a value is not (or the sum itself overflows): then look at each.
    with numpy.errstate(over="ignore", invalid="ignore"):
        suspicious = not numpy.isfinite(values.sum(dtype=numpy.float64))
    if suspicious and not numpy.isfinite(values).all():
        raise DataError("A tensor holds values that are no numbers.", details=f"{info.name} in {info.file.name}")
    return values


def to_stored(values: Array, dtype: str) -> Array:
    """float32 values in a stored type, rounded to nearest even, as torch does."""
    import numpy

    if dtype == "BF16":
        bits = values.astype(numpy.float32).view(numpy.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16)
    return values.astype(STORED[dtype])


def read_header(file: Path) -> dict[str, Info]:
    """The tensors of one file, checked against its size. Raises DataError."""
    try:
        size = file.stat().st_size
        with file.open("rb") as source:
            length = struct.unpack("<Q", source.read(8))[0] if size >= 8 else MOST_HEADER + 1
            if length > min(MOST_HEADER, size - 8):
                raise DataError("The weights are no safetensors file, or it was cut short.", details=file.name)
            header = json.loads(source.read(length))
    except OSError as error:
        raise DataError("The weights cannot be read.", details=f"{file.name}: {error.strerror}") from error
    except ValueError as error:
        raise DataError("The header of the weights is damaged.", details=f"{file.name}: {error}") from error
    if not isinstance(header, dict):
        raise DataError("The header of the weights is damaged.", details=file.name)
    return {
        name: _info(name, entry, file, 8 + length, size) for name, entry in header.items() if name != "__metadata__"
    }


def _info(name: str, entry: Any, file: Path, base: int, size: int) -> Info:
    try:
        dtype, shape = str(entry["dtype"]), tuple(int(n) for n in entry["shape"])
        begin, end = (base + int(n) for n in entry["data_offsets"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("The header of the weights is damaged.", details=f"{file.name}: {name}") from error
    if dtype not in STORED:
        raise DataError("A tensor has a type that is not known.", details=f"{name} is {dtype}.")
    if end > size:
        raise DataError("The weights were cut short.", details=f"{file.name} ends before {name} does.")
    width = int(STORED[dtype][-1]) if STORED[dtype][-1].isdigit() else 1
    if not base <= begin <= end or end - begin != width * _product(shape) or min(shape, default=0) < 0:
        raise DataError("A tensor's size and shape differ.", details=f"{name} in {file.name}, shape {list(shape)}")
    return Info(name, dtype, shape, file, begin, end)


def _read(info: Info) -> Array:
    import numpy

    try:
        with info.file.open("rb") as source:
            source.seek(info.begin)
            values = numpy.fromfile(source, dtype=STORED[info.dtype], count=info.count)
    except OSError as error:
        raise DataError("The weights cannot be read.", details=f"{info.file.name}: {error.strerror}") from error
    if values.size != info.count:
        raise DataError("The weights were cut short.", details=f"{info.file.name} ends before {info.name} does.")
    return values.reshape(info.shape)


def _model_files(folder: Path) -> list[Path]:
    if (folder / INDEX).is_file():
        names = sorted(set(_weight_map(folder / INDEX).values()))
    elif (folder / SINGLE).is_file():
        names = [SINGLE]
    else:
        names = sorted(path.name for path in folder.glob("*.safetensors") if _SHARD.fullmatch(path.name))
        total = int(_SHARD.fullmatch(names[0])[2]) if names else 0  # type: ignore[index]
        if len(names) != total:
            raise DataError("Shards of the weights are missing.", details=f"{len(names)} of {total} are in {folder}.")
    if not names:
        raise DataError(
            "The folder holds no weights.",
            details=str(folder),
            help="Expected model.safetensors or its shards. Pickles (.bin, .pt) are refused: they can run code.",
        )
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise DataError("Shards of the weights are missing.", details=f"{', '.join(missing[:3])} in {folder}")
    return [inside(folder, folder / name) for name in names]


def _weight_map(index: Path) -> dict[str, str]:
    try:
        found = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        return {str(name): str(file) for name, file in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError("The index of the weights cannot be read.", details=f"{index.name}: {error}") from error


def _joined(files: Iterable[Path]) -> dict[str, Info]:
    found: dict[str, Info] = {}
    for file in files:
        for name, info in read_header(file).items():
            if name in found:
                raise DataError("A tensor occurs twice.", details=f"{name} in {found[name].file.name} and {file.name}")
            found[name] = info
    return found


def inside(folder: Path, file: Path) -> Path:
    """The file, unless a link leads out of its folder. The hub's cache links within one repository: that is fine."""
    home = folder.resolve()
    if home.parent.name == "snapshots":
        home = home.parent.parent
    real = file.resolve()
    if not real.is_relative_to(home):
        raise DataError("A link leads out of the folder.", details=f"{file.name} points to {real}.")
    return file


class Writer:
    """Writes one safetensors file: all headers first, then the values in that order. Use as a context manager; the
    file appears when all is there, and not at all otherwise. Raises OSError, DataError.
    """

    def __init__(self, out: Path, tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
        """tensors: name to (dtype, shape)."""
        self.out = out
        self._part = out.with_name(f".{out.name}.{os.getpid()}.part")
        self._tensors = dict(tensors)
        self._left = list(tensors)
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
        at = 0
        for name, (dtype, shape) in self._tensors.items():
            size = _product(shape) * int(STORED[dtype][-1])
            header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
            at += size
        encoded = json.dumps(header, separators=(",", ":")).encode()
        encoded += b" " * (-len(encoded) % 8)
        self.out.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._part.open("wb")
        self._file.write(struct.pack("<Q", len(encoded)) + encoded)
        return self

    def write(self, name: str, values: Array) -> None:
        """The values of the next tensor, as stored."""
        if self._file is None or not self._left or name != self._left[0]:
            raise ValueError(f"{name} is not the next tensor")
        dtype, shape = self._tensors[name]
        if tuple(values.shape) != shape:
            raise DataError("A tensor's shape changed.", details=f"{name}: {list(values.shape)}, not {list(shape)}")
        self._file.write(values.astype(STORED[dtype], copy=False).data if values.size else b"")
        self._left.pop(0)

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        try:
            if self._file:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
            if kind is None and not self._left:
                self._part.replace(self.out)
        finally:
            if self._file:
                self._file.close()
            self._part.unlink(missing_ok=True)


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total
