"""Which language the app speaks, and its words in that language. English is what is written in code and data files.

Another language is a folder `LANGUAGE` beside this file, for words that stand in code, and one of that name beside the
data files of an authored text. What is missing there is said in English, never left out. Knows no text itself.
"""

import contextlib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

NAMES = {"en": "English", "es": "Español"}  # each in itself
LANGUAGES = tuple(NAMES)
ENGLISH = LANGUAGES[0]

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)
_now = ENGLISH
_forget: list[Callable[[], None]] = []


def use(language: str | None) -> None:
    """Speak `language` from now on. None: the system's, where it is one of ours."""
    global _now  # noqa: PLW0603 - one program speaks one language
    _now = language or system_language()
    for clear in _forget:
        clear()


def language() -> str:
    """The language in use."""
    return _now


def system_language(environ: Mapping[str, str] | None = None) -> str:
    """What the system's language settings ask for; English when that is none of ours."""
    environ = os.environ if environ is None else environ
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name):
            found = re.match(r"[A-Za-z]{2,3}(?![A-Za-z])", value)
            return found[0].lower() if found and found[0].lower() in LANGUAGES else ENGLISH
    return ENGLISH


def cached(function: Callable[_Given, _Made]) -> "_lru_cache_wrapper[_Made]":
    """An `lru_cache` that forgets when the language changes."""
    made = lru_cache(maxsize=64)(function)
    _forget.append(made.cache_clear)
    return made


def say(text: str, /, **values: object) -> str:
    """`text`, which is English, in the language in use, with `values` in the places of their names."""
    said = _words().get(text, text)
    return said.format(**values) if values else said


def say_count(count: int, one: str, many: str, /, **values: object) -> str:
    """`one` or `many`, whichever fits `count`, which is a value as well. Holds for languages with two such forms."""
    return say(one if count == 1 else many, count=count, **values)


def read(package: str, path: str) -> dict[str, Any]:
    """An authored TOML file of `package`, its words in the language in use. Raises as reading the English file does."""
    folder, name = files(package).joinpath(*path.split("/")[:-1]), path.rsplit("/", 1)[-1]
    english = _toml(folder.joinpath(name))
    if _now == ENGLISH:
        return english
    try:
        return over(english, _toml(folder.joinpath(_now, name)))
    except _UNREADABLE:
        return english


def over(english: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """`english` with the words of `other`. Whatever is no text (numbers, choices of the program) stays as it is."""
    return {name: _over(value, other.get(name)) for name, value in english.items()}


def _over(value: Any, other: Any) -> Any:
    if isinstance(value, dict) and isinstance(other, dict):
        return over(value, other)
    if isinstance(value, list) and isinstance(other, list) and len(value) == len(other):
        return [_over(one, another) for one, another in zip(value, other, strict=True)]
    return other if isinstance(value, str) and isinstance(other, str) and other.strip() else value


@cached
def _words() -> Mapping[str, str]:
    """English to the language in use; empty for English. What cannot be read, file or folder, is left out."""
    if _now == ENGLISH:
        return {}
    words: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for file in files(__package__).joinpath(_now).iterdir():
            with contextlib.suppress(*_UNREADABLE):  # the other files are still said
                words |= {row["en"]: row[_now] for row in _toml(file)["words"] if row[_now].strip()}
    return words


def _toml(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))
