"""Folded text for the guard: what a model writes is ordinary spelling, so most of it is folded a word at a time.

Only words that are not written as usual (look-alike letters, digits inside, stretched or starred words) send the
sentence through `normalize.fold`, which undoes disguises and may also correct a word into another. It knows no rules.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from tide_chat.safety.normalize import BREAK, fold

_MOST_WORDS = 20_000  # remembered; then the memory starts anew

Part = tuple[str, frozenset[str]]  # regex of a word, and its beginning; as phrases.py has it

_MARKS = str.maketrans(dict.fromkeys("’‘ʼ`´＇′", "'"))
_ORDINARY = re.compile(
    r"[\"'“”(\[«]*(?:[a-z]+(?:'[a-z]+)*(?:[-–—/][a-z]+(?:'[a-z]+)*)*|[£$€]?\d[\d:.,/–-]*(?:st|nd|rd|th|s|am|pm|%|mg|mcg|ml)?)"
    r"[\"'“”)\]»,.;:!?…–—-]*|[-–—&•\"'“”]+"
)
_STRETCHED = re.compile(r"([a-z])\1\1")
_APART = re.compile(r"(?<![^\s(\"'])[a-z](?:(?P<gap>[ .*_-]{1,2})[a-z])(?:(?P=gap)[a-z])+(?![a-z])")
_ENDS = re.compile(r"[.!?;:…]+[\"'“”)\]]*$")
_PARTS = re.compile(r"[^\W_]+")
_MARKER = re.compile(r"^[ \t]*(?:[-*•+>–—·▪#]{1,6}|\(?\d{1,2}[.)]|\(?[a-z][.)])[ \t]+", re.IGNORECASE | re.MULTILINE)
_EMPHASIS = re.compile(r"(?<!\w)[*_`~]{1,3}(?=\w)|(?<=\w)[*_`~]{1,3}(?!\w)|(?<=[.!?,;:])[*_`~]{1,3}")
_LISTED = re.compile(r"[*_`~]|\n.")
_PRONOUNS = frozenset("it he she that this there what who how where when why let here".split())
_ANCHOR = 6  # letters of a word that make an anchor, as in phrases.py


def plain(text: str) -> str:
    """The text as written, with compatibility forms and case folded, invisible characters out, digits in ASCII."""
    if text.isascii():
        return text.casefold()
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = (c for c in folded if unicodedata.category(c) not in ("Cf", "Cs"))
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in kept)


def unlisted(text: str) -> str:
    """The text without list markers and emphasis, which would stand between words that belong together."""
    start = text.lstrip()
    if start[:1].isalpha() and start[1:2] not in (".", ")") and not _LISTED.search(start):
        return text
    return _EMPHASIS.sub("", _MARKER.sub("", text))


class Words:
    """Folds texts with one set of spellings."""

    def __init__(self, spellings: Mapping[str, str]) -> None:
        self._spellings = spellings
        phrases = sorted((key for key in spellings if " " in key), key=len, reverse=True)
        self._phrases = re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, phrases))})(?!\S)") if phrases else None
        self._known: dict[str, str | None] = {}

    def fold(self, text: str) -> str:
        """As `normalize.fold`: `| im so tired | i wanna sleep |`, and `|` alone when nothing is left."""
        text = " ".join(plain(text).translate(_MARKS).split())
        text = _APART.sub(lambda match: match.group().replace(match["gap"], ""), text)
        parts = [BREAK]
        for token in text.split():
            word = self._token(token)
            if word is None:
                return fold(text, self._spellings)
            if word:
                parts.append(word)
            if parts[-1] != BREAK and _ENDS.search(token):
                parts.append(BREAK)
        return self._joined(" ".join(parts if parts[-1] == BREAK else [*parts, BREAK]))

    def parts(self, tokens: Iterable[str]) -> dict[str, Part]:
        """The words of patterns, compiled with the same folding as the texts; for `phrases.Compiler.known`."""
        return {token: part for token in tokens if (part := self._part(token))}

    def _part(self, token: str) -> Part | None:
        words = (self._token(token.rstrip("*")) or "").split()
        if not words:
            return None
        head, last = "".join(f"{re.escape(word)} " for word in words[:-1]), re.escape(words[-1])
        tail = rf"{last}[^| ]{{0,12}} " if token.endswith("*") else f"{last} "
        return head + tail, frozenset({max(words, key=len)[:_ANCHOR]})

    def _joined(self, folded: str) -> str:
        if self._phrases is None:
            return folded
        return self._phrases.sub(lambda match: self._spellings[match.group()], folded)

    def _token(self, token: str) -> str | None:
        """A token folded; None when it is not written as words usually are."""
        if token not in self._known:
            if len(self._known) >= _MOST_WORDS:
                self._known.clear()
            ordinary = _ORDINARY.fullmatch(token) and not _STRETCHED.search(token)
            self._known[token] = self._ordinary(token) if ordinary else None
        return self._known[token]

    def _ordinary(self, token: str) -> str:
        core = token.strip("\"'“”«»()[],.;:!?…–—-")
        if core in self._spellings:
            return self._spellings[core]
        base = core.removesuffix("'s")
        core = f"{base} is" if base != core and base not in _PRONOUNS else core
        return " ".join(self._spellings.get(part, part) for part in _PARTS.findall(core.replace("'", "")))
