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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

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
    """A compiled entry. A text can match only if it holds a word that starts with one of `anchors`."""

    source: str
    anchors: frozenset[str]

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Made when a text first holds one of the anchors: most entries are never needed in a conversation."""
        return re.compile(self.source)


Part = tuple[str, frozenset[str]]  # regex, and the words of which one must be there


@dataclass(slots=True)
class Compiler:
    """Compiles the entries of one lexicon; macros and words are worked out once."""

    macros: Mapping[str, str]
    spellings: Mapping[str, str]
    known: dict[str, Part] = field(default_factory=dict)

    def phrase(self, pattern: str) -> Phrase:
        """Compile one entry. Raises BadPattern."""
        reader = _Reader(_TOKENS.findall(self._spelled(pattern)), self)
        regex, anchors = reader.alternatives(None)
        if reader.tokens:
            raise BadPattern(f"'{reader.tokens[0]}' too many in '{pattern}'")
        return Phrase(r"(?<= )" + regex, anchors)

    def _spelled(self, pattern: str) -> str:
        """Phrases inside an entry get the same spelling as in a text: `i am going to` is looked for as `im gonna`."""
        for phrase in sorted((key for key in self.spellings if " " in key), key=len, reverse=True):
            if phrase in pattern:
                edges = rf"(?<![\w'*{{]){re.escape(phrase)}(?![\w'*}}])"
                pattern = re.sub(edges, self.spellings[phrase], pattern)
        return pattern


@dataclass(slots=True)
class _Reader:
    tokens: list[str]
    compiler: Compiler
    depth: int = 0

    def alternatives(self, closing: str | None) -> Part:
        """Read `a b|c` up to `closing`; the regex, and the words of which one must be there."""
        regexes: list[str] = []
        anchors: list[frozenset[str]] = []
        while True:
            regex, words = self.sequence()
            regexes.append(regex)
            anchors.append(words)
            if self.tokens and self.tokens[0] == "|":
                self.tokens.pop(0)
                continue
            if closing is not None and (not self.tokens or self.tokens.pop(0) != closing):
                raise BadPattern(f"'{closing}' is missing")
            required = frozenset().union(*anchors) if all(anchors) else frozenset[str]()
            return "|".join(regexes), required

    def sequence(self) -> Part:
        """Read items up to `|`, `)` or `]`. Of all items, the most telling one gives the anchors."""
        regex, candidates = "", []
        while self.tokens and self.tokens[0] not in "|)]":
            part, anchors = self.item()
            regex += part
            candidates.append(anchors)
        return regex, max(candidates, key=_telling, default=frozenset())

    def item(self) -> Part:
        token = self.tokens.pop(0)
        if token in "([":
            inside, anchors = self.alternatives(")" if token == "(" else "]")
            return (f"(?:{inside})", anchors) if token == "(" else (f"(?:{inside})?", frozenset())
        if token.startswith("{"):
            return self._once(token, lambda: self.macro(token[1:-1]))
        if token in _ATOMS:
            return _ATOMS[token], frozenset()
        return self._once(token, lambda: self.literal(token))

    def _once(self, token: str, make: Callable[[], Part]) -> Part:
        if token not in self.compiler.known:
            self.compiler.known[token] = make()
        return self.compiler.known[token]

    def macro(self, name: str) -> Part:
        if name not in self.compiler.macros or self.depth > _DEEPEST:
            raise BadPattern(f"no macro '{name}'")
        reader = _Reader(_TOKENS.findall(self.compiler.macros[name]), self.compiler, self.depth + 1)
        inside, anchors = reader.alternatives(None)
        return f"(?:{inside})", anchors

    def literal(self, token: str) -> Part:
        stem = token.endswith("*")
        words = fold(token.rstrip("*"), self.compiler.spellings).strip(BREAK).split()
        if not words:
            raise BadPattern(f"nothing to look for in '{token}'")
        head, last = "".join(f"{re.escape(word)} " for word in words[:-1]), re.escape(words[-1])
        tail = rf"{last}[^| ]{{0,12}} " if stem else f"{last} "
        return head + tail, frozenset({max(words, key=len)[:_ANCHOR]})


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


def anchors_of(text: str) -> frozenset[str]:
    """Every beginning of every word in a folded text, up to the anchor length."""
    words = frozenset(text.split())
    return frozenset(word[:length] for word in words for length in range(1, min(len(word), _ANCHOR) + 1))
