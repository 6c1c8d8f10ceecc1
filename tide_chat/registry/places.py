"""Where model files already are: our own folder, the package the app comes with, the user's hub cache.

Looks at names and sizes only and opens no socket. The hub's cache is read by its documented layout
(models--owner--name/refs and snapshots), because importing the hub's library would slow every start.
"""

import importlib.util
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tide_chat import paths
from tide_chat.registry import sidecar
from tide_chat.registry.catalogue import Model
from tide_chat.registry.sidecar import Sidecar

if TYPE_CHECKING:
    from tide_chat.registry.schema import Embedded, Quant

Place = Literal["models", "embedded", "hub-cache"]


@dataclass(frozen=True, slots=True)
class Installed:
    """A model file on this computer. `model` is None for a file that the catalogue does not know."""

    alias: str
    path: Path
    place: Place
    size: int  # bytes
    model: Model | None = None
    sidecar: Sidecar | None = None
    adapter: Path | None = None  # to be put on the model


def installed(models: Iterable[Model]) -> tuple[Installed, ...]:
    """All of them, our own folder first; of one alias only the first."""
    models = tuple(models)
    found: dict[str, Installed] = {}
    plain = tuple(_plain(models))
    for one in (*_own(plain), *_embedded(plain), *_cached(plain)):
        found.setdefault(one.alias, one)
    for one in _adapted(models, tuple(found.values())):
        found.setdefault(one.alias, one)
    return tuple(found.values())


def known_by_file(models: Iterable[Model], name: str) -> Model | None:
    """The model of the catalogue whose file has that name, as its makers left it."""
    return next((model for model in _plain(models) if model.file.file.casefold() == name.casefold()), None)


def _plain(models: Iterable[Model]) -> Iterator[Model]:
    """Those without an adapter: each file belongs to one of them."""
    return (model for model in models if not model.entry.adapter)


def adapter_path(model: Model) -> Path | None:
    """The adapter that comes with the app for this model, None when it needs none or has none here."""
    adapter = model.entry.adapter
    path = paths.shipped_models() / adapter.file if adapter else None
    return path if path and path.is_file() else None


def alias_from(text: str) -> str:
    """A name that can be typed, made from a file name or title; empty when nothing is left."""
    text = unicodedata.normalize("NFC", text).casefold()
    return re.sub(r"[^\w.]+", "-", text).strip("-._")


def _own(models: tuple[Model, ...]) -> Iterator[Installed]:
    folder = paths.models_dir()
    for path in sorted(folder.glob("*.gguf")) if folder.is_dir() else ():
        size = _size(path)
        if size is None or path.name.startswith("."):
            continue
        model, beside = known_by_file(models, path.name), sidecar.read(path)
        alias = model.alias if model else beside.alias if beside else alias_from(path.stem)
        yield Installed(alias, path, "models", size, model, beside)


def _embedded(models: tuple[Model, ...]) -> Iterator[Installed]:
    for model in models:
        path = embedded_path(model.entry.embedded) if model.entry.embedded else None
        size = _size(path) if path else None
        if path and size is not None:
            yield Installed(model.alias, path, "embedded", size, model)


def _adapted(models: tuple[Model, ...], there: tuple[Installed, ...]) -> Iterator[Installed]:
    """Models that are the weights of another, which is there, with an adapter."""
    for model in models:
        adapter = adapter_path(model)
        base = next((one for one in there if one.model and one.model.file == model.file), None)
        if adapter and base:
            yield replace(base, alias=model.alias, model=model, adapter=adapter)


def embedded_path(embedded: "Embedded") -> Path | None:
    """The file inside its package, which is only looked up and never imported."""
    try:
        spec = importlib.util.find_spec(embedded.package)
    except (ImportError, ValueError):
        return None
    folders = (spec.submodule_search_locations or ()) if spec else ()
    return next((path for folder in folders if (path := Path(folder) / embedded.file).is_file()), None)


def _cached(models: tuple[Model, ...]) -> Iterator[Installed]:
    cache = hub_cache_dir()
    if not cache.is_dir():
        return
    for model in models:
        path = _cached_path(cache, model.file)
        size = _size(path) if path else None
        if path and size is not None:
            yield Installed(model.alias, path, "hub-cache", size, model)


def _cached_path(cache: Path, file: "Quant") -> Path | None:
    """The snapshot the revision points at, else any: a file is linked there only when it is complete."""
    folder = cache / f"models--{file.repo.replace('/', '--')}"
    try:
        commit = (folder / "refs" / file.revision).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        commit = file.revision
    candidates = (folder / "snapshots" / commit / file.file, *sorted(folder.glob(f"snapshots/*/{file.file}")))
    return next((path for path in candidates if path.is_file()), None)


def hub_cache_dir() -> Path:
    """The folder the hub's own tools use, by the same variables."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if value := os.environ.get(variable):
            return _expand(value)
    if value := os.environ.get("HF_HOME"):
        return _expand(value) / "hub"
    return _expand(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface" / "hub"


def _expand(value: str) -> Path:
    return Path(os.path.expandvars(value)).expanduser()


def _size(path: Path) -> int | None:
    """Bytes of an ordinary file; None for anything else, such as a link to nowhere."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
