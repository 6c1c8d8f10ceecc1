"""Tokens on their way into the native runtime. Knows no model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import llama_cpp.llama_cpp as native

BATCH = 512  # tokens a call takes at most


@contextmanager
def filled(placed: Sequence[tuple[int, int, int]]) -> Iterator[Any]:
    """A native batch of (token, position, sequence), each with an output of its own; freed at the end."""
    batch = native.llama_batch_init(len(placed), 0, 1)
    try:
        batch.n_tokens = len(placed)
        for i, (token, position, sequence) in enumerate(placed):
            batch.token[i], batch.pos[i], batch.logits[i] = token, position, 1
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
        yield batch
    finally:
        native.llama_batch_free(batch)
