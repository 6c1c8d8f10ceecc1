"""What a folder of splits says about itself: from which bytes, by which method, and the hash of each file.

Holds no date and no version, so that the same split is the same bytes wherever it is made.
"""

import json
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tide_chat.errors import DataError
from training.data.sources import MANIFEST

Method = Literal["persona-disjoint", "paper"]


class Part(BaseModel):
    """One split. sha256: of its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    sha256: str
    rows: int
    exchanges: int
    personas: int
    scenarios: dict[str, int]  # dialogues of each


class Source(BaseModel):
    """A file the dialogues came from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str
    rows: int


class Leakage(BaseModel):
    """What stands in train and in another split too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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


class Manifest(BaseModel):
    """A whole split. shares: of train, validation and test as asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    method: Method
    seed: int
    shares: tuple[float, float, float]
    note: str
    sources: tuple[Source, ...]
    splits: dict[str, Part]
    leakage: Leakage

    def to_bytes(self) -> bytes:
        return (json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n").encode()

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
