"""The small language in which lexicon entries are written, and its compiler to bounded regular expressions.

    i want to die            these words, in this order
    (kill|hurt) myself       one of them; alternatives may hold several words
    [really|just]            one of them, or nothing
    cut*                     a word that starts so
    _                        any one word
    #                        a number in digits
    ..                       up to five words, within the sentence
    ...                      up to ten words, over one or more sentence ends
    {when}                   the alternatives named `when` in macros.tsv
    ^  $                     start and end of a sentence

Every repetition is bounded, so a search is linear in the text. It does not know what an entry means.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod
from typing import NamedTuple

from tide_chat.safety.normalize import BREAK, fold

_WORD = r"[^| ]+ "
_ATOMS = {
    "_": _WORD,
    "#": "[0-9]+ ",
    "..": rf"(?:{_WORD}){{0,5}}?",
    "...": r"(?:[^ ]+ ){0,10}?",
    "^": r"(?<=\| )",
    "$": r"(?=\|)",
}
_DEEPEST = 5  # macros within macros
_TOKENS = re.compile(r"\{\w+\}|[()\[\]|]|[^\s()\[\]|{}]+")


class BadPattern(ValueError):
    """An entry that cannot be read; says which and why."""


@dataclass(frozen=True)
class Phrase:
    """A compiled entry. A text can match only if its words meet all needs of one of the `ways` (see `index.py`).

    anchors: beginnings of the words that it looks for above all, of which one must be there.
    """

    source: str
    anchors: frozenset[str]
    ways: tuple["Way", ...] = ((),)

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Made when a text first can match: most entries are never needed in a conversation."""
        return re.compile(self.source)


Part = tuple[str, frozenset[str]]  # regex of a word, and its beginning
Need = frozenset[str]  # of these one must be there: words, a blank after them, or beginnings of words
Way = tuple[Need, ...]  # all of these must be met


class Item(NamedTuple):
    """A piece of an entry: its regex, the words of which one must be there, and the ways to match it."""

    regex: str
    anchors: frozenset[str] = frozenset()
    ways: tuple[Way, ...] = ((),)


@dataclass(slots=True)
class Compiler:
    """Compiles the entries of one lexicon; macros and words are worked out once."""

    macros: Mapping[str, str]
    spellings: Mapping[str, str]
    known: Mapping[str, Part] = field(default_factory=dict)  # words that come compiled
    items: dict[str, Item] = field(default_factory=dict)  # words and macros
    spelled_phrases: list[str] = field(init=False)  # longest first

    def __post_init__(self) -> None:
        self.spelled_phrases = sorted((key for key in self.spellings if " " in key), key=len, reverse=True)

    def phrase(self, pattern: str) -> Phrase:
        """Compile one entry. Raises BadPattern."""
        reader = _Reader(_TOKENS.findall(self._spelled(pattern)), self)
        whole = reader.alternatives(None)
        if reader.tokens:
            raise BadPattern(f"'{reader.tokens[0]}' too many in '{pattern}'")
        return Phrase(r"(?<= )" + whole.regex, whole.anchors, whole.ways)

    def _spelled(self, pattern: str) -> str:
        """Phrases inside an entry get the same spelling as in a text: `i am going to` is looked for as `im gonna`."""
        for phrase in self.spelled_phrases:
            if phrase in pattern:
                edges = rf"(?<![\w'*{{]){re.escape(phrase)}(?![\w'*}}])"
                pattern = re.sub(edges, self.spellings[phrase], pattern)
        return pattern


@dataclass(slots=True)
class _Reader:
    tokens: list[str]
    compiler: Compiler
    depth: int = 0

    def alternatives(self, closing: str | None) -> Item:
        """Read `a b|c` up to `closing`."""
        items: list[Item] = []
        while True:
            items.append(self.sequence())
            if self.tokens and self.tokens[0] == "|":
                self.tokens.pop(0)
                continue
            if closing is not None and (not self.tokens or self.tokens.pop(0) != closing):
                raise BadPattern(f"'{closing}' is missing")
            anchors = frozenset[str]().union(*(item.anchors for item in items))
            required = anchors if all(item.anchors for item in items) else frozenset[str]()
            return Item("|".join(item.regex for item in items), required, _either([item.ways for item in items]))

    def sequence(self) -> Item:
        """Read items up to `|`, `)` or `]`. Of all items, the most telling one gives the anchors."""
        items: list[Item] = []
        while self.tokens and self.tokens[0] not in "|)]":
            items.append(self.item())
        anchors = max((item.anchors for item in items), key=_telling, default=frozenset())
        return Item("".join(item.regex for item in items), anchors, _both([item.ways for item in items]))

    def item(self) -> Item:
        token = self.tokens.pop(0)
        if token in "([":
            inside = self.alternatives(")" if token == "(" else "]")
            regex = f"(?:{inside.regex})"
            return inside._replace(regex=regex) if token == "(" else Item(f"{regex}?")
        if token in _ATOMS:
            return Item(_ATOMS[token])
        if token not in self.compiler.items:
            self.compiler.items[token] = self.macro(token[1:-1]) if token.startswith("{") else self.word(token)
        return self.compiler.items[token]

    def macro(self, name: str) -> Item:
        if name not in self.compiler.macros or self.depth > _DEEPEST:
            raise BadPattern(f"no macro '{name}'")
        reader = _Reader(_TOKENS.findall(self.compiler.macros[name]), self.compiler, self.depth + 1)
        inside = reader.alternatives(None)
        return inside._replace(regex=f"(?:{inside.regex})")

    def word(self, token: str) -> Item:
        if token in self.compiler.known:
            regex, anchors = self.compiler.known[token]
            return Item(regex, anchors, ((anchors,),))
        words = fold(token.rstrip("*"), self.compiler.spellings).strip(BREAK).split()
        if not words:
            raise BadPattern(f"nothing to look for in '{token}'")
        *head, last = words
        stem = token.endswith("*")
        regex = "".join(f"{re.escape(word)} " for word in head)
        regex += rf"{re.escape(last)}[^| ]{{0,12}} " if stem else f"{re.escape(last)} "
        needs = [f"{word} " for word in head] + [last if stem else f"{last} "]
        return Item(regex, frozenset({max(words, key=len)[:_ANCHOR]}), (tuple(frozenset({need}) for need in needs),))


_ANCHOR = 6  # letters of a word that make an anchor
_COMMON = frozenset(
    "i im ive id ill it its the a and to of my me so is in on no not all for be that this with you up out do get "
    "got".split()
)


def _telling(anchors: frozenset[str]) -> tuple[int, int]:
    """Prefer a required word that few texts hold: long, and of few alternatives."""
    if not anchors:
        return (-1, 0)
    rare = 0 if anchors & _COMMON else min(4, *map(len, anchors))
    return (rare, -len(anchors))


# ---- ways ----------------------------------------------------------------------------------------------------------

_MOST_WAYS = 100  # of one entry; of more, a part is known by the longest words only


def _either(parts: list[tuple[Way, ...]]) -> tuple[Way, ...]:
    """The ways of alternatives. Those that need a single word each are one way that needs one of these words."""
    ways = [way for part in parts for way in part]
    if not all(ways):
        return ((),)
    single = [way[0] for way in ways if len(way) == 1]
    return (*((frozenset[str]().union(*single),),) * bool(single), *(way for way in ways if len(way) > 1))


def _both(parts: list[tuple[Way, ...]]) -> tuple[Way, ...]:
    """The ways of items that follow each other."""
    if len(parts) == 1:
        return parts[0]
    parts.sort(key=len)
    while prod(map(len, parts)) > _MOST_WAYS:
        parts = sorted([*parts[:-1], _in_short(parts[-1])], key=len)
    return tuple(sum(chosen, ()) for chosen in product(*parts))


def _in_short(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    return ((frozenset[str]().union(*(max(way, key=_shortest) for way in ways)),),)


def _shortest(need: Need) -> int:
    return min(map(len, need))
