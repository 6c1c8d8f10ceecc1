"""A folder that is written whole or not at all. Knows nothing about what is in its files."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from tide_chat.atomic import write_text
from tide_chat.errors import TideError, UsageError


def publish(out: Path, files: Mapping[str, str]) -> None:
    """Put a new folder in the place of `out`. Raises UsageError when `out` holds anything else, TideError."""
    target = out.resolve()
    mine = {Path(name).parts[0] for name in files} | {"figures"}
    try:
        if target.exists() and (foreign := sorted({one.name for one in target.iterdir()} - mine)):
            raise UsageError(
                "This folder holds something else.",
                details=f"{out}: {', '.join(foreign[:3])}",
                help="Name a new folder, or one with an earlier report: --out FOLDER",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as beside:
            for name, text in files.items():
                write_text(Path(beside, "new", name), text)
            _swap(Path(beside, "new"), target, Path(beside, "old"))
    except OSError as error:
        raise TideError("The report cannot be written.", details=f"{out}: {error.strerror or error}") from error


def _swap(new: Path, target: Path, old: Path) -> None:
    """The old folder comes back when the new one cannot take its place."""
    replaced = target.exists()
    if replaced:
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if replaced:
            old.rename(target)
        raise
