"""Which language is spoken, and that every word said through the catalogue is in it."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat import config, wording
from tide_chat.commands import options
from tide_chat.errors import UsageError

PLACES = re.compile(r"\{\w+\}")
ROWS = tomllib.loads((Path(wording.__file__).parent / "es.toml").read_text(encoding="utf-8"))["words"]
NAMES, SIMPLE = st.sampled_from("abc"), st.text(max_size=3) | st.integers() | st.booleans()
INNER = SIMPLE | st.lists(SIMPLE, max_size=2) | st.dictionaries(NAMES, SIMPLE, max_size=2)
TABLES = st.dictionaries(NAMES, INNER, max_size=3)


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    wording.use("en")


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LANG": "es"}, "es"),
        ({"LANG": "es_MX.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "es_AR.UTF-8"}, "es"),
        ({"LANG": "est_EE"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "@@"}, "en"),
    ],
)
def test_the_systems_language_where_it_is_one_of_ours(environ: dict[str, str], language: str) -> None:
    assert wording.system_language(environ) == language


def test_the_setting_wins_over_the_system(monkeypatch: pytest.MonkeyPatch, tide_home: Path) -> None:
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    options.read()
    assert wording.language() == "es"
    config.save(config.Settings(language="en"))
    options.read()
    assert wording.language() == "en"
    (tide_home / "config.toml").write_text('language = "xx"', encoding="utf-8")
    with pytest.raises(UsageError, match="language"):
        options.read()


def test_english_is_said_as_it_is_written() -> None:
    assert wording.say("Emergency") == "Emergency"
    wording.use("es")
    assert wording.say("Emergency") == "Emergencias"
    assert wording.say("a word that nobody translated") == "a word that nobody translated"
    wording.use("en")
    assert wording.say("Emergency") == "Emergency"


def test_what_was_cached_is_forgotten_with_the_language() -> None:
    @wording.cached
    def spoken() -> str:
        return wording.language()

    assert spoken() == "en"
    wording.use("es")
    assert spoken() == "es"


@given(TABLES, TABLES)
def test_another_language_changes_words_and_nothing_else(english: dict[str, object], other: dict[str, object]) -> None:
    def shape(value: object) -> object:
        if isinstance(value, dict):
            return {name: shape(one) for name, one in value.items()}
        if isinstance(value, list):
            return [shape(one) for one in value]
        return "text" if isinstance(value, str) else value

    result = wording.over(english, other)
    assert shape(result) == shape(english)
    assert wording.over(english, {}) == english
    assert wording.over(result, other) == result


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["en"][:30])
def test_each_pair_has_the_same_places_and_numbers(row: dict[str, str]) -> None:
    assert sorted(PLACES.findall(row["es"])) == sorted(PLACES.findall(row["en"]))
    assert sorted(re.findall(r"\d+", row["es"])) == sorted(re.findall(r"\d+", row["en"]))
    assert not re.search(r"[!¡]", row["es"])
    assert row["es"].strip() == row["es"]


def test_no_english_stands_twice() -> None:
    english = [row["en"] for row in ROWS]
    assert len(english) == len(set(english))


def test_every_word_that_is_said_has_its_spanish(checkout: Path) -> None:
    """Looks at the code: what `say` is given as a text, or as a name of a text in the same module."""
    known = {row["en"] for row in ROWS}
    missing = []
    for path in sorted((checkout / "tide_chat").rglob("*.py")):
        missing += [
            (path.name, text) for text in _said(ast.parse(path.read_text(encoding="utf-8"))) if text not in known
        ]
    assert missing == []


def _said(module: ast.Module) -> Iterator[str]:
    constants = {
        target.id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if not any(isinstance(node, ast.ImportFrom) and _brings_say(node) for node in ast.walk(module)):
        return
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _is_say(node.func):
            yield from _texts(node.args[0], constants)


def _texts(given: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        yield given.value
    elif isinstance(given, ast.Name) and given.id in constants:
        yield constants[given.id]
    elif isinstance(given, ast.IfExp):
        yield from _texts(given.body, constants)
        yield from _texts(given.orelse, constants)


def _brings_say(node: ast.ImportFrom) -> bool:
    return node.module in ("tide_chat", "tide_chat.wording") and any(
        one.name in ("wording", "say") for one in node.names
    )


def _is_say(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return function.attr == "say" and isinstance(function.value, ast.Name) and function.value.id == "wording"
    return isinstance(function, ast.Name) and function.id == "say"
