"""What a metric gives where nothing is right: each reply against the reference of another item. Computes no metric."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from training.evaluation.replies import Reply


def wrong_reference(replies: Sequence[Reply], seed: int = 0) -> list[Reply]:
    """The replies in their order, each item with another item's reference, the same for all models.

    Replies whose item finds no other reference are left out.
    """
    wrong = _others({reply.item: reply.reference for reply in replies}, seed)
    return [replace(reply, reference=wrong[reply.item]) for reply in replies if reply.item in wrong]


def _others(references: dict[str, str], seed: int) -> dict[str, str]:
    """Item to the reference of the next item in a shuffled ring that has a different one."""
    ring = sorted(references)
    random.Random(seed).shuffle(ring)
    found: dict[str, str] = {}
    for place, item in enumerate(ring):
        following: Iterable[str] = (references[other] for other in (*ring[place + 1 :], *ring[:place]))
        other = next((reference for reference in following if reference != references[item]), None)
        if other is not None:
            found[item] = other
    return found
