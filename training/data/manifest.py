"""What a folder of splits says about itself: from which bytes, by which method, and the hash of each file.

Holds no date and no version, so that the same split is the same bytes wherever it is made.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tide_chat.errors import DataError
from training.data.sources import MANIFEST, digest

Method = Literal["persona-disjoint", "paper"]


class Value(BaseModel):
    """Something in a manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Described(Value):
    """What a folder says about itself."""

    def to_bytes(self) -> bytes:
        return (json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n").encode()


class File(Value):
    """A file beside the manifest. sha256: of its bytes."""

    file: str
    sha256: str


class Part(File):
    """One split."""

    rows: int
    exchanges: int
    personas: int
    scenarios: dict[str, int]  # dialogues of each


class Source(Value):
    """A file the dialogues came from."""

    name: str
    sha256: str
    rows: int


class Leakage(Value):
    """What stands in train and in another split too."""

    personas: int  # in more than one split
    rows: int  # outside train whose person is in train
    near_messages: int  # outside train, nearly equal to one in train
    near_replies: int

    @property
    def any(self) -> bool:
        return bool(self.personas or self.near_messages or self.near_replies)

    def __str__(self) -> str:
        return (
            f"{self.personas} persons are in several splits; outside train {self.rows} rows are of a person in it, "
            f"{self.near_messages} have nearly the message and {self.near_replies} nearly the reply of a row in it"
        )


class Manifest(Described):
    """A whole split. shares: of train, validation and test as asked for."""

    format: Literal[1] = 1
    method: Method
    seed: int
    shares: tuple[float, float, float]
    note: str
    sources: tuple[Source, ...]
    splits: dict[str, Part]
    leakage: Leakage

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises DataError."""
        path = folder / MANIFEST
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DataError("This folder holds no split.", details=f"{path}: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError("The manifest cannot be read.", details=f"{path}: {where} {first['msg']}") from error


def verify(folder: Path, files: Iterable[File], what: str, advice: str) -> None:
    """Raises DataError when one of them is missing or was changed. what: their folder holds."""
    for one in files:
        path = folder / one.file
        try:
            found = digest(path)
        except OSError as error:
            raise DataError(f"A file of the {what} is missing.", details=f"{path}: {error.strerror}") from error
        if found != one.sha256:
            raise DataError(
                f"A file of the {what} was changed.",
                details=f"{path}: sha256 {found[:16]}…, in the manifest {one.sha256[:16]}…",
                help=advice,
            )
