"""Letters set apart from each other: `k i l l`, `k.i.l.l`, and whole sentences so, with or without wider gaps.

Taken together only where words come of it.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from tide_chat.safety.mapped import Mapped
from tide_chat.safety.tokens import EDGES, TOKEN, odd_ones
from tide_chat.safety.words import Words, readings

_THREE_SINGLES = re.compile(r"(?<!\S)\S\s+\S\s+\S(?!\S)")
_JOINED = 2_000  # letters without blanks that are looked at


def gathered(text: Mapped, words: Words) -> Mapped:
    """`k i l l`, `k.i.l.l`, and whole sentences so."""
    text = text.replaced(_dotted(text.text, words))
    return text.replaced(_spaced(text.text, words))


def _dotted(text: str, words: Words) -> Iterator[tuple[int, int, str]]:
    """Tokens in which one sign stands between all letters."""
    found = [(p, _undotted(p.text)) for p in odd_ones(text) if len(p.text) > 2 and not p.text.isalpha()]
    certain = sum(len(token) > 2 and sum(map(str.isalpha, token)) > 2 for _, token in found)
    for piece, token in found:
        letters = token.lower().strip(EDGES)
        if not letters or not (len(letters) > 2 or certain > 1):
            continue
        if _makes_words(letters, words) or certain > 2:
            yield piece.start, piece.end, token


def _undotted(token: str) -> str:
    """The letters of `k.i.l.l!`, or nothing when it is none."""
    sign = token[1]
    if sign.isalnum() or sign in "'’|" or token[0] == sign:
        return ""
    inner = token if len(token) % 2 else token[:-1]
    tail = "" if len(token) % 2 else token[-1]
    if tail.isalnum() or set(inner[1::2]) != {sign} or sign in inner[0::2].replace(inner[-1], ""):
        return ""
    return inner[0::2] + (tail if tail != sign or sign == "." else "")


def _makes_words(letters: str, words: Words) -> bool:
    plain = re.sub(r"[^\w']", "", letters)
    if plain.isdigit() or len(plain) < 2:
        return False
    return bool(words.best(readings(plain))) or (len(plain) > 3 and _segments(plain, words) is not None)


def _spaced(text: str, words: Words) -> Iterator[tuple[int, int, str]]:
    """Runs of single letters; a wider gap ends a word, and where there is none the likeliest words are taken."""
    tokens = list(TOKEN.finditer(text)) if _THREE_SINGLES.search(text) else []
    at = 0
    while at < len(tokens):
        end = at
        while end < len(tokens) and len(tokens[end].group()) == 1 and tokens[end].group() != "|":
            end += 1
        run = tokens[at:end]
        if (
            sum(m.group().isalpha() for m in run) > 2
            and sum(m.group().isalnum() or m.group() in "'.,!?$@" for m in run) > 2
        ):
            reading = _closed(run, words)
            if reading is not None:
                yield run[0].start(), run[-1].end(), reading
        at = max(end, at + 1)


def _closed(run: list[re.Match[str]], words: Words) -> str | None:
    gaps = [two.start() - one.end() for one, two in pairwise(run)]
    usual = min(gaps)
    groups = [run[0].group()]
    for gap, match in zip(gaps, run[1:], strict=True):
        if gap > usual:
            groups.append("")
        groups[-1] += match.group()
    if len(groups) == 1:
        return _sentence(groups[0], words)
    return " ".join(groups) if max(map(len, groups)) > 1 else None


def _sentence(letters: str, words: Words) -> str | None:
    """`iwanttodie.iam` as words with their punctuation."""
    if not re.search(r"[a-z]'?[a-z]", letters.lower()) or words.best(readings(letters.lower())):
        return words.best(readings(letters.lower()))
    read: list[str] = []
    for chunk in re.findall(r"[^\W_]+(?:'[^\W_]+)*|[\W_]+", letters):
        if not chunk[0].isalnum():
            read.append(chunk)
            continue
        pieces = _segments(chunk.lower(), words)
        if pieces is None:
            return None
        read.append(" " + " ".join(pieces))
    return "".join(read).strip()


def _segments(letters: str, words: Words) -> tuple[str, ...] | None:
    if letters in words.known and len(letters) > 1:
        return (letters,)
    if not letters.isalpha():
        letters = (readings(letters) or (letters,))[0]
    return words.segmented(letters[:_JOINED])
