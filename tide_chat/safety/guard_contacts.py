"""Numbers, short codes, links and addresses in what a model wrote: only those of the help line directory may pass.

It compares digits and hosts, not names: a real number beside the wrong name passes. It does not know which country
the person is in. Dates, ages, times and counting are no contacts.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from tide_chat.safety import helplines

LONG = 6  # digits; from here on it is a phone number wherever it stands

_LINK = re.compile(
    r"(?:https?|ftp|tel|sms|mailto)\s?:\s?/{0,2}\s?\S{1,200}"
    r"|www\s?\.\s?\S{1,200}"
    r"|[\w.+-]{1,64}\s?(?:@|\(at\)|\[at\])\s?[\w-]{1,64}(?:\s?(?:\.|\(dot\)|\[dot\])\s?[a-z]{2,12}){1,3}"
    r"|\b(?:[\w-]{1,64}\.){1,4}(?:com|org|net|info|gov|edu|mil|int|io|app|chat|health|online|site|link|ly|gg|tv|uk|ie|ca"
    r"|au|nz|de|fr|es|eu|ch|at|nl|us|co|jp|br|za|pk|se|dk|fi|pl|pt)\b(?!')(?:/\S{0,200})?"
    r"|\b[\w-]{2,64}\s?[(\[]?\s?\bdot\b\s?[)\]]?\s?(?:com|org|net|info|gov|edu|co|uk|io|app)\b"
    r"|[(\[]at[)\]]"
    r"|(?<!\w)@[a-z]\w{2,30}"
    r"|(?<!\w)/?r/[a-z]\w{1,30}"
)
_LINKISH = re.compile(r"[@:/\[(]|\.\S|\bdot\b|www")
_DIGIT = re.compile(r"\d")
_COUNT = re.compile(
    r"\b24\s*[/x]\s*7\b|\b(?:19|20)\d\d\s*[-–/]\s*(?:(?:19|20)\d\d|\d\d)\b"
    r"|\b5\s?-\s?4\s?-\s?3\s?-\s?2\s?-\s?1\b"
)
_RUN = re.compile(r"\+?\(?\d(?:[\s().+–—‑·_/*-]{0,3}\d)*")
_CALLING = re.compile(
    r"\b(?:call|calling|dial|dialling|dialing|text|texting|ring|ringing|phone|phoning|telephone|number (?:is|for|to)"
    r"|hotlines?|helplines?|lifelines?|crisis lines?|lines?|sms|whatsapp|reach|contact|message|code"
    r"|emergency|ambulance|police|extension)\b"
)
_UNIT = re.compile(
    r"\W{0,2}(?:years?|minutes?|mins?|hours?|days?|nights?|weeks?|months?|times?|percent|%|people|men|women|miles?|km|degrees"
    r"|seconds?|steps|breaths|o'clock|am\b|pm\b|a\.m|p\.m|calls?\b|messages?\b|texts?\b|names?\b|pages?|metres?|pounds?|dollars?)"
)
_YEAR = re.compile(
    r"(?:\b(?:in|since|from|of|until|till|by|around|before|after|year|back to|it|was|to)\s+)(?:19|20)\d\d$"
)
_DIGIT_WORDS = {
    word: str(value)
    for value, words in enumerate(("zero oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
    for word in words.split()
} | {"hundred": "00", "double": "", "nought": "0", "ten": "10", "eleven": "11", "twelve": "12"}
_SPOKEN = re.compile(r"\b(?:(?:" + "|".join(_DIGIT_WORDS) + r")\b[\s,.–-]{0,3}){3,}")
_IS_HOST = re.compile(r"\w\.[a-z]{2}")
_ORDER = re.compile(r"1?2?3?4?5?6?7?8?9?(?:10)?|(?:10)?9?8?7?6?5?4?3?2?1?0?")


def invented(text: str) -> Iterator[tuple[int, int, str]]:
    """What looks like a contact and is not in the directory: start, end, what it is. `text` is `guard_words.plain`."""
    for match in _LINK.finditer(text) if _LINKISH.search(text) else ():
        if _host(match.group()) not in _hosts():
            yield match.start(), match.end(), "a link or address that is not in the directory"
    if _DIGIT.search(text):
        blanked = _COUNT.sub(lambda match: " " * len(match.group()), text)
        for match in _RUN.finditer(blanked):
            if _wrong(blanked, match):
                yield match.start(), match.end(), "a number that is not in the directory"
    if _CALLING.search(text):
        yield from _spoken(text)


def _spoken(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _SPOKEN.finditer(text):
        digits = "".join(_DIGIT_WORDS[word] for word in re.findall(r"[a-z]+", match.group()))
        if digits not in _numbers() and not _ORDER.fullmatch(digits):
            yield match.start(), match.end(), "a spoken number that is not in the directory"


def _wrong(text: str, match: re.Match[str]) -> bool:
    digits = re.sub(r"\D", "", match.group())
    if digits in _numbers() or _known_with_a_small_number(match.group()):
        return False
    if len(digits) >= LONG:
        return True
    if len(digits) < 3 or "," in text[match.start() - 1 : match.start()] + text[match.end() : match.end() + 1]:
        return len(digits) >= 3 and _called(text, match) and not _thousands(text, match)
    return _called(text, match)


def _thousands(text: str, match: re.Match[str]) -> bool:
    return bool(re.match(r",\d", text[match.end() :]) or re.search(r"\d,$", text[: match.start()]))


def _called(text: str, match: re.Match[str]) -> bool:
    """A short number counts when something in the text is about calling, and it is no year and no amount."""
    if not _CALLING.search(text) or _UNIT.match(text, match.end()):
        return False
    return not _YEAR.search(text[: match.end()])


def _known_with_a_small_number(run: str) -> bool:
    """`988 24` in "988 24 hours a day": a number of the directory with one short neighbour."""
    for first, rest in ((run[:at], run[at:]) for at in (i for i, c in enumerate(run) if c.isspace())):
        ends = (re.sub(r"\D", "", first), re.sub(r"\D", "", rest))
        if any(one in _numbers() and len(other) <= 2 for one, other in (ends, ends[::-1])):
            return True
    return False


def _host(link: str) -> str:
    link = re.sub(r"^(?:https?:/{0,2})?(?:www\.)?", "", link)
    return link.rstrip("./,;:!?)]}\"'”’")


@lru_cache(maxsize=1)
def _lines() -> tuple[str, ...]:
    countries = helplines.directory().values()
    every = [entry.line for country in countries for entry in country.entries]
    every += [country.emergency for country in countries] + list(helplines.ANYWHERE)
    return tuple(line.number for line in every)


@lru_cache(maxsize=1)
def _numbers() -> frozenset[str]:
    digits = {re.sub(r"\D", "", number) for number in _lines() if not _IS_HOST.search(number)}
    tolls = {number[1:] for number in digits if len(number) == 11 and number.startswith("1")}
    return frozenset(digits | tolls) - {""}


@lru_cache(maxsize=1)
def _hosts() -> frozenset[str]:
    return frozenset(number.casefold() for number in _lines() if _IS_HOST.search(number))
