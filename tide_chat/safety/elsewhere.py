"""The plainest statements of a wish to die, in languages that the safety check does not cover.

It understands nothing of such a message beyond these words (`languages/plainest.tsv`): whoever writes them gets more
than the quiet card that says so. Knows tiers and reasons, no encoder.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from tide_chat.safety import unread
from tide_chat.safety.assessment import Reason, Tier
from tide_chat.safety.letters import STROKES
from tide_chat.safety.lexicon import rows

RULE = "another language"
# Accents of Latin, Greek and Cyrillic letters, points of Hebrew and Arabic ones. In Indian scripts marks are vowels.
_ACCENTS = re.compile("[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
_WORD = re.compile("(?:[^\\W_]|[\u0900-\u0963\u0966-\u0dff\u0e00-\u0e4e\u3099\u309a])+")
_ONE_LETTER = STROKES | str.maketrans({"ى": "ي", "ک": "ك", "ی": "ي"})
_NO_BLANKS = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # Thai, Japanese, Chinese, Korean


@dataclass(frozen=True, slots=True)
class Statement:
    """A line of the table, folded, with the blanks that bound it, and what takes its sense away beside it."""

    reason: Reason
    tier: Tier
    words: str
    not_after: tuple[str, ...]
    not_before: tuple[str, ...]

    def stands_in(self, folded: str) -> bool:
        """Whether a folded text says it at least once."""
        at = folded.find(self.words)
        while at >= 0:
            end = at + len(self.words)
            before, after = f"{folded[:at].rstrip()} ", f" {folded[end:].lstrip()}"
            if not (before.endswith(self.not_after) or after.startswith(self.not_before)):
                return True
            at = folded.find(self.words, at + 1)
        return False


def heard(text: str) -> tuple[Tier, tuple[Reason, ...]]:
    """The gravest of them in a text, and all that were found. Never raises."""
    folded = f" {fold(text)} "
    found = [each for each in statements() if each.words in folded and each.stands_in(folded)]
    return max((each.tier for each in found), default=Tier.T0), tuple(each.reason for each in found)


def fold(text: str) -> str:
    """Small letters without accents, and one blank between words."""
    if not text.isascii():
        letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
        text = unicodedata.normalize("NFC", _ACCENTS.sub("", letters)).translate(_ONE_LETTER)
    return " ".join(_WORD.findall(text.casefold()))


@lru_cache(maxsize=1)
def statements() -> tuple[Statement, ...]:
    """All of them; none when the file cannot be read, and a line that cannot be is left out."""
    return tuple(_read(files("tide_chat.safety") / "languages" / "plainest.tsv"))


def _read(file: Traversable) -> Iterator[Statement]:
    try:
        found = list(rows(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        unread.note(file.name, error)
        return
    for row in found:
        try:
            yield _statement(**row)
        except (KeyError, TypeError) as error:
            unread.note(f"{file.name}, '{row.get('words', '')}'", error)


def _statement(
    language: str, words: str, tier: str, not_after: str, not_before: str, why: str, source: str
) -> Statement:
    whole = words.rstrip("*")
    bounded = _bounded(whole)
    return Statement(
        Reason(f"{RULE}, {tier}: {why} ({language}; {source})", whole),
        Tier[tier],
        bounded.rstrip() if words.endswith("*") else bounded,
        tuple(f"{_bounded(word).rstrip()} " for word in not_after.split(",") if word),
        tuple(f" {_bounded(word).lstrip()}" for word in not_before.split(",") if word),
    )


def _bounded(words: str) -> str:
    """Folded, and with blanks around where the script has blanks."""
    folded = fold(words)
    return folded if _NO_BLANKS.search(folded) else f" {folded} "
