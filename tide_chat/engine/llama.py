"""The native runtime: a model, its context and its KV cache, through llama.cpp.

With `embedder` and `batch` the only importer of llama_cpp. Knows tokens and positions, nothing of prompts, replies or
people. Runs in the engine's child process (see `process`). Text has one sequence (id 0) throughout.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llama_cpp
import llama_cpp.llama_cpp as native
from llama_cpp._ggml import libggml

from tide_chat.engine.base import EngineSpec, SamplingParams
from tide_chat.engine.batch import BATCH
from tide_chat.engine.embedder import Embedder, Pointer
from tide_chat.errors import EngineError, ModelUnusable

ALL_LAYERS = 999
_SPECIAL = native.LLAMA_TOKEN_ATTR_CONTROL | native.LLAMA_TOKEN_ATTR_USER_DEFINED | native.LLAMA_TOKEN_ATTR_UNKNOWN


class Aborted(Exception):
    """Decoding was interrupted by `Abort.request`; the cache holds what was there before the call."""


class Abort:
    """A flag that native code reads between graph nodes.

    A Python callback would run hundreds of times a token. `strlen` on a two-byte buffer says the same for nothing: 0
    while the first byte is zero, 1 once it is not.
    """

    def __init__(self) -> None:
        self._flag = ctypes.create_string_buffer(2)
        self._strlen = native.ggml_abort_callback(("strlen", ctypes.CDLL(None)))

    def request(self) -> None:
        self._flag[0] = b"\x01"

    def clear(self) -> None:
        self._flag[0] = b"\x00"

    def attach(self, context: object) -> None:
        native.llama_set_abort_callback(context, self._strlen, ctypes.cast(self._flag, ctypes.c_void_p))


_log_lines: list[str] = []


@native.llama_log_callback  # type: ignore[untyped-decorator]
def _keep_log(_level: int, text: bytes, _user: object) -> None:
    _log_lines.append(text.decode("utf-8", "replace").rstrip())
    del _log_lines[:-40]


def system_info() -> str:
    """Build and instruction sets, for example 'llama-cpp-python 0.3.36, CPU: AVX2 FMA F16C'."""
    raw = (native.llama_print_system_info() or b"").decode()
    parts = [part.strip() for part in raw.replace("CPU :", "").split("|") if part.strip().endswith("= 1")]
    return f"llama-cpp-python {llama_cpp.__version__}, {' '.join(part[:-4].strip() for part in parts)}"


def devices() -> tuple[str, ...]:
    """Descriptions of accelerators this build can use, empty on a CPU-only build."""
    libggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    libggml.ggml_backend_dev_get.argtypes, libggml.ggml_backend_dev_get.restype = [ctypes.c_size_t], ctypes.c_void_p
    libggml.ggml_backend_dev_type.argtypes = [ctypes.c_void_p]
    libggml.ggml_backend_dev_description.argtypes = [ctypes.c_void_p]
    libggml.ggml_backend_dev_description.restype = ctypes.c_char_p
    found = []
    for index in range(libggml.ggml_backend_dev_count()):
        device = libggml.ggml_backend_dev_get(index)
        if libggml.ggml_backend_dev_type(device) in (1, 2):  # GPU, integrated GPU
            found.append(libggml.ggml_backend_dev_description(device).decode("utf-8", "replace"))
    return tuple(found)


class Llama:
    """A loaded model with one context. Not thread-safe except for `abort`."""

    def __init__(self, spec: EngineSpec, gpu_layers: int, on_progress: Callable[[float], None] | None = None) -> None:
        native.llama_log_set(_keep_log, ctypes.c_void_p(0))
        native.llama_backend_init()
        self.abort = Abort()
        self._adapter: object | None = None
        self._context: Pointer = None
        self._embedder: Embedder | None = None
        self._model = self._load_model(spec, gpu_layers, on_progress)
        self.vocab = native.llama_model_get_vocab(self._model)
        self.train_context = native.llama_model_n_ctx_train(self._model)
        self.context_size = min(spec.context, self.train_context) if self.train_context else spec.context
        self.vocab_size = native.llama_vocab_n_tokens(self.vocab)
        if spec.embedding:
            self._embedder = Embedder(self._model, self._new_context)
            return
        self._context = self._new_context(native.llama_context_default_params(), self.context_size)
        self.abort.attach(self._context)
        self._memory = native.llama_get_memory(self._context)
        if spec.adapter:
            self._set_adapter(spec.adapter)

    # -- loading -----------------------------------------------------------------------------------------------------

    def _load_model(self, spec: EngineSpec, gpu_layers: int, on_progress: Callable[[float], None] | None) -> Pointer:
        params = native.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.use_extra_bufts = spec.extra_bufts

        @native.llama_progress_callback  # type: ignore[untyped-decorator]
        def progress(fraction: float, _user: object) -> bool:
            if on_progress:
                on_progress(fraction)
            return True

        params.progress_callback = progress
        _log_lines.clear()
        model = native.llama_model_load_from_file(str(spec.model).encode(), params)
        if not model:
            raise ModelUnusable(f"{spec.model.name} could not be loaded.", details=_last_error(), help=_HELP_LOAD)
        return model

    def _new_context(self, params: Any, size: int) -> Pointer:
        params.n_ctx, params.n_batch, params.n_ubatch = size, min(size, BATCH), min(size, BATCH)
        params.n_threads = params.n_threads_batch = 1
        context = native.llama_init_from_model(self._model, params)
        if not context:
            raise ModelUnusable(
                "There is not enough memory for this model's context.",
                details=f"{size} tokens asked for. {_last_error()}",
                help="Try a smaller one: --context 2048.",
            )
        return context

    def _set_adapter(self, path: Path) -> None:
        adapter = native.llama_adapter_lora_init(self._model, str(path).encode())
        if not adapter:
            raise ModelUnusable(f"The adapter {path.name} could not be loaded.", details=_last_error())
        self._adapter = adapter
        adapters = (native.llama_adapter_lora_p_ctypes * 1)(adapter)
        if native.llama_set_adapters_lora(self._context, adapters, 1, (ctypes.c_float * 1)(1.0)) != 0:
            raise ModelUnusable(f"The adapter {path.name} does not fit this model.", details=_last_error())

    def metadata(self, key: str) -> str:
        """A metadata value of the GGUF, "" when it is not there."""
        size = native.llama_model_meta_val_str(self._model, key.encode(), ctypes.create_string_buffer(1), 1)
        if size < 0:
            return ""
        buffer = ctypes.create_string_buffer(size + 1)
        native.llama_model_meta_val_str(self._model, key.encode(), buffer, size + 1)
        return buffer.value.decode("utf-8", "replace")

    def describe(self) -> tuple[str, int, int]:
        """(description, parameters, bytes)."""
        buffer = ctypes.create_string_buffer(256)
        native.llama_model_desc(self._model, buffer, 256)
        text = buffer.value.decode("utf-8", "replace")
        return text, native.llama_model_n_params(self._model), native.llama_model_size(self._model)

    # -- tokens ------------------------------------------------------------------------------------------------------

    def tokenize(self, text: str, *, add_special: bool = False, parse_special: bool = True) -> list[int]:
        """Token ids; control tokens in the text are parsed, so whoever renders a prompt defuses them in user text.

        `add_special` puts the vocabulary's own begin and end around them, as encoders want it.
        """
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        tokens = (native.llama_token * room)()
        count = native.llama_tokenize(self.vocab, data, len(data), tokens, room, add_special, parse_special)
        if count < 0:
            raise EngineError("The text could not be turned into tokens.", details=f"{len(data)} bytes")
        return list(tokens[:count])

    def bos_if_wanted(self) -> list[int]:
        """The begin-of-sequence id if this vocabulary starts every prompt with one, else nothing."""
        return [native.llama_vocab_bos(self.vocab)] if native.llama_vocab_get_add_bos(self.vocab) else []

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """Bytes of a token; control tokens give nothing unless `special`."""
        buffer = ctypes.create_string_buffer(256)
        size = native.llama_token_to_piece(self.vocab, token, buffer, 256, 0, special)
        return buffer.raw[:size] if size > 0 else b""

    def special_text(self, token: int) -> str:
        return self.piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def control_tokens(self) -> tuple[str, ...]:
        """Texts that this vocabulary parses as one special token, longest first."""
        attr = native.llama_vocab_get_attr
        texts = {self.special_text(i) for i in range(self.vocab_size) if attr(self.vocab, i) & _SPECIAL}
        return tuple(sorted((text for text in texts if len(text.strip()) > 1), key=lambda text: (-len(text), text)))

    def bos_eos(self) -> tuple[str, str]:
        bos, eos = native.llama_vocab_bos(self.vocab), native.llama_vocab_eos(self.vocab)
        return self.special_text(bos), self.special_text(eos)

    def ends(self, token: int) -> bool:
        return bool(native.llama_vocab_is_eog(self.vocab, token))

    # -- the KV cache ------------------------------------------------------------------------------------------------

    def decode(self, tokens: Sequence[int], position: int) -> None:
        """Append tokens at `position`, which must be the end of the cache. Raises Aborted, EngineError."""
        for start in range(0, len(tokens), BATCH):
            part = tokens[start : start + BATCH]
            ids = (native.llama_token * len(part))(*part)
            code = native.llama_decode(self._context, native.llama_batch_get_one(ids, len(part)))
            if code != 0:
                self.forget_from(position)
                if code == 2:
                    raise Aborted
                raise EngineError("The model could not read the text.", details=f"decode returned {code}")

    def forget_from(self, position: int) -> None:
        native.llama_memory_seq_rm(self._memory, 0, position, -1)

    def clear(self) -> None:
        native.llama_memory_clear(self._memory, True)

    def can_shift(self) -> bool:
        return bool(native.llama_memory_can_shift(self._memory))

    def cut(self, start: int, end: int) -> None:
        """Drop positions start..end and move what follows down, without computing it again."""
        native.llama_memory_seq_rm(self._memory, 0, start, end)
        native.llama_memory_seq_add(self._memory, 0, end, -1, start - end)

    def save(self, path: Path, tokens: Sequence[int]) -> bool:
        """Write the whole cache, which must hold exactly `tokens`, to a file."""
        ids = (native.llama_token * len(tokens))(*tokens)
        return bool(native.llama_state_seq_save_file(self._context, str(path).encode(), 0, ids, len(tokens)))

    def restore(self, path: Path, tokens: Sequence[int]) -> bool:
        """Replace the cache by a saved one; False, with an empty cache, unless the file holds exactly `tokens`."""
        self.clear()
        room = len(tokens) + 1
        ids, count = (native.llama_token * room)(), ctypes.c_size_t(0)
        read = native.llama_state_seq_load_file(self._context, str(path).encode(), 0, ids, room, ctypes.byref(count))
        if read and list(ids[: count.value]) == list(tokens):
            return True
        self.clear()
        return False

    # -- picking tokens ----------------------------------------------------------------------------------------------

    def set_threads(self, decode: int, batch: int) -> None:
        if self._context:
            native.llama_set_n_threads(self._context, decode, batch)
        if self._embedder:
            self._embedder.set_threads(batch)

    @contextmanager
    def sampler(self, params: SamplingParams, seed: int) -> Iterator[Callable[[], int]]:
        """A function that picks the next token from the last logits. Penalties see only what it picked itself."""
        chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
        for link in _links(params, seed, self.vocab_size):
            native.llama_sampler_chain_add(chain, link)
        context = self._context
        try:
            yield lambda: native.llama_sampler_sample(chain, context, -1)
        finally:
            native.llama_sampler_free(chain)

    def embed(self, tokens: Sequence[int]) -> list[float]:
        """See `Embedder.embed`."""
        if self._embedder is None:
            self._embedder = Embedder(self._model, self._new_context)
        return self._embedder.embed(tokens)

    def close(self) -> None:
        if self._embedder:
            self._embedder.close()
        if self._context:
            native.llama_free(self._context)
        self._context = self._embedder = None
        if self._model:
            native.llama_model_free(self._model)
            self._model = None


def _links(params: SamplingParams, seed: int, vocab_size: int) -> Iterator[object]:
    if params.repeat_penalty != 1.0:
        yield native.llama_sampler_init_penalties(vocab_size, params.repeat_last_n, params.repeat_penalty, 0.0, 0.0)
    if params.temperature <= 0:
        yield native.llama_sampler_init_greedy()
        return
    if params.top_k > 0:
        yield native.llama_sampler_init_top_k(params.top_k)
    yield native.llama_sampler_init_top_p(params.top_p, 1)
    yield native.llama_sampler_init_min_p(params.min_p, 1)
    yield native.llama_sampler_init_temp(params.temperature)
    yield native.llama_sampler_init_dist(seed)


_HELP_LOAD = "Check the file with: tide-chat models verify. It may be damaged, or made for a newer runtime."


def _last_error() -> str:
    errors = [line for line in _log_lines if "error" in line.lower() or "fail" in line.lower()]
    return (errors or _log_lines or [""])[-1]
