"""Scripts: what they may hold, and errors that name file and line."""

from pathlib import Path

import pytest

from tide_chat.clinician import script
from tide_chat.clinician.script import Kind, Step
from tide_chat.errors import DataError, UsageError
from tide_chat.ui.commands import COMMANDS

NAMES = {command.name for command in COMMANDS}
HEAD = 'title = "A day"\nabout = "Kim is made up."\n'


def test_a_whole_script(tmp_path: Path) -> None:
    path = tmp_path / "day.toml"
    path.write_text(
        HEAD + '[[step]]\nsay = " Hello. "\n[[step]]\nopen = "ground"\npause = 2\n[[step]]\npress = "escape"\n',
        encoding="utf-8",
    )
    found = script.load(str(path), NAMES)
    assert (found.title, found.about) == ("A day", "Kim is made up.")
    assert found.steps == (Step(Kind.SAY, "Hello."), Step(Kind.OPEN, "ground", 2.0), Step(Kind.PRESS, "escape"))


@pytest.mark.parametrize("name", script.shipped())
def test_what_comes_with_the_app_shows_a_turn_a_tool_and_says_who_speaks(name: str) -> None:
    found = script.load(name, NAMES)
    assert {step.kind for step in found.steps} == set(Kind)
    assert "made up" in found.about


def test_the_one_in_the_docs_is_one(checkout: Path) -> None:
    page = (checkout / "docs" / "clinician.md").read_text(encoding="utf-8")
    found = script.parse(page.partition("```toml")[2].partition("```")[0], "clinician.md", NAMES)
    assert {step.kind for step in found.steps} == set(Kind)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (HEAD + "\n[[step]]\nsay = 3\n", 5, "say must be words, got 3"),
        (HEAD + '[[step]]\nsay = "a"\n\n[[step]]\nsay = ""\n', 7, "say is missing"),
        (HEAD + '[[step]]\nsay = "a"\nnote = "b"\n', 5, "a step needs one of say, note, open, press, got say and note"),
        (HEAD + '[[step]]\nsay = "a"\n[[step]]\npause = 1\n', 5, "got none"),
        (HEAD + '[[step]]\nopen = "grund"\n', 4, "there is no command 'grund'"),
        (HEAD + '[[step]]\nsay = "a"\nsaid = "b"\n', 5, "'said' is not a part of a step"),
        (HEAD + '[[step]]\nsay = "a"\npause = -1\n', 5, "pause must be seconds, 0 to 600, got -1"),
        (HEAD + '[[step]]\nsay = "a"\npause = true\n', 5, "got True"),
        ('titel = "A"\n' + HEAD, 1, "'titel' is not a part of a script"),
        ('title = "A"\n[[step]]\nsay = "a"\n', 1, "about is missing"),
        (HEAD, 1, "there is no [[step]]"),
        (HEAD + 'step = "a"\n', 3, "there is no [[step]]"),
        (HEAD + f'[[step]]\nsay = "{"a" * 4001}"\n', 4, "4001 characters"),
    ],
)
def test_a_bad_script_names_file_and_line(text: str, line: int, said: str) -> None:
    with pytest.raises(DataError) as caught:
        script.parse(text, "day.toml", NAMES)
    assert f"day.toml, line {line}: " in caught.value.details
    assert said in caught.value.details


def test_no_toml() -> None:
    with pytest.raises(DataError, match="not valid TOML") as caught:
        script.parse(HEAD + "[[step]\n", "day.toml", NAMES)
    assert "line 3" in caught.value.details


def test_a_file_that_is_not_there_and_a_name_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        script.load(str(tmp_path / "none.toml"), NAMES)
    with pytest.raises(UsageError, match="no script 'morning'") as caught:
        script.load("morning", NAMES)
    assert "evening" in caught.value.details
