"""What flows into a model's weights while it reads: squared and summed as llama.cpp computes it, matrix by matrix.

Runs in the child process of `native`. Knows the operations of ggml's graphs, nothing of quantization.
"""

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as native
import numpy

from convert import ggml
from convert.ggml import Emit, Pointer, Tensor
from convert.imatrix import Entry, Matrix, write
from tide_chat.engine.batch import filled
from tide_chat.errors import DataError, EngineError, ModelUnusable

Array = numpy.ndarray[Any, Any]


def collect(
    emit: Emit, model: str, out: str, texts: list[str], threads: int, chunk: int, most: int | None, datasets: list[str]
) -> dict[str, int]:
    """Write the matrix; what `imatrix.Collected` says of it. Emits (chunks read, chunks). Raises TideError."""
    ggml.check_layout()
    sums = Sums()
    with _loaded(model) as loaded, _context(loaded, chunk, threads, sums) as context:
        size = native.llama_n_ctx(context)
        chunks = _chunks(loaded, texts, min(chunk, size), most)
        for done, tokens in enumerate(chunks):
            emit((done, len(chunks)))
            _read(context, tokens)
        emit((len(chunks), len(chunks)))
        architecture = _metadata(loaded, b"general.architecture")
    entries = sums.entries()
    write(Path(out), Matrix(entries, tuple(datasets), len(chunks), min(chunk, size)), architecture)
    unseen = sum(int((entry.counts == 0).sum()) for entry in entries.values())
    return {"entries": len(entries), "chunks": len(chunks), "tokens": sum(map(len, chunks)), "unseen": unseen}


@dataclass(slots=True)
class Sums:
    """Squared inputs of each block's weights, added up. A callback of ggml's scheduler, asked at each operation."""

    squares: dict[str, Array] = field(default_factory=dict)  # float64 (experts, columns)
    counts: dict[str, Array] = field(default_factory=dict)  # int64 (experts,)

    def on_operation(self, address: int, before: bool, _user: object) -> bool:
        """Before an operation: whether to wait for it. After it: take its input; whether to go on."""
        tensor = Tensor.from_address(address)
        name = _weight_of(tensor)
        if before or not name:
            return bool(name)
        weight, rows = Tensor.from_address(tensor.src[0]), _values(tensor.src[1], numpy.float32)
        if tensor.src[2] is None:
            self._add(name, rows.reshape(1, -1, rows.shape[-1]))
        else:
            self._add_chosen(name, weight.ne[2], rows[0], _values(tensor.src[2], numpy.int32)[0, 0])
        return True

    def _add(self, name: str, rows: Array) -> None:
        """rows: float32 (experts, rows, columns)."""
        experts, count, columns = rows.shape
        if name not in self.squares:
            self.squares[name], self.counts[name] = numpy.zeros((experts, columns)), numpy.zeros(experts, numpy.int64)
        self.squares[name] += numpy.einsum("erc,erc->ec", rows, rows)
        self.counts[name] += count

    def _add_chosen(self, name: str, experts: int, rows: Array, chosen: Array) -> None:
        """rows: float32 (tokens, slots or 1, columns). chosen: int32 (tokens, slots), an expert each."""
        columns = rows.shape[-1]
        if name not in self.squares:
            self.squares[name], self.counts[name] = numpy.zeros((experts, columns)), numpy.zeros(experts, numpy.int64)
        for slot in range(chosen.shape[1]):
            went = (chosen[:, slot] == numpy.arange(experts)[:, None]).astype(numpy.float32)  # (experts, tokens)
            self.squares[name] += went @ numpy.square(rows[:, slot % rows.shape[1]])
            self.counts[name] += went.sum(axis=1).astype(numpy.int64)

    def entries(self) -> dict[str, Entry]:
        """Raises DataError when there is nothing, or no number."""
        broken = [name for name, squares in self.squares.items() if not numpy.isfinite(squares).all()]
        if broken:
            raise DataError("The model computes values that are no numbers.", details=f"Input of {broken[0]}")
        if not self.squares:
            raise EngineError("No weight of the model was seen at work.", help=ggml.HELP)
        as_float = {name: squares.astype(numpy.float32) for name, squares in self.squares.items()}
        return {name: Entry(sums, self.counts[name].astype(numpy.float32)) for name, sums in as_float.items()}


def _weight_of(tensor: Tensor) -> str:
    """The name of the block's weight that an operation multiplies by, "" when it is no such operation."""
    if ggml.operation(tensor) not in ("MUL_MAT", "MUL_MAT_ID"):
        return ""
    name = ggml.name_at(tensor.src[0])
    many = tensor.src[2] is None and Tensor.from_address(tensor.src[0]).ne[2] > 1  # a matrix a head: in no family here
    plain = Tensor.from_address(tensor.src[1]).type == ggml.F32
    return name if name.startswith("blk.") and name.endswith(".weight") and plain and not many else ""


def _values(address: int, dtype: Any) -> Array:
    """A tensor's values, shape (ne3, ne2, ne1, ne0), copied out of whatever memory they lie in."""
    tensor, size = Tensor.from_address(address), ggml.function("ggml_nbytes", ctypes.c_size_t, ctypes.c_void_p)(address)
    data = numpy.empty(size, numpy.uint8)
    get = ggml.function("ggml_backend_tensor_get", None, *[ctypes.c_void_p] * 2, *[ctypes.c_size_t] * 2)
    get(address, data.ctypes.data, 0, size)
    return numpy.ndarray(tensor.ne[::-1], dtype, buffer=data, strides=tensor.nb[::-1])


@contextmanager
def _loaded(model: str) -> Iterator[Pointer]:
    params = native.llama_model_default_params()
    params.n_gpu_layers = 0
    params.use_extra_bufts = False  # repacked weights gain little here, and some processors crash on them
    native.llama_backend_init()
    with ggml.listening() as said:
        loaded = native.llama_model_load_from_file(os.fsencode(model), params)
    if not loaded:
        raise ModelUnusable(f"{Path(model).name} could not be loaded.", details=ggml.last_error(said))
    try:
        yield loaded
    finally:
        native.llama_model_free(loaded)


@contextmanager
def _context(loaded: Pointer, chunk: int, threads: int, sums: Sums) -> Iterator[Pointer]:
    callback = native.ggml_backend_sched_eval_callback(sums.on_operation)
    trained = native.llama_model_n_ctx_train(loaded)
    params = native.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = min(chunk, trained) if trained > 0 else chunk
    params.n_threads = params.n_threads_batch = threads
    params.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.type_k = params.type_v = ggml.F32
    params.offload_kqv = params.op_offload = False
    params.cb_eval = callback
    with ggml.listening() as said:
        context = native.llama_init_from_model(loaded, params)
    if not context:
        raise ModelUnusable("The model could not be set up.", details=ggml.last_error(said))
    try:
        yield context
    finally:
        native.llama_free(context)
        del callback  # native code called it until now


def _chunks(loaded: Pointer, texts: Sequence[str], size: int, most: int | None) -> list[list[int]]:
    """The texts' tokens in stretches of `size` at most, each begun as the vocabulary wants it."""
    vocab = native.llama_model_get_vocab(loaded)
    begin = [native.llama_vocab_bos(vocab)] if native.llama_vocab_get_add_bos(vocab) else []
    tokens = [token for text in texts for token in _tokenize(vocab, text)]
    step = size - len(begin)
    chunks = [begin + tokens[at : at + step] for at in range(0, len(tokens), step)]
    if most is not None and len(chunks) > most:
        chunks = [chunks[at * len(chunks) // most] for at in range(most)]
    return chunks


def _tokenize(vocab: Pointer, text: str) -> list[int]:
    """Control tokens in the text stay text."""
    data = text.encode("utf-8", "replace")
    room = len(data) + 8
    ids = (native.llama_token * room)()
    count = native.llama_tokenize(vocab, data, len(data), ids, room, False, False)
    if count < 0:
        raise DataError("A text could not be turned into tokens.", details=f"{len(data)} bytes")
    return list(ids[:count])


def _read(context: Pointer, tokens: Sequence[int]) -> None:
    """Compute all of it: without an output for each token, the last block would see one token only."""
    native.llama_memory_clear(native.llama_get_memory(context), True)
    with filled([(token, at, 0) for at, token in enumerate(tokens)]) as batch:
        code = native.llama_decode(context, batch)
    if code != 0:
        raise EngineError("The model could not read the texts.", details=f"decode returned {code}")


def _metadata(loaded: Pointer, key: bytes) -> str:
    buffer = ctypes.create_string_buffer(256)
    native.llama_model_meta_val_str(loaded, key, buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace")
