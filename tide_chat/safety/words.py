"""The words that we know, and which of them a damaged word can be.

Made of `words.txt` (tools/word_list.py) and `ordinary.txt` (words and names that must never be corrected into others).
It looks at single words and at letters without blanks; it knows nothing of messages. With the lists gone it knows no
word, and repairs none.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import pairwise

from tide_chat.safety import unread

COMMON = 15  # how often a word must have been seen to be put in place of one that we do not know
_SEEN = 3  # how often, to be a piece of letters without blanks
_SINGLES = frozenset("iau")
_LONGEST = 16  # letters of a word that is looked for in letters without blanks
_VOWELS = re.compile("[aeiou]")
_HOLE = "*"
_SUFFIXES = ("'s", "s", "es", "ed", "d", "ing", "ly", "er", "ers", "y", "n't", "'ll", "'d", "'ve", "'re")
_SURELY_JOINED = 24  # letters; no ordinary word is as long
_USUAL = 0.6  # share of neighbours that must be usual ones in a shorter one
_UNKNOWN = -16.0  # log probability of a letter that belongs to no word
_PAIR_BONUS = 2.5
_ALTERNATIVES = 64
_REMEMBERED = 10_000  # words
_LONG = 24  # characters; a longer word is read one way only
_OFTEN_HIDDEN = frozenset(
    "hell shit shitty fuck fucking fucked fucks damn bitch bastard cunt piss pissed crap dick arse kill killed "
    "killing kills die died dying dead death suicide suicidal myself rape raped overdose hang cut".split()
)
LEET = {
    "0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "t", "8": "b", "9": "g", "@": "a",
    "$": "s", "!": "il", "|": "il", "+": "t", "(": "c", "€": "e", "£": "l", "¡": "i", "%": "x", "^": "a",
    "ß": "b", "¢": "c", "¥": "y", "?": "i",
}  # fmt: skip
_GROUPS = (("\\/\\/", "w"), ("|\\/|", "m"), ("/\\/\\", "m"), ("|\\|", "n"), ("/-\\", "a"), ("|-|", "h"), ("()", "o"),
           ("|<", "k"), ("\\/", "v"), ("|)", "d"), ("/\\", "a"), ("|_|", "u"))  # fmt: skip


Around = tuple[str, str]  # the words before and after
NOWHERE: Around = ("", "")


def skeleton(word: str) -> str:
    """The first letter and the consonants."""
    return word[:1] + _VOWELS.sub("", word[1:])


@dataclass(frozen=True, eq=False)
class Words:
    counts: dict[str, int] = field(default_factory=dict)
    rules: frozenset[str] = frozenset()
    pairs: dict[str, int] = field(default_factory=dict)
    slips: dict[str, int] = field(default_factory=dict)  # short spellings: no words, but seen in letters without blanks
    foreign: frozenset[str] = frozenset()  # words of other languages: nothing is corrected into them
    names: frozenset[str] = frozenset()  # and other ordinary words: known, but never the repair of another word

    def knows(self, word: str) -> bool:
        return word in self.known or word.replace("'", "") in self.known

    def wanted(self, word: str) -> bool:
        """Whether the rules look for it."""
        return word in self.rules

    @cached_property
    def known(self) -> frozenset[str]:
        bare = (word.replace("'", "") for word in self.counts if "'" in word)
        every = {*self.counts, *bare, *self.names, *(_OFTEN_HIDDEN if self.counts else ())}
        return frozenset(word for word in every if len(word) > 1 or word in _SINGLES)

    @cached_property
    def targets(self) -> frozenset[str]:
        """Words that may take the place of an unknown one."""
        common = {word for word, n in self.counts.items() if n >= COMMON and "'" not in word}
        return frozenset(word for word in (self.rules | common) - self.foreign if len(word) > 2 and word.isascii())

    @cached_property
    def seen(self) -> frozenset[str]:
        """Words that may be meant when nothing but the order or the number of letters is wrong."""
        often = {word for word, n in self.counts.items() if n >= _SEEN and "'" not in word and word.isascii()}
        return frozenset(word for word in self.targets | (often - self.foreign) if len(word) > 2)

    def ordinary(self, word: str) -> bool:
        """A known word, or a form of one."""
        return _ordinary(word, self)

    def stem(self, stem: str) -> bool:
        doubled = len(stem) > 3 and stem[-1] == stem[-2] and stem[:-1] in self.known
        return stem in self.known or stem + "e" in self.known or doubled

    def weight(self, word: str) -> float:
        """How plainly this is a word of ours, from 0 to 1."""
        return _weight(word, self)

    def quality(self, words: Iterable[str]) -> float:
        """The share of letters that stand in plain words."""
        every = [word for word in words if word]
        letters = sum(map(len, every))
        return sum(len(word) * self.weight(word) for word in every) / letters if letters else 0.0

    def flow(self, words: Sequence[str]) -> int:
        """How many neighbours are usual ones."""
        return sum(f"{one} {two}" in self.pairs for one, two in pairwise(words))

    def best(self, candidates: Iterable[str], around: Around = NOWHERE) -> str | None:
        """The most usual of these between its neighbours."""
        known = [word for word in dict.fromkeys(candidates) if word in self.known]
        return max(known, key=lambda word: self._usual(word, around), default=None)

    def _usual(self, word: str, around: Around) -> float:
        before, after = around
        n = self.counts.get(word, 0) * (1.5 if word in self.rules else 1)
        return math.log(1 + n) + 2 * math.log(
            1 + self.pairs.get(f"{before} {word}", 0) + self.pairs.get(f"{word} {after}", 0)
        )

    def fits(self, word: str, around: Around) -> bool:
        """Whether a usual neighbour stands beside it."""
        return f"{around[0]} {word}" in self.pairs or f"{word} {around[1]}" in self.pairs

    # ---- one damaged word ------------------------------------------------------------------------------------------

    def unstretched(self, word: str, around: Around = NOWHERE) -> str | None:
        """`diiiie`: each long run once or twice, where that makes a word."""
        return self.best(_spread(re.findall(r"(.)(\1*)", word)), around)

    def unleeted(self, word: str, around: Around = NOWHERE) -> str | None:
        """`su!c1d3`: signs and digits as the letters they look like, where that makes a word."""
        found = self.best(readings(word), around)
        if found is None and re.search(r"(.)\1\1", word):
            found = self.best(
                option for reading in readings(word)[:8] for option in _spread(re.findall(r"(.)(\1*)", reading))
            )
        return found

    def filled(self, word: str, around: Around = NOWHERE) -> str | None:
        """`su*c*de`: a sign for each hidden vowel, or for any letter of a word that the rules look for."""
        shape = re.compile("".join("[a-z]" if c == _HOLE else re.escape(c) for c in word))
        likely = self._by_vowels.get(_VOWELS.sub(_HOLE, word).replace("y", _HOLE), ())
        fitting = [known for known in likely if shape.fullmatch(known)]
        if not fitting and word.count(_HOLE) < len(word) - 1:
            fitting = [known for known in self._by_length.get(len(word), ()) if shape.fullmatch(known)]
        hidden = [known for known in fitting if known in _OFTEN_HIDDEN]
        return self.best(hidden or fitting, around)

    def only_voweled(self, word: str) -> bool:
        """Whether a single word is left of which these can be the consonants."""
        return len(self._by_skeleton.get(word, ())) == 1

    def voweled(self, word: str, around: Around = NOWHERE) -> str | None:
        """`mslf`: the word of which only the vowels are gone."""
        return self.best((known for known in self._by_skeleton.get(word, ()) if len(known) > len(word)), around)

    def corrected(self, word: str, around: Around = NOWHERE) -> str | None:
        """One slip away: letters swapped or doubled, one too few, one too many, a wrong one in a long word."""
        if len(word) < 4:
            return None
        return next(filter(None, (self.best(candidates, around) for candidates in _one_slip_away(word, self))), None)

    def prepare(self) -> None:
        """Make now what would be made when a damaged word first needs it."""
        _ = self.by_gap, self._by_vowels, self._by_length, self._by_skeleton, self._chances, self._beginnings

    @cached_property
    def by_gap(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self.targets):  # of equals the first is taken: a set's order is another in each process
            if len(word) > 4:
                for i in range(len(word)):
                    table[word[:i] + word[i + 1 :]].append(word)
        return dict(table)

    @cached_property
    def _by_vowels(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self.known):
            if word.isascii():
                table[_VOWELS.sub(_HOLE, word).replace("y", _HOLE)].append(word)
        return dict(table)

    @cached_property
    def _by_length(self) -> dict[int, list[str]]:
        table: dict[int, list[str]] = defaultdict(list)
        for word in sorted(self.rules):
            table[len(word)].append(word)
        return dict(table)

    @cached_property
    def _by_skeleton(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self.targets):
            table[skeleton(word)].append(word)
        return dict(table)

    # ---- letters without blanks ------------------------------------------------------------------------------------

    def segmented(self, letters: str) -> tuple[str, ...] | None:
        """`iwanttodie`: the likeliest words; None when too many letters belong to none."""
        pieces, lost = _likeliest(letters, self)
        return pieces if lost * 6 <= len(letters) else None

    def plainly_joined(self, letters: str, glued: bool = False) -> tuple[str, ...] | None:
        """The same for what may be an ordinary word: all of it in words, and most of them usual neighbours."""
        if len(letters) < 6:
            return None
        pieces, lost = _likeliest(letters, self)
        joints = len(pieces) - 1
        if len(letters) > _SURELY_JOINED and lost * 4 <= len(letters) and len(letters) > 2.3 * len(pieces):
            return pieces
        if glued and not lost and len(letters) > 2.3 * len(pieces):
            return pieces
        if not joints or lost * 12 > len(letters):
            return None
        if joints == 1 and len(letters) > 11 and set(pieces) <= self.rules:
            return pieces
        if joints == 1 and not set(pieces) & self.rules:
            return None
        return pieces if self.flow(pieces) >= math.ceil(_USUAL * joints) else None

    def likeliest(self, letters: str) -> tuple[tuple[str, ...], int]:
        """Viterbi over the letters: each end keeps its best last word."""
        best = [(0.0, 0, "")] + [(-math.inf, 0, "")] * len(letters)
        for start in range(len(letters)):
            score, _, last = best[start]
            if score + _UNKNOWN > best[start + 1][0]:
                best[start + 1] = (score + _UNKNOWN, start, "")
            for end, word, chance in self._pieces(letters, start):
                total = score + chance + (_PAIR_BONUS if f"{last} {word}" in self.pairs else 0.0)
                if total > best[end][0]:
                    best[end] = (total, start, word)
        return _traced(letters, best)

    def _pieces(self, letters: str, start: int) -> Iterator[tuple[int, str, float]]:
        for end in range(start + 1, min(start + _LONGEST, len(letters)) + 1):
            word = letters[start:end]
            if word not in self._beginnings:
                return
            if (chance := self._chances.get(word)) is not None:
                yield end, word, chance

    @cached_property
    def _chances(self) -> dict[str, float]:
        total = sum(self.counts.values()) or 1
        chances: dict[str, float] = {}
        for word, n in self.counts.items():
            usable = (
                word in _SINGLES if len(word) == 1 else n >= (_SEEN if len(word) > 3 else COMMON) or word in self.rules
            )
            if usable:
                chances[word] = math.log(n / total)
        slips = {word: math.log(max(n, 1) / total) for word, n in self.slips.items() if len(word) > 2}
        return slips | {word.replace("'", ""): chance for word, chance in chances.items()} | chances

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        return frozenset(word[:end] for word in self._chances for end in range(1, len(word) + 1))


def _traced(letters: str, best: list[tuple[float, int, str]]) -> tuple[tuple[str, ...], int]:
    """The words along the best way back, and how many letters belong to none."""
    pieces: list[str] = []
    end, lost, open_piece = len(letters), 0, False
    while end:
        start, known = best[end][1], best[end][2]
        if open_piece and not known:
            pieces[-1] = letters[start:end] + pieces[-1]
        else:
            pieces.append(letters[start:end])
        lost += 0 if known else end - start
        end, open_piece = start, not known
    return tuple(pieces[::-1]), lost


def _one_wrong(word: str, known: str) -> bool:
    """Same length, same first letter, one other letter differs; only in longer words."""
    if len(word) != len(known) or len(word) < 5 or word[0] != known[0]:
        return False
    if len(word) == 5 and word[-1] != known[-1]:
        return False
    return sum(map(str.__ne__, word, known)) == 1


# What is worked out for a word is remembered: the same word comes again, in this text's next reading or in another.


@lru_cache(maxsize=_REMEMBERED)
def _ordinary(word: str, words: Words) -> bool:
    if words.knows(word):
        return True
    return any(word.endswith(end) and len(word) > len(end) + 2 and words.stem(word[: -len(end)]) for end in _SUFFIXES)


@lru_cache(maxsize=_REMEMBERED)
def _weight(word: str, words: Words) -> float:
    n = words.counts.get(word, 0) or words.counts.get(word.replace("'", ""), 0)
    if not n or (len(word) == 1 and word not in _SINGLES):
        return 0.0
    return 1.0 if word in words.rules else min(1.0, math.log(1 + n) / math.log(1 + COMMON))


@lru_cache(maxsize=_REMEMBERED)
def _one_slip_away(word: str, words: Words) -> tuple[tuple[str, ...], ...]:
    """Candidates in groups, the smallest slip first."""
    swaps = [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)]
    shorter = [word[:i] + word[i + 1 :] for i in range(len(word))]
    doubled = [short for i, short in enumerate(shorter) if word[i] in word[max(i - 1, 0) : i] + word[i + 1 : i + 2]]
    groups = (
        [near for near in swaps[1:] + doubled if near in words.seen],
        [near for near in swaps[:1] if near in words.targets],
        [known for known in words.by_gap.get(word, ()) if known[0] == word[0]],
        [short for short in shorter[1:] if len(short) > 4 and short in words.targets],
        [known for short in shorter[1:] for known in words.by_gap.get(short, ()) if _one_wrong(word, known)],
    )
    return tuple(tuple(dict.fromkeys(group)) for group in groups if group)


@lru_cache(maxsize=_REMEMBERED)
def _likeliest(letters: str, words: Words) -> tuple[tuple[str, ...], int]:
    return words.likeliest(letters)


def _spread(runs: list[tuple[str, str]]) -> Iterator[str]:
    """Every spelling with long runs of a letter once or twice."""
    options = [""]
    for letter, more in runs:
        choices = [letter, letter * 2] if len(more) > 1 else [letter + more]
        options = [option + choice for option in options for choice in choices][:_ALTERNATIVES]
    yield from options


@lru_cache(maxsize=4096)
def readings(word: str) -> tuple[str, ...]:
    """What a word with signs and digits may spell, the likeliest first."""
    for sign, letter in _GROUPS:
        word = word.replace(sign, letter)
    options = [""]
    if len(word) > _LONG:
        return ("".join(LEET.get(char, char)[0] for char in word),)
    for char in word:
        options = [option + letter for option in options for letter in LEET.get(char, char)][:_ALTERNATIVES]
    return tuple(variant for option in options for variant in dict.fromkeys((option, _two_for_one(option))))


def _two_for_one(word: str) -> str:
    return word.replace("vv", "w").replace("ph", "f").replace("uu", "w")


def read(lines: Iterable[str], ordinary: Iterable[str]) -> Words:
    """The lists as they are in the files."""
    counts: dict[str, int] = {}
    pairs: dict[str, int] = {}
    rules: set[str] = set()
    slips: dict[str, int] = {}
    foreign: set[str] = set()
    for line in lines:
        word, count, *mark = line.split("\t")
        if mark and mark[0] not in "rsx":
            pairs |= {f"{word} {after}": int(n) for after, n in zip(mark[0].split(), count.split(), strict=True)}
            continue
        (slips if mark == ["s"] else counts)[word] = int(count)
        if mark:
            {"r": rules, "x": foreign}.get(mark[0], set()).add(word)
    return Words(counts, frozenset(rules), pairs, slips, frozenset(foreign), frozenset(ordinary))


@lru_cache(maxsize=1)
def load() -> Words:
    """The lists that travel with the app, read once and only when needed."""
    root = files("tide_chat.safety")
    try:
        lines = (root / "words.txt").read_text(encoding="utf-8").splitlines()
        ordinary = (root / "ordinary.txt").read_text(encoding="utf-8").split("\n")
        return read(lines, {word for line in ordinary if not line.startswith("#") for word in line.split()})
    except (OSError, ValueError) as error:
        unread.note("words.txt", error)
        return Words()
