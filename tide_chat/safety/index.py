"""Which of many phrases a text can match at all, told from its words alone, so that few have to be searched for.

A phrase is met in one of several ways, and each way needs some words. It knows nothing of their order: what it names
may match, and what it does not name cannot.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from tide_chat.safety.phrases import Way

_MOST_WORDS = 20_000  # remembered; then the memory starts anew
_SHORT = 4  # characters; so short a word stands in most texts


class Index:
    """Phrases by number, each given by its ways."""

    def __init__(self, phrases: Sequence[Sequence[Way]]) -> None:
        self._ways: list[tuple[int, int]] = []  # number of the phrase, and its needs as bits
        self._bits: dict[str, int] = defaultdict(int)  # of the needs that a word or beginning meets
        self._led: dict[str, list[int]] = defaultdict(list)  # ways, by the words of their rarest need
        self._always = frozenset(number for number, ways in enumerate(phrases) if not all(ways))
        self._of_word: dict[str, tuple[frozenset[int], int]] = {}
        needs = Counter(need for ways in phrases for way in ways for need in way)
        common: Counter[str] = Counter()
        for need, times in needs.items():
            common.update(dict.fromkeys(need, times))
        for bit, need in enumerate(needs):
            for word in need:
                self._bits[word] |= 1 << bit
        bits = {need: 1 << bit for bit, need in enumerate(needs)}
        rank = {need: sum(common[word] * (1 if len(word) > _SHORT else 5) for word in need) for need in needs}
        for number, ways in enumerate(phrases):
            for way in filter(None, ways):
                for word in min(way, key=rank.__getitem__):
                    self._led[word].append(len(self._ways))
                self._ways.append((number, reduce(or_, map(bits.__getitem__, way))))
        # From letter to letter towards those words, and whether one ends here.
        self._steps = {key[:end]: key[:end] in self._bits for key in self._bits for end in range(1, len(key) + 1)}

    def among(self, words: Iterable[str]) -> list[int]:
        """The numbers, in order, of the phrases of which one way has all its needs met by these words."""
        ways: set[int] = set()
        met = 0
        for word in words:
            led, bits = self._of_word.get(word) or self._look_up(word)
            if bits:
                ways |= led
                met |= bits
        found = {number for number, needed in map(self._ways.__getitem__, ways) if needed & met == needed}
        return sorted(found | self._always)

    def _look_up(self, word: str) -> tuple[frozenset[int], int]:
        """The ways that this word leads to, and the needs that it meets."""
        if len(self._of_word) >= _MOST_WORDS:
            self._of_word.clear()
        led: set[int] = set()
        bits = 0
        letters = f"{word} "
        for end in range(1, len(letters) + 1):
            key = letters[:end]
            if (meets := self._steps.get(key)) is None:
                break
            if meets:
                bits |= self._bits[key]
                led.update(self._led.get(key, ()))
        self._of_word[word] = found = frozenset(led), bits
        return found
