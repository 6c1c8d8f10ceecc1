"""What a person types into a search box as a query of FTS5, and hits with the places that matched. Knows no tables.

Every word must occur, the last one may be only begun. Case and accents do not count, other signs separate words. It
knows no word stems ("nights" does not find "night", but "night" finds "nights" while it is the last word) and no word
borders where a script writes none (Chinese, Japanese, Thai).
"""

import secrets
from dataclasses import dataclass

LONGEST = 20_000  # characters; in longer messages it is not shown where the words are, which would take seconds
BEFORE, LENGTH = 50, 160  # characters of a snippet before what was found, and in all


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a message. `spans`: where the words that were looked for stand in `text`, as (start, end)."""

    text: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """Signs around what matched. Drawn anew for each search, so that no message can hold them."""

    start: str
    end: str

    @classmethod
    def draw(cls) -> "Marks":
        token = secrets.token_hex(8)
        return cls(f"\x02{token}", f"\x03{token}")

    def read(self, marked: str) -> Snippet:
        """A message with these signs in it, cut to what is around the first match.

        FTS5 could cut as well, but its time grows with the square of the matches.
        """
        text, spans = [], []
        at = 0
        for index, piece in enumerate(marked.split(self.start)):
            inside, end, after = piece.partition(self.end)
            if index and end:
                spans.append((at, at + len(inside)))
            text += [inside, after]
            at += len(inside) + len(after)
        return _cut("".join(text), spans)


def _cut(text: str, spans: list[tuple[int, int]]) -> Snippet:
    """Words stay whole, unless one is longer than the snippet."""
    begin = max(0, (spans[0][0] if spans else 0) - BEFORE)
    begin = (text.find(" ", begin, begin + BEFORE) + 1 or begin) if begin else 0
    end = min(len(text), begin + LENGTH)
    if end < len(text) and (space := text.rfind(" ", begin + BEFORE, end)) >= 0:
        end = space
    lead = "…" if begin else ""
    shift = len(lead) - begin
    inside = tuple((a + shift, b + shift) for a, b in spans if begin <= a and b <= end)
    return Snippet(f"{lead}{text[begin:end]}{'…' if end < len(text) else ''}", inside)


def query(typed: str) -> str | None:
    """`typed` as an FTS5 query without syntax of its own; None when it holds no word."""
    words = [word for word in _clean(typed).split() if any(map(str.isalnum, word))]
    if not words:
        return None
    return " AND ".join(f'"{word}"' for word in words) + "*"


def is_short(query: str) -> bool:
    """Whether its last word, which may be only begun, has a letter or two: very many words begin so."""
    return len(query.rpartition(" AND ")[2]) <= len('"ab"*')


def _clean(typed: str) -> str:
    """Without what ends a string (NUL, quotes) and without what is no character (lone surrogates)."""
    text = typed.replace("\0", " ").replace('"', " ")
    return text.encode("utf-8", "replace").decode("utf-8")
