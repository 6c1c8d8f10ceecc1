"""The runtime's side of a comparison, from outside its process: ids in, ids and logits out."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from convert.verify import frames
from tide_chat.errors import EngineDied, EngineError, ModelUnusable

# -P: a folder of the user's that is called "convert" must not be taken for this package.
COMMAND = (sys.executable, "-P", "-m", "convert.verify.child")
CONTEXT = 1024  # tokens: dialogues are cut to this. Under 4096, where Phi's long factors would begin
PATIENCE = 5.0  # seconds until a child that does not leave is killed


@dataclass(frozen=True, slots=True)
class About:
    """What the runtime says of the model. first: the ids it puts before every text. ends: ids that end a reply."""

    vocabulary: int
    context: int
    first: tuple[int, ...]
    bos: str
    eos: str
    control: tuple[str, ...]
    ends: frozenset[int]


@dataclass(frozen=True, slots=True)
class Reply:
    """A greedy one. ended: by itself, before the bound."""

    ids: tuple[int, ...]
    ended: bool


class Runtime:
    """One loaded file. Use as a context manager. Raises ModelUnusable, EngineError, EngineDied."""

    def __init__(self, model: Path, threads: int | None = None, command: Sequence[str] = COMMAND) -> None:
        self._model = model
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=_environment()
        )
        try:
            self.about = self._open(threads or os.cpu_count() or 1)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def tokenize(self, text: str, *, framed: bool = False) -> list[int]:
        """Ids with control tokens parsed; framed: with the begin and end that the vocabulary asks for."""
        return list(self._ask({"op": "tokenize", "text": text, "framed": framed})["ids"])

    def logits(self, ids: Sequence[int]) -> Iterator[Any]:
        """float32 arrays of shape (positions, vocabulary), in order until every position had its turn."""
        import numpy

        for _, body in self._answers({"op": "logits", "ids": list(ids)}):
            if body:
                yield numpy.frombuffer(body, numpy.float32).reshape(-1, self.about.vocabulary)

    def greedy(self, ids: Sequence[int], most: int) -> Reply:
        """The likeliest continuation, at most `most` tokens."""
        found = self._ask({"op": "greedy", "ids": list(ids), "most": most})
        return Reply(tuple(found["ids"]), bool(found["ended"]))

    def pace(self, ids: Sequence[int], prompt: int) -> float:
        """Seconds that decoding takes of what comes after the first `prompt` ids, one at a time."""
        return float(self._ask({"op": "pace", "ids": list(ids), "prompt": prompt})["seconds"])

    def close(self) -> None:
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self._child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._errors.close()

    def _open(self, threads: int) -> About:
        found = self._ask({"model": str(self._model.resolve()), "context": CONTEXT, "threads": threads})
        return About(
            int(found["vocabulary"]),
            int(found["context"]),
            tuple(found["first"]),
            str(found["bos"]),
            str(found["eos"]),
            tuple(found["control"]),
            frozenset(found["ends"]),
        )

    def _ask(self, request: frames.Json) -> frames.Json:
        return [head for head, _ in self._answers(request)][-1]

    def _answers(self, request: frames.Json) -> Iterator[tuple[frames.Json, bytes]]:
        assert self._child.stdin
        assert self._child.stdout
        try:
            frames.send(self._child.stdin, request)
        except OSError as error:
            raise self._died() from error
        while True:
            answer = frames.receive(self._child.stdout)
            if answer is None:
                raise self._died()
            head = answer[0]
            if "error" in head:
                kind = ModelUnusable if head["error"] == "ModelUnusable" else EngineError
                raise kind(head["message"], details=head["details"])
            yield answer
            if head.get("last"):
                return

    def _died(self) -> EngineDied:
        code = self._child.wait()
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        last = said[-1] if said else "it said nothing"
        return EngineDied(
            f"The runtime died over {self._model.name}.",
            details=f"Its process ended with {code}: {last}",
            help="The file is damaged, or this runtime cannot run it.",
        )


def _environment() -> dict[str, str]:
    """The child finds the package where this process found it, wherever it was started."""
    here = str(Path(__file__).resolve().parents[2])
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))}
