"""A message in another language in English words, word by word, for the encoder: its base knows English alone.

Tables `gloss/*.tsv` of forms with what they mean; the longest form wins, and a word that is in none stays as it is.
No translation: nobody sees it, and the encoder reads it beside the message itself. The words of a text's language are
also those that are never mended into others (`disguise.py`). Knows no tier.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from tide_chat.safety import language, unread
from tide_chat.safety.letters import unaccented

LANGUAGES = ("de", "es", "fr", "hi", "id", "it", "pt")
LONGEST = 9  # words of a form
FEWEST = 2  # different words of a language, from which a text is taken for that language
SHARE = 0.3  # of the words that are not plainly English

_TOKEN = re.compile(r"[^\W\d_]+['’]?|\d+|[^\w\s]+")


@dataclass(frozen=True, slots=True)
class Table:
    """Of one language: folded words to their English ("" for what vanishes), and the single words that tell it."""

    forms: Mapping[str, str]
    own: frozenset[str]


def english(text: str) -> str | None:
    """The text with its words in English; None when it is in English or in no language of which there is a table."""
    table = _table_of(text)
    if table is None:
        return None
    tokens = _tokens(text)
    return " ".join(_words(tokens, list(map(_fold, tokens)), table))


def knows(word: str, text: str) -> bool:
    """Whether a word is one of the language that the text is in; of none where there is no table of that."""
    table = _table_of(text)
    return table is not None and _fold(word) in table.own


def prepare() -> None:
    """Read all tables, so that no message waits for that."""
    for code in LANGUAGES:
        _load(code)


@lru_cache(maxsize=8)
def _table_of(text: str) -> Table | None:
    """The table that knows most of the words, when it knows more of them than English does."""
    words = [word for word in map(_fold, _tokens(text)) if word[:1].isalpha()]
    plain = language.frequent().covered.get("en", frozenset())
    strange = [word for word in words if word.rstrip("'") not in plain]
    if len(strange) <= len(words) - len(strange):
        return None  # before any table is read
    best = max(map(_load, LANGUAGES), key=lambda table: _known(strange, table))
    own = _known(strange, best)
    enough = own > len(words) - len(strange) and own >= SHARE * len(strange)
    return best if enough and len(best.own.intersection(strange)) >= FEWEST else None


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text if text.isascii() else unicodedata.normalize("NFKC", text))


def _known(words: list[str], table: Table) -> int:
    return sum(map(table.own.__contains__, words))


def _words(tokens: list[str], folded: list[str], table: Table) -> Iterator[str]:
    at = 0
    while at < len(tokens):
        for size in range(min(LONGEST, len(tokens) - at), 0, -1):
            meaning = table.forms.get(" ".join(folded[at : at + size]))
            if meaning is not None:
                if meaning:
                    yield meaning
                at += size
                break
        else:
            yield tokens[at]
            at += 1


def _fold(word: str) -> str:
    return word.lower() if word.isascii() else unaccented(word.casefold().replace("’", "'"))


def _parted(form: str) -> str:
    """A blank between its tokens."""
    return form if form.replace(" ", "").isalpha() else " ".join(_TOKEN.findall(form))


@lru_cache(maxsize=len(LANGUAGES))
def _load(code: str) -> Table:
    """Empty when the file cannot be read: then the encoder reads the message alone."""
    try:
        lines = (files("tide_chat.safety") / "gloss" / f"{code}.tsv").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        unread.note(f"gloss/{code}.tsv", error)
        lines = []
    pairs = [line.partition("\t")[::2] for line in lines if line and not line.startswith("#")]
    forms = {_parted(_fold(form)): sys.intern(meaning) for form, meaning in reversed(pairs)}
    # A letter tells nothing, nor does a word that English has too (`bus`).
    own = (form for form, meaning in forms.items() if " " not in form and len(form) > 1 and form != meaning)
    return Table(forms, frozenset(own))
