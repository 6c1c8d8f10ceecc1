"""What was written, read past its disguises: as sentences for the encoder, as plain words for the rules.

Characters are undone in `letters.py`, whole texts in `ciphers.py`, words in `apart.py` and `disguise.py`; this module
runs them until nothing changes any more, so that reading what was read changes nothing, and keeps the map to the
original.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tide_chat.safety import apart, ciphers, disguise, letters
from tide_chat.safety.mapped import Mapped
from tide_chat.safety.tokens import is_fine, odd_ones
from tide_chat.safety.words import Words, load

BREAK = "|"
_PASSES = 6
_MOST = 50_000  # characters; of a longer text only the characters are made plain

_ODD = re.compile(r"[01]{8}|(?:\d{2,3}[ ,]+){4}|(?<!\w)[A-Za-z][ ,.!-]{1,3}[A-Za-z][ ,.!-]{1,3}[A-Za-z](?!\w)")
_BLANKS = re.compile(r"\s+")

_ENDS = re.compile(r"[.!?;:…]+(?=\s|$)|[.!?;:…]{2,}|\|")
_INNER_MARK = re.compile(r"(?<=[^\W\d_])!(?=[^\W\d_])")
_LEET = str.maketrans("0134578@$!(", "oieastaasic")
_AMOUNT = re.compile(r"[1-9]\d*(?:st|nd|rd|th|[a-z]{1,2})?|[a-z]\d{2,}|\d+")
_PRONOUNS = frozenset("it he she that this there what who how where when why let here".split())
_LETTER = re.compile("[a-z]")
_STRETCH = re.compile(r"([a-z])\1{2,}")
_PARTS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as the rules see it, and where its words stand in what was written."""

    text: str
    source: Mapped

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that the characters `start` to `end` came from: whole words, or more."""
        return self.source.original(start, end)


def readable(text: str) -> str:
    """`text` for a model that reads sentences: disguises undone, words in order, punctuation kept, one line."""
    return _undone(Mapped(text)).text


def fold(text: str, spellings: Mapping[str, str] | None = None, vocabulary: Collection[str] = ()) -> str:
    """`text` as the rules see it, for example `| im so tired | i wanna sleep |`.

    `spellings` replaces whole words and phrases; `vocabulary` helps to pick between spellings of a stretched word.
    """
    plain = text.isascii() and text.isalpha() and text.islower() and is_fine(text)  # as most words of the rules are
    if plain and _folder(spellings or {}, vocabulary).words(text) == ((text, 0, len(text)),):
        return f"{BREAK} {text} {BREAK}"
    return trace(text, spellings, vocabulary).text


def trace(text: str, spellings: Mapping[str, str] | None = None, vocabulary: Collection[str] = ()) -> Folded:
    """`fold` with the map to the original.

    Folded again until nothing changes: undoing a disguise can make a word that has a spelling of its own.
    """
    folder = _folder(spellings or {}, vocabulary)
    mapped = Mapped(text)
    for _ in range(_PASSES):
        again = folder.fold(_undone(mapped))
        if again.text == mapped.text:
            break
        mapped = again
    return Folded(mapped.text, mapped)


# ---- disguises -----------------------------------------------------------------------------------------------------


def _undone(text: Mapped) -> Mapped:
    """Every disguise undone. If that finds no end, or nobody writes so long a text, only characters are made plain."""
    now, words = text, load()
    for _ in range(_PASSES if len(text.text) <= _MOST else 0):
        now = now.same(now.text.replace("’", "'").replace("‘", "'"))
        if _is_plain(now.text):
            return _one_line(now)
        before, now = now.text, _undone_once(now, words)
        if now.text == before:
            return now
    return _one_line(letters.unfolded(text, words))


def _is_plain(text: str) -> bool:
    """Nothing but words that we know, as they are usually written."""
    return not odd_ones(text) and _ODD.search(text) is None


def _undone_once(text: Mapped, words: Words) -> Mapped:
    text = ciphers.turned(text)
    text = letters.unfolded(text, words)
    text = ciphers.decoded(text, words)
    text = apart.gathered(text, words)
    text = ciphers.unciphered(text, words)
    text = disguise.repaired(text, words)
    return _one_line(disguise.rejoined(text, words))


def _one_line(text: Mapped) -> Mapped:
    """Single blanks, and none at the ends."""
    if text.text == " ".join(text.text.split()):
        return text
    size, first = len(text.text), len(text.text) - len(text.text.lstrip())
    last = max(len(text.text.rstrip()), first)
    return text.replaced([(last, size, ""), (0, first, "")][::-1]).sub(_BLANKS, lambda _: " ")


# ---- the rules' view -----------------------------------------------------------------------------------------------


Placed = tuple[str, int, int]  # a word, and where it stands in the text or the piece that it was made from


@dataclass(slots=True)
class _Folder:
    """Folds with one set of spellings, and remembers the pieces between blanks it has seen."""

    spellings: Mapping[str, str]
    vocabulary: Collection[str]
    phrases: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)  # by their first word, longest first
    words: Callable[[str], tuple[Placed, ...]] = field(init=False)  # of a piece

    def __post_init__(self) -> None:
        self.words = lru_cache(_MOST_WORDS)(self._words)
        for phrase in sorted((key.split() for key in self.spellings if " " in key), key=len, reverse=True):
            self.phrases.setdefault(phrase[0], []).append(tuple(phrase))

    def fold(self, text: Mapped) -> Mapped:
        size = len(text.text)
        folded = [(BREAK, min(size - 1, 0), min(size, 1))]
        for one in (*self.joined_phrases(self.placed(text.text)), (BREAK, size - 1, size)):
            if one[0] != BREAK or folded[-1][0] != BREAK:
                folded.append(one)
        return text if _same(folded, text.text) else text.worded(folded)

    def placed(self, text: str) -> list[Placed]:
        """The words of all pieces."""
        return [
            (word, at + start, at + end)
            for at, words in zip(map(re.Match.start, _TOKEN.finditer(text)), map(self.words, text.split()), strict=True)
            for word, start, end in words
        ]

    def joined_phrases(self, placed: list[Placed]) -> Iterator[Placed]:
        """Phrases of two or more words that have a spelling of their own (`i am` is `im`)."""
        at = 0
        while at < len(placed):
            phrase = self._phrase(placed, at) if placed[at][0] in self.phrases else None
            if phrase is None:
                yield placed[at]
                at += 1
                continue
            start, end = placed[at][1], placed[at + len(phrase) - 1][2]
            yield from ((seen, start, end) for seen in self.spellings[" ".join(phrase)].split())
            at += len(phrase)

    def _phrase(self, placed: list[Placed], at: int) -> tuple[str, ...] | None:
        for phrase in self.phrases[placed[at][0]]:
            if tuple(word for word, _, _ in placed[at : at + len(phrase)]) == phrase:
                return phrase
        return None

    def _words(self, piece: str) -> tuple[Placed, ...]:
        """The words of a piece without blanks, and the ends of sentences in it."""
        if piece.isascii() and piece.isalpha():  # as most are
            return tuple((word, 0, len(piece)) for word in self._word(piece.lower()).split())
        plain = _lower(Mapped(piece))
        if not piece.isalpha():
            plain = plain.sub(_INNER_MARK, lambda _: "i").sub(_ENDS, lambda _: f" {BREAK} ")
        found = [(m.group(), plain.original(*m.span())) for m in _TOKEN.finditer(plain.text)]
        return tuple((word, *span) for raw, span in found for word in self._word(raw).split())

    def _word(self, raw: str) -> str:
        if raw == BREAK:
            return raw
        if raw in self.spellings:
            return self.spellings[raw]
        core = raw.strip("\"'“”«»()[]{}<>,-–—_~")
        if core in self.spellings:
            return self.spellings[core]
        core = core.strip("#*")
        if not core.isalpha() and not _AMOUNT.fullmatch(core) and _LETTER.search(core):
            core = core.translate(_LEET)
        core = _STRETCH.sub(r"\1\1\1", _is(core).replace("'", ""))
        parts = (_unstretch(part, self.vocabulary) for part in _PARTS.findall(core))
        return " ".join(self.spellings.get(part, part) for part in parts)


def _same(placed: list[Placed], text: str) -> bool:
    return " ".join(word for word, _, _ in placed) == text


_TOKEN = re.compile(r"\S+")
_MOST_WORDS = 20_000
_folders: dict[tuple[int, int], _Folder] = {}


def _folder(spellings: Mapping[str, str], vocabulary: Collection[str]) -> _Folder:
    """One for each set of spellings; it holds them, so that their identity stays theirs."""
    key = (id(spellings) if spellings else 0, id(vocabulary) if vocabulary else 0)
    if key not in _folders:
        if len(_folders) > _MOST_FOLDERS:
            _folders.clear()
        _folders[key] = _Folder(spellings, vocabulary)
    return _folders[key]


_MOST_FOLDERS = 8


def _lower(text: Mapped) -> Mapped:
    """Case and accents folded away."""
    if text.text.isascii():
        return text.same(text.text.lower())
    return text.sub(_NOT_PLAIN, lambda m: _bare(m.group())).sub(_CAPITALS, lambda m: m.group().lower())


_NOT_PLAIN = re.compile(r"[^\x00-\x7f]")
_CAPITALS = re.compile(r"[A-Z]")


@lru_cache(maxsize=4096)
def _bare(char: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", char).casefold())
    return "".join(c for c in plain if unicodedata.category(c) not in ("Mn", "Cf", "Cs", "Cc"))


def _is(word: str) -> str:
    """`note's` is `note is`; with a pronoun the short form is a word of its own (`its`, `hes`)."""
    base = word.removesuffix("'s")
    return f"{base} is" if base != word and base not in _PRONOUNS else word


def _unstretch(word: str, vocabulary: Collection[str]) -> str:
    """Three or more of a letter become one, or two where that is the word we know (`killll`, `feeeel`)."""
    if not _STRETCH.search(word):
        return word
    double, single = _STRETCH.sub(r"\1\1", word), _STRETCH.sub(r"\1", word)
    return double if double in vocabulary and single not in vocabulary else single
