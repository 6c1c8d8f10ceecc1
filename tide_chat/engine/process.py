"""An engine in a child process: a crash there is an exception here, and a stop does not wait for native code.

Knows pipes and processes, nothing of models. `supervisor` decides what happens after a death.
"""

import contextlib
import dataclasses
import itertools
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from tide_chat.engine import wire
from tide_chat.engine.base import Cancel, Chunk, EngineInfo, EngineSpec, FinishReason, Prompt, SamplingParams
from tide_chat.errors import EngineDied, ModelError

STOP_PATIENCE = 0.08  # seconds to wait for the last counts after a cancel; the stop itself does not wait
CLOSE_PATIENCE = 0.5  # seconds before a child that does not leave is killed
COMMAND = (sys.executable, "-P", "-m", "tide_chat.engine.child")  # imports nothing from the folder one is in

Inbox = queue.SimpleQueue["wire.Json | None"]


class ProcessEngine:
    """An Engine. The child is spawned at once, so make it before an event loop starts. Thread-safe."""

    def __init__(self, command: Sequence[str] = COMMAND, on_death: Callable[[EngineDied], None] | None = None) -> None:
        self._on_death = on_death
        self._ids = itertools.count()
        self._inboxes: dict[int, Inbox] = {}
        self._lock = threading.Lock()
        self._death: EngineDied | None = None
        self._closing = False
        self._info: EngineInfo | None = None
        self._errors: deque[str] = deque(maxlen=20)
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl+C in the terminal must not reach it
        )
        assert self._child.stdin and self._child.stdout and self._child.stderr
        self._requests: IO[bytes] = self._child.stdin
        readers = ((self._read_errors, self._child.stderr), (self._read_answers, self._child.stdout))
        self._readers = [threading.Thread(target=work, args=(stream,), daemon=True) for work, stream in readers]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._child.pid

    # -- Engine ------------------------------------------------------------------------------------------------------

    def load(self, spec: EngineSpec, on_progress: Callable[[float], None] | None = None) -> EngineInfo:
        for answer in self._ask({"op": "load", "spec": dataclasses.asdict(spec)}):
            if answer["kind"] == "progress" and on_progress:
                on_progress(answer["fraction"])
            elif answer["kind"] == "result":
                self._info = wire.info_from_json(answer["value"])
        return self.info()

    def generate(self, prompt: Prompt, params: SamplingParams, cancel: Cancel) -> Iterator[Chunk]:
        request = {"op": "generate", "prompt": wire.prompt_to_json(prompt), "params": dataclasses.asdict(params)}
        for answer in self._ask(request, cancel):
            yield wire.chunk_from_json(answer["chunk"])

    def count_tokens(self, text: str) -> int:
        return next(int(answer["value"]) for answer in self._ask({"op": "count", "text": text}))

    def embed(self, text: str) -> list[float]:
        return next(list(answer["value"]) for answer in self._ask({"op": "embed", "text": text}))

    def info(self, cancel: Cancel | None = None) -> EngineInfo:
        if self._info is None:
            raise ModelError("No model is loaded.", help="tide-chat models list shows which are installed.")
        return self._info

    def close(self) -> None:
        """Let the child end; kill it when it does not. Nothing is raised."""
        self._closing = True
        with contextlib.suppress(OSError):
            self._requests.close()
        try:
            self._child.wait(CLOSE_PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
        for reader in self._readers:
            if reader is not threading.current_thread():  # a death is reported from a reader
                reader.join(CLOSE_PATIENCE)

    def kill(self) -> None:
        """End the child at once."""
        self._child.kill()
        self.close()

    # -- the conversation with the child -----------------------------------------------------------------------------

    def _ask(self, request: wire.Json, cancel: Cancel | None = None) -> Iterator[wire.Json]:
        """Send a request and yield its answers up to the last one. Raises what the child raised, or EngineDied."""
        number = next(self._ids)
        inbox: Inbox = queue.SimpleQueue()
        with self._lock:
            if self._death:
                raise self._death
            self._inboxes[number] = inbox
        stop = {"id": number, "op": "cancel"}
        forget = cancel.listen(lambda: self._send(stop)) if cancel else None
        try:
            self._send({"id": number, **request})
            yield from self._answers(inbox, cancel)
        except GeneratorExit:  # whoever reads went away; the child need not finish
            self._send(stop)
            raise
        finally:
            if forget:
                forget()
            with self._lock:
                self._inboxes.pop(number, None)

    def _answers(self, inbox: Inbox, cancel: Cancel | None) -> Iterator[wire.Json]:
        while True:
            answer = self._next(inbox, cancel)
            if answer["kind"] == "error":
                raise wire.error_from_json(answer["error"])
            yield answer
            if answer["kind"] == "result" or (answer["kind"] == "chunk" and answer["chunk"]["finish_reason"]):
                return

    def _next(self, inbox: Inbox, cancel: Cancel | None) -> wire.Json:
        patience: float | None = None
        while True:
            if cancel and cancel.is_set():
                patience = patience or time.monotonic() + STOP_PATIENCE
            try:
                answer = inbox.get(timeout=_remaining(patience, cancel))
            except queue.Empty:
                if patience and time.monotonic() >= patience:
                    return {"kind": "chunk", "chunk": wire.chunk_to_json(Chunk("", 0, FinishReason.CANCELLED))}
                continue
            if answer is None:
                raise self._death or EngineDied("The model's process ended.")
            return answer

    def _send(self, message: wire.Json) -> None:
        with self._lock, contextlib.suppress(OSError, ValueError):  # its death is reported by the reader
            self._requests.write(wire.encode(message))
            self._requests.flush()

    def _read_answers(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                answer = wire.decode(line)
                with self._lock:
                    inbox = self._inboxes.get(answer["id"])
                if inbox:
                    inbox.put(answer)
        self._bury(self._child.wait())

    def _read_errors(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._errors.append(line.decode("utf-8", "replace").rstrip())

    def _bury(self, code: int) -> None:
        with self._lock:
            self._death = death = EngineDied("The model's process ended.", details=describe_exit(code))
            inboxes = list(self._inboxes.values())
        for inbox in inboxes:
            inbox.put(None)
        if self._on_death and not self._closing:
            self._on_death(death)


def _remaining(patience: float | None, cancel: Cancel | None) -> float | None:
    """How long to wait for an answer: without end, unless a cancel can come (then look again soon) or came."""
    if patience is not None:
        return max(0.0, patience - time.monotonic())
    return 0.02 if cancel else None


def describe_exit(code: int) -> str:
    """Words for an exit status, for example 'killed by SIGSEGV'."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
