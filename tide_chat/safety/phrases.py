"""The small language in which lexicon entries are written, and its compiler to bounded regular expressions.

    i want to die            these words, in this order
    (kill|hurt) myself       one of them; alternatives may hold several words
    [really|just]            one of them, or nothing
    cut*                     a word that starts so
    _                        any one word
    ..                       up to four words, within the sentence
    ...                      up to ten words, over one or more sentence ends
    {when}                   the alternatives named `when` in macros.tsv
    ^  $                     start and end of a sentence

Every repetition is bounded, so a search is linear in the text. It does not know what an entry means.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tide_chat.safety.normalize import BREAK, fold

_WORD = r"[^| ]+ "
_ATOMS = {
    "_": _WORD,
    "..": rf"(?:{_WORD}){{0,5}}?",
    "...": r"(?:[^ ]+ ){0,10}?",
    "^": r"(?<=\| )",
    "$": r"(?=\|)",
}
_TOKENS = re.compile(r"\{\w+\}|[()\[\]|]|[^\s()\[\]|{}]+")


class BadPattern(ValueError):
    """An entry that cannot be read; says which and why."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A compiled entry. A text can match only if it holds a word that starts with one of `anchors`."""

    regex: re.Pattern[str]
    anchors: frozenset[str]


@dataclass(slots=True)
class _Reader:
    tokens: list[str]
    macros: Mapping[str, str]
    spellings: Mapping[str, str]
    depth: int = 0

    def alternatives(self, closing: str | None) -> tuple[str, frozenset[str]]:
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

    def sequence(self) -> tuple[str, frozenset[str]]:
        """Read items up to `|`, `)` or `]`. Of all items, the most telling one gives the anchors."""
        regex, candidates = "", []
        while self.tokens and self.tokens[0] not in "|)]":
            part, anchors = self.item()
            regex += part
            candidates.append(anchors)
        return regex, max(candidates, key=_telling, default=frozenset())

    def item(self) -> tuple[str, frozenset[str]]:
        token = self.tokens.pop(0)
        if token in "([":
            inside, anchors = self.alternatives(")" if token == "(" else "]")
            return (f"(?:{inside})", anchors) if token == "(" else (f"(?:{inside})?", frozenset())
        if token.startswith("{"):
            return self.macro(token[1:-1])
        if token in _ATOMS:
            return _ATOMS[token], frozenset()
        return self.literal(token)

    def macro(self, name: str) -> tuple[str, frozenset[str]]:
        if name not in self.macros or self.depth > 5:
            raise BadPattern(f"no macro '{name}'")
        reader = _Reader(_TOKENS.findall(self.macros[name]), self.macros, self.spellings, self.depth + 1)
        inside, anchors = reader.alternatives(None)
        return f"(?:{inside})", anchors

    def literal(self, token: str) -> tuple[str, frozenset[str]]:
        stem = token.endswith("*")
        words = fold(token.rstrip("*"), self.spellings).strip(BREAK).split()
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


def compile_phrase(pattern: str, macros: Mapping[str, str], spellings: Mapping[str, str]) -> Phrase:
    """Compile one entry. Raises BadPattern."""
    reader = _Reader(_TOKENS.findall(_expand(pattern, spellings)), macros, spellings)
    regex, anchors = reader.alternatives(None)
    if reader.tokens:
        raise BadPattern(f"'{reader.tokens[0]}' too many in '{pattern}'")
    return Phrase(re.compile(r"(?<= )" + regex), anchors)


def _expand(pattern: str, spellings: Mapping[str, str]) -> str:
    """Phrases inside an entry get the same spelling as in a text: `i am going to` is looked for as `im gonna`."""
    for phrase in sorted((key for key in spellings if " " in key), key=len, reverse=True):
        if phrase in pattern:
            pattern = re.sub(rf"(?<![\w'*{{]){re.escape(phrase)}(?![\w'*}}])", spellings[phrase], pattern)
    return pattern


def anchors_of(text: str) -> frozenset[str]:
    """Every beginning of every word in a folded text, up to the anchor length."""
    words = frozenset(text.split())
    return frozenset(word[:length] for word in words for length in range(1, min(len(word), _ANCHOR) + 1))
