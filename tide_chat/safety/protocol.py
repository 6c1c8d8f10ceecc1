"""The safety protocol that the app shows on request: `docs/safety-protocol.md`, as plain paragraphs.

In a wheel it is package data; in the checkout it is read from its place. Knows only the marks that the file uses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

NAME = "safety-protocol.md"
MISSING = (
    "The safety protocol cannot be read on this computer. In short: grave messages are answered with prepared words "
    "and help lines and not by the model, nobody is alerted, and the check can miss things. "
    "Nothing here was reviewed by a clinician yet."
)
_ITEM = re.compile(r"(?:[-*]|\d+\.) ")
_RULE = re.compile(r"\|?[\s:|-]+\|?")


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, an item of a list, or a table with a line for each row."""

    text: str
    heading: bool = False


def text() -> str:
    """The protocol without marks, with blank lines between its parts."""
    return "\n\n".join(block.text for block in blocks())


def blocks() -> tuple[Block, ...]:
    """Its parts in order."""
    try:
        return tuple(parsed(_source()))
    except (OSError, UnicodeDecodeError):
        return (Block(MISSING),)


def _source() -> str:
    packaged = files("tide_chat") / "docs" / NAME
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "docs" / NAME).read_text(encoding="utf-8")


def parsed(markdown: str) -> Iterator[Block]:
    """Lines that belong together joined, so that the front end wraps them and a screen reader can say them."""
    rows: list[str] = []
    words = ""
    for line in [*markdown.splitlines(), ""]:
        bare = line.strip()
        if words and (not bare or bare.startswith(("#", "|")) or _ITEM.match(bare)):
            yield Block(_unmarked(words))
            words = ""
        if bare.startswith("|"):
            rows.append(bare)
            continue
        if rows:
            yield Block(_table(rows))
            rows = []
        if bare.startswith("#"):
            yield Block(_unmarked(bare.lstrip("# ")), heading=True)
        elif bare:
            words = f"{words} {bare}".strip()


def _table(rows: list[str]) -> str:
    """A line for each row: `T2: a passive wish to die ... (what the person gets) ...`."""
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if not _RULE.fullmatch(row)]
    return "\n".join(f"{_unmarked(first)}: {_unmarked('; '.join(rest))}." for first, *rest in cells[1:])


def _unmarked(text: str) -> str:
    return re.sub(r"\*\*|`|(?<!\w)\*(?=\S)|(?<=[^\s*])\*(?!\w)", "", text)
