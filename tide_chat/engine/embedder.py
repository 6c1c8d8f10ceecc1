"""Embeddings, as fast as the runtime allows. Knows tokens and native contexts, nothing of texts.

Attention in tiles (flash attention, where the runtime has it) is faster than the plain one from TILE tokens on and
slower below, and a context has the one or the other: so there are two. What is nearly TILE tokens long is filled up
with a sequence of its own, which the text does not see.
"""

from collections.abc import Callable, Sequence
from typing import Any

import llama_cpp.llama_cpp as native

from tide_chat.engine.batch import BATCH, filled
from tide_chat.errors import EngineError

TILE = 64
NEARLY = 48  # tokens, from which filling up to TILE costs less than plain attention
TEXT, FILLER = 0, 1  # sequences
Pointer = Any  # to a native object; ctypes has no better name for it


class Embedder:
    """Two contexts of one model. Not thread-safe."""

    def __init__(self, model: Pointer, new_context: Callable[[Any, int], Pointer]) -> None:
        """new_context: makes one of parameters and a number of tokens. Raises what it raises."""
        self._width = native.llama_model_n_embd(model)
        self._plain = new_context(_parameters(tiled=False), TILE)
        self._tiled = new_context(_parameters(tiled=True), BATCH)

    def set_threads(self, threads: int) -> None:
        for context in (self._plain, self._tiled):
            native.llama_set_n_threads(context, threads, threads)

    def embed(self, tokens: Sequence[int]) -> list[float]:
        """Mean-pooled, L2-normalised embedding of at most BATCH tokens, shape (model width,). Raises EngineError."""
        part = list(tokens[:BATCH])
        context = self._plain if len(part) < NEARLY else self._tiled
        if memory := native.llama_get_memory(context):  # encoders have none
            native.llama_memory_clear(memory, True)
        filler = max(0, TILE - len(part)) if context is self._tiled else 0
        placed = [(token, at, TEXT) for at, token in enumerate(part)]
        with filled(placed + [(part[0], at, FILLER) for at in range(filler)]) as batch:
            if native.llama_decode(context, batch) != 0:
                raise EngineError("The text could not be embedded.")
        vector = native.llama_get_embeddings_seq(context, TEXT)[: self._width]
        norm = sum(x * x for x in vector) ** 0.5 or 1.0
        return [x / norm for x in vector]

    def close(self) -> None:
        native.llama_free(self._plain)
        native.llama_free(self._tiled)


def _parameters(*, tiled: bool) -> Any:
    params = native.llama_context_default_params()
    params.embeddings = True
    params.pooling_type = native.LLAMA_POOLING_TYPE_MEAN
    if not tiled:
        params.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.n_seq_max, params.kv_unified = 2, True
    return params
