"""Characters that stand for letters: other forms, look-alikes, invisible ones, piled marks, emoji with meaning.

Real text of other alphabets stays as it is: a word is read as Latin only when it mixes alphabets, or when most such
words of a text become known words.
"""

import re
import unicodedata
from functools import lru_cache
from importlib.resources import files

from tide_chat.safety import unread
from tide_chat.safety.mapped import Mapped
from tide_chat.safety.words import Words

APOSTROPHES = "’‘ʼ`´＇′ʹˈ"
EMOJI = {
    "💊": "pills", "🔪": "knife", "🗡": "knife", "🪒": "razor", "✂": "scissors", "🔫": "gun", "🪦": "grave",
    "⚰": "coffin", "💀": "skull", "☠": "skull", "🪢": "rope", "🌉": "bridge", "🚂": "train", "🚆": "train",
    "🚇": "train", "🚉": "train", "🌊": "wave", "🩸": "blood", "😴": "asleep", "💉": "needle", "🚑": "ambulance",
    "🏥": "hospital", "👼": "angel", "🧨": "dynamite", "⚱": "urn",
}  # fmt: skip
STROKES = str.maketrans({"ł": "l", "ı": "i", "đ": "d", "ø": "o", "æ": "ae"})  # nothing decomposes them
_BLANKS = dict.fromkeys(map(ord, "\u2800\u3164\u115f\u1160\uffa0\u180e"), " ")
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe2f]"
_CLUSTER = re.compile(rf"[\u1100-\u11ff]+|[^\x00-\x7f]{_MARK}*|[\x00-\x7f]{_MARK}+")
_MOST_MARKS = 30
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")
_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff](?:[\u200b-\u200d\ufe0f]*[\U0001f1e6-\U0001f1ff])*")
_WORD = re.compile(r"[^\W\d_]+")
_OTHER_WORD = re.compile(r"[A-Za-z]*[^\W\d_A-Za-z][^\W\d_]*")
_MOST = 0.75  # of the words in another alphabet must become known ones
_LETTER = re.compile(r"LATIN (?:LETTER )?(?:SMALL CAPITAL |SUBSCRIPT )+(?:LETTER )?([A-Z])")


@lru_cache(maxsize=1)
def lookalikes() -> dict[int, str]:
    """Letters of other alphabets and what they look like. Empty when the table cannot be read."""
    try:
        lines = (files("tide_chat.safety") / "lookalikes.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        unread.note("lookalikes.txt", error)
        return {}
    return {ord(char): line[0] for line in lines for char in line[2:]}


@lru_cache(maxsize=8192)
def _cluster(cluster: str) -> str:
    """One character with the marks on it."""
    cluster = cluster[: _MOST_MARKS + 1]
    if cluster[0] in APOSTROPHES:
        return "'"
    if cluster[0] in EMOJI:
        return f" {EMOJI[cluster[0]]} "
    composed = unicodedata.normalize("NFKC", cluster).translate(_BLANKS)
    kept = "".join(c for c in composed if unicodedata.category(c) not in ("Cf", "Cs") and not "\ufe00" <= c <= "\ufe0f")
    if len(kept) > 1 and kept[0].isalnum():
        kept = _without_piles(kept)
    return "".join(map(_single, kept))


def unaccented(text: str) -> str:
    """Without accents and other marks, which are the vowels of some scripts; compatible forms become plain."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _without_piles(cluster: str) -> str:
    """A letter under marks that no spelling has: the letter. Marks of Indic, Thai and other scripts stay."""
    marks = [
        c for c in cluster if (unicodedata.category(c) in ("Mn", "Me") and ord(c) < 0x590) or 0x1AB0 <= ord(c) <= 0x20FF
    ]
    if not marks:
        return cluster
    plain = unicodedata.normalize("NFKD", cluster)
    return "".join(c for c in plain if unicodedata.category(c) not in ("Mn", "Me"))


def _single(char: str) -> str:
    code = ord(char)
    if code < 0x80:
        return char
    for first in (0x1F130, 0x1F150, 0x1F170):
        if first <= code < first + 26:
            return chr(ord("a") + code - first)
    if unicodedata.category(char) == "Cc":
        return " "
    if 0x180 <= code < 0xA800 and (named := _LETTER.fullmatch(unicodedata.name(char, ""))):
        return named[1].lower()
    return char


def unfolded(text: Mapped, words: Words) -> Mapped:
    """The text in ordinary characters."""
    if text.text.isascii():
        return text.sub(_CONTROLS, lambda _: " ") if not text.text.isprintable() else text
    text = text.sub(_FLAGS, lambda m: _flags(m.group(), words))
    text = text.sub(_INVISIBLE, lambda _: "")
    text = text.sub(_CLUSTER, lambda m: _cluster(m.group()))
    text = text.sub(_CONTROLS, lambda _: " ")
    return _unlike(text, words) if not text.text.isascii() else text


def _flags(run: str, words: Words) -> str:
    """Letters drawn as flags, alone or spelling a word; two of them are a flag."""
    letters = "".join(chr(ord("a") + ord(c) - 0x1F1E6) for c in run if ord(c) > 0x1F000)
    return letters if len(letters) == 1 or (len(letters) > 2 and words.knows(letters)) else run


def _unlike(text: Mapped, words: Words) -> Mapped:
    """Words of look-alike letters as Latin words, unless the text is in another language."""
    table = lookalikes()
    found = [(m.group(), _ascii(m.group().translate(table))) for m in _OTHER_WORD.finditer(text.text)]
    whole = [(raw, like) for raw, like in found if not re.search("[A-Za-z]", raw) and not _latin(raw)]
    letters = sum(len(raw) for raw, _ in whole)
    becoming = sum(len(raw) for raw, like in whole if words.knows(like.lower()))
    fooled = bool(whole) and becoming >= _MOST * letters
    return text.sub(_OTHER_WORD, lambda m: _read(m.group(), table, fooled, words))


def _read(raw: str, table: dict[int, str], fooled: bool, words: Words) -> str:
    """One word with letters that are not plain."""
    like = _ascii(raw.translate(table))
    if not like.isascii() or words.knows(raw.lower()):
        return raw
    if _latin(raw):
        return like if len(like) > 2 and words.wanted(like.lower()) else raw
    if re.search("[A-Za-z]", raw):
        return like
    return like if fooled else raw


@lru_cache(maxsize=8192)
def _latin(raw: str) -> bool:
    """Nothing but Latin letters, with or without accents."""
    return all("LATIN" in unicodedata.name(c, "") for c in raw)


@lru_cache(maxsize=8192)
def _ascii(word: str) -> str:
    """Without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", word) if unicodedata.category(c) != "Mn")
