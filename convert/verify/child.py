"""The runtime, in a process of its own: where ggml aborts, this ends and not the command. Talks frames on its pipes.

Run as `python -m convert.verify.child`. Keys and values are single precision and attention is the plain one, so that
what differs from HF's model is the file and not the settings.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from ctypes import POINTER, c_float, cast
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as native

from convert.verify import frames
from tide_chat.engine.base import EngineSpec, SamplingParams
from tide_chat.engine.batch import filled
from tide_chat.engine.llama import Llama
from tide_chat.errors import EngineError, ModelUnusable, TideError

ROWS = 64  # positions computed and sent at a time
F32 = 0  # ggml's number of the type


class Exact(Llama):
    """The app's engine with a context that rounds nothing."""

    def _new_context(self, params: Any, size: int) -> Any:
        params.n_ctx, params.n_batch, params.n_ubatch = size, ROWS, ROWS
        params.type_k = params.type_v = F32
        params.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
        context = native.llama_init_from_model(self._model, params)
        if not context:
            raise ModelUnusable("There is not enough memory for the model's context.", details=f"{size} tokens")
        return context

    def logits(self, tokens: Sequence[int]) -> Iterator[bytes]:
        """Single-precision logits of all positions, ROWS at a time. Raises EngineError."""
        self.clear()
        for first in range(0, len(tokens), ROWS):
            part = tokens[first : first + ROWS]
            with filled([(token, first + i, 0) for i, token in enumerate(part)]) as batch:
                if native.llama_decode(self._context, batch) != 0:
                    raise EngineError("The model could not read the text.", details=f"{len(tokens)} tokens")
            count = len(part) * self.vocab_size
            yield bytes(cast(native.llama_get_logits(self._context), POINTER(c_float * count)).contents)

    def greedy(self, tokens: Sequence[int], most: int) -> tuple[list[int], bool]:
        """(ids, whether it ended by itself)."""
        self._read(tokens)
        found: list[int] = []
        with self.sampler(SamplingParams(temperature=0.0, repeat_penalty=1.0), 0) as pick:
            token = pick()
            while not self.ends(token) and len(found) < most:
                self.decode([token], len(tokens) + len(found))
                found.append(token)
                token = pick()
            return found, self.ends(token)

    def pace(self, tokens: Sequence[int], prompt: int) -> float:
        """Seconds that it takes to decode what comes after the first `prompt` tokens, one at a time."""
        self._read(tokens[:prompt])
        began = time.perf_counter()
        for at in range(prompt, len(tokens)):
            self.decode([tokens[at]], at)
        return time.perf_counter() - began

    def _read(self, tokens: Sequence[int]) -> None:
        self.clear()
        for first in range(0, len(tokens), ROWS):
            self.decode(tokens[first : first + ROWS], first)


def answer(llama: Exact, request: frames.Json) -> Iterator[tuple[frames.Json, bytes]]:
    """The frames that answer one request; the last one has `last`."""
    match request["op"]:
        case "tokenize":
            ids = llama.tokenize(request["text"], add_special=request["framed"])
            yield {"ids": ids, "last": True}, b""
        case "logits":
            for block in llama.logits(request["ids"]):
                yield {}, block
            yield {"last": True}, b""
        case "greedy":
            ids, ended = llama.greedy(request["ids"], request["most"])
            yield {"ids": ids, "ended": ended, "last": True}, b""
        case "pace":
            yield {"seconds": llama.pace(request["ids"], request["prompt"]), "last": True}, b""
        case other:
            raise EngineError(f"There is no operation {other!r}.")


def opened(request: frames.Json) -> tuple[Exact, frames.Json]:
    spec = EngineSpec(Path(request["model"]), context=request["context"])
    llama = Exact(spec, gpu_layers=0)
    threads = int(request["threads"])
    llama.set_threads(threads, threads)
    bos, eos = llama.bos_eos()
    return llama, {
        "vocabulary": llama.vocab_size,
        "context": llama.context_size,
        "first": llama.bos_if_wanted(),
        "bos": bos,
        "eos": eos,
        "control": list(llama.control_tokens()),
        "ends": [token for token in range(llama.vocab_size) if llama.ends(token)],
        "last": True,
    }


def main() -> None:
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever native code prints must not get between the frames
    llama: Exact | None = None
    while (request := frames.receive(sys.stdin.buffer)) is not None:
        try:
            if llama is None:
                llama, about = opened(request[0])
                frames.send(pipe, about)
                continue
            for head, body in answer(llama, request[0]):
                frames.send(pipe, head, body)
        except TideError as error:
            frames.send(pipe, {"error": type(error).__name__, "message": error.message, "details": error.details})


if __name__ == "__main__":
    main()
