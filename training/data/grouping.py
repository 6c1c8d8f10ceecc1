"""Which rows belong together: those of one person, and those with nearly the same text. Knows no split.

A group never grows over a limit by texts: stock replies would otherwise tie a whole dataset into one. The pairs that
stay apart for that reason are counted, and show as leakage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tide_chat.progress import Say
from training.data import near
from training.data.checks.duplicates import answered, said
from training.data.schema import Row


@dataclass(frozen=True, slots=True)
class Groups:
    """Positions of rows, each group ascending, groups by their first row; and pairs of alike rows that stay apart."""

    members: tuple[tuple[int, ...], ...]
    apart: int


def group(rows: Sequence[Row], most: int, say: Say) -> Groups:
    """most: rows of a group beyond which alike texts are no longer joined; one person's rows always are."""
    leaders = _Leaders(len(rows))
    first: dict[str, int] = {}
    for position, row in enumerate(rows):
        if (person := row.dialogue.persona_id) is not None:
            leaders.join(first.setdefault(person, position), position)
    apart = 0
    for text, name in ((said, "message"), (answered, "reply")):
        texts = [text(row.dialogue) for row in rows]
        for pair in near.pairs(texts, say=partial(say, f"comparing each {name}")):
            apart += not leaders.join(*pair, most=most)
    return Groups(leaders.groups(), apart)


class _Leaders:
    """Disjoint sets of positions; the leader of a set is its smallest member."""

    def __init__(self, count: int) -> None:
        self._leader = list(range(count))
        self._size = [1] * count

    def find(self, position: int) -> int:
        while self._leader[position] != position:
            self._leader[position] = self._leader[self._leader[position]]
            position = self._leader[position]
        return position

    def join(self, first: int, second: int, most: int | None = None) -> bool:
        """Make two sets one, unless that would have more than `most` members; whether they are one now."""
        low, high = sorted((self.find(first), self.find(second)))
        if low == high:
            return True
        if most is not None and self._size[low] + self._size[high] > most:
            return False
        self._leader[high] = low
        self._size[low] += self._size[high]
        return True

    def groups(self) -> tuple[tuple[int, ...], ...]:
        found: dict[int, list[int]] = {}
        for position in range(len(self._leader)):
            found.setdefault(self.find(position), []).append(position)
        return tuple(tuple(members) for members in found.values())
