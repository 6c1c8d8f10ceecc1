"""Which language is spoken, and that every word said through the catalogue is in it."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import said_texts
from tide_chat import config, wording
from tide_chat.care import summary
from tide_chat.commands import options
from tide_chat.errors import StoreError, UsageError
from tide_chat.profile import Style, described
from tide_chat.ui.commands import COMMANDS, TYPING

PLACES = re.compile(r"\{\w+\}")
FILES = sorted((Path(wording.__file__).parent / "es").glob("*.toml"))


def _rows(file: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))["words"]
    return found


ROWS = [row for file in FILES for row in _rows(file)]
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


def test_without_the_folder_of_a_language_english_is_said() -> None:
    wording.use("xx")
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
    assert _edges(row["es"]) == _edges(row["en"])


def _edges(text: str) -> tuple[str, str]:
    """Blanks before and after: a prompt needs its own."""
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def test_no_english_stands_twice() -> None:
    english = [row["en"] for row in ROWS]
    assert len(english) == len(set(english))


MET = ("tide_chat/store", "tide_chat/care", "tide_chat/engine", "tide_chat/ui", "tide_chat/turn.py")
ENGLISH_ONLY = ("tide_chat.ui.screens.clinician", "tide_chat.clinician")  # what clinicians are shown, so far
OTHERS = {  # looked up by what they stand in
    "commands": [words for one in COMMANDS for words in (one.title, one.help)],
    "keys": [words for one in TYPING for words in (one.keys, one.help)],
    "styles": [words for style in Style for words in described(style)],
    "own page": [summary.TITLE, *summary.OWN],
}


def test_every_word_that_is_said_has_its_spanish(checkout: Path) -> None:
    known = {row["en"] for row in ROWS}
    texts = said_texts.said(said_texts.parsed(checkout, "tide_chat"))
    assert [(name, text) for name, text in texts if text not in known and not name.startswith(ENGLISH_ONLY)] == []


def test_no_row_is_left_that_nothing_says(checkout: Path) -> None:
    """But for `said.toml`: its texts also stand in data files."""
    modules = said_texts.parsed(checkout, "tide_chat").values()
    texts = {one.value for module in modules for one in ast.walk(module) if isinstance(one, ast.Constant)}
    rows = [row["en"] for file in FILES if file.name != "said.toml" for row in _rows(file)]
    assert [text for text in rows if text not in texts and text not in OTHERS["styles"]] == []


@pytest.mark.parametrize("what", OTHERS)
def test_every_table_has_its_spanish(what: str) -> None:
    assert set(OTHERS[what]) <= {row["en"] for row in ROWS}


def test_every_failure_that_a_person_meets_has_its_spanish(checkout: Path) -> None:
    known = {row["en"] for row in ROWS}
    found = list(said_texts.failures(said_texts.parsed(checkout, *MET)))
    assert len(found) > 40
    assert [(name, text) for name, text in found if text not in known] == []


def test_the_texts_are_found_however_they_are_said(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text('A, B = "a", "b"\nTABLE = {1: "c", 2: "d"}\n', encoding="utf-8")
    (tmp_path / "screen.py").write_text(
        "from words import A, TABLE\nimport words\n"
        "class S:\n    title_text = 'title'\n    def f(self, keys='keys'):\n"
        "        say(A if self else 'e')\n        say(TABLE[1])\n        say_count(2, 'one', 'many')\n"
        "        [say(words) for name, words in TABLE.items()]\n        Confirm('?', say('f'), yes='yes')\n",
        encoding="utf-8",
    )
    found = {text for _, text in said_texts.said(said_texts.parsed(tmp_path, "."))}
    assert found == {"a", "c", "d", "e", "f", "title", "keys", "one", "many", "?", "yes"}


def test_an_error_says_its_own_words_in_the_language_in_use(spanish: None) -> None:
    error = StoreError("The history is not open.", details="x.db", help="Try again when it is done.")
    assert str(error) == "El historial no está abierto.\nx.db\nPrueba otra vez cuando acabe."
    assert (error.line, error.short) == (str(error).replace("\n", " "), f"{error.said} Prueba otra vez cuando acabe.")
    assert str(StoreError("Nobody translated this.")) == "Nobody translated this."


def test_places_are_filled_in_and_numbers_get_their_form(spanish: None) -> None:
    assert wording.say("There is no command {typed}.", typed="/x{y}") == "There is no command /x{y}."
    assert wording.say_count(1, "1 message", "{count} messages") == "1 mensaje"
    assert wording.say_count(0, "1 message", "{count} messages") == "0 mensajes"
    assert wording.say_count(12, "1 message", "{count} messages") == "12 mensajes"
