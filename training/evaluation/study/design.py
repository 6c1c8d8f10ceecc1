"""What a study shows to its raters, as a value and as `study.json`. Knows no rater, no order and no page.

The paper's design (section 5, appendix B): scenarios times blocks; a block compares two models, each zero-shot and
fine-tuned, and the reference.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tide_chat.atomic import write_text
from tide_chat.errors import DataError, TideError
from training.evaluation.study import records

FILE = records.STUDY


@dataclass(frozen=True, slots=True)
class Scenario:
    """What raters read before the replies. said: user, assistant, ..., user. item: which dialogue of the replies."""

    name: str
    item: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A reply to rate. block: from 1. The id tells nothing about the model, and is not shown either."""

    id: str
    scenario: str
    block: int
    model: str
    state: str  # zs, ft, reference
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """A file that the replies came from."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Study:
    """title, contact and country (two letters, of the help lines) are shown to raters; the rest is not."""

    title: str
    contact: str
    country: str
    seed: int
    blocks: tuple[tuple[str, ...], ...]  # models of each
    scenarios: tuple[Scenario, ...]
    items: tuple[Item, ...]
    sources: tuple[Source, ...] = ()
    program: str = ""

    def compared(self, scenario: str, block: int) -> tuple[Item, ...]:
        """What stands on one page, in the order of the file."""
        return tuple(item for item in self.items if (item.scenario, item.block) == (scenario, block))


def write(folder: Path, study: Study) -> None:
    """Makes the folder, for its owner only. Raises TideError when it cannot be written."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_text(folder / FILE, json.dumps(asdict(study), ensure_ascii=False, indent=1) + "\n")
    except OSError as error:
        raise TideError("The study cannot be written.", details=f"{folder}: {error.strerror}") from error


def read(folder: Path) -> Study:
    """Raises DataError."""
    path = folder / FILE
    try:
        return _study(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise DataError("There is no study here.", details=str(path), help="Make one: tide-eval study new") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError("The study cannot be read.", details=f"{path}: {error!r}") from error


def fingerprint(folder: Path) -> str:
    """sha256 of study.json: ratings belong to exactly these texts and this order. Raises DataError."""
    try:
        return hashlib.sha256((folder / FILE).read_bytes()).hexdigest()
    except OSError as error:
        raise DataError("The study cannot be read.", details=str(error)) from error


def _study(values: dict[str, Any]) -> Study:
    study = Study(
        **values
        | {
            "blocks": tuple(tuple(models) for models in values["blocks"]),
            "scenarios": tuple(Scenario(**one | {"said": tuple(one["said"])}) for one in values["scenarios"]),
            "items": tuple(Item(**one) for one in values["items"]),
            "sources": tuple(Source(**one) for one in values["sources"]),
        }
    )
    for scenario in study.scenarios:
        for block in range(1, len(study.blocks) + 1):
            if not study.compared(scenario.name, block):
                raise ValueError(f"{scenario.name}, block {block}: nothing to rate")
    return study
