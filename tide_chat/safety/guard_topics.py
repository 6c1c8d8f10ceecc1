"""Topics that a person does not want brought up: finds sentences of a reply that name one. Knows no model.

What the person has named themselves may be taken up. It knows the words of a topic, in singular and plural, and
nothing that means the same: "hospitals" finds "a hospital" and no "ward".
"""

import re
from collections.abc import Callable, Iterable

_WORDS = re.compile(r"\w+(?:['’]\w+)?")
_SMALL = frozenset("a about an and any at for from her his in it its my of on or our the their to with your".split())
_LEAST = 4  # letters of a word that may end in a plural s


def unwanted(topics: Iterable[str], said: Iterable[str]) -> Callable[[str], bool]:
    """Whether a sentence names one of `topics` that the person, who said `said`, has not named in one message."""
    named = [_all_stems(text) for text in said]
    closed = [words for topic in topics if (words := _stems(topic)) and not any(words <= one for one in named)]
    return lambda sentence: bool(closed) and _names(_stems(sentence), closed)


def _names(sentence: frozenset[str], topics: Iterable[frozenset[str]]) -> bool:
    return any(words <= sentence for words in topics)


def _stems(text: str) -> frozenset[str]:
    """Its words that mean something, in small letters, without an ending of possession or plural."""
    words = (word.casefold() for word in _WORDS.findall(text))
    return frozenset(_stem(word) for word in words if word not in _SMALL) or _all_stems(text)


def _all_stems(text: str) -> frozenset[str]:
    """Of all its words, also the small ones of which a whole topic can consist."""
    return frozenset(_stem(word.casefold()) for word in _WORDS.findall(text))


def _stem(word: str) -> str:
    bare = re.sub(r"['’]\w*$", "", word)
    if len(bare) < _LEAST or not bare.endswith("s") or bare.endswith("ss"):
        return bare
    if bare.endswith("ies"):
        return f"{bare[:-3]}y"
    return bare[:-2] if bare.endswith(("ches", "shes", "sses", "xes")) else bare[:-1]
