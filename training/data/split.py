"""`split`: dialogues into train, validation and test, as files with a manifest; and reading them back, verified.

A split is written whole or not at all, is the same bytes on every machine, and never replaces another one.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from tide_chat.errors import DataError, UsageError
from tide_chat.progress import Say, quiet
from training import folders
from training.data import sources
from training.data.assign import PAPER, PAPER_SEED, SPLITS, Shares, disjoint, paper
from training.data.checks.duplicates import answered, said
from training.data.checks.leakage import shared_personas, shared_texts
from training.data.grouping import group
from training.data.manifest import Leakage, Manifest, Method, Part, Source, verify
from training.data.schema import Columns, Dialogue, Row

SHARES: Shares = (0.8, 0.1, 0.1)
_LARGEST = 0.5  # of the smallest split: how large a group may grow by alike texts


def split(
    out: Path,
    names: Sequence[str] = sources.DEFAULT,
    *,
    columns: Columns | None = None,
    shares: Shares = SHARES,
    seed: int = PAPER_SEED,
    as_in_paper: bool = False,
    say: Say = quiet,
) -> Manifest:
    """Split the sources into the folder `out`. shares: of train, validation, test; they are not used `as_in_paper`.

    Running it again for the same split changes nothing. Raises DataError for unusable rows or a full disk, UsageError
    when `out` holds anything else.
    """
    _valid(shares)
    loaded = sources.load(names, columns)
    if as_in_paper:
        chosen, note = paper(len(loaded.rows), seed)
        whole = sum(PAPER.values())
        shares = (PAPER["train"] / whole, 0.0, PAPER["test"] / whole)
    else:
        chosen, note = _disjoint(loaded.rows, shares, seed, say)
    rows = [replace(row, split=name) for row, name in zip(loaded.rows, chosen, strict=True) if name]
    files = {name: _lines(row.dialogue for row in rows if row.split == name) for name in SPLITS if name in chosen}
    method: Method = "paper" if as_in_paper else "persona-disjoint"
    manifest = Manifest(
        method=method,
        seed=seed,
        shares=shares,
        note=note,
        sources=tuple(Source(name=file.name, sha256=file.sha256, rows=file.rows) for file in loaded.files),
        splits={name: _part(name, data, [row for row in rows if row.split == name]) for name, data in files.items()},
        leakage=_leakage(rows, say),
    )
    folders.write(
        out, {f"{name}.jsonl": data for name, data in files.items()} | {sources.MANIFEST: manifest.to_bytes()}
    )
    return manifest


def verified(folder: Path) -> Manifest:
    """The manifest of a folder whose files are still those it names. Raises DataError."""
    manifest = Manifest.read(folder)
    verify(folder, manifest.splits.values(), "split", "Split again into another folder.")
    return manifest


def dialogues(folder: Path, name: str) -> tuple[Dialogue, ...]:
    """The dialogues of one split, `train`, `validation` or `test`, verified. Raises DataError."""
    manifest = verified(folder)
    if name not in manifest.splits:
        raise DataError(f"This split has no {name}.", details=str(folder))
    return read(folder, manifest, name)


def read(folder: Path, manifest: Manifest, name: str) -> tuple[Dialogue, ...]:
    """The dialogues of one split of a folder that was verified; none where it has no such split."""
    part = manifest.splits.get(name)
    return sources.dialogues((str(folder / part.file),)) if part else ()


def _disjoint(rows: Sequence[Row], shares: Shares, seed: int, say: Say) -> tuple[list[str], str]:
    smallest = min(share for share in shares if share > 0)
    groups = group(rows, max(1, math.floor(_LARGEST * smallest * len(rows))), say)
    note = f"{len(rows):,} rows in {len(groups.members):,} groups (a person, or nearly equal texts) that stay whole."
    if groups.apart:
        note += f" {groups.apart:,} pairs of nearly equal texts are not kept together: the groups would grow too large."
    return disjoint(rows, groups, shares, seed), note


def _valid(shares: Shares) -> None:
    if any(not 0 <= share <= 1 for share in shares) or not math.isclose(sum(shares), 1, abs_tol=1e-6) or not shares[0]:
        raise UsageError(
            "The shares of train, validation and test must be at least 0 and together 1.",
            details=", ".join(f"{share:g}" for share in shares),
            help="train must not be 0.",
        )


def _lines(found: Iterator[Dialogue]) -> bytes:
    return b"".join(json.dumps(one.to_record(), ensure_ascii=False).encode() + b"\n" for one in found)


def _part(name: str, data: bytes, rows: Sequence[Row]) -> Part:
    return Part(
        file=f"{name}.jsonl",
        sha256=sha256(data).hexdigest(),
        rows=len(rows),
        exchanges=sum(len(row.dialogue.exchanges) for row in rows),
        personas=len({row.dialogue.persona_id for row in rows} - {None}),
        scenarios=dict(sorted(Counter(row.dialogue.scenario for row in rows).items())),
    )


def _leakage(rows: Sequence[Row], say: Say) -> Leakage:
    trained = {row.dialogue.persona_id for row in rows if row.split == "train"} - {None}
    # Train first, so that the second row of a pair is the one outside; validation and test count as one side.
    sides = sorted(
        (replace(row, split="" if row.split == "train" else "held out") for row in rows), key=lambda row: row.split
    )
    near = [sum(1 for _ in shared_texts(sides, text, partial(say, "looking for leakage"))) for text in (said, answered)]
    held = [row for row in rows if row.split != "train"]
    return Leakage(
        personas=len(shared_personas(rows)),
        rows=sum(row.dialogue.persona_id in trained for row in held),
        near_messages=near[0],
        near_replies=near[1],
    )
