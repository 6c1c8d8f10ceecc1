"""Whole texts in disguise: encodings, markup, reversed, upside-down, shifted letters, pig latin.

A reading is taken only when it is made of plain words and the text as written is not. It repairs no single word.
"""

import base64
import binascii
import codecs
import html
import math
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from string import ascii_letters
from urllib.parse import unquote_plus

from tide_chat.safety.mapped import Mapped
from tide_chat.safety.tokens import Piece, bare, odd_ones, pieces
from tide_chat.safety.words import Words

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8}\d{0,2});")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<!--[^<>]{0,200}-->")
_URL = re.compile(r"%[0-9A-Fa-f]{2}")
_BASE64 = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{8,}={0,6}(?![\w+/=-])")
_WRAPPED = re.compile(r"\s*(?:[A-Za-z0-9+/]{20,76}\s+)+[A-Za-z0-9+/]+={0,2}\s*")
_HEX = re.compile(r"(?<!\w)(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s:,-]{0,2}){4,}(?!\w)")
_BINARY = re.compile(r"(?<!\d)(?:[01]{8}\s?){3,}(?!\d)")
_CODES = re.compile(r"(?<!\d)(?:\d{2,3}[\s,]{1,2}){4,}\d{2,3}(?!\d)")
_LETTERS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_DECODED = 0.6  # share of letters in plain words
_CLEAR = 0.6
_BETTER = 0.35
_NIL = 1e-9  # sums in another order differ by less
_PIGS = 0.6  # share of words in pig latin
_FEWEST = 5  # letters that are read another way
_SHORT = 10  # letters; so few are read another way only if all become words, and none is one as written
_SHIFTED = 10  # letters; of fewer, other languages can look shifted
_FEW = 0.25  # share of letters in pieces that are not ordinary
_LONGEST = 4_000  # tokens are tried as a whole up to this many characters
_TURNED = str.maketrans(
    "ɐqɔpǝɟƃɓɥᴉıɾʞlɯuodbɹsʇnʌʍxʎz∀ƎפHIſWNԀɹS┴∩ΛMX⅄¡¿˙‘,ᄅᆍ", "abcdefgghiijklmnopqrstuvwxyzaefhijmnprstuvwxy!?.,'rl"
)
_ROT13 = str.maketrans(ascii_letters, codecs.encode(ascii_letters, "rot13"))
_IS_TURNED = re.compile("[ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ]")
_STEADY = re.compile("[^İ\u0250-\U0010ffff]*")  # small letters of these are as many, whatever stands around them
_PIG = re.compile(r"([a-z]+)ay")


def words_in(text: str) -> list[str]:
    return [word.lower() for word in _LETTERS.findall(text)]


def decoded(text: Mapped, words: Words) -> Mapped:
    """Encodings and markup undone. Each is looked for only where its signs are."""
    if "&" in text.text:
        text = text.sub(_ENTITY, lambda m: html.unescape(m.group()))
    if "<" in text.text:
        text = text.sub(_TAG, _tag)
    raw = text.text
    if "%" in raw:
        coded = [piece for piece in pieces(raw) if _URL.search(piece.text) and re.search("[A-Za-z]", piece.text)]
        text = text.replaced((piece.start, piece.end, unquote_plus(piece.text, errors="ignore")) for piece in coded)
    raw = text.text
    if _WRAPPED.fullmatch(raw) and (inside := _base64("".join(raw.split()), words)) is not None:
        return text.replaced([(0, len(raw), inside)])
    text = text.sub(_BASE64, lambda m: _or_same(m.group(), _base64, words))
    if re.search(r"\d", raw):
        for pattern, base in ((_BINARY, 2), (_HEX, 16), (_CODES, 10)):
            text = text.sub(pattern, lambda m, base=base: _numbers(m.group(), base, words))  # type: ignore[misc]
    return text


def _tag(match: re.Match[str]) -> str:
    """Nothing inside a word, else a blank."""
    around = match.string[max(match.start() - 1, 0) : match.start()] + match.string[match.end() : match.end() + 1]
    return "" if len(around) == 2 and around.isalpha() else " "


def _or_same(token: str, decode: Callable[[str, Words], str | None], words: Words) -> str:
    inside = decode(token, words) if len(token) <= _LONGEST else None
    return token if inside is None else inside


@lru_cache(maxsize=1_000)
def _base64(token: str, words: Words) -> str | None:
    """Base64 or base32, when there are words in it."""
    if token.isalpha() and (token.islower() or token[1:].islower()):
        return None
    for decode in (_from_base64, base64.b32decode):
        try:
            inside = decode(token).decode("utf-8")
        except (binascii.Error, ValueError):
            continue
        if _is_text(inside, words):
            return inside
    return None


def _from_base64(token: str) -> bytes:
    bare = token.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)


def _numbers(run: str, base: int, words: Words) -> str:
    """Letters written as numbers."""
    digits = re.sub(r"0x|\\x", " ", run) if base == 16 else run
    size = {2: 8, 16: 2}.get(base)
    bare = re.sub(r"[\s:,-]", "", digits)
    groups = re.findall(rf".{{{size}}}", bare) if size else re.findall(r"\d+", digits)
    try:
        inside = bytes(int(group, base) for group in groups).decode("utf-8")
    except ValueError:
        return run
    tail = " " if run[-1:].isspace() else ""
    return inside + tail if _is_text(inside, words) else run


def _is_text(inside: str, words: Words) -> bool:
    found = words_in(inside)
    if not inside.replace("\n", " ").isprintable():
        return False
    if len(inside) > 7 and " " in inside and sum(c.isalnum() or c in " .,'!?" for c in inside) > 0.85 * len(inside):
        return True
    return sum(map(len, found)) > 2 and words.quality(found) >= _DECODED


# ---- shifted, reversed, turned -------------------------------------------------------------------------------------


def turned(text: Mapped) -> Mapped:
    """Letters drawn upside down, and so from right to left."""
    if text.text.isascii() or len(_IS_TURNED.findall(text.text)) < 2:
        return text
    return text.replaced([(0, len(text.text), text.text.lower().translate(_TURNED)[::-1])])


def unciphered(text: Mapped, words: Words) -> Mapped:
    """The whole text, or a stretch of it that holds no plain words, read another way."""
    raw = text.text
    odd = [piece for piece in odd_ones(raw) if _is_word(piece.text)]
    if not odd or len(raw) > _LONGEST:
        return text
    much = sum(len(piece.text) for piece in odd) > _FEW * len(raw) and not _hopeless(pieces(raw), words)
    if much and (reading := _reading(raw, words)) is not None:
        return text.replaced([(0, len(raw), reading)])
    return text.replaced(_turned_back(raw, words))


def _turned_back(text: str, words: Words) -> Iterator[tuple[int, int, str]]:
    """Each stretch that reads better another way, with the short words around it or without them."""
    for run in _stretches(text):
        odd = [at for at, piece in enumerate(run) if not piece.fine]
        for part in (run, run[odd[0] : odd[-1] + 1]):
            start, end = part[0].start, part[-1].end
            if not _hopeless(part, words) and (reading := _reading(text[start:end], words)) is not None:
                yield start, end, reading
                break


@lru_cache(maxsize=20_000)
def _is_word(token: str) -> bool:
    """Letters, and punctuation around them."""
    return bare(token).replace("'", "").isalpha()


def _stretches(text: str) -> Iterator[list[Piece]]:
    """Neighbouring pieces that are not ordinary or short, at least one of them not ordinary."""
    run: list[Piece] = []
    for piece in pieces(text):
        if len(piece.text) < 4 if piece.fine else _is_word(piece.text):
            run.append(piece)
            continue
        if not all(one.fine for one in run):
            yield run
        run = []
    if not all(one.fine for one in run):
        yield run


def _hopeless(run: Sequence[Piece], words: Words) -> bool:
    """Whether no reading of this can be much plainer than it is: told from its pieces, so that few are read."""
    letters, plain, hoped, pigs, count = map(sum, zip(*(_tally(piece.text, words) for piece in run), strict=True))
    if letters < _FEWEST:
        return True
    return pigs < count * _PIGS and hoped < (max(_CLEAR, plain / letters + _BETTER) - _NIL) * letters


@lru_cache(maxsize=20_000)
def _tally(piece: str, words: Words) -> tuple[float, float, float, int, int]:
    """Letters; those in plain words, as written and at most when reversed or shifted; words in pig latin; all words."""
    found = words_in(piece)
    letters = sum(map(len, found))
    plain = sum(len(word) * words.weight(word) for word in found)
    hoped = sum(len(word) * max(words.weight(word[::-1]), words.weight(_shifted(word))) for word in found)
    return letters, plain, hoped if _STEADY.fullmatch(piece) else math.inf, _pigs(found), len(found)


def _reading(text: str, words: Words) -> str | None:
    """The reading with the plainest words, if it is much plainer than the text."""
    found = words_in(text)
    letters = sum(map(len, found))
    if letters < _FEWEST:
        return None
    now = words.quality(found)
    if now > 1 - _BETTER:
        return None
    if len(found) == 1 and not words.wanted(found[0][::-1]):
        return None
    if letters < _SHORT and any(len(word) > 2 and words.ordinary(word) for word in found):
        return None
    options = [text[::-1], _each(text), _pig(text, words)]
    options += [_shifted(text)] if letters >= _SHIFTED else []
    if not any(_is_better(option, now, words) for option in options):
        return None
    best = max(options, key=lambda option: _plain(option, words))
    return best if _is_better(best, now, words) else None


def _is_better(option: str, now: float, words: Words) -> bool:
    found = words_in(option)
    if sum(map(len, found)) < _SHORT and not all(map(words.knows, found)):
        return False
    after = words.quality(found)
    return after >= _CLEAR and after - now >= _BETTER


def _plain(text: str, words: Words) -> float:
    """How much it reads like a text: plain words, usual neighbours, no sentence that begins with its full stop."""
    found = words_in(text)
    order = words.flow(found) / max(len(found) - 1, 1)
    return words.quality(found) + 0.2 * order - (0.1 if re.search(r"(?:^|\s)[.,!?]\w", text) else 0)


def _each(text: str) -> str:
    """Each word from right to left, its punctuation left where it is."""
    return re.sub(r"[^\W_]+(?:['’][^\W_]+)*", lambda m: m.group()[::-1], text)


def _pig(text: str, words: Words) -> str:
    """Pig latin undone, where every longer word ends in `ay`."""
    if not _is_pig(words_in(text)):
        return text
    return _LETTERS.sub(lambda m: _from_pig(m.group().lower(), words), text)


def _shifted(text: str) -> str:
    return text.translate(_ROT13)


def _is_pig(found: list[str]) -> bool:
    return bool(found) and _pigs(found) >= len(found) * _PIGS


def _pigs(found: list[str]) -> int:
    return sum(_PIG.fullmatch(word) is not None for word in found)


def _from_pig(word: str, words: Words) -> str:
    if not (match := _PIG.fullmatch(word)):
        return word
    stem = match[1]
    options = [stem[:-1]] if stem[-1] in "wyh" else []
    options += [stem[-n:] + stem[:-n] for n in range(1, min(4, len(stem)))] + [stem]
    return words.best(options) or word
