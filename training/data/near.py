"""Nearly equal texts: all pairs whose sets of shingles overlap by a given Jaccard similarity.

Exact, no hashing and nothing random, so the same on every machine. It is fast because two sets can only be that alike
when they share one of their rarest shingles (prefix filtering; Chaudhuri, Ganti and Kaushik 2006). Knows nothing of
dialogues.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from math import ceil
from typing import Any, TypeVar

T = TypeVar("T")

ALIKE = 0.6  # Jaccard similarity from which two texts count as nearly the same; one word in ten may differ
_STEP = 200  # texts between two reports of progress
_EXACT = 1e-9  # against products that end a hair above the whole number they mean


def words(text: str) -> tuple[str, ...]:
    """Letters and digits alone, in lower case."""
    return tuple(re.findall(r"\w+", text.casefold()))


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """The pairs of neighbouring words; of a text of one word, that word."""
    found = words(text)
    return frozenset(pairwise(found)) or frozenset([found] if found else [])


def pairs(
    texts: Sequence[str], alike: float = ALIKE, say: Callable[[int, int], None] | None = None
) -> Iterator[tuple[int, int]]:
    """Positions (first, second) of texts with nearly the same word pairs. Empty texts have none."""
    yield from overlapping([shingles(text) for text in texts], alike, say)


def overlapping(
    found: Sequence[AbstractSet[Any]], alike: float, say: Callable[[int, int], None] | None = None
) -> Iterator[tuple[int, int]]:
    """Positions (first, second) of sets that alike, first < second, ordered by the second. Members can be sorted."""
    ordered = _by_rarity(found)
    sets = [frozenset(ranks) for ranks in ordered]
    holders: dict[int, list[int]] = defaultdict(list)
    for second, (ranks, mine) in enumerate(zip(ordered, sets, strict=True)):
        if say and second % _STEP == 0:
            say(second, len(sets))
        rarest = ranks[: len(ranks) - ceil(alike * len(ranks) - _EXACT) + 1]
        least, most = alike * len(mine) - _EXACT, len(mine) / alike + _EXACT  # members of a set that can be so alike
        candidates = {first for rank in rarest for first in holders[rank] if least <= len(sets[first]) <= most}
        yield from ((first, second) for first in sorted(candidates) if jaccard(sets[first], mine) >= alike)
        for rank in rarest:
            holders[rank].append(second)


def jaccard(first: frozenset[T], second: frozenset[T]) -> float:
    """Of two sets that are not both empty."""
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)


def _by_rarity(sets: Sequence[AbstractSet[Any]]) -> list[list[int]]:
    """Each set as ranks, the rarest first; ties by the alphabet, so that there is one order only."""
    counts = Counter(shingle for one in sets for shingle in one)
    rank = {shingle: i for i, shingle in enumerate(sorted(counts, key=lambda shingle: (counts[shingle], shingle)))}
    return [sorted(rank[shingle] for shingle in one) for one in sets]
