"""Where dialogues came from and under which licence: told by the bytes of a file, whatever it is called now.

Known are the sets that come with this project and what `tide.fetch` brought. Of any other file the licence is for its
owner to say.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tide_chat.errors import TideError
from training.data import sources

OURS, TIDE = "CC0-1.0", "CC-BY-NC-4.0"  # as SPDX names them


class File(Protocol):
    """A manifest's source."""

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def rows(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """licence: by its SPDX name, "" when it is not known here."""

    name: str
    sha256: str
    rows: int
    licence: str


def of(files: Iterable[File]) -> tuple[Origin, ...]:
    """Their origins, in the same order."""
    known = _digests("tide", TIDE) | _digests("open", OURS)
    return tuple(Origin(one.name, one.sha256, one.rows, known.get(one.sha256, "")) for one in files)


def _digests(source: str, licence: str) -> dict[str, str]:
    """The licence by the hash of each file of a source; of one that was never fetched, nothing."""
    try:
        return {sources.digest(path): licence for path in sources.files_of(source)}
    except TideError:
        return {}
