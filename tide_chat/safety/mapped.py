"""A text together with where each of its characters came from, so that a reason can point into what was written.

It knows nothing of disguises: only how to replace, drop and join while keeping the map. Positions never go back.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Replace = Callable[[re.Match[str]], str]


@dataclass(frozen=True, slots=True)
class Mapped:
    """`text[i]` came from the characters `starts[i]` to `ends[i]` of the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def of(cls, text: str) -> "Mapped":
        return cls(text, range(len(text)), range(1, len(text) + 1))

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that the characters `start` to `end` came from."""
        size = len(self.text)
        if not size:
            return (0, 0)
        start = min(max(start, 0), size - 1)
        end = min(max(end, start + 1), size)
        return self.starts[start], self.ends[end - 1]

    def same(self, text: str) -> "Mapped":
        """Another text of the same length, character by character."""
        return Mapped(text, self.starts, self.ends)

    def sub(self, pattern: re.Pattern[str], replace: Replace) -> "Mapped":
        """As `pattern.sub`. What is replaced comes from the whole match."""
        found = ((m.start(), m.end(), replace(m)) for m in pattern.finditer(self.text))
        return self.replaced(found)

    def replaced(self, edits: Iterable[tuple[int, int, str]]) -> "Mapped":
        """With each `(start, end, new)` carried out; in order, not overlapping."""
        builder, position = Builder(self), 0
        for start, end, new in edits:
            if self.text[start:end] == new:
                continue
            builder.copy(position, start)
            builder.write(new, start, end)
            position = end
        if not position and not builder.parts:
            return self
        builder.copy(position, len(self.text))
        return builder.done()


class Builder:
    """Puts a mapped text together from pieces of another one."""

    def __init__(self, source: Mapped) -> None:
        self._source = source
        self.parts: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []

    def copy(self, start: int, end: int) -> None:
        self.parts.append(self._source.text[start:end])
        self._starts.extend(self._source.starts[start:end])
        self._ends.extend(self._source.ends[start:end])

    def write(self, new: str, start: int, end: int) -> None:
        """`new`, said to come from `start` to `end` of the source."""
        first, last = self._source.original(start, end)
        self.parts.append(new)
        self._starts.extend([first] * len(new))
        self._ends.extend([last] * len(new))

    def done(self) -> Mapped:
        return Mapped("".join(self.parts), self._starts, self._ends)
