"""Notices a message in a language that the safety check does not understand, by its script or its most frequent words.

Covered: English, Spanish, French, German, Portuguese, Italian, and Hindi (in Latin letters) and Indonesian a little. It
never names the language of a message that it covers, and where it is not sure it says nothing: the help card that
follows is meant to be quiet and rare. Knows no card and no tier.
"""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from tide_chat.safety import unread
from tide_chat.safety.assessment import Reason
from tide_chat.safety.letters import STROKES, unaccented

RULE = "language not covered"
LOOKED_AT = 1_500  # characters at each end of a message
UNKNOWN = "another language"

LETTERS = 6  # of a foreign script, from which a message has some length
DENSE_LETTERS = 3  # of scripts that need few letters for a word
DENSE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL"})
SCRIPTS = {
    "CYRILLIC": "Russian, Ukrainian or another language in Cyrillic letters",
    "ARABIC": "Arabic, Persian, Urdu or another language in Arabic letters",
    "CJK": "Chinese or Japanese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "DEVANAGARI": "Hindi or another language in Devanagari letters",
    "BENGALI": "Bengali",
    "TAMIL": "Tamil",
    "TELUGU": "Telugu",
    "GREEK": "Greek",
    "HEBREW": "Hebrew",
    "THAI": "Thai",
}

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
DISGUISED = 0.1  # share of words that mix scripts, above which letters are a disguise
SEEN = 3  # words of a language, from which it is taken for that language
SHARE = 0.3  # of all words
PLAIN, PLAIN_WORDS = 0.5, 8  # share and number of words from which a covered language is beyond doubt
FEWEST_UNKNOWN = 12  # words; so many with none of a covered language are of another one


@dataclass(frozen=True, slots=True)
class Words:
    """Frequent words of the covered languages and of others, and letters that give a language away."""

    covered: Mapping[str, frozenset[str]]
    others: Mapping[str, frozenset[str]]
    letters: Mapping[str, frozenset[str]]


def noticed(text: str) -> tuple[Reason, ...]:
    """A reason when the message is in a language that is not covered. Never raises."""
    found = uncovered(text)
    return (Reason(RULE, found),) if found else ()


def uncovered(text: str) -> str | None:
    """What the language seems to be, in words; None for a covered language, or when nothing can be said."""
    if len(text) > 2 * LOOKED_AT:
        text = f"{text[:LOOKED_AT]} {text[-LOOKED_AT:]}"
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return (None if text.isascii() else _by_script(words)) or _by_words(words)


def _by_script(words: list[str]) -> str | None:
    """Words that mix scripts are a disguise and count for none."""
    letters: Counter[str] = Counter()
    mixed = 0
    for word in words:
        scripts = {"LATIN"} if word.isascii() else {_script(c) for c in word if c.isalpha()}
        if len(scripts) == 1:
            letters[scripts.pop()] += len(word)
        elif scripts <= DENSE:
            letters["HIRAGANA" if "HIRAGANA" in scripts else "CJK"] += len(word)
        else:
            mixed += 1
    foreign = {script: count for script, count in letters.items() if script != "LATIN"}
    disguised = mixed > DISGUISED * len(words)
    if not foreign or disguised or sum(foreign.values()) <= letters["LATIN"]:
        return None
    script = "HIRAGANA" if foreign.get("HIRAGANA") else max(foreign, key=lambda name: foreign[name])
    enough = DENSE_LETTERS if script in DENSE else LETTERS
    return SCRIPTS.get(script, UNKNOWN) if sum(foreign.values()) >= enough else None


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split()[0].split("-")[0]


def _by_words(words: list[str]) -> str | None:
    """A language that is not covered has to fit clearly better than each that is."""
    known = frequent()
    bare = [_bare(word) for word in words]
    if len(bare) < 2:
        return None
    covered = max(_hits(bare, language) for language in known.covered.values()) if known.covered else 0
    if covered >= PLAIN * len(bare) and len(bare) >= PLAIN_WORDS:
        return None
    best, name = 0, ""
    marked = [(b, w) for b, w in zip(bare, words, strict=True) if not w.isascii()]  # telling letters are never plain
    for language, own in known.others.items():
        marks = known.letters.get(language, frozenset())
        hits = _hits(bare, own) + sum(b not in own and not marks.isdisjoint(w) for b, w in marked)
        if hits > best:
            best, name = hits, language
    told_by_letters = any(not known.letters.get(name, frozenset()).isdisjoint(word) for word in words)
    enough = 2 if told_by_letters or (covered == 0 and best == len(bare)) else SEEN
    if best >= enough and best >= SHARE * len(bare) and best > covered * 1.3:
        return name
    strange = sum(len(word) > 2 for word in bare)
    return UNKNOWN if covered == 0 and strange >= FEWEST_UNKNOWN and len(set(bare)) > strange // 2 else None


def _hits(words: list[str], own: frozenset[str]) -> int:
    return sum(map(own.__contains__, words))


def _bare(word: str) -> str:
    if word.isascii():
        return word.replace("'", "")
    return unaccented(word.replace("ß", "ss")).translate(STROKES).replace("’", "").replace("'", "")


@lru_cache(maxsize=1)
def frequent() -> Words:
    """The lists; empty when the file cannot be read, and then scripts alone are noticed."""
    try:
        data = tomllib.loads((files("tide_chat.safety") / "languages" / "words.toml").read_text(encoding="utf-8"))
        others = data["uncovered"].values()
        return Words(
            {name: frozenset(words.split()) for name, words in data["covered"].items()},
            {row["name"]: frozenset(row["words"].split()) for row in others},
            {row["name"]: frozenset(row.get("letters", "")) for row in others},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        unread.note("languages/words.toml", error)
        return Words({}, {}, {})
