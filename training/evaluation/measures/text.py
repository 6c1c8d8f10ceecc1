"""Sentences and words of a reply, and lists of patterns that people can review. Knows no measure.

Sentences end at . ! ? … or a line break; an abbreviation ends one too early. Words are letters and digits, in lower
case.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tide_chat.errors import DataError
from training.data import near

PATTERNS = Path(__file__).with_name("patterns.tsv")
_END = re.compile(r"""(?<=[.!?…])["'”’)\]*_]*\s+|\n+""")
_FEELING = "{feeling}"

words = near.words


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of the file. yes and no: a text in which it is found, and one in which it is not."""

    list: str
    regex: re.Pattern[str]
    yes: str
    no: str


def sentences(text: str) -> tuple[str, ...]:
    """Without the white space around them; those that hold no word are left out."""
    parts = (text[start:end].strip() for start, end in _spans(text))
    return tuple(part for part in parts if words(part))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _END.finditer(text):
        yield start, match.end()
        start = match.end()
    yield start, len(text)


def has(name: str, text: str) -> bool:
    """Whether any pattern of the list is in the text. Typographic apostrophes count as plain ones."""
    plain = text.replace("’", "'")
    return any(pattern.regex.search(plain) for pattern in patterns()[name])


@cache
def patterns(path: Path = PATTERNS) -> dict[str, tuple[Pattern, ...]]:
    """The lists of the file by name. Raises DataError."""
    try:
        rows = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        cells = [row.split("\t") for row in rows]
        feelings = "|".join(word for name, word, *_ in cells if name == "feeling")
        made = [Pattern(name, _compiled(name, regex, feelings), yes, no) for name, regex, yes, no in cells]
    except (OSError, UnicodeDecodeError, ValueError, re.error) as error:
        raise DataError("The patterns cannot be read.", details=f"{path}: {error}") from error
    return {name: tuple(one for one in made if one.list == name) for name in dict.fromkeys(one.list for one in made)}


def _compiled(name: str, regex: str, feelings: str) -> re.Pattern[str]:
    source = _FEELING if name == "feeling" else regex
    words_of = regex if name == "feeling" else feelings
    return re.compile(source.replace(_FEELING, rf"\b(?:{words_of})\b"), re.IGNORECASE)
