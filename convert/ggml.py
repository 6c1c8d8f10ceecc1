"""llama.cpp's own functions that list and quantize the tensors of GGUF files, called through ctypes.

Runs in the child process of `native`, since native code may abort. Knows numbers of types, not what they are good for.
"""

import ctypes
import functools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as native
from llama_cpp._ggml import libggml

from tide_chat.errors import DataError, EngineError, ModelUnusable

Pointer = Any  # to a native object; ctypes has no better name for it
Emit = Callable[[Any], None]
F32, I32 = 0, 26  # tensor types
ERROR = 4  # log level
STRING = 3  # kind of a metadata override
INTEGER = 0

_STEP = re.compile(r"\[\s*\d+/\s*\d+\]\s+(\S+)")  # [   3/ 272] blk.0.attn_k.weight  - ...
_PREFIX = re.compile(r"^\w+: (failed to quantize: |error loading model: )?")
_TOTAL = re.compile(r"quant size\s*=\s*([\d.]+) MiB")
_WRITING = re.compile(r"basic_ios|iostream|ios_base")  # what C++ calls a file that takes no more


class Tensor(ctypes.Structure):
    """The beginning of a `ggml_tensor`. ne: elements, nb: bytes between them, both fastest dimension first."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("buffer", ctypes.c_void_p),
        ("ne", ctypes.c_int64 * 4),
        ("nb", ctypes.c_size_t * 4),
        ("op", ctypes.c_int),
        ("op_params", ctypes.c_int32 * 16),
        ("flags", ctypes.c_int32),
        ("src", ctypes.c_void_p * 10),
    )


class _Memory(ctypes.Structure):
    """Parameters of `ggml_init`."""

    _fields_ = (("size", ctypes.c_size_t), ("buffer", ctypes.c_void_p), ("no_data", ctypes.c_bool))


class _Reading(ctypes.Structure):
    """Parameters of `gguf_init_from_file`. context: where to put the tensors' descriptions."""

    _fields_ = (("no_data", ctypes.c_bool), ("context", ctypes.POINTER(ctypes.c_void_p)))


@functools.cache
def function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """One of ggml's exported functions. Raises EngineError when this build lacks it."""
    try:
        found: Any = getattr(libggml, name)
    except AttributeError as error:
        raise EngineError("This build of llama.cpp lacks a function.", details=name, help=HELP) from error
    found.restype, found.argtypes = result, arguments
    return found  # type: ignore[no-any-return]


HELP = "Install the version that this program was made for: pip install --force-reinstall llama-cpp-python==0.3.36"
_P, _N, _S = ctypes.c_void_p, ctypes.c_int64, ctypes.c_char_p


def check_layout() -> None:
    """Raises EngineError when `Tensor` is not how this build lays its tensors out: better than reading garbage."""
    new_3d = function("ggml_new_tensor_3d", _P, _P, ctypes.c_int, _N, _N, _N)
    context = function("ggml_init", _P, _Memory)(_Memory(1 << 16, None, False))
    try:
        weights, rows = new_3d(context, F32, 3, 5, 4), new_3d(context, F32, 3, 2, 7)
        chosen = new_3d(context, I32, 2, 7, 1)
        product = function("ggml_mul_mat_id", _P, _P, _P, _P, _P)(context, weights, rows, chosen)
        seen, given = Tensor.from_address(product), Tensor.from_address(rows)
        as_known = (
            [*seen.ne] == [5, 2, 7, 1]
            and [*given.nb] == [4, 12, 24, 168]
            and [*seen.src[:4]] == [weights, rows, chosen, None]
            and (seen.type, Tensor.from_address(chosen).type) == (F32, I32)
            and operation(seen) == "MUL_MAT_ID"
        )
    finally:
        function("ggml_free", None, _P)(context)
    if not as_known:
        raise EngineError("This build of llama.cpp lays its tensors out in an unknown way.", help=HELP)


def operation(tensor: Tensor) -> str:
    """MUL_MAT and the like."""
    name: bytes | None = function("ggml_op_name", _S, ctypes.c_int)(tensor.op)
    return (name or b"").decode()


def name_at(address: int) -> str:
    """A tensor's name."""
    name: bytes = function("ggml_get_name", _S, _P)(address)
    return name.decode("utf-8", "replace")


def tensors(_emit: Emit, files: Sequence[str]) -> list[dict[str, Any]]:
    """What lies in the parts of a model: name, type, columns, rows, size (bytes). Raises ModelUnusable."""
    return [described for file in files for described in _tensors_of(file)]


def _tensors_of(file: str) -> list[dict[str, Any]]:
    context = ctypes.c_void_p()
    with listening() as said:
        reading = _Reading(True, ctypes.pointer(context))
        gguf = function("gguf_init_from_file", _P, _S, _Reading)(os.fsencode(file), reading)
    if not gguf:
        raise ModelUnusable(f"{Path(file).name} cannot be read.", details=last_error(said))
    count, size = function("ggml_nelements", _N, _P), function("ggml_nbytes", ctypes.c_size_t, _P)
    rows, type_name = function("ggml_nrows", _N, _P), function("ggml_type_name", _S, ctypes.c_int)
    found = []
    try:
        at = function("ggml_get_first_tensor", _P, _P)(context)
        while at:
            kind = type_name(Tensor.from_address(at).type).decode().upper()
            columns = count(at) // max(1, rows(at))
            found.append({"name": name_at(at), "type": kind, "columns": columns, "rows": rows(at), "size": size(at)})
            at = function("ggml_get_next_tensor", _P, _P, _P)(context, at)
    finally:
        function("ggml_free", None, _P)(context)
        function("gguf_free", None, _P)(gguf)
    return found


def estimate(_emit: Emit, source: str, number: int) -> int:
    """Bytes of all tensors after quantizing to that file type, 0 when llama.cpp does not say. Raises ModelUnusable."""
    params = _params(number, threads=1)
    params.dry_run = True
    sizes = []

    def hear(text: str) -> None:
        if total := _TOTAL.search(text):
            sizes.append(float(total[1]))

    _quantize(source, "", params, hear)
    return int(sizes[-1] * 2**20) if sizes else 0


def quantize(emit: Emit, source: str, out: str, number: int, threads: int, imatrix: str | None) -> None:
    """Write `out`; emit the name of each tensor before its turn, and "" at the end. Raises ModelUnusable, DataError."""
    params = _params(number, threads)
    kept = _give_importance(params, Path(imatrix)) if imatrix else None

    def hear(text: str) -> None:
        if step := _STEP.match(text):
            emit(step[1])

    _quantize(source, out, params, hear)
    emit("")
    del kept  # native code read from it until now


def _params(number: int, threads: int) -> Any:
    params = native.llama_model_quantize_default_params()
    params.ftype, params.nthread = number, threads
    params.allow_requantize = True  # whoever asks has been told
    return params


def _quantize(source: str, out: str, params: Any, hear: Callable[[str], None]) -> None:
    with listening(hear) as said:
        code = native.llama_model_quantize(os.fsencode(source), os.fsencode(out), params)
    if code == 0:
        return
    why = last_error(said)
    if _WRITING.search(why):
        raise DataError("The quantized file could not be written.", details=why, help="Is the disk full?")
    raise ModelUnusable(f"llama.cpp cannot quantize {Path(source).name}.", details=why)


def _give_importance(params: Any, file: Path) -> object:
    """Point `params` at an importance matrix and note it in the result's metadata; what has to be kept alive."""
    from convert import imatrix

    matrix = imatrix.read(file)
    means = matrix.means()
    data = (native.llama_model_imatrix_data * (len(means) + 1))()  # the last one, empty, ends the list
    for entry, (name, values) in zip(data, means.items(), strict=False):
        entry.name, entry.size = name.encode(), values.size
        entry.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    notes = (native.llama_model_kv_override * 5)()
    texts = {"file": file.name, "dataset": ", ".join(matrix.datasets)}
    numbers = {"entries_count": len(means), "chunks_count": matrix.chunks}
    for note, (key, value) in zip(notes, [*texts.items(), *numbers.items()], strict=False):
        note.key = f"quantize.imatrix.{key}".encode()
        if isinstance(value, str):
            note.tag, note.value.val_str = STRING, value.encode()[:127]
        else:
            note.tag, note.value.val_i64 = INTEGER, value
    params.imatrix, params.kv_overrides = data, notes
    return means, data, notes


@contextmanager
def listening(hear: Callable[[str], None] | None = None) -> Iterator[list[str]]:
    """Pass on what llama.cpp says, and yield a list of the errors among it. It has one listener at a time."""
    errors: list[str] = []

    @native.llama_log_callback  # type: ignore[untyped-decorator]
    def on_log(level: int, text: bytes, _user: object) -> None:
        said = text.decode("utf-8", "replace")
        if level == ERROR and said.strip():
            errors.append(said.strip())
        elif hear:
            hear(said)

    native.llama_log_set(on_log, ctypes.c_void_p(0))
    try:
        yield errors
    finally:
        native.llama_log_set(_silence, ctypes.c_void_p(0))


@native.llama_log_callback  # type: ignore[untyped-decorator]
def _silence(_level: int, _text: bytes, _user: object) -> None:
    """Nobody listens."""


def last_error(said: Sequence[str]) -> str:
    """llama.cpp's own words for what went wrong, without the names of its functions and what follows from it."""
    lines = [line.strip(" =") for text in said for line in text.splitlines()]
    plain = [_PREFIX.sub("", line) for line in lines if line and not line.endswith("failed to load model")]
    return plain[-1] if plain else "llama.cpp gave no reason."
