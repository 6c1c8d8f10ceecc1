"""The small file beside an installed model that says where it came from and what its bytes must be."""

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tide_chat import atomic

_KINDS: dict[str, type] = {"size": int, "has_template": bool}  # all others are text


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Sizes in bytes, `added` in ISO 8601, UTC. Empty where it does not apply."""

    alias: str
    sha256: str
    size: int
    origin: str  # "hub" or "import"
    added: str
    repo: str = ""
    revision: str = ""  # the commit
    source: str = ""  # file name it was imported from
    has_template: bool = True


def path_of(model: Path) -> Path:
    return model.with_name(model.name + ".json")


def write(model: Path, sidecar: Sidecar) -> None:
    atomic.write_text(path_of(model), json.dumps(asdict(sidecar), indent=2, ensure_ascii=False) + "\n")


def read(model: Path) -> Sidecar | None:
    """None when there is none or it makes no sense: the model can be used without."""
    try:
        values: Any = json.loads(path_of(model).read_text(encoding="utf-8"))
        known = {field.name: values[field.name] for field in fields(Sidecar) if field.name in values}
        sensible = all(isinstance(value, _KINDS.get(name, str)) for name, value in known.items())
        return Sidecar(**known) if sensible else None
    except (OSError, ValueError, TypeError):
        return None


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
