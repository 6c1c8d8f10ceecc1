"""Pairs of replies as files: built from a split, written with a manifest, read back verified, chosen by shares.

The pairs of each part are built from that part's own dialogues, so nothing held out is ever learnt, not even as the
worse reply. The same split and seed give the same bytes on every machine. Knows no model.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tide_chat.errors import DataError
from tide_chat.messages import Conversation, Message, Role
from tide_chat.progress import Say, quiet
from training import folders
from training.data import sources, split
from training.data.manifest import Described, File, Source, verify
from training.data.schema import Record
from training.data.tables import records
from training.preference import SEED, rules
from training.preference.turns import Turn, as_records, known_factors, line, turns
from training.recipe import Pairs as Shares

GENERIC = Path(__file__).resolve().parent.parent / "data_files" / "preference" / "generic-replies.txt"
HELD_EVERY = 5  # of the generic replies: this one of so many is for held-out pairs
PARTS = ("train", "validation")


class Pair(BaseModel):
    """Two replies to the same messages. turn: dialogue and exchange. of: dialogues that the worse one took words of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turn: str
    rule: str
    scenario: str
    before: tuple[Message, ...]
    chosen: str
    rejected: str
    of: tuple[str, ...] = ()

    @property
    def conversations(self) -> tuple[Conversation, Conversation]:
        """With the better reply, with the worse one."""
        asked = Conversation(self.before)
        return asked.assistant(self.chosen), asked.assistant(self.rejected)

    def to_line(self) -> bytes:
        return line({**self.model_dump(mode="json", exclude={"before"}), "before": as_records(self.before)})


class Part(File):
    """One file. rules: pairs of each."""

    pairs: int
    turns: int
    rules: dict[str, int]


class Manifest(Described):
    """A folder of pairs. sources: the split's files and the generic replies, with their SHA-256.

    origins: what the split was made of.
    """

    format: Literal[1] = 1
    kind: Literal["pairs"] = "pairs"
    seed: int
    sources: dict[str, str]
    origins: tuple[Source, ...]
    parts: dict[str, Part]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises DataError."""
        path = folder / sources.MANIFEST
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            what = error.strerror if isinstance(error, OSError) else error.errors()[0]["msg"]
            raise DataError(
                "This folder holds no pairs.",
                details=f"{path}: {what}",
                help="tide-train data pairs SPLIT --out PAIRS makes one of a split.",
            ) from error


def build(folder: Path, out: Path, *, seed: int = SEED, say: Say = quiet) -> Manifest:
    """From the train and validation parts of the split in `folder` into the folder `out`. Test is left alone.

    Raises DataError for a folder that is no split, UsageError when `out` holds anything else.
    """
    divided = split.verified(folder)
    stock = generic_replies()
    files: dict[str, bytes] = {}
    parts: dict[str, Part] = {}
    for name in (one for one in PARTS if one in divided.splits):
        found = tuple(turns(split.read(folder, divided, name), known_factors()))
        side = [text for i, text in enumerate(stock) if (i % HELD_EVERY == 0) == (name != "train")]
        made = _of(found, rules.Pool(found, side), seed, say)
        if made:
            data = b"".join(pair.to_line() for pair in made)
            files[f"{name}.jsonl"] = data
            parts[name] = _part(name, data, made)
    used = {part.file: part.sha256 for name, part in divided.splits.items() if name in parts}
    hashes = used | {GENERIC.name: sources.digest(GENERIC)}
    manifest = Manifest(seed=seed, sources=hashes, origins=divided.sources, parts=parts)
    if "train" not in parts:
        raise DataError("No pair can be built of this split.", details=str(folder))
    folders.write(out, files | {sources.MANIFEST: manifest.to_bytes()})
    return manifest


def _of(found: Sequence[Turn], pool: rules.Pool, seed: int, say: Say) -> list[Pair]:
    made = []
    for number, turn in enumerate(found):
        say("building pairs", number, len(found))
        for rule, worse in rules.worse(turn, pool, seed):
            made.append(
                Pair(
                    turn=turn.name,
                    rule=rule,
                    scenario=turn.scenario,
                    before=turn.before,
                    chosen=turn.reply,
                    rejected=worse.text,
                    of=worse.of,
                )
            )
    return made


def _part(name: str, data: bytes, made: Sequence[Pair]) -> Part:
    return Part(
        file=f"{name}.jsonl",
        sha256=sha256(data).hexdigest(),
        pairs=len(made),
        turns=len({pair.turn for pair in made}),
        rules=dict(sorted(Counter(pair.rule for pair in made).items())),
    )


def generic_replies() -> tuple[str, ...]:
    """Raises DataError."""
    try:
        lines = GENERIC.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The generic replies cannot be read.", details=f"{GENERIC}: {error}") from error
    return tuple(one.strip() for one in lines if one.strip() and not one.startswith("#"))


@dataclass(frozen=True, slots=True)
class Read:
    """What `build` wrote, verified."""

    manifest: Manifest
    train: tuple[Pair, ...]
    held: tuple[Pair, ...]


def read(folder: Path) -> Read:
    """Raises DataError, also when a file is not the one that the manifest names."""
    manifest = Manifest.read(folder)
    verify(folder, manifest.parts.values(), "pairs", "Build them again into another folder.")
    found = {name: _read(folder / part.file) for name, part in manifest.parts.items()}
    return Read(manifest, found.get("train", ()), found.get("validation", ()))


def _read(path: Path) -> tuple[Pair, ...]:
    return tuple(_pair(dict(one.values)) for one in records(path) if isinstance(one, Record))


def _pair(values: dict[str, object]) -> Pair:
    before = values.pop("before")
    if not isinstance(before, list):
        raise DataError("A pair holds no messages.", details=str(values.get("turn")))
    messages = tuple(Message(Role(one["role"]), one["text"]) for one in before)
    return Pair.model_validate({**values, "before": messages})


def choose(found: Sequence[Pair], shares: Shares, seed: int) -> tuple[Pair, ...]:
    """One pair of each reply, its rule drawn by the shares among the rules that have one for it."""
    weights = shares.model_dump()
    chosen = []
    for turn, group in groupby(found, key=lambda pair: pair.turn):
        those = list(group)
        odds = [weights.get(pair.rule, 0.0) for pair in those]
        if any(odds):
            chosen += random.Random(f"{seed}/{turn}").choices(those, odds)
    return tuple(chosen)
