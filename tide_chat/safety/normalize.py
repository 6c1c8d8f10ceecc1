"""What was written, read past its disguises: as sentences for the encoder, as plain words for the rules.

Characters are undone in `letters.py`, whole texts in `ciphers.py`, words in `apart.py` and `disguise.py`; this module
runs them until nothing changes any more, so that reading what was read changes nothing, and keeps the map to the
original.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tide_chat.safety import apart, ciphers, disguise, letters
from tide_chat.safety.mapped import Mapped
from tide_chat.safety.tokens import all_fine, is_fine
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
    return _undone(Mapped.of(text)).text


def fold(text: str, spellings: Mapping[str, str] | None = None, vocabulary: Collection[str] = ()) -> str:
    """`text` as the rules see it, for example `| im so tired | i wanna sleep |`.

    `spellings` replaces whole words and phrases; `vocabulary` helps to pick between spellings of a stretched word.
    """
    plain = text.isascii() and text.isalpha() and text.islower() and is_fine(text)  # as most words of the rules are
    if plain and _folder(spellings or {}, vocabulary).words(text) == (text,):
        return f"{BREAK} {text} {BREAK}"
    return trace(text, spellings, vocabulary).text


def trace(text: str, spellings: Mapping[str, str] | None = None, vocabulary: Collection[str] = ()) -> Folded:
    """`fold` with the map to the original.

    Folded again until nothing changes: undoing a disguise can make a word that has a spelling of its own.
    """
    folder = _folder(spellings or {}, vocabulary)
    mapped = Mapped.of(text)
    for _ in range(_PASSES):
        before, mapped = mapped.text, folder.fold(_undone(mapped))
        if mapped.text == before:
            break
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
    return all_fine(text) and _ODD.search(text) is None


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


Span = tuple[int, int]
Placed = tuple[str, Span]  # a word, and where it stands in the text it was made from


@dataclass(slots=True)
class _Folder:
    """Folds with one set of spellings, and remembers the words it has seen."""

    spellings: Mapping[str, str]
    vocabulary: Collection[str]
    phrases: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)  # by their first word, longest first
    seen: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for phrase in sorted((key.split() for key in self.spellings if " " in key), key=len, reverse=True):
            self.phrases.setdefault(phrase[0], []).append(tuple(phrase))

    def fold(self, text: Mapped) -> Mapped:
        text = _lower(text).sub(_INNER_MARK, lambda _: "i").sub(_ENDS, lambda _: f" {BREAK} ")
        placed = [(word, m.span()) for m in _TOKEN.finditer(text.text) for word in self.words(m.group())]
        return _joined(text, self.joined_phrases(placed))

    def joined_phrases(self, placed: list[Placed]) -> Iterator[Placed]:
        """Phrases of two or more words that have a spelling of their own (`i am` is `im`)."""
        at = 0
        while at < len(placed):
            word, span = placed[at]
            phrase = self._phrase(placed, at) if word in self.phrases else None
            if phrase is None:
                yield word, span
                at += 1
                continue
            whole = (span[0], placed[at + len(phrase) - 1][1][1])
            yield from ((seen, whole) for seen in self.spellings[" ".join(phrase)].split())
            at += len(phrase)

    def _phrase(self, placed: list[Placed], at: int) -> tuple[str, ...] | None:
        for phrase in self.phrases[placed[at][0]]:
            if tuple(word for word, _ in placed[at : at + len(phrase)]) == phrase:
                return phrase
        return None

    def words(self, raw: str) -> tuple[str, ...]:
        if raw not in self.seen:
            if len(self.seen) > _MOST_WORDS:
                self.seen.clear()
            self.seen[raw] = tuple(self._word(raw).split())
        return self.seen[raw]

    def _word(self, raw: str) -> str:
        if raw == BREAK:
            return raw
        if raw in self.spellings:
            return self.spellings[raw]
        core = raw.strip("\"'“”«»()[]{}<>,-–—_~")
        if core in self.spellings:
            return self.spellings[core]
        core = core.strip("#*")
        if not _AMOUNT.fullmatch(core) and re.search(r"[a-z]", core) and re.search(r"[0134578@$!(]", core):
            core = core.translate(_LEET)
        core = _STRETCH.sub(r"\1\1\1", _is(core).replace("'", ""))
        parts = (_unstretch(part, self.vocabulary) for part in _PARTS.findall(core))
        return " ".join(self.spellings.get(part, part) for part in parts)


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


def _joined(source: Mapped, placed: Iterable[Placed]) -> Mapped:
    """The words one blank apart, a break at each end and between sentences. A blank belongs to the word before it."""
    size, parts, starts, ends = len(source.text), [BREAK], [0, 0], [0, 0]
    for word, span in (*placed, (BREAK, (max(size - 1, 0), size))):
        if word == BREAK == parts[-1]:
            continue
        first, last = source.original(*span)
        parts.append(word)
        starts += [max(first, starts[-1])] * (len(word) + 1)
        ends += [max(last, ends[-1])] * (len(word) + 1)
    return Mapped(" ".join(parts), starts[:-1], ends[:-1])
