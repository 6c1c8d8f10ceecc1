"""run.json, which describes a run folder: reading it, and what every evaluation writes into it. Knows no evaluation."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tide_chat.errors import DataError, UsageError
from tide_chat.registry.machine import total_memory
from training.sft.metrics import RUN


def read(path: Path) -> dict[str, Any]:
    """Raises DataError."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("The description of a run cannot be read.", details=f"{path}: {error}") from error
    if not isinstance(about, dict):
        raise DataError("The description of a run is not an object.", details=f"{path}: {type(about).__name__}")
    return about


def earlier(out: Path, *, help: str = "Name a new one with --out.", **same: object) -> dict[str, Any]:
    """What describes the run in a folder that is written into again, {} where there is none.

    same: what it must have in common with the new run. Raises UsageError when it is of another one, DataError.
    """
    path = out / RUN
    if not path.exists():
        return {}
    about = read(path)
    there = {name: about.get(name) for name in same}
    if there != same:
        said = ", ".join(map(str, there.values()))
        raise UsageError("This folder holds another run.", details=f"{out}: {said}", help=help)
    return about


def hardware() -> dict[str, Any]:
    """Of this machine. Memory in bytes."""
    return {"processor": _processor(), "cores": os.cpu_count(), "memory": total_memory()}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
