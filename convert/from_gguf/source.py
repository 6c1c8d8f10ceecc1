"""One GGUF model, opened: its metadata at once, its values when they are asked for. Knows no architecture."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from convert.from_gguf import reader
from tide_chat import extras
from tide_chat.errors import DataError

Array = Any  # numpy.ndarray; numpy is loaded when values are read

MOST = 32 << 20  # values decoded at a time


@dataclass(frozen=True, slots=True)
class Tensor:
    """type as GGUF calls it (F16, Q4_K); shape as HF has it, rows first."""

    name: str
    type: str
    shape: tuple[int, ...]
    size: int  # bytes


class Source:
    """Raises ModelNotFound and ModelUnusable when the file is no model or was cut short, MissingExtra."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = reader.whole(path)
        self.architecture = self.header.architecture
        self._metadata, places = reader.read(path)
        self._places = {place.name: place for place in places}
        types = _library().GGMLQuantizationType
        self.tensors = {
            place.name: Tensor(place.name, types(place.type).name, place.shape, place.end - place.begin)
            for place in places
        }

    def get(self, key: str, default: Any = None) -> Any:
        """A metadata value by its full key."""
        return self._metadata.get(key, default)

    def own(self, key: str, default: Any = None) -> Any:
        """A metadata value below the architecture's name."""
        return self._metadata.get(f"{self.architecture}.{key}", default)

    def need(self, key: str) -> Any:
        """Like `own`. Raises DataError when it is not there."""
        value = self.own(key)
        if value is None:
            raise DataError("The file lacks a value.", details=f"{self.architecture}.{key} in {self.path.name}")
        return value

    def rows(self, name: str, most: int = MOST) -> Iterator[Array]:
        """float32 values in stretches of at most `most`, shape (rows, width); a vector is one row. Raises DataError."""
        import numpy
        from gguf import GGMLQuantizationType, quants

        place, kind = self._places[name], GGMLQuantizationType[self.tensors[name].type]
        data = numpy.memmap(self.path, numpy.uint8, "r", place.begin, (prod(place.shape[:-1]), place.row_bytes))
        step = max(1, most // place.shape[-1])
        for first in range(0, len(data), step):
            try:
                values = quants.dequantize(numpy.asarray(data[first : first + step]), kind)
            except NotImplementedError as error:
                raise DataError("A tensor cannot be decoded.", details=f"{name} is {kind.name}.") from error
            if not numpy.isfinite(values).all():
                raise DataError("A tensor holds values that are no numbers.", details=f"{name} in {self.path.name}")
            yield values.astype(numpy.float32, copy=False)

    def floats(self, name: str) -> Array:
        """All values of a tensor as float32, in its shape. Raises DataError."""
        import numpy

        return numpy.concatenate(list(self.rows(name))).reshape(self.tensors[name].shape)

    @property
    def bits_per_weight(self) -> float:
        """Bits a weight takes in the mean, metadata left out."""
        weights = sum(prod(tensor.shape) for tensor in self.tensors.values())
        return 8 * sum(tensor.size for tensor in self.tensors.values()) / max(1, weights)


def _library() -> Any:
    extras.require("Reading GGUF files", "convert")
    import gguf

    return gguf
