"""What the words of a message and their neighbours say of its tier, counted one by one: beside the encoder.

A table of weights by n-gram (one word, two, three, and two with any between them) as a linear classifier over bags of
n-grams has them. It hears no tone and no word that it did not learn; the encoder hears both. What the two say together
is wrong less often than what either says (`models/risk-encoder.md`). Made by `training/risk`.
"""

import json
import math
import re
import string
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from sys import byteorder
from zlib import crc32

from tide_chat.safety import gloss

TIERS = 5
FEW = 25  # n-grams that are thought to a text and say nothing: a few words by themselves say little
MANY = 35  # words; of a longer text, where one sentence may be grave, all n-grams together say less
_TOKEN = re.compile(r"\w+|[^\w\s]")
_MARKS = frozenset(string.punctuation + "…–—“”„«»¡¿")
_APOSTROPHES = str.maketrans("", "", "'’")


def keys_of(text: str) -> set[int]:
    """One number for each n-gram of a text, 32 bits; of one in another language also those of its English words.

    None of a text that is nothing but marks (`...`).
    """
    return {crc32(ngram.encode()) for each in (text, gloss.english(text) or "") for ngram in _ngrams(each)}


def _ngrams(text: str) -> set[str]:
    words = _TOKEN.findall(text.lower().translate(_APOSTROPHES))
    if _MARKS.issuperset(words):
        return set()
    found = {*words, *map(" ".join, pairwise(words))}
    for one, two, three in zip(words, words[1:], words[2:], strict=False):
        found |= {f"{one} {two} {three}", f"{one} * {three}"}
    return found


@dataclass(frozen=True, slots=True)
class Ngrams:
    """keys: sorted. weights: TIERS for each key, in steps of `step`, -127 to 127."""

    keys: "array[int]"
    weights: "array[int]"
    step: float

    def logits(self, text: str) -> list[float]:
        """What they say of each tier, T0 to T4; nothing, 0, where no n-gram of the text is known."""
        totals, known, keys = [0] * TIERS, 0, keys_of(text)
        for key in keys:
            place = bisect_left(self.keys, key)
            if place < len(self.keys) and self.keys[place] == key:
                known += 1
                start = place * TIERS
                totals = [a + b for a, b in zip(totals, self.weights[start : start + TIERS], strict=True)]
        factor = self.step * scale(known, len(keys) + FEW) * min(1.0, MANY / max(len(text.split()), 1))
        return [total * factor for total in totals]

    def times(self, share: float) -> "Ngrams":
        """The same, with weights of which each is this share of what it was."""
        return replace(self, step=self.step * share)

    def to_bytes(self) -> bytes:
        """A line of JSON, the keys, the weights; numbers in little-endian order."""
        head = json.dumps({"ngrams": len(self.keys), "step": self.step})
        return head.encode() + b"\n" + _little(self.keys).tobytes() + self.weights.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Ngrams":
        """Raises ValueError where that is no such table."""
        line, _, rest = data.partition(b"\n")
        try:
            head = json.loads(line)
            count, step = int(head["ngrams"]), float(head["step"])
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from None
        keys, weights = array("I"), array("b")
        if len(rest) != count * (keys.itemsize + TIERS):
            raise ValueError("it is cut off, or longer than it says")
        keys.frombytes(rest[: count * keys.itemsize])
        weights.frombytes(rest[count * keys.itemsize :])
        return cls(_little(keys), weights, step)


def scale(known: int, of: int) -> float:
    """By what the sum over the known ones of so many n-grams is multiplied.

    A long message holds more of all kinds. Where most are not known, as in words without blanks, the others say little.
    """
    return math.sqrt(known) / max(of, 1)


def of(weights: Iterable[tuple[int, Iterable[float]]]) -> Ngrams:
    """From weights by key, in any order."""
    ordered = sorted((key, list(row)) for key, row in weights)
    step = max((abs(x) for _, row in ordered for x in row), default=0.0) / 127 or 1.0
    rounded = array("b", (round(x / step) for _, row in ordered for x in row))
    return Ngrams(array("I", (key for key, _ in ordered)), rounded, step)


def _little(numbers: "array[int]") -> "array[int]":
    if byteorder == "big":
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers
