"""What of a new prompt the KV cache already holds. Pure functions on token ids; knows no model."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from tide_chat.errors import PromptTooLong

SHORTEST_MATCH = 16  # tokens; a shorter run after a cut is as well computed again


@dataclass(frozen=True, slots=True)
class Reuse:
    """Keep the first `keep` tokens; drop `cut` tokens after them; keep `moved` tokens after those; compute the rest."""

    keep: int
    cut: int = 0
    moved: int = 0

    @property
    def cached(self) -> int:
        return self.keep + self.moved


def plan(cached: Sequence[int], wanted: Sequence[int], *, can_shift: bool) -> Reuse:
    """How to turn the cache into a prefix of `wanted`. The last token is always computed: its logits are needed."""
    limit = len(wanted) - 1
    keep = _common(cached, wanted, limit)
    if not can_shift or limit - keep < SHORTEST_MATCH:
        return Reuse(keep)
    found = _find(cached, wanted[keep : keep + SHORTEST_MATCH], keep + 1)
    if found < 0:
        return Reuse(keep)
    moved = _common(cached[found:], wanted[keep:], limit - keep)
    return Reuse(keep, found - keep, moved)


def fit(spans: Sequence[tuple[int, bool]], room: int) -> list[bool]:
    """Which spans stay, given (tokens, pinned) of each, oldest first: the oldest that are not pinned leave first.

    Raises PromptTooLong when the pinned ones alone do not fit.
    """
    stay = [True] * len(spans)
    total = sum(size for size, _ in spans)
    for index, (size, pinned) in enumerate(spans):
        if total <= room:
            break
        if not pinned:
            stay[index] = False
            total -= size
    if total > room:
        raise PromptTooLong(
            "That message is longer than the model can read at once.",
            details=f"It needs {total} tokens and there is room for {room}.",
            help="Your words are kept. You could send a shorter part of them, or use a larger --context.",
        )
    return stay


def _common(left: Sequence[int], right: Sequence[int], limit: int) -> int:
    count = 0
    for a, b in zip(left, right, strict=False):
        if a != b or count >= limit:
            break
        count += 1
    return count


def _find(tokens: Sequence[int], run: Sequence[int], start: int) -> int:
    """Index of the first occurrence of `run` in `tokens` at or after `start`, -1 when there is none."""
    hay, needle = array("i", tokens).tobytes(), array("i", run).tobytes()
    width = array("i").itemsize
    at = hay.find(needle, start * width)
    while at >= 0 and at % width:
        at = hay.find(needle, at + 1)
    return at // width if at >= 0 else -1
