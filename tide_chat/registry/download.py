"""Get a model from the hub: checks first, resumes, compares the checksum, puts the file in place in one step.

Writes only below the models folder. What was begun lies in `.downloads` there until it is complete; its name holds the
checksum, so that parts of different files are never mixed.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tide_chat import paths
from tide_chat.errors import HubError, ModelError
from tide_chat.registry import hub, machine, places, sidecar
from tide_chat.registry.catalogue import Model
from tide_chat.registry.checks import check
from tide_chat.registry.places import Installed
from tide_chat.registry.registry import Registry
from tide_chat.registry.transfer import NEVER, Note, Progress, Stopped, StopSignal, disk_error, fetch, patiently

DOWNLOADS = ".downloads"
_HASH_BLOCK = 1 << 20
_REPORT_EVERY = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Pulled:
    """The model, and whether it had been there before."""

    installed: Installed
    already: bool = False


def pull(
    alias: str,
    on_progress: Progress | None = None,
    cancel: StopSignal | None = None,
    *,
    on_note: Note | None = None,
    registry: Registry | None = None,
) -> Pulled:
    """Download a model. Blocks: call it from a worker thread when there is a screen. Raises ModelNotFound, HubError."""
    registry = registry or Registry.load()
    model = registry.find(alias)
    note, stop = on_note or _unheard, cancel or NEVER
    here = next((one for one in registry.installed() if one.alias == model.alias), None)
    if here and _intact(here):
        return Pulled(here, already=True)
    remote = patiently(lambda: hub.describe(model), stop, note)
    part = _downloads() / f"{model.file.file}.{remote.sha256[:16]}.part"
    _check_room(model, remote, part, note)
    with _alone(part):
        fetch(model, remote, part, _seldom(on_progress), stop, note)
        note("Checking the file.")
        _verify(part, remote, stop)
        return Pulled(_put_in_place(model, remote, part))


def _unheard(_line: str) -> None:
    """Nobody asked for notes."""


def _downloads() -> Path:
    return paths.models_dir() / DOWNLOADS


def _intact(one: Installed) -> bool:
    """A file that is cut off or no model is not "already there": it can be pulled again."""
    try:
        return bool(check(one.path).header.tensor_count)
    except ModelError:
        return False


def _check_room(model: Model, remote: hub.RemoteFile, part: Path, note: Note) -> None:
    already = part.stat().st_size if part.exists() else 0
    lacking = machine.disk_lacking(part.parent, remote.size, already)
    if lacking:
        raise HubError(
            f"There is not enough room on the disk for {model.alias}.",
            details=f"It takes {machine.human_size(remote.size)}; {machine.human_size(lacking)} more are needed.",
            help="Make some room, or choose a smaller model.",
        )
    needed = machine.memory_needed(remote.size, model.entry.kv_bytes_per_token)
    if not machine.fits_memory(needed):
        note(
            f"{model.alias} needs about {machine.human_size(needed)} of memory, and this computer has "
            f"{machine.human_size(machine.total_memory() or 0)}. It may be very slow or not start."
        )


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Keep a second download of the same file out."""
    from filelock import FileLock, Timeout

    lock = FileLock(part.with_suffix(".lock"))
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise HubError("This model is being downloaded already.", help="Wait until that is done.") from None
    except OSError as error:
        raise disk_error(error, part.parent) from error
    try:
        yield
    finally:
        with suppress(OSError):  # on Windows a file in use stays; it does no harm
            part.with_suffix(".lock").unlink()
        lock.release()


def _seldom(on_progress: Progress | None) -> Progress:
    """Pass on a few reports a second, and the last one."""
    last = -_REPORT_EVERY

    def report(done: int, total: int) -> None:
        nonlocal last
        if on_progress and (done >= total or time.monotonic() - last >= _REPORT_EVERY):
            last = time.monotonic()
            on_progress(done, total)

    return report


def sha256_of(path: Path, stop: StopSignal = NEVER, on_progress: Progress | None = None) -> str:
    """Raises OSError, Stopped."""
    total, done, digest = path.stat().st_size, 0, hashlib.sha256()
    report = _seldom(on_progress)
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            if stop.is_set():
                raise Stopped
            digest.update(block)
            done += len(block)
            report(done, total)
    return digest.hexdigest()


def _verify(part: Path, remote: hub.RemoteFile, stop: StopSignal) -> None:
    found = sha256_of(part, stop)
    if found != remote.sha256:
        part.unlink()
        raise HubError(
            "The downloaded file is not what the hub says it should be, so it was deleted.",
            details=f"sha256 should be {remote.sha256}, got {found}",
            help="Try again. If it happens again, something between here and the hub changes the file.",
        )


def _put_in_place(model: Model, remote: hub.RemoteFile, part: Path) -> Installed:
    target = paths.models_dir() / model.file.file
    try:
        header = check(part).header
    except ModelError:
        part.unlink()
        raise
    beside = sidecar.Sidecar(
        alias=model.alias,
        sha256=remote.sha256,
        size=remote.size,
        origin="hub",
        added=sidecar.now(),
        repo=model.file.repo,
        revision=remote.commit,
        has_template=header.chat_template is not None,
    )
    try:
        _flush(part)
        part.replace(target)
        sidecar.write(target, beside)
    except OSError as error:
        raise disk_error(error, target.parent) from error
    _forget_parts(model)
    return Installed(model.alias, target, "models", remote.size, model, beside, places.adapter_path(model))


def _flush(path: Path) -> None:
    """To the disk, before the name promises that it is all there."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _forget_parts(model: Model) -> None:
    """Parts of older versions of the same file are of no use any more."""
    for old in partial_files(model):
        old.unlink(missing_ok=True)


def partial_files(model: Model) -> list[Path]:
    """What has come so far of a download that was not finished."""
    return sorted(_downloads().glob(f"{model.file.file}.*.part"))
