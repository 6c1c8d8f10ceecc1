"""Text as the rules see it: plain lower-case words, one space apart, `|` where a sentence ends.

Light on purpose: Unicode forms, accents, zero-width characters, stretched, spaced, starred and digit-for-letter words,
and the short spellings listed in `lexicon/spellings.tsv`. It does not know reversed or encoded text, look-alike letters
of other alphabets, or swapped letters. Idempotent: folding folded text changes nothing.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import lru_cache

BREAK = "|"
_PASSES = 6

_MARKS = "’‘ʼ`´＇′"
_SPACED = re.compile(r"(?<!\S)[^\W\d_](?P<gap>[ ._*-]{1,3})[^\W_](?:(?P=gap)[^\W_])+(?!\w)")
_PAIR = re.compile(r"(?:(?<=\s\s)|^)([^\W\d_]) ([^\W_])(?=\s\s|$)")
_SINGLES = re.compile(r"(?<!\S)(?:[^\W_]\s+){2,}[^\W_](?!\S)")
_ENDS = re.compile(r"[.!?;:…]+(?=\s|$)|[.!?;:…]{2,}|\|")
_LEET = str.maketrans("0134578@$!(", "oieastaasic")
_AMOUNT = re.compile(r"[1-9]\d*(?:st|nd|rd|th|[a-z]{1,2})?|[a-z]\d{2,}|\d+")
_PRONOUNS = frozenset("it he she that this there what who how where when why let here".split())
_STRETCH = re.compile(r"([a-z])\1{2,}")
_EMOJI = {"💊": " pills ", "🔪": " knife ", "🔫": " gun ", "🪦": " grave ", "⚰": " coffin ", "😴": " asleep "}
# Words hidden behind a star or a hash, completed only when exactly this list knows them.
_STARRED = tuple(
    "kill killed killing kills myself suicide suicidal die dying dead death cut cutting hang hanging overdose "
    "pills meds stash knife blade rope gonna shoot jump hurt harm rape raped gun self bleed bleeding fuck fucking "
    "shit".split()
)


def clean(text: str) -> str:
    """Unicode folded away: compatibility forms, case, accents, invisible and control characters, emoji with meaning."""
    text = unicodedata.normalize("NFKC", text).translate({ord(mark): "'" for mark in _MARKS})
    for emoji, word in _EMOJI.items():
        text = text.replace(emoji, word)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cs"))
    text = unicodedata.normalize("NFKD", text.casefold())
    return "".join(" " if unicodedata.category(c) == "Cc" else c for c in text if unicodedata.category(c) != "Mn")


def fold(text: str, spellings: Mapping[str, str] | None = None, vocabulary: Collection[str] = ()) -> str:
    """`text` as the rules see it, for example `| im so tired | i wanna sleep |`.

    `spellings` replaces whole words and phrases; `vocabulary` helps to pick between spellings of a stretched word.
    Folded again until nothing changes: joining letters can make a word that has a spelling of its own.
    """
    for _ in range(_PASSES):
        before, text = text, _pass(text, spellings or {}, vocabulary)
        if text == before:
            break
    return text


def _pass(text: str, spellings: Mapping[str, str], vocabulary: Collection[str]) -> str:
    text = _PAIR.sub(r"\1\2", _SPACED.sub(_join, clean(text)))
    text = _SINGLES.sub(lambda m: m.group().replace(" ", "").replace("\t", "").replace("\n", ""), text)
    text = _ENDS.sub(f" {BREAK} ", _protect_inner_marks(text))
    words = [word for raw in text.split() for word in _word(raw, spellings, vocabulary).split()]
    return _tidy(_phrases(" ".join(words), spellings))


def _join(match: re.Match[str]) -> str:
    return match.group().replace(match["gap"], "")


def _protect_inner_marks(text: str) -> str:
    """`k!ll` keeps its mark; `die!!` loses it as the end of a sentence."""
    return re.sub(r"(?<=[^\W\d_])[!](?=[^\W\d_])", "i", text)


def _word(raw: str, spellings: Mapping[str, str], vocabulary: Collection[str]) -> str:
    if raw == BREAK:
        return raw
    if raw in spellings:
        return spellings[raw]
    core = raw.strip("\"'“”«»()[]{}<>,-–—_~")
    if core in spellings:
        return spellings[core]
    if "*" in core or "#" in core:
        core = _unstar(core.strip("#") if core.startswith("#") else core)
    if not _AMOUNT.fullmatch(core) and re.search(r"[a-z]", core) and re.search(r"[0134578@$!(]", core):
        core = core.translate(_LEET)
    core = _is(core)
    core = _STRETCH.sub(r"\1\1\1", core.replace("'", ""))
    parts = (_unstretch(part, vocabulary) for part in re.findall(r"[^\W_]+", core))
    return " ".join(spellings.get(part, part) for part in parts)


def _is(word: str) -> str:
    """`note's` is `note is`; with a pronoun the short form is a word of its own (`its`, `hes`)."""
    base = word.removesuffix("'s")
    return f"{base} is" if base != word and base not in _PRONOUNS else word


@lru_cache(maxsize=4096)
def _unstar(word: str) -> str:
    if not re.search(r"[a-z][*#]|[*#][a-z]", word) or len(word) > 24:
        return word
    shape = re.compile("".join("[a-z]" if c in "*#" else re.escape(c) for c in word))
    return next((known for known in _STARRED if shape.fullmatch(known)), word)


def _unstretch(word: str, vocabulary: Collection[str]) -> str:
    """Three or more of a letter become one, or two where that is the word we know (`killll`, `feeeel`)."""
    if not _STRETCH.search(word):
        return word
    double, single = _STRETCH.sub(r"\1\1", word), _STRETCH.sub(r"\1", word)
    return double if double in vocabulary and single not in vocabulary else single


@lru_cache(maxsize=8)
def _phrase_pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"(?<!\S)(?:" + "|".join(map(re.escape, phrases)) + r")(?!\S)")


def _phrases(text: str, spellings: Mapping[str, str]) -> str:
    """Phrases of two or more words (`i am` is `im`), longest first."""
    phrases = tuple(sorted((key for key in spellings if " " in key), key=len, reverse=True))
    return _phrase_pattern(phrases).sub(lambda m: spellings[m.group()], text) if phrases else text


def _tidy(text: str) -> str:
    return re.sub(r"(?:\s*\|\s*)+", f" {BREAK} ", f"{BREAK} {text} {BREAK}").strip()
