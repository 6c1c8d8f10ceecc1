"""A text together with where each of its characters came from, so that a reason can point into what was written.

It knows nothing of disguises: only how to replace, drop and join while keeping the map. Positions never go back. A text
remembers the one it was made from and by which stretches; most are never asked, so the way back is walked on asking.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Replace = Callable[[re.Match[str]], str]
Stretch = tuple[int, int, int, bool]  # where it begins, start and end in the source, whether it is copied from there
NOWHERE = (-1, 0)  # a span before the beginning


@dataclass(frozen=True, slots=True)
class Mapped:
    """A text, and the one it was made from by stretches that cover it in order. Without a source: as written."""

    text: str
    source: "Mapped | None" = None
    stretches: Sequence[Stretch] = ()

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that the characters `start` to `end` came from."""
        start, end = self._inside(start, end)
        return self._traced(start)[0], self._traced(end - 1)[1]

    def _inside(self, start: int, end: int) -> tuple[int, int]:
        """At least one character, if there is any."""
        size = len(self.text)
        if not size:
            return NOWHERE
        start = min(max(start, 0), size - 1)
        return start, min(max(end, start + 1), size)

    def _traced(self, at: int) -> tuple[int, int]:
        """Where one character came from. It may have come from several, so the way splits in two."""
        text, first, last = self, at, at
        while text.source is not None:
            first, last = text._before(first)[0], text._before(last)[1]
            text = text.source
        return max(first, 0), last + 1

    def _before(self, at: int) -> tuple[int, int]:
        """The first and the last character of the source that this one came from."""
        if at < 0:
            return at, at
        begin, start, end, copied = self.stretches[bisect_left(self.stretches, (at + 1,)) - 1]
        return (start + at - begin, start + at - begin) if copied else (start, end - 1)

    def same(self, text: str) -> "Mapped":
        """Another text of the same length, character by character."""
        return Mapped(text, self.source, self.stretches)

    def sub(self, pattern: re.Pattern[str], replace: Replace) -> "Mapped":
        """As `pattern.sub`. What is replaced comes from the whole match."""
        return self.replaced((m.start(), m.end(), replace(m)) for m in pattern.finditer(self.text))

    def replaced(self, edits: Iterable[tuple[int, int, str]]) -> "Mapped":
        """With each `(start, end, new)` carried out; in order, not overlapping."""
        text, builder, position = self.text, None, 0
        for start, end, new in edits:
            if text[start:end] == new:
                continue
            builder = builder or Builder(self)
            builder.copy(position, start)
            builder.write(new, start, end)
            position = end
        if builder is None:
            return self
        builder.copy(position, len(text))
        return builder.done()

    def worded(self, words: Iterable[tuple[str, int, int]]) -> "Mapped":
        """These words one blank apart, each with the span it comes from. A blank belongs to the word before it."""
        stretches: list[Stretch] = []
        parts: list[str] = []
        size = 0
        for word, start, end in words:
            stretches.append((size, start, end, False))
            parts.append(word)
            size += len(word) + 1
        return Mapped(" ".join(parts), self, stretches)


class Builder:
    """Puts a mapped text together from pieces of another one."""

    def __init__(self, source: Mapped) -> None:
        self._source = source
        self._parts: list[str] = []
        self._stretches: list[Stretch] = []
        self._size = 0

    def copy(self, start: int, end: int) -> None:
        if start < end:
            self._add(self._source.text[start:end], (start, end), copied=True)

    def write(self, new: str, start: int, end: int) -> None:
        """`new`, said to come from `start` to `end` of the source."""
        if new:
            self._add(new, self._source._inside(start, end), copied=False)

    def _add(self, part: str, span: tuple[int, int], *, copied: bool) -> None:
        self._parts.append(part)
        self._stretches.append((self._size, *span, copied))
        self._size += len(part)

    def done(self) -> Mapped:
        return Mapped("".join(self._parts), self._source, self._stretches)
