"""llama.cpp at work in a child process: an abort there is an exception here, and Ctrl+C does not wait for native code.

Knows pipes and processes. What can be asked for is in `ggml` and `activations`; one request is answered at a time.

Request  {"job": name, argument: value, ...}
Answer   {"kind": progress|result|error, "value": ...}
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType
from typing import Any, BinaryIO, Self

from tide_chat.engine import wire
from tide_chat.engine.process import describe_exit
from tide_chat.errors import DataError, EngineDied, TideError

# -P: a folder of the user's that is called "convert" must not be taken for this package.
COMMAND = (sys.executable, "-P", "-m", "convert.native")
LAST_WORDS = 600  # bytes of what a child that died had printed

Emit = Callable[[Any], None]


def _ignore(_value: Any) -> None:
    """For callers that do not watch."""


class Native:
    """The child, as a context manager. Leaving it ends the child at once, whatever it does."""

    def __enter__(self) -> Self:
        self._printed = tempfile.TemporaryFile()
        self._child = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            start_new_session=True,  # Ctrl+C is for this process, which ends the child
        )
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._child.kill()
        for stream in (self._child.stdin, self._child.stdout, self._printed):
            if stream:
                stream.close()
        self._child.wait()

    def ask(self, job: str, on_progress: Emit = _ignore, **arguments: Any) -> Any:
        """Have a job done; its value. Raises what the job raised, or EngineDied."""
        assert self._child.stdin and self._child.stdout
        try:
            self._child.stdin.write(wire.encode({"job": job, **arguments}))
            self._child.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None
        for line in self._child.stdout:
            answer = wire.decode(line)
            if answer["kind"] == "error":
                raise wire.error_from_json(answer["value"])
            if answer["kind"] == "result":
                return answer["value"]
            on_progress(answer["value"])
        raise self._death()

    def _death(self) -> EngineDied:
        how = describe_exit(self._child.wait())
        self._printed.seek(max(0, self._printed.seek(0, os.SEEK_END) - LAST_WORDS))
        words = self._printed.read().decode("utf-8", "replace").strip()
        return EngineDied("llama.cpp stopped in the middle of its work.", details="\n".join(filter(None, (how, words))))


def serve(requests: "SimpleQueue[wire.Json]", answers: BinaryIO) -> None:
    """The child's loop; it ends with the process."""
    from convert import activations, ggml

    jobs: dict[str, Callable[..., Any]] = {
        "tensors": ggml.tensors,
        "estimate": ggml.estimate,
        "quantize": ggml.quantize,
        "collect": activations.collect,
    }

    def answer(kind: str, value: Any) -> None:
        answers.write(wire.encode({"kind": kind, "value": value}))
        answers.flush()

    while True:
        request = requests.get()
        try:
            job = jobs[request.pop("job")]
            answer("result", job(lambda value: answer("progress", value), **request))
        except OSError as error:
            answer("error", wire.error_to_json(DataError("A file cannot be read or written.", details=str(error))))
        except TideError as error:
            answer("error", wire.error_to_json(error))


def _listen(requests: "SimpleQueue[wire.Json]") -> None:
    for line in sys.stdin.buffer:
        requests.put(wire.decode(line))
    os._exit(0)  # whoever asked is gone, and the main thread may be deep in native code


def _die_of(failure: Any) -> None:
    """An exception in a function that native code called would be printed and forgotten."""
    traceback.print_exception(failure.exc_value, file=sys.stderr)
    sys.stderr.flush()
    os._exit(70)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.unraisablehook = _die_of
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # native code that prints must not disturb the answers
    requests: SimpleQueue[wire.Json] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    serve(requests, answers)


if __name__ == "__main__":
    main()
