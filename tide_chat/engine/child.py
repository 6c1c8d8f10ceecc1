"""The engine's child process: reads requests from stdin, answers on stdout, ends when the app does.

Run as `python -m tide_chat.engine.child`. A crash of native code ends this process and not the app.
"""

import dataclasses
import os
import signal
import sys
import threading
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType
from typing import BinaryIO

from tide_chat.engine import wire
from tide_chat.engine.base import Cancel, Chunk, Engine
from tide_chat.errors import TideError

FLUSH_EVERY = 0.04  # seconds; a message a token would wake the app while every core is busy


class Child:
    """Serves one engine: requests are handled in order, a cancel at once."""

    def __init__(self, engine: Engine, requests: BinaryIO, answers: BinaryIO) -> None:
        self._engine = engine
        self._requests = requests
        self._answers = answers
        self._queue: SimpleQueue[wire.Json] = SimpleQueue()
        self._cancels: dict[int, Cancel] = {}

    def run(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            request = self._queue.get()
            try:
                self._handle(request)
            except (TideError, MemoryError, OSError, RuntimeError, ValueError) as error:
                self._answer(request, "error", error=wire.error_to_json(error))

    def _listen(self) -> None:
        for line in self._requests:
            request = wire.decode(line)
            if request["op"] == "cancel":
                self._cancels.setdefault(request["id"], Cancel()).set()
            else:
                self._cancels.setdefault(request["id"], Cancel())
                self._queue.put(request)
        os._exit(0)  # the app is gone, and the main thread may be deep in native code

    def _handle(self, request: wire.Json) -> None:
        match request["op"]:
            case "load":
                info = self._engine.load(
                    wire.spec_from_json(request["spec"]),
                    lambda fraction: self._answer(request, "progress", fraction=fraction),
                )
                self._answer(request, "result", value=dataclasses.asdict(info))
            case "generate":
                self._generate(request)
            case "count":
                self._answer(request, "result", value=self._engine.count_tokens(request["text"]))
            case "embed":
                self._answer(request, "result", value=self._engine.embed(request["text"]))
            case other:
                raise ValueError(f"unknown request {other!r}")

    def _generate(self, request: wire.Json) -> None:
        cancel = self._cancels[request["id"]]
        prompt, params = wire.prompt_from_json(request["prompt"]), wire.params_from_json(request["params"])
        text, tokens, sent = "", 0, 0.0
        try:
            for chunk in self._engine.generate(prompt, params, cancel):
                text, tokens = text + chunk.text, tokens + chunk.tokens
                now = time.monotonic()
                if chunk.usage or chunk.finish_reason or now - sent >= FLUSH_EVERY:
                    merged = Chunk(text, tokens, chunk.finish_reason, chunk.usage)
                    self._answer(request, "chunk", chunk=wire.chunk_to_json(merged))
                    text, tokens, sent = "", 0, now if tokens else 0.0
        finally:
            del self._cancels[request["id"]]

    def _answer(self, request: wire.Json, kind: str, **content: object) -> None:
        self._answers.write(wire.encode({"id": request["id"], "kind": kind, **content}))
        self._answers.flush()


def offer_to_the_oom_killer() -> None:
    """When memory runs out the kernel should end this process and not the app."""
    try:
        Path("/proc/self/oom_score_adj").write_text("800")
    except OSError:
        return  # not Linux, or not allowed


def leave_out_what_is_unused() -> None:
    """Import `llama_cpp` as its bindings alone. What the package brings beside (numpy, chat templates) is never called
    here, and takes most of the time a child needs to start."""
    spec = find_spec("llama_cpp")
    if spec is None or spec.submodule_search_locations is None:
        return  # the import says what is missing
    package = ModuleType(spec.name)
    package.__spec__, package.__path__ = spec, list(spec.submodule_search_locations)
    package.__dict__["__version__"] = version("llama-cpp-python")
    sys.modules[spec.name] = package


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the app, which sends a cancel
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # native code that prints must not disturb the answers
    offer_to_the_oom_killer()
    leave_out_what_is_unused()
    from tide_chat.engine.local import LocalEngine

    Child(LocalEngine(), sys.stdin.buffer, answers).run()


if __name__ == "__main__":
    main()
