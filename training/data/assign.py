"""Which row goes into which split. Order comes from SHA-256, never from a random generator of some version.

`disjoint` keeps groups whole and fills each split to its share, file by file; `paper` cuts rows 6,000 to 4,000 at
random, as the paper did. (With which generator it did is not known, so its very rows cannot be had again.)
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

from tide_chat.errors import DataError
from training.data.grouping import Groups
from training.data.schema import Row

SPLITS = ("train", "validation", "test")
Shares = tuple[float, float, float]  # of SPLITS; their sum is 1
PAPER = {"train": 6_000, "test": 4_000}
PAPER_SEED = 42


def disjoint(rows: Sequence[Row], groups: Groups, shares: Shares, seed: int) -> list[str]:
    """A split for each row. Raises DataError when a split that has a share gets nothing."""
    chosen = [""] * len(rows)
    filled: Counter[tuple[str, str]] = Counter()  # (file, split) -> rows
    sizes = Counter(row.place.file for row in rows)
    wanted = {name: share for name, share in zip(SPLITS, shares, strict=True) if share > 0}
    for members in sorted(groups.members, key=lambda members: _order(seed, _key(rows[members[0]]))):
        file = rows[members[0]].place.file
        lacking = {name: share * sizes[file] - filled[file, name] for name, share in wanted.items()}
        # The emptiest relative to its share: small splits get their rows early and from everywhere.
        name = max(wanted, key=lambda name: (lacking[name] / wanted[name], -SPLITS.index(name)))
        filled[file, name] += len(members)
        for member in members:
            chosen[member] = name
    if empty := [name for name in wanted if name not in chosen]:
        raise DataError(
            f"There is nothing left for {' and '.join(empty)}.",
            details=f"{len(rows)} dialogues in {len(groups.members)} groups that must stay whole",
            help="Give more data, or other --shares.",
        )
    return chosen


def paper(count: int, seed: int) -> tuple[list[str], str]:
    """A split for each of `count` rows ("" for those left over), and what was done, in a sentence. Raises DataError."""
    whole = sum(PAPER.values())
    train = PAPER["train"] if count >= whole else round(count * PAPER["train"] / whole)
    test = PAPER["test"] if count >= whole else count - train
    if not train or not test:
        raise DataError("There are too few dialogues to split.", details=f"{count}")
    chosen = [""] * count
    for place, row in enumerate(sorted(range(count), key=lambda row: _order(seed, str(row)))):
        chosen[row] = "train" if place < train else "test" if place < train + test else ""
    if count == whole:
        said = f"{train:,} rows to train and {test:,} to evaluate, as in the paper."
    elif count > whole:
        said = (
            f"{train:,} rows to train and {test:,} to evaluate, as in the paper; {count - whole:,} rows are left out."
        )
    else:
        said = (
            f"There are {count:,} rows and not the paper's {whole:,}: "
            f"{train:,} to train and {test:,} to evaluate, in its proportion."
        )
    return chosen, said


def _key(row: Row) -> str:
    """What names a group through its first row: the same whatever else is in the data."""
    return row.dialogue.persona_id or f"{row.place.file}/{row.dialogue.dialogue_id}"


def _order(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}/{key}".encode()).digest()
