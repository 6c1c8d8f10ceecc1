"""Check the bytes of installed models, and remove them. Touches only files in our own models folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tide_chat import paths
from tide_chat.errors import ModelError, ModelNotFound, TideError, UsageError
from tide_chat.registry import sidecar
from tide_chat.registry.checks import check
from tide_chat.registry.download import DOWNLOADS, partial_files, sha256_of
from tide_chat.registry.places import Installed
from tide_chat.registry.registry import Registry
from tide_chat.registry.transfer import NEVER, Progress, StopSignal

Outcome = Literal["ok", "changed", "unusable", "unknown"]


@dataclass(frozen=True, slots=True)
class Verified:
    """ok: the bytes are those that came. unknown: usable, but nothing to compare with. changed, unusable: not good."""

    installed: Installed
    outcome: Outcome
    sha256: str = ""
    expected: str = ""
    problem: str = ""

    @property
    def good(self) -> bool:
        return self.outcome in ("ok", "unknown")


def verify(one: Installed, on_progress: Progress | None = None, cancel: StopSignal | None = None) -> Verified:
    """Read the whole file again. Raises Stopped."""
    expected = _expected(one)
    try:
        check(one.path)
        found = sha256_of(one.path, cancel or NEVER, on_progress)
        problem = _adapter_problem(one)
    except ModelError as error:
        return Verified(one, "unusable", expected=expected, problem=error.message)
    except OSError as error:
        return Verified(one, "unusable", expected=expected, problem=error.strerror or str(error))
    if not expected:
        return Verified(one, "unknown", found)
    good = found == expected and not problem
    return Verified(one, "ok" if good else "changed", found, expected, problem)


def _adapter_problem(one: Installed) -> str:
    """In words, when the adapter is not the one that the catalogue describes. Raises OSError."""
    adapter = one.model.entry.adapter if one.model else None
    if not adapter or not one.adapter or sha256_of(one.adapter) == adapter.sha256:
        return ""
    return f"the adapter {one.adapter.name} is not the one this app came with"


def _expected(one: Installed) -> str:
    if one.sidecar:
        return one.sidecar.sha256
    if one.place == "embedded" and one.model:
        return one.model.file.sha256 or ""
    return _blob_name(one.path) if one.place == "hub-cache" else ""


def _blob_name(path: Path) -> str:
    """The hub's cache names the file a link points to by its checksum."""
    name = path.resolve().name
    return name if len(name) == 64 and path.is_symlink() else ""


def removable(name: str, registry: Registry) -> Installed:
    """The installed model of that name, or a download of it that was begun, if it is ours to remove.

    Raises ModelNotFound, UsageError.
    """
    one = registry.installed_as(name)
    if one is None:
        model = registry.find(name)
        begun = partial_files(model)
        if begun:
            return Installed(model.alias, begun[0], "models", begun[0].stat().st_size, model)
        raise ModelNotFound(f"{model.alias} is not on this computer, so there is nothing to remove.")
    if one.place == "embedded":
        raise UsageError(
            f"{one.alias} comes with the app and is not removed here.",
            details=str(one.path),
            help=_package_help(one),
        )
    if one.place == "hub-cache":
        raise UsageError(
            f"{one.alias} belongs to the hub's own cache, which other programs use too. It is left alone.",
            details=str(one.path),
            help="To remove it there: hf cache rm",
        )
    return one


def _package_help(one: Installed) -> str:
    embedded = one.model.entry.embedded if one.model else None
    return f"It goes with its package: pip uninstall {embedded.distribution}" if embedded else ""


def remove(one: Installed) -> None:
    """Delete the file and its sidecar. Raises TideError when the system does not let us."""
    folder = paths.models_dir()
    if one.place != "models" or one.path.parent not in (folder, folder / DOWNLOADS):
        raise UsageError(f"{one.path} is not in the models folder and is left alone.", details=str(folder))
    try:
        one.path.unlink(missing_ok=True)  # a link goes, never what it points to
        sidecar.path_of(one.path).unlink(missing_ok=True)
    except OSError as error:
        raise TideError(f"{one.alias} could not be removed.", details=error.strerror or str(error)) from error
