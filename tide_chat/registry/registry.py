"""One view of the models: those the app knows, those on this computer, and which one to use.

Reads files and their headers; changes nothing (pull, imports, manage do) and opens no socket.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tide_chat import paths
from tide_chat.errors import ModelError, ModelNotFound
from tide_chat.registry import catalogue, machine, places
from tide_chat.registry.catalogue import Model
from tide_chat.registry.checks import check
from tide_chat.registry.places import Installed
from tide_chat.wording import say

if TYPE_CHECKING:
    from tide_chat.registry.schema import Entry

_RANK_UNKNOWN = 15  # an imported model was wanted by the user: before the smallest one, after those we know


@dataclass(frozen=True, slots=True)
class Resolved:
    """The file to load. `model` is None for a file the catalogue does not know; `why` is one line for the user."""

    path: Path
    alias: str
    model: Model | None
    why: str
    adapter: Path | None = None


@dataclass(frozen=True, slots=True)
class Registry:
    """The catalogue, loaded once; what is installed is looked up each time."""

    entries: tuple["Entry", ...]

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Raises UsageError when a description is not valid."""
        return cls(catalogue.load_entries(folder))

    @property
    def models(self) -> tuple[Model, ...]:
        """All models in all quantizations, the highest rank first."""
        return tuple(model for entry in self.entries for model in catalogue.models_of(entry))

    def find(self, name: str) -> Model:
        """The model of that alias, installed or not. Raises ModelNotFound with the nearest names."""
        imported = [one.alias for one in self.installed() if one.model is None]
        return catalogue.find(self.models, name, imported)

    def installed(self) -> tuple[Installed, ...]:
        return places.installed(self.models)

    def installed_as(self, name: str) -> Installed | None:
        """The installed model of that alias. A name without a quantization means the finest one installed."""
        wanted = name.strip().casefold()
        matches = [one for one in self.installed() if one.alias.casefold() == wanted]
        matches += [one for one in self.installed() if one.model and one.model.entry.alias == wanted]
        return max(matches, key=lambda one: (one.alias.casefold() == wanted, _merit(one)), default=None)

    def require(self, name: str) -> Installed:
        """Like `installed_as`. Raises ModelNotFound, which says how to get it or what was meant."""
        one = self.installed_as(name)
        if one is None:
            raise _not_installed(self.find(name))
        return one

    def resolve(self, name: str | None = None) -> Resolved:
        """A path, an alias, or None for the best model installed. Raises ModelNotFound, ModelUnusable."""
        if name is None:
            return _best(self.installed())
        if is_path(name):
            return self._from_path(paths.typed(name))
        one = self.require(name)
        _has_template(one)
        return Resolved(one.path, one.alias, one.model, say("{name}: the model you chose", name=one.alias), one.adapter)

    def _from_path(self, path: Path) -> Resolved:
        check(path)
        model = places.known_by_file(self.models, path.name)
        return Resolved(
            path, places.alias_from(path.stem) or path.name, model, say("{name}: the file you chose", name=path.name)
        )


def memory_needed(one: Installed) -> int:
    """Bytes of memory this model needs; for one the catalogue does not know, a guess from its size."""
    per_token = one.model.entry.kv_bytes_per_token if one.model else one.size // 25_000
    return machine.memory_needed(one.size, per_token)


def is_path(name: str) -> bool:
    """Whether a file is meant and not an alias."""
    separators = [os.sep, os.altsep] if os.altsep else [os.sep]
    return name.endswith(".gguf") or any(separator in name for separator in separators)


def _not_installed(model: Model) -> ModelNotFound:
    return ModelNotFound(
        say("{name} is not on this computer yet.", name=model.alias),
        details=say("It is a download of about {size}.", size=machine.human_size(model.file.size_bytes)),
        help=say("Get it with: tide-chat models pull {name}", name=model.alias),
    )


def _merit(one: Installed) -> tuple[int, int]:
    """Which model is the more capable: by rank, then by how finely it is stored."""
    return (one.model.entry.rank if one.model else _RANK_UNKNOWN, one.size)


def _best(candidates: tuple[Installed, ...]) -> Resolved:
    usable: list[Installed] = []
    problem: ModelError | None = None
    for one in candidates:
        try:
            if _has_template(one):
                usable.append(one)
        except ModelError as error:
            problem = problem or error
    if not usable:
        raise problem or ModelNotFound(
            "There is no model on this computer yet.", help="See what can be had with: tide-chat models list"
        )
    fitting = [one for one in usable if machine.fits_memory(memory_needed(one))]
    best = max(fitting, key=_merit) if fitting else min(usable, key=memory_needed)
    own = all(one.place == "embedded" for one in usable)
    reason = say("the model that comes with the app") if own else _reason(len(usable), len(fitting))
    why = f"{best.alias}: {reason}"
    return Resolved(best.path, best.alias, best.model, why, best.adapter)


def _has_template(one: Installed) -> bool:
    """Looks into the file, unless it is as long as its sidecar says: then it was checked when it came.

    Raises ModelUnusable.
    """
    if one.sidecar and one.sidecar.size == one.size:
        return one.sidecar.has_template
    return check(one.path).header.chat_template is not None


def _reason(usable: int, fitting: int) -> str:
    if usable == 1:
        return say("the only model installed")
    if fitting == usable:
        return say("the most capable of the {count} models installed", count=usable)
    if fitting:
        return say("the most capable of the {count} models installed that fits this computer's memory", count=usable)
    return say("the smallest of the {count} models installed; this computer's memory may be short for it", count=usable)
