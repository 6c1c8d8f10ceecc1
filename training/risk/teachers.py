"""What larger encoders made of messages that they had not learnt from: chances to learn from beside the labels.

Each teacher is a run of `tide-train risk --leave-out QUARTER`, which writes its chances for the quarter of the themes
that it did not see. `python -m training.risk.teachers RUN [RUN ...]` takes the mean of all and writes `teachers.npz`.
"""

import hashlib
import io
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tide_chat import atomic
from tide_chat.errors import DataError
from training.risk import data

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = data.RISK / "teachers.npz"
CHANCES = "chances.npz"  # in a teacher's run folder
QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Chances:
    """By message: tiers (messages, 5), flags (messages, flags), in the order of `keys`."""

    keys: "NDArray[Any]"  # sorted
    tiers: "NDArray[Any]"
    flags: "NDArray[Any]"

    def places(self, texts: Sequence[str]) -> list[int]:
        """Where each text stands; -1 where no teacher read it."""
        keys = [key_of(text) for text in texts]
        at = self.keys.searchsorted(keys).clip(max=len(self.keys) - 1)
        return [int(place) if self.keys[place] == key else -1 for place, key in zip(at, keys, strict=True)]

    def save(self, path: Path) -> None:
        """In half precision: a chance to three decimals."""
        import numpy

        half, file = numpy.float16, io.BytesIO()
        numpy.savez_compressed(file, keys=self.keys, tiers=self.tiers.astype(half), flags=self.flags.astype(half))
        atomic.write_bytes(path, file.getvalue())


def load(path: Path = FILE) -> Chances:
    """Raises DataError."""
    import numpy

    try:
        with numpy.load(io.BytesIO(path.read_bytes())) as found:
            return Chances(found["keys"], found["tiers"].astype("float32"), found["flags"].astype("float32"))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        help_ = "It comes with the project; --teachers 0 learns from the labels alone."
        raise DataError("The teachers' chances cannot be read.", details=f"{path}: {error}", help=help_) from error


def of(texts: Sequence[str], tiers: "NDArray[Any]", flags: "NDArray[Any]") -> Chances:
    """Of texts with their chances; of equal texts the first counts."""
    import numpy

    keys, first = numpy.unique(numpy.array([key_of(text) for text in texts], numpy.int64), return_index=True)
    return Chances(keys, tiers[first], flags[first])


def key_of(text: str) -> int:
    """The same in every run. 63 bits."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def quarter_of(group: str) -> int:
    """Which quarter of the themes a group belongs to, whatever tenth it is in."""
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) // data.FOLDS % QUARTERS


def mean(runs: Sequence[Chances]) -> Chances:
    """Of all teachers that read a message."""
    import numpy

    keys = numpy.unique(numpy.concatenate([run.keys for run in runs]))
    tiers = numpy.zeros((len(keys), runs[0].tiers.shape[1]))
    flags = numpy.zeros((len(keys), runs[0].flags.shape[1]))
    count = numpy.zeros((len(keys), 1))
    for run in runs:
        at = numpy.searchsorted(keys, run.keys)
        numpy.add.at(tiers, at, run.tiers)
        numpy.add.at(flags, at, run.flags)
        numpy.add.at(count, at, 1)
    return Chances(keys, tiers / count, flags / count)


def main(arguments: Sequence[str]) -> int:
    files = [Path(run) / CHANCES for run in arguments]
    missing = [str(file) for file in files if not file.is_file()]
    if missing or not files:
        sys.exit(f"{missing[0]} is missing: is it a run with --leave-out?" if missing else (__doc__ or ""))
    found = mean([load(file) for file in files])
    found.save(FILE)
    click.echo(f"{FILE}: {len(found.keys)} messages, mean of {len(files)} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
