"""Add a model file the user already has: look into it, then link or copy it into the models folder.

Never changes or moves the file it is given.
"""

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from tide_chat import paths
from tide_chat.errors import TideError, UsageError
from tide_chat.registry import machine, places, sidecar
from tide_chat.registry.checks import Checked, check
from tide_chat.registry.download import sha256_of
from tide_chat.registry.registry import Registry
from tide_chat.registry.transfer import NEVER, Progress, Stopped, StopSignal

How = Literal["auto", "copy", "link"]
_COPY_BLOCK = 1 << 20
_CANNOT_LINK = {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


class ImportFailed(TideError):
    """The file is a model, but it could not be put into the models folder."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The model, how it came in, and what the user should know about it."""

    installed: places.Installed
    how: str  # "link", "copy", or "already" when the same file was there
    warnings: tuple[str, ...] = ()


def import_model(
    source: Path,
    name: str | None = None,
    how: How = "auto",
    on_progress: Progress | None = None,
    cancel: StopSignal | None = None,
    registry: Registry | None = None,
) -> Imported:
    """Raises ModelNotFound, ModelUnusable, UsageError, ImportFailed."""
    registry, stop = registry or Registry.load(), cancel or NEVER
    checked = check(source)
    model = None if name is not None else places.known_by_file(registry.models, source.name)
    alias = model.alias if model else _alias(source, name, checked)
    target = paths.models_dir() / (model.file.file if model else f"{alias}.gguf")
    digest = sha256_of(source, stop)
    here = registry.installed_as(alias)
    if here and here.place == "models" and _same(here, digest):
        return Imported(here, "already", checked.warnings)
    _refuse_taken(alias, model is not None, target, registry)
    done = _bring(source.resolve(), target, how, on_progress, stop)
    beside = _describe(alias, digest, source, checked)
    _keep(target, beside)
    one = places.Installed(alias, target, "models", checked.header.size, model, beside)
    return Imported(one, done, checked.warnings)


def _alias(source: Path, name: str | None, checked: Checked) -> str:
    if name is None:
        return places.alias_from(source.stem) or places.alias_from(checked.header.name) or "imported"
    alias = places.alias_from(name)
    if not alias or alias != name.casefold():
        raise UsageError(
            f"{name!r} cannot be the name of a model.",
            help="Use letters, digits, points and hyphens" + (f", such as {alias}." if alias else "."),
        )
    return alias


def _same(here: places.Installed, digest: str) -> bool:
    return (here.sidecar.sha256 if here.sidecar else sha256_of(here.path)) == digest


def _refuse_taken(alias: str, known_file: bool, target: Path, registry: Registry) -> None:
    taken = target.exists() or (not known_file and any(alias == model.alias for model in registry.models))
    taken = taken or (not known_file and any(alias == one.alias for one in registry.installed()))
    if taken:
        raise UsageError(
            f"There is already a model called {alias}.",
            help="Give this one another name with --name, or remove the other one first.",
        )


def _describe(alias: str, digest: str, source: Path, checked: Checked) -> sidecar.Sidecar:
    return sidecar.Sidecar(
        alias=alias,
        sha256=digest,
        size=checked.header.size,
        origin="import",
        added=sidecar.now(),
        source=source.name,
        has_template=checked.header.chat_template is not None,
    )


def _keep(target: Path, beside: sidecar.Sidecar) -> None:
    try:
        sidecar.write(target, beside)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise _failed(error, target.parent) from error


def _bring(source: Path, target: Path, how: How, on_progress: Progress | None, stop: StopSignal) -> str:
    """Raises ImportFailed, Stopped; leaves nothing half done."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if how != "copy" and _linked(source, target, required=how == "link"):
            return "link"
        lacking = machine.disk_lacking(target.parent, source.stat().st_size)
        if lacking:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        _copy(source, target, on_progress, stop)
    except OSError as error:
        raise _failed(error, target.parent) from error
    return "copy"


def _linked(source: Path, target: Path, *, required: bool) -> bool:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
        if required:
            raise ImportFailed(
                "The file cannot be linked from where it is.",
                details=error.strerror or str(error),
                help="Leave out --link, and it is copied.",
            ) from error
        return False
    return True


def _copy(source: Path, target: Path, on_progress: Progress | None, stop: StopSignal) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with source.open("rb") as read, part.open("wb") as write:
            _pump(read, write, source.stat().st_size, on_progress, stop)
            write.flush()
            os.fsync(write.fileno())
        shutil.copymode(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _pump(read: BinaryIO, write: BinaryIO, total: int, on_progress: Progress | None, stop: StopSignal) -> None:
    done = 0
    while block := read.read(_COPY_BLOCK):
        if stop.is_set():
            raise Stopped
        write.write(block)
        done += len(block)
        if on_progress:
            on_progress(done, total)


def _failed(error: OSError, folder: Path) -> ImportFailed:
    if error.errno == errno.ENOSPC:
        return ImportFailed("There is not enough room on the disk.", details=str(folder), help="Make some room first.")
    return ImportFailed(
        "The models folder cannot be written to.",
        details=f"{folder}: {error.strerror or error}",
        help="Check who may write there, or choose another place with TIDE_CHAT_HOME.",
    )
