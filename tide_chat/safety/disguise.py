"""Words in disguise: letters run together, doubled, swapped, hidden behind signs.

Works on the words of a text in their order; a word that we know is never changed into another. What counts as known
stands in words.py.
"""

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from tide_chat.safety import gloss
from tide_chat.safety.mapped import Mapped
from tide_chat.safety.tokens import bare, edges, is_fine, odd_ones, pieces
from tide_chat.safety.words import NOWHERE, Around, Words, load, readings

_SIGNS = re.compile(r"[0-9@$!|+(€£¡&%^ß¢¥]")
_AMOUNT = re.compile(
    r"[£$€]?\d+(?:[.,:]\d+)*(?:st|nd|rd|th|s|k|m|x|h|am|pm|mg|ml|kg|g|mm|cm|km|mph|min|mins|hrs?|yrs?|lbs?|yo|f|p|ish|%)?"
)
_CODE = re.compile(r"[a-z]-?\d{1,4}|[a-z]{1,4}-?\d{2,}")
_HOLES = re.compile(
    r"(?<=[a-z])[*#_•·×∗⁎✱★-](?=[a-z*#_•·×∗⁎✱★-])|(?<=[*#_•·×∗⁎✱★-])[*#_•·×∗⁎✱★-]|[*#](?=[a-z])|(?<=[a-z])[*#]"
)
_HOLE_INSIDE = re.compile("[A-Za-z][*#]+[A-Za-z]")
_HUMPS = re.compile(r"(?:^|[A-Z])[a-z]+")
_VOWEL = re.compile("[aeiou]")
_HEADS = re.compile(r"(?<!\S)[A-Za-z]")
_FEW = 20  # characters of a message in which a single star hides a letter
_SURELY_GLUED = 20  # letters
_LONGEST = 40  # letters of a single damaged word
_JOINED = 2_000  # letters without blanks that are looked at


class Mode(NamedTuple):
    """What kinds of disguise the text as a whole shows; then single words are read less strictly."""

    signs: bool = False
    holes: bool = False
    bare: bool = False  # without vowels
    jumbled: bool = False  # capitals strewn about
    glued: bool = False  # without blanks
    titled: bool = False  # every word begins with a capital, so that says nothing about names


PLAINLY = Mode()


# ---- single words --------------------------------------------------------------------------------------------------


def mode_of(text: str, odd: list[str], words: Words) -> Mode:
    """What the pieces of a text that are not ordinary have in common."""
    seen = [_looks(token, words) for token in odd]
    certain = sum(look.certain for look in seen)
    likely = sum(look.coded and _may_be_word(look.core, words) for look in seen) if certain == 1 else 0
    signs = certain > 1 or (certain > 0 and likely + sum(_may_be_word(n, words) for n in _numbers(text)) > 2)
    inside, behind = sum(look.inside for look in seen), sum(look.behind for look in seen)
    ahead = any(look.ahead for look in seen)  # markup
    holes = inside > 1 or (not ahead and inside + behind > (0 if len(text) < _FEW else 1))
    heads = [] if all(map(str.islower, odd)) else _HEADS.findall(text)  # they tell of capitals only
    capitals = sum(map(str.isupper, heads))
    glued = max(map(len, odd)) > _SURELY_GLUED and len(text) > 10 * len(text.split())
    titled = capitals > 0.7 * len(heads) and len(heads) > 2
    vowelless, jumbled = sum(look.vowelless for look in seen), sum(look.jumbled for look in seen)
    return Mode(signs, holes, vowelless > 1, jumbled > max(2, 0.3 * len(heads)), glued, titled)


class _Look(NamedTuple):
    """What a piece that is not ordinary shows by itself."""

    core: str
    coded: bool  # signs or digits in it
    certain: bool  # and surely in place of letters
    inside: bool  # a letter hidden inside, or at the end
    behind: bool
    ahead: bool
    vowelless: bool
    jumbled: bool


@lru_cache(maxsize=20_000)
def _looks(token: str, words: Words) -> _Look:
    core = edges(token)[1].lower()
    unknown = bool(core) and not words.knows(core)
    coded = unknown and _SIGNS.search(core) is not None
    return _Look(
        core=core,
        coded=coded,
        certain=coded and any(map(str.isalpha, core)) and not _is_amount(core),
        inside=_HOLE_INSIDE.search(token) is not None,
        behind=token[0] not in "*#" and token[-1] in "*#",
        ahead=token[0] in "*#" and len(token) > 1,
        vowelless=unknown and _is_vowelless(core) and words.voweled(core) is not None,
        jumbled=_is_jumbled(token),
    )


def _is_vowelless(core: str) -> bool:
    return len(core) > 1 and core.isalpha() and not _VOWEL.search(core[1:])


def _numbers(text: str) -> list[str]:
    return re.findall(r"(?<!\S)\d{1,3}(?!\S)", text)


def _may_be_word(token: str, words: Words) -> bool:
    """Whether its signs can be the letters of a plain word (`70`, `d13`)."""
    found = words.unleeted(token)
    return found is not None and words.weight(found) == 1


def _is_amount(token: str) -> bool:
    return bool(_AMOUNT.fullmatch(token) or _CODE.fullmatch(token))


def repaired(text: Mapped, words: Words) -> Mapped:
    """Each word by itself."""
    odd = odd_ones(text.text)
    mode = mode_of(text.text, [piece.text for piece in odd], words) if odd else PLAINLY
    if mode.jumbled and text.text.isascii():
        text = text.same(text.text.lower())
    edits: list[tuple[int, int, str]] = []
    for piece in pieces(text.text) if mode.signs or mode.holes else odd:
        token = text.text[piece.start : piece.end]
        last = _word_before(text.text, piece.start, edits)
        named = (
            bool(last) and last[-1] not in ".!?…:|" and not mode.titled and token[0].isupper() and token[1:].islower()
        )
        around = bare(last).lower(), _word_after(text.text, piece.end, mode)
        new = _remembered(token, mode, around, named)
        if new != token and gloss.knows(bare(token), text.text):
            new = _remembered(token, mode, around, True)
        if new != token:
            edits.append((piece.start, piece.end, new))
    return text.replaced(edits)


def _word_before(text: str, at: int, edits: list[tuple[int, int, str]]) -> str:
    """The piece before this place, as it was just repaired."""
    if edits and edits[-1][1] == at - 1:
        return edits[-1][2]
    return (text[max(at - 30, 0) : at].split()[-1:] or [""])[0]


def _word_after(text: str, at: int, mode: Mode) -> str:
    """The piece after this place, as it reads by itself."""
    after = (text[at : at + 30].split()[:1] or [""])[0]
    return bare(after if is_fine(after) else _remembered(after, mode, NOWHERE, False)).lower()


@lru_cache(maxsize=20_000)
def _remembered(token: str, mode: Mode, around: Around, own: bool) -> str:
    return as_meant(token, load(), mode, around, own)


def as_meant(token: str, words: Words, mode: Mode = PLAINLY, around: Around = NOWHERE, own: bool = False) -> str:
    """One token with what stands around it. `own`: it is a name, or a word of the language that the text is in."""
    lead, core, tail = edges(token)
    known = words.knows(core.lower())
    if _may_be_letters(lead, core, tail, mode, known):
        inner = token.strip("\"“”'.,;:?")
        if (found := _word(inner.lower(), mode, around, own, words)) is not None:
            at = token.find(inner)
            return token[:at] + found + token[at + len(inner) :]
    lead, tail = lead.translate(_MARKUP), tail.translate(_MARKUP) if core else tail
    if not core or known:
        return lead + core + tail
    if len(core) > _LONGEST:
        return _long(token, words)
    if (humps := _HUMPS.findall(core)) and len(humps[0]) > 1 and len("".join(humps)) == len(core) and len(humps) > 1:
        return lead + " ".join(humps) + tail if all(words.knows(hump.lower()) for hump in humps) else token
    found = _word(core.lower(), mode, around, own, words)
    return token if found is None else lead + found + tail


def _may_be_letters(lead: str, core: str, tail: str, mode: Mode, known: bool) -> bool:
    """Signs at the edge of a word that may belong to it: a star on one side of it; `+he` among others like it."""
    if not core:
        return mode.signs or mode.holes
    first, last = lead[-2:] in ("*", "#"), tail[:1] in ("*", "#")
    if first != last:
        return mode.holes or not known
    return mode.signs and (lead[-1:] in ("+", "!", "|") or tail[:1] in ("+", "|"))


_MARKUP = {ord(sign): None for sign in "*_~`"}


def _is_jumbled(token: str) -> bool:
    return re.search("[a-z][A-Z]", token) is not None or re.match("[A-Z]{2,}[a-z]", token) is not None


def _word(low: str, mode: Mode, around: Around, own: bool, words: Words) -> str | None:
    """What a word that we do not know can be."""
    if not low or low in words.known or low in words.slips:
        return None
    if low.isalpha():
        return _letters(low, mode, around, own, words) if low.isascii() else None
    for way in (_signs, _hidden, _parts, _junk, _glued):
        if (found := way(low, mode, around, words)) is not None:
            return found
    return None


def _letters(low: str, mode: Mode, around: Around, own: bool, words: Words) -> str | None:
    if re.search(r"(.)\1\1", low) and (found := words.unstretched(low, around)):
        return found
    if own or words.ordinary(low):
        return None
    if not _VOWEL.search(low[1:]) and (found := words.voweled(low, around)):
        sure = mode.bare or len(low) > 3 or (len(low) > 2 and (words.fits(found, around) or words.only_voweled(low)))
        return found if sure else None
    if found := words.corrected(low, around):
        return found
    joined = words.plainly_joined(low, mode.glued)
    return " ".join(joined) if joined else _lighter(low, words)


def _lighter(low: str, words: Words) -> str | None:
    """`vvant`, `phucking`: two letters for one."""
    return words.best(readings(low)[1:2]) if "vv" in low or low.startswith("ph") else None


def _signs(low: str, mode: Mode, around: Around, words: Words) -> str | None:
    """`k1ll`, `d13`; where a text has several, also `70` for `to`."""
    if not _SIGNS.search(low) and "\\" not in low:
        return None
    letters = sum(c.isalpha() for c in low)
    if _is_amount(low) and not (mode.signs and len(low) < 6):
        return None
    if not letters and not mode.signs:
        return None
    if "*" in low:
        return words.filled(readings(low)[0], around)
    found = words.unleeted(low, around)
    if found is None and mode.signs and letters * 2 >= len(low):
        found = next((reading for reading in readings(low) if reading.isalpha()), None)
        return found if found is None else words.corrected(found, around) or found
    if found is None:
        found = next((fixed for r in readings(low)[:4] if r.isalpha() and (fixed := words.corrected(r))), None)
    plain = mode.signs and found is not None and words.weight(found) == 1
    return found if plain or (letters > 1 and not _is_amount(low)) else None


def _hidden(low: str, mode: Mode, around: Around, words: Words) -> str | None:
    """`su*c*de`, `k-ll`: a sign for a letter."""
    shape = _HOLES.sub("*", low)
    if shape == "*":
        return "i" if mode.holes else None
    if "*" not in shape or not re.search("[a-z]", shape) or re.search(r"[^a-z*']", shape):
        return None
    compound = "-" in low and all(map(words.knows, low.split("-")))
    if not mode.holes and (compound or len(shape.replace("*", "")) < 2):
        return None
    return words.filled(shape, around)


def _parts(low: str, _mode: Mode, _around: Around, words: Words) -> str | None:
    """`i_want_to_die`, `i.want.to.die`: a sign for each blank."""
    sign = Counter(re.findall(r"[_+=~*#·•/.|-]", low)).most_common(1)
    if not sign or "://" in low or low.startswith("www."):
        return None
    parts = [part for part in low.split(sign[0][0]) if part]
    known = sum(words.knows(bare(part)) for part in parts)
    enough = {"-": 4, ".": 3, "/": 3}.get(sign[0][0], 2)
    sure = known == len(parts) or sign[0] == ("_", len(parts) - 1) or (len(parts) > 3 and known * 10 > len(parts) * 6)
    return " ".join(parts) if len(parts) >= enough and sure else None


def _junk(low: str, _mode: Mode, _around: Around, words: Words) -> str | None:
    """`su/ic/ide`, `k🔥ill`: signs strewn into a word."""
    inner = re.sub(r"[^a-z0-9]", "", low)
    if inner == low or len(inner) < 3 or not inner.isalpha() or low.startswith(("http", "www")):
        return None
    parts = [part for part in re.split(r"[^a-z']+", low) if part]
    if inner in words.known and words.weight(inner) > 0.5 and not all(len(p) > 1 and words.knows(p) for p in parts):
        return inner
    if len(inner) > 6 and len(parts) > 1 and not any(map(words.knows, parts)) and "." not in low:
        return words.corrected(inner)
    return None


def _glued(low: str, mode: Mode, _around: Around, words: Words) -> str | None:
    """`maybei'lldie`."""
    pieces = words.plainly_joined(low, mode.glued) if "'" in low else None
    return " ".join(pieces) if pieces else None


def _long(token: str, words: Words) -> str:
    """More letters than a word has: a text without blanks."""
    if len(token) > _JOINED:
        return token
    if (parts := _parts(token.lower(), PLAINLY, NOWHERE, words)) is not None:
        return parts
    chunks = [_unglued(chunk, words) for chunk in re.findall(r"[^\W_]+(?:'[^\W_]+)*|[\W_]+", token)]
    return re.sub(r"(?<=[^\W_][.,!?;:])(?=[^\W_])", " ", "".join(chunks)) if len(chunks) > 1 else chunks[0]


def _unglued(chunk: str, words: Words) -> str:
    """Words without blanks, digits among them or in place of letters."""
    low = chunk.lower()
    option = low if low.replace("'", "").isalpha() else readings(low)[0]
    pieces = words.plainly_joined(option, glued=True)
    if pieces is None and not low.isalpha() and not low.isdigit():
        parts = re.findall(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*", chunk)
        found = [words.plainly_joined(part.lower(), glued=True) for part in parts]
        return " ".join(" ".join(f) if f else p for f, p in zip(found, parts, strict=True)) if any(found) else chunk
    return " ".join(pieces) if pieces else chunk


# ---- neighbours ----------------------------------------------------------------------------------------------------


def rejoined(text: Mapped, words: Words) -> Mapped:
    """`sui cide`, `kil lmyself`: a blank in the wrong place."""
    if len(odd_ones(text.text)) == 0:
        return text
    edits: list[tuple[int, int, str]] = []
    for one, two in pairwise(pieces(text.text)):
        if (one.fine and two.fine) or (edits and edits[-1][1] > one.start):
            continue
        new = _pair(one.text, two.text, words)
        if new is not None:
            edits.append((one.start, two.end, new))
    return text.replaced(edits)


@lru_cache(maxsize=20_000)
def _pair(one: str, two: str, words: Words) -> str | None:
    """Two neighbours read as one word, or with the blank a letter further."""
    if not one.isalpha() or not two[0].isalpha():
        return None
    _, core, tail = edges(two)
    left, right = one.lower(), core.lower()
    if not right.isalpha() or not left.isascii() or (words.ordinary(left) and words.ordinary(right)):
        return None
    if len(left + right) > 5 and words.wanted(left + right) and max(map(words.weight, (left, right))) < 1:
        return left + right + tail
    for a, b in ((left + right[0], right[1:]), (left[:-1], left[-1] + right)):
        if len(a) > 2 and len(b) > 1 and words.wanted(a) and words.wanted(b):
            return f"{a} {b}{tail}"
    return None
