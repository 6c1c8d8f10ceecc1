"""Ways of disguising a message, each applied to all of it. Written without looking at how they are undone.

Every transform is a pure function of the text and a random generator.
"""

import base64
import random
import re
from collections.abc import Callable

Transform = Callable[[str, random.Random], str]

_CYRILLIC = str.maketrans("aceiopxysjABCEHIKMOPTXYS", "асеіорхуѕјАВСЕНІКМОРТХУЅ")
_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7+", "l": "1|"}
_NOISE = "😀😂🙃🔥✨🌈🍕🎉🐱🌻🎵⭐"
_MARKS = "\u0300\u0301\u0307\u0316\u0323\u0330\u0334\u0335\u0336\u0338\u0359\u035c"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
_VOWELS = "aeiou"
_NEAR = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip


def homoglyphs(text: str, rng: random.Random) -> str:
    """Letters that have a twin in Cyrillic, most of them."""
    return "".join(char.translate(_CYRILLIC) if rng.random() < 0.7 else char for char in text)


def fullwidth(text: str, _: random.Random) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def zero_width(text: str, rng: random.Random) -> str:
    """An invisible character after every other one."""
    return "".join(char + (rng.choice(_INVISIBLE) if rng.random() < 0.5 else "") for char in text)


def combining(text: str, rng: random.Random) -> str:
    """One to three marks on each letter."""
    return "".join(
        char + "".join(rng.choices(_MARKS, k=rng.randint(1, 3))) if char.isalpha() else char for char in text
    )


def math_bold(text: str, _: random.Random) -> str:
    return "".join(_bold(char) for char in text)


def _bold(char: str) -> str:
    if "a" <= char <= "z":
        return chr(0x1D41A + ord(char) - ord("a"))
    return chr(0x1D400 + ord(char) - ord("A")) if "A" <= char <= "Z" else char


def leet(text: str, rng: random.Random) -> str:
    """Half of the letters that have a digit or sign for them."""
    swap = ((char, _LEET.get(char.lower())) for char in text)
    return "".join(rng.choice(signs) if signs and rng.random() < 0.5 else char for char, signs in swap)


def spaced(text: str, _: random.Random) -> str:
    """A blank between all characters."""
    return " ".join(text)


def dotted(text: str, _: random.Random) -> str:
    """A dot between the letters of each word."""
    return _WORD.sub(lambda m: ".".join(m.group()), text)


def stretched(text: str, rng: random.Random) -> str:
    """A letter of every other word held for three to six."""

    def stretch(match: re.Match[str]) -> str:
        word = match.group()
        if rng.random() < 0.5 or not word.isalpha():
            return word
        at = rng.randrange(len(word))
        return word[:at] + word[at] * rng.randint(3, 6) + word[at + 1 :]

    return _WORD.sub(stretch, text)


def vowel_stars(text: str, rng: random.Random) -> str:
    """A star for one vowel of each longer word."""

    def hide(match: re.Match[str]) -> str:
        word = match.group()
        places = [i for i, char in enumerate(word) if char.lower() in _VOWELS and i > 0]
        if len(word) < 3 or not places:
            return word
        at = rng.choice(places)
        return word[:at] + "*" + word[at + 1 :]

    return _WORD.sub(hide, text)


def swapped(text: str, rng: random.Random) -> str:
    """Two neighbouring letters of every third word with four letters or more."""

    def swap(match: re.Match[str]) -> str:
        word = match.group()
        if len(word) < 4 or not word.isalpha() or rng.random() > 1 / 3:
            return word
        at = rng.randrange(len(word) - 1)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return _WORD.sub(swap, text)


def no_vowels(text: str, rng: random.Random) -> str:
    """The inner vowels of every third word with four letters or more."""

    def drop(match: re.Match[str]) -> str:
        word = match.group()
        if len(word) < 4 or not word.isalpha() or rng.random() > 1 / 3:
            return word
        return word[0] + "".join(char for char in word[1:] if char.lower() not in _VOWELS)

    return _WORD.sub(drop, text)


def joined(text: str, _: random.Random) -> str:
    """No blanks."""
    return "".join(text.split())


def underscored(text: str, _: random.Random) -> str:
    return "_".join(text.split())


def reversed_text(text: str, _: random.Random) -> str:
    return text[::-1]


def reversed_words(text: str, _: random.Random) -> str:
    return _WORD.sub(lambda m: m.group()[::-1], text)


def in_base64(text: str, _: random.Random) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def emoji_noise(text: str, rng: random.Random) -> str:
    """An emoji without meaning after every third word."""
    return " ".join(word + (f" {rng.choice(_NOISE)}" if rng.random() < 1 / 3 else "") for word in text.split())


def curly_apostrophes(text: str, _: random.Random) -> str:
    return text.replace("'", "’")


def no_apostrophes(text: str, _: random.Random) -> str:
    return text.replace("'", "").replace("’", "")


def alternating_case(text: str, _: random.Random) -> str:
    return "".join(char.upper() if i % 2 else char.lower() for i, char in enumerate(text))


def typos(text: str, rng: random.Random) -> str:
    """A slip in every fifth word with five letters or more: one left out, doubled, swapped, or the key beside it."""

    def slip(match: re.Match[str]) -> str:
        word = match.group()
        return _slip(word, rng) if len(word) > 4 and word.isalpha() and rng.random() < 0.2 else word

    return _WORD.sub(slip, text)


def _slip(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    match rng.randrange(4):
        case 0:
            return word[:at] + word[at + 1 :]
        case 1:
            return word[:at] + word[at] + word[at:]
        case 2:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case _:
            return word[:at] + rng.choice(_NEAR.get(word[at].lower(), word[at])) + word[at + 1 :]


TRANSFORMS: dict[str, Transform] = {
    "homoglyphs": homoglyphs,
    "fullwidth": fullwidth,
    "zero_width": zero_width,
    "combining": combining,
    "math_bold": math_bold,
    "leet": leet,
    "spaced": spaced,
    "dotted": dotted,
    "stretched": stretched,
    "vowel_stars": vowel_stars,
    "swapped": swapped,
    "no_vowels": no_vowels,
    "joined": joined,
    "underscored": underscored,
    "reversed": reversed_text,
    "reversed_words": reversed_words,
    "base64": in_base64,
    "emoji_noise": emoji_noise,
    "curly_apostrophes": curly_apostrophes,
    "no_apostrophes": no_apostrophes,
    "alternating_case": alternating_case,
    "typos": typos,
}
