"""What a run leaves behind for people and programs: metrics as JSON lines, and run.json. Knows no model."""

import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tide_chat import __version__, atomic
from tide_chat.errors import DataError

if TYPE_CHECKING:
    from training.sft.boards import Board

RUN = "run.json"
LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "safetensors", "numpy")


class Metrics:
    """Appends objects to a file, a line each, at once on the disk. Every object has a `step`."""

    def __init__(self, path: Path, *, after: int | None = None, board: "Board | None" = None) -> None:
        """after: keep earlier lines up to this step; None: begin anew. board: gets every line, the kept ones first."""
        self._path, self._board = path, board
        kept = [line for line in read(path) if after is not None and line["step"] <= after] if path.exists() else []
        atomic.write_text(path, "".join(_line(line) for line in kept))
        if board:
            for line in kept:
                board.add(line)

    def add(self, **values: Any) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(values))
        if self._board:
            self._board.add(values)


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file; a last one that was not written to its end is left out."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False) + "\n"


def write_run(run: Path, values: Mapping[str, Any]) -> None:
    """run.json in the folder. Raises OSError."""
    atomic.write_bytes(run / RUN, as_bytes(values))


def read_run(run: Path) -> dict[str, Any]:
    """What run.json in the folder holds; nothing where there is none. Raises DataError."""
    try:
        found: dict[str, Any] = json.loads((run / RUN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DataError("The run cannot be read.", details=f"{run}: {error}") from error
    return found


def as_bytes(values: Mapping[str, Any]) -> bytes:
    """A file of one object, for people to read as well."""
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()


def environment() -> dict[str, Any]:
    """Versions, machine and state of the checkout."""
    return {
        "tide_chat": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {name: _version(name) for name in LIBRARIES},
        "git": git_state(Path(__file__).resolve().parents[2]),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit, and whether files of it were changed since (new ones, as a run folder, do not count); None outside a
    checkout.
    """
    if not (folder / ".git").exists():
        return None
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no").strip()
        return {"commit": commit.strip(), "changed": bool(changed)}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
