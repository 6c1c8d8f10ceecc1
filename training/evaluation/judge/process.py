"""A local GGUF file as a Judge, in a child process (`local`). Knows no llama.cpp."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tide_chat.engine.process import describe_exit
from tide_chat.errors import EngineDied, EngineError, ModelUnusable
from training.data.sources import digest
from training.evaluation.judge.judges import TEMPERATURE
from training.evaluation.judge.rubric import Question

CONTEXT = 8192  # tokens
_ENDS_IN = 5.0  # seconds that a child gets to end by itself


class LocalJudge:
    """Use as a context manager. The process starts with the first question. Raises ModelUnusable, EngineDied."""

    def __init__(self, names: tuple[str, ...], model: Path, threads: int | None = None) -> None:
        self._names, self._model, self._threads = names, model, threads
        self._about = {"engine": "llama", "model": names[0], "sha256": digest(model), "temperature": TEMPERATURE}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        self._child: subprocess.Popen[str] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    @property
    def about(self) -> dict[str, Any]:
        return self._about

    @property
    def held(self) -> str:
        return "chosen"  # among what the form leaves open: `forms`

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        child, self._child = self._child, None
        if child:
            child.kill()  # it keeps nothing, and may be deep in native code
            child.wait(_ENDS_IN)
            for pipe in (child.stdin, child.stdout):
                assert pipe
                try:
                    pipe.close()
                except OSError:  # the rest of a request that nobody reads
                    continue
        self._log.close()

    def ask(self, question: Question, seed: int) -> str:
        """Raises ModelUnusable, EngineError, EngineDied."""
        if self._child is None:
            self._start()
        self._write(asdict(question) | {"seed": seed, "temperature": TEMPERATURE})
        answer = self._read()
        if why := answer.get("error"):
            raise EngineError("The judge cannot answer.", details=why)
        return str(answer["text"])

    def _start(self) -> None:
        command = [sys.executable, "-P", "-m", "training.evaluation.judge.local"]
        self._child = subprocess.Popen(
            [*command, str(self._model), str(CONTEXT), str(self._threads or 0)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
            start_new_session=os.name == "posix",  # Ctrl+C is ours; we end the child
        )
        if why := self._read().get("error"):
            raise ModelUnusable("The judge cannot be loaded.", details=f"{self._model}: {why}")

    def _write(self, value: dict[str, Any]) -> None:
        assert self._child
        assert self._child.stdin
        try:
            self._child.stdin.write(json.dumps(value) + "\n")
            self._child.stdin.flush()
        except OSError as error:
            raise self._died() from error

    def _read(self) -> dict[str, Any]:
        assert self._child
        assert self._child.stdout
        line = self._child.stdout.readline()
        if not line.endswith("\n"):
            raise self._died()
        found: dict[str, Any] = json.loads(line)
        return found

    def _died(self) -> EngineDied:
        assert self._child
        ended = describe_exit(self._child.wait())
        self._log.seek(0)
        last = self._log.read().decode(errors="replace").strip().splitlines()[-1:]
        return EngineDied(
            "The judge's process ended.", details=": ".join([ended, *last]), help="The same command goes on."
        )
