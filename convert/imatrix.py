"""Importance matrices: which columns of a weight matter most, told by how strongly real text drives them.

For each weight of a model's blocks: the squared inputs of each column added up, and how many there were, one pair an
expert. Knows llama.cpp's GGUF form of it, so that its tools read ours and we read theirs; they leave the output matrix
out too. The running of the model is in `activations`.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert import output
from convert.native import Native
from tide_chat import extras
from tide_chat.engine.threads import usable_cores
from tide_chat.errors import DataError, ModelError, ModelUnusable, UsageError
from tide_chat.progress import Say, quiet
from tide_chat.registry.gguf_header import read_header
from tide_chat.registry.gguf_tables import NOT_CHAT

Array = Any  # numpy.ndarray; numpy is loaded when a conversion starts

MOST_ROOM = 10_000_000  # bytes of a file for a model of 8B weights
CHUNK = 512  # tokens; what llama.cpp's tool takes by default
SUMS, COUNTS = ".in_sum2", ".counts"
_HELP = "Make one from the model: tide-convert imatrix MODEL.gguf --out FILE"


@dataclass(frozen=True, slots=True)
class Entry:
    """sums: float32 (experts, columns), squared inputs added up. counts: float32 (experts,), how many of them."""

    sums: Array
    counts: Array


@dataclass(frozen=True, slots=True)
class Matrix:
    """entries by the weight's name. datasets: names of the texts. chunk: tokens that were read at a time."""

    entries: Mapping[str, Entry]
    datasets: tuple[str, ...]
    chunks: int
    chunk: int

    def means(self) -> dict[str, Array]:
        """Mean squared input of each column, float32 (experts * columns,); 1 for an expert that no token chose."""
        import numpy

        return {
            name: numpy.where(
                entry.counts[:, None] > 0, entry.sums / numpy.maximum(entry.counts[:, None], 1), numpy.float32(1)
            )
            .astype(numpy.float32)
            .ravel()
            for name, entry in sorted(self.entries.items())
        }


@dataclass(frozen=True, slots=True)
class Collected:
    """unseen: experts that no token chose, all weights together."""

    file: Path
    entries: int
    chunks: int
    tokens: int
    unseen: int
    seconds: float

    def __str__(self) -> str:
        unseen = f" {self.unseen} experts were never chosen." if self.unseen else ""
        return f"{self.entries} weights, {self.tokens} tokens, {self.seconds:.0f} s.{unseen}"


def collect(
    model: Path,
    out: Path,
    texts: Sequence[str],
    *,
    threads: int | None = None,
    chunk: int = CHUNK,
    most: int | None = None,
    datasets: Sequence[str] = (),
    say: Say = quiet,
) -> Collected:
    """Run the model over the texts and write its importance matrix.

    chunk: tokens read at a time. most: chunks read at most, evenly spread over the texts. datasets: names to note in
    the file. Raises UsageError, DataError, ModelError, EngineError, EngineDied, MissingExtra; leaves no half-written
    file.
    """
    extras.require("Collecting an importance matrix", "convert")
    if chunk < 2 or (most is not None and most < 1):
        raise UsageError("Too few tokens or chunks.", details=f"{chunk} tokens a chunk, at most {most} chunks.")
    header = read_header(model)
    if header.kind != "model" or header.architecture in NOT_CHAT:
        raise ModelUnusable("An importance matrix needs a model that writes text.", details=header.architecture)
    if not any(text.strip() for text in texts):
        raise DataError("There is no text to read.")
    began = time.perf_counter()
    with Native() as native, output.file(out, MOST_ROOM) as part:
        told = native.ask(
            "collect",
            lambda step: say("Reading texts", step[0], step[1]),
            model=str(model),
            out=str(part),
            texts=[text for text in texts if text.strip()],
            threads=threads or usable_cores(),
            chunk=chunk,
            most=most,
            datasets=list(datasets),
        )
    return Collected(out, **told, seconds=time.perf_counter() - began)


def write(out: Path, matrix: Matrix, architecture: str) -> None:
    """Write a matrix as it is; the caller renames. Raises OSError."""
    import gguf
    import numpy

    writer = gguf.GGUFWriter(out, architecture)
    writer.add_type(gguf.GGUFType.IMATRIX)
    writer.add_array(gguf.Keys.IMatrix.DATASETS, list(matrix.datasets) or ["unnamed"])
    writer.add_uint32(gguf.Keys.IMatrix.CHUNK_COUNT, matrix.chunks)
    writer.add_uint32(gguf.Keys.IMatrix.CHUNK_SIZE, matrix.chunk)
    for name, entry in sorted(matrix.entries.items()):
        writer.add_tensor(name + SUMS, numpy.ascontiguousarray(entry.sums, numpy.float32))
        writer.add_tensor(name + COUNTS, numpy.ascontiguousarray(entry.counts[:, None], numpy.float32))
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def read(file: Path) -> Matrix:
    """A matrix that we or llama.cpp's tool wrote. Raises DataError."""
    import gguf

    _check(file)
    try:
        reader = gguf.GGUFReader(file)
        tensors = {str(tensor.name): tensor.data.copy() for tensor in reader.tensors}
        keys = gguf.Keys.IMatrix
        chunks, chunk = (int(reader.get_field(key).contents()) for key in (keys.CHUNK_COUNT, keys.CHUNK_SIZE))
        datasets = tuple(map(str, reader.get_field(keys.DATASETS).contents()))
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise _unreadable(file, str(error)) from error
    names = sorted(name.removesuffix(SUMS) for name in tensors if name.endswith(SUMS))
    if not names:
        raise _unreadable(file, "It holds no sums.")
    entries = {name: _entry(file, name, tensors) for name in names}
    return Matrix(entries, datasets, chunks, chunk)


def _check(file: Path) -> None:
    try:
        header = read_header(file)
    except ModelError as error:
        raise _unreadable(file, error.details or error.message) from error
    if header.kind != "imatrix" or not header.complete:
        raise _unreadable(file, "It is cut short." if header.kind == "imatrix" else f"It holds a {header.kind}.")


def _entry(file: Path, name: str, tensors: Mapping[str, Array]) -> Entry:
    import numpy

    sums, counts = tensors[name + SUMS], tensors.get(name + COUNTS)
    if counts is None or sums.dtype != numpy.float32 or counts.dtype != numpy.float32 or sums.size % counts.size:
        raise _unreadable(file, f"Sums and counts of {name} do not belong together.")
    if not (numpy.isfinite(sums).all() and (sums >= 0).all() and numpy.isfinite(counts).all() and (counts >= 0).all()):
        raise _unreadable(file, f"{name} holds values that are no sums of squares.")
    return Entry(sums.reshape(counts.size, -1), counts.ravel())


def _unreadable(file: Path, why: str) -> DataError:
    return DataError("The importance matrix cannot be read.", details=f"{file.name}: {why}", help=_HELP)


def texts_from(path: Path) -> list[str]:
    """One text for each dialogue of a `.jsonl` file; any other file is one text. Raises DataError."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The texts cannot be read.", details=f"{path.name}: {error}") from error
    if path.suffix != ".jsonl":
        return [content]
    return [_dialogue(path, number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip()]


def _dialogue(path: Path, number: int, line: str) -> str:
    try:
        data = json.loads(line)
        turns = [data, *data.get("more_turns", ())]
        return "\n\n".join(f"{turn['user_input']}\n\n{turn['reference_response']}" for turn in turns) + "\n\n"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            "A line is no dialogue.",
            details=f"{path.name}, line {number}: {type(error).__name__} {error}",
            help="Each line holds user_input, reference_response and perhaps more_turns.",
        ) from error
