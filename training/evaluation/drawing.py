"""Drawing some of many names by a seed, the same on every machine."""

import hashlib
from collections.abc import Iterable


def drawn(names: Iterable[str], count: int | None, purpose: str, seed: int) -> set[str]:
    """`count` of the names, or all. purpose: draws for different ones are independent.

    A larger count keeps the names of a smaller one.
    """
    ordered = sorted(names, key=lambda name: hashlib.sha256(f"{purpose}/{seed}/{name}".encode()).digest())
    return set(ordered[:count])
