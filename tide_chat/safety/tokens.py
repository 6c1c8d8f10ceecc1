"""A text cut at its blanks, and which of the pieces are nothing out of the ordinary.

Most of what people write is ordinary: everything that costs time looks at the other pieces only.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from tide_chat.safety.words import Words, load

TOKEN = re.compile(r"\S+")
EDGES = "\"'“”„«»‹›()[]{}<>.,;:?…‚‘-–—_~*`|!#/\\=+^•·&"
_FINE = re.compile(
    r"[\"'(“]*(?:[A-Za-z]?[a-z]*|[A-Z]+)(?:['’-][A-Za-z]+)*[.,!?;:)…'’\"”]*|[(£]?\d{1,4}(?:[.,:]\d+)?[.,!?;:)%]*|[-–—|]{1,3}"
)
_LONGEST = 40  # characters of a piece that can be ordinary
_LONG_RUN = re.compile(r"([^.])\1\1")
_RUN = re.compile(r"[A-Za-z']+")


class Piece(NamedTuple):
    start: int
    text: str
    fine: bool  # nothing out of the ordinary

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def edges(token: str) -> tuple[str, str, str]:
    """What stands around a word, and the word. Signs that may be letters (`$`, `@`) belong to it."""
    core = token.strip(EDGES)
    at = token.find(core)
    return token[:at], core, token[at + len(core) :]


def bare(token: str) -> str:
    return token.strip(EDGES)


@lru_cache(maxsize=20_000)
def _is_fine(token: str) -> bool:
    return judge(token, load())


def judge(token: str, words: Words) -> bool:
    """A word that we know as it is usually written, or a number."""
    if not _FINE.fullmatch(token) or (_LONG_RUN.search(token) and token[0].isalpha()):
        return False
    parts = [part.strip("'") for part in _RUN.findall(token.lower().replace("’", "'"))]
    return all(words.knows(part) for part in parts if part) and not (len(parts) > 1 and min(map(len, parts)) < 2)


def is_fine(token: str) -> bool:
    return len(token) < _LONGEST and _is_fine(token)


@lru_cache(maxsize=8)
def pieces(text: str) -> tuple[Piece, ...]:
    """The text cut at its blanks. Several steps ask for the same text."""
    words = text.split()
    return tuple(map(Piece, map(re.Match.start, TOKEN.finditer(text)), words, _fine(words)))


@lru_cache(maxsize=8)
def odd_ones(text: str) -> tuple[Piece, ...]:
    """The pieces that are not ordinary."""
    return () if all(_fine(text.split())) else tuple(piece for piece in pieces(text) if not piece.fine)


def _fine(words: list[str]) -> Iterable[bool]:
    return map(_is_fine if max(map(len, words), default=0) < _LONGEST else is_fine, words)
