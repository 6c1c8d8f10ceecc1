"""Licences of data that were accepted, remembered with day and revision. Knows no hub and no data."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tide_chat import atomic, paths
from tide_chat.errors import TideError, UsageError


@dataclass(frozen=True, slots=True)
class Licence:
    """What is asked for before data are used."""

    dataset: str
    name: str
    terms: str  # in our words, for the screen
    address: str  # of the whole text


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That a licence was accepted; `revision` is the commit that was fetched last."""

    licence: str
    accepted: str  # the day, UTC, as 2026-01-31
    revision: str


def file() -> Path:
    return paths.data_dir() / "licences.json"


def recall(licence: Licence) -> Acceptance | None:
    """What was remembered for this dataset under this very licence."""
    try:
        found = Acceptance(**_all()[licence.dataset])
    except (KeyError, TypeError):
        return None
    return found if found.licence == licence.name else None


def require(licence: Licence, *, accept: bool = False) -> None:
    """Raises UsageError, which shows the terms, unless the licence is accepted now or was before."""
    if accept or recall(licence):
        return
    raise UsageError(
        f"{licence.dataset} comes under the licence {licence.name}, which has to be accepted once.",
        details=f"{licence.terms}\nThe whole text: {licence.address}",
        help="If you accept it: tide-train data fetch tide --accept-licence",
    )


def remember(licence: Licence, revision: str) -> Acceptance:
    """Write down that the licence was accepted, for the newest revision; the first day stays. Raises TideError."""
    earlier = recall(licence)
    made = Acceptance(licence.name, earlier.accepted if earlier else datetime.now(UTC).date().isoformat(), revision)
    try:
        atomic.write_text(file(), json.dumps({**_all(), licence.dataset: asdict(made)}, indent=2) + "\n")
    except OSError as error:
        raise TideError("The acceptance could not be written down.", details=f"{file()}: {error.strerror}") from error
    return made


def _all() -> dict[str, Any]:
    """An unreadable file counts as none: then it is asked again."""
    try:
        found = json.loads(file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
