"""Nearly equal texts: all pairs whose sets of character shingles overlap by a given Jaccard similarity.

Exact, no hashing and nothing random, so the same on every machine. It is fast because two sets can only be that alike
when they share one of their rarest shingles (the prefix filter of set-similarity joins). Knows nothing of dialogues.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from math import ceil

SHINGLE = 6  # characters
ALIKE = 0.6  # Jaccard similarity from which two texts count as nearly the same
_STEP = 200  # texts between two reports of progress


def plain(text: str) -> str:
    """Letters and digits alone, one blank between words, no case."""
    return re.sub(r"\W+", " ", text.casefold()).strip()


def shingles(text: str) -> frozenset[str]:
    words = plain(text)
    return frozenset(words[i : i + SHINGLE] for i in range(max(1, len(words) - SHINGLE + 1))) if words else frozenset()


def pairs(
    texts: Sequence[str], alike: float = ALIKE, say: Callable[[int, int], None] | None = None
) -> Iterator[tuple[int, int]]:
    """Positions (first, second) of nearly equal texts, first < second, ordered by the second. Empty texts have none."""
    sets = _by_rarity([shingles(text) for text in texts])
    holders: dict[int, list[int]] = defaultdict(list)
    for second, mine in enumerate(sets):
        if say and second % _STEP == 0:
            say(second, len(sets))
        rarest = mine[: len(mine) - ceil(alike * len(mine)) + 1]
        whole = set(mine)
        for first in sorted({first for shingle in rarest for first in holders[shingle]}):
            if _overlap(whole, sets[first]) >= alike:
                yield first, second
        for shingle in rarest:
            holders[shingle].append(second)


def _by_rarity(sets: Sequence[frozenset[str]]) -> list[list[int]]:
    """Each set as ranks, the rarest shingle first; ties by the alphabet, so that the order is one."""
    counts = Counter(shingle for one in sets for shingle in one)
    rank = {shingle: i for i, shingle in enumerate(sorted(counts, key=lambda shingle: (counts[shingle], shingle)))}
    return [sorted(rank[shingle] for shingle in one) for one in sets]


def _overlap(first: set[int], second: list[int]) -> float:
    shared = sum(1 for rank in second if rank in first)
    return shared / (len(first) + len(second) - shared)
