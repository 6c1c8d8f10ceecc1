"""Synonyms of English words from WordNet 3.0, as NLTK's METEOR asks for them. Opens no connection, needs no corpus.

`wordnet.txt.xz` holds what METEOR uses and nothing else: the words of each synset, and the irregular forms.
`tools/wordnet_words.py` makes it from Princeton's files. A word with an underscore has no synonyms here.
"""

import hashlib
import lzma
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Self

FILE = "wordnet.txt.xz"
_ENDINGS: dict[str, tuple[tuple[str, str], ...]] = {  # WordNet's rules of detachment, morphy(7WN)
    "n": (
        ("s", ""), ("ses", "s"), ("ves", "f"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"),
        ("men", "man"), ("ies", "y"),
    ),
    "v": (("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")),
    "a": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "r": (),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lemma:
    """As in NLTK's reader."""

    word: str

    def name(self) -> str:
        return self.word


@dataclass(frozen=True, slots=True)
class Synset:
    """As in NLTK's reader; here all synonyms of a word are one."""

    words: tuple[Lemma, ...]

    def lemmas(self) -> tuple[Lemma, ...]:
        return self.words


class WordNet:
    """Takes the place of NLTK's reader in `single_meteor_score`. Every word is looked up once.

    among: the only words that are of use as synonyms; None: any.
    """

    def __init__(self, lines: Iterable[str], among: Container[str] | None = None) -> None:
        self._among = among
        self._synsets: dict[str, dict[str, list[tuple[str, ...]]]] = {part: defaultdict(list) for part in _ENDINGS}
        self._irregular: dict[str, dict[str, list[str]]] = {part: {} for part in _ENDINGS}
        for line in lines:
            kind, *words = line.split()
            if kind in self._synsets:
                self._add(self._synsets[kind], words)
            elif kind.endswith("!"):
                self._irregular[kind[0]][words[0]] = words[1:]
        self._known: dict[str, tuple[Synset, ...]] = {}

    def _add(self, index: dict[str, list[tuple[str, ...]]], words: list[str]) -> None:
        usable = tuple(word for word in words if self._usable(word))
        if not usable:
            return
        for key in {word.lower() for word in words}:
            index[key].append(usable)

    def _usable(self, word: str) -> bool:
        """METEOR compares single words in lower case."""
        return word in self._among if self._among is not None else word == word.lower() and "_" not in word

    @classmethod
    def load(cls, among: Container[str] | None = None) -> Self:
        """The file that comes with the program."""
        return cls(text().splitlines(), among)

    def synonyms(self, word: str) -> frozenset[str]:
        """All single words that share a synset with `word` or with a base form of it, in any part of speech."""
        return frozenset(
            name
            for part, index in self._synsets.items()
            for form in self._forms(word, part)
            for names in index.get(form, ())
            for name in names
        )

    def synsets(self, word: str) -> tuple[Synset, ...]:
        found = self._known.get(word)
        if found is None:
            names = self.synonyms(word)
            found = self._known[word] = (Synset(tuple(map(Lemma, sorted(names)))),) if names else ()
        return found

    def _forms(self, word: str, part: str) -> Iterator[str]:
        """The word and its base forms, known or not."""
        yield word
        irregular = self._irregular[part].get(word)
        if irregular is not None:
            yield from irregular
            return
        for ending, instead in _ENDINGS[part]:
            if word.endswith(ending):
                yield word[: -len(ending)] + instead


class NoWordNet:
    """For METEOR without synonyms."""

    def synsets(self, word: str) -> tuple[Synset, ...]:
        return ()


@cache
def text() -> str:
    """Lines `n word word ...` (also v, a, r) for a synset and `n! form base ...` for irregular forms."""
    return lzma.decompress(_packed()).decode("utf-8")


def digest() -> str:
    """SHA-256 of the file, in hex."""
    return hashlib.sha256(_packed()).hexdigest()


def _packed() -> bytes:
    return (files("training.evaluation.metrics") / FILE).read_bytes()
