"""The models the app knows: reads models/*.toml and finds one by the name a person typed.

Knows nothing about what is installed (places, choose) or how to get it (pull).
"""

import difflib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tide_chat import paths
from tide_chat.errors import ModelNotFound, UsageError

if TYPE_CHECKING:  # pydantic costs a tenth of a second, and reading a header needs none of it
    from tide_chat.registry.schema import Entry, Quant, Sampling

DEFAULT_QUANT = "q4"


@dataclass(frozen=True, slots=True)
class Model:
    """One model in one quantization."""

    alias: str  # qwen2.5-1.5b-q4
    entry: "Entry"
    quant: str  # q4
    file: "Quant"

    @property
    def sampling(self) -> "Sampling":
        return self.entry.sampling

    @property
    def context_limit(self) -> int:
        """Tokens it may be given at once."""
        return self.entry.context_max or self.entry.context


def load_entries(folder: Path | None = None) -> tuple["Entry", ...]:
    """All entries, by rank, the highest first. Raises UsageError for a file that breaks the rules."""
    folder = folder or paths.shipped_models()
    entries = [_read(path) for path in sorted(folder.glob("*.toml"))]
    if not entries:
        raise UsageError("The list of models is missing.", details=str(folder), help="Install tide-chat again.")
    return tuple(sorted(entries, key=lambda entry: -entry.rank))


def _read(path: Path) -> "Entry":
    from pydantic import ValidationError

    from tide_chat.registry.schema import Entry

    try:
        entry = Entry.model_validate(_values(path))
    except (ValidationError, tomllib.TOMLDecodeError, OSError) as error:
        raise UsageError(f"The model description {path.name} is not valid.", details=str(error)) from error
    if entry.alias != path.stem:
        raise UsageError(f"The alias in {path.name} must be {path.stem}, got {entry.alias}.")
    return entry


def _values(path: Path) -> dict[str, Any]:
    """What the file says; with `extends = "alias"`, over what the description of that alias says."""
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    base = values.pop("extends", None)
    return values if base is None else _values(path.with_name(f"{base}.toml")) | values


def models_of(entry: "Entry") -> Iterator[Model]:
    for quant, file in entry.quants.items():
        yield Model(entry.alias if entry.embedded else f"{entry.alias}-{quant}", entry, quant, file)


def find(models: Iterable[Model], name: str, others: Iterable[str] = ()) -> Model:
    """The model of that name; "qwen2.5-1.5b" means its q4. Raises ModelNotFound with the nearest of all names.

    others: names that are not in the catalogue but could have been meant.
    """
    wanted = name.strip().casefold()
    by_alias = {model.alias: model for model in models}
    found = by_alias.get(wanted) or by_alias.get(f"{wanted}-{DEFAULT_QUANT}")
    if found:
        return found
    near = _nearest(wanted, by_alias, others)
    meant = f"Did you mean {_or(near)}? " if near else ""
    raise ModelNotFound(f"There is no model called {name!r}.", help=f"{meant}See them all with: tide-chat models list")


def _nearest(wanted: str, by_alias: dict[str, Model], others: Iterable[str]) -> list[str]:
    """At most three; what was begun but not finished ("qwen2.5") means the default of each model it could become."""
    begun = [alias for alias, model in by_alias.items() if alias.startswith(wanted) and model.quant == DEFAULT_QUANT]
    names = {name.casefold(): name for name in (*by_alias, *others)}
    close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.4)
    return (begun if wanted else [])[:3] or [names[name] for name in close]


def _or(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
