"""The command table is the one source: what it names exists, and everything that lists commands agrees with it."""

from pathlib import Path

import pytest
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.binding import Binding

from tests.ui.conftest import OpenApp
from tests.ui.driving import app, chat, on_screen
from tide_chat.ui import commands
from tide_chat.ui.app import TideChatApp
from tide_chat.ui.commands import COMMANDS, TYPING, Command
from tide_chat.ui.palette import TideCommands
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.widgets.composer import Composer


def bound(owner: type) -> dict[str, str]:
    """Key and action of every binding that `owner` declares itself."""
    bindings = [b for b in owner.__dict__["BINDINGS"] if isinstance(b, Binding)]
    return {key: binding.action for binding in bindings for key in binding.key.split(",")}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_an_action(command: Command) -> None:
    owner = TideChatApp if command.anywhere else ChatScreen
    assert callable(getattr(owner, f"action_{command.action}"))


def test_every_key_is_bound_and_every_bound_key_is_listed() -> None:
    listed = {key: c.action for c in COMMANDS for key in c.keys}
    typed = {"escape": "escape", "ctrl+c": "copy_or_say"}
    assert bound(ChatScreen) | bound(TideChatApp) == listed | typed
    assert {"Esc", "Ctrl+C"} <= {row.keys for row in TYPING}


def test_no_name_or_key_is_used_twice() -> None:
    names = [name for c in COMMANDS for name in (c.name, *c.aliases)]
    keys = [key for c in COMMANDS for key in c.keys]
    assert len(names) == len(set(names))
    assert len(keys) == len(set(keys))


def test_no_key_takes_one_that_edits_text() -> None:
    inherited = {key for cls in Composer.__mro__ for b in cls.__dict__.get("BINDINGS", []) for key in b.key.split(",")}
    assert not inherited & {key for c in COMMANDS for key in c.keys}


def test_no_key_is_one_that_terminals_send_for_another() -> None:
    """Esc and b, which is Alt+B, stands for a word to the left."""
    letters = [key.removeprefix("alt+") for c in COMMANDS for key in c.keys if key.startswith("alt+")]
    assert letters
    assert [letter for letter in letters if f"\x1b{letter}" in ANSI_SEQUENCES_KEYS] == []


async def test_the_help_panel_lists_everything(open_app: OpenApp) -> None:
    async with open_app(size=(100, 160)) as pilot:
        await pilot.press("f1")
        await pilot.pause()
        text = on_screen(pilot)
        for keys, slash, _ in commands.rows():
            assert slash in text
            assert keys in text
        for row in TYPING:
            assert row.keys in text


async def test_the_palette_lists_everything(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        provider = TideCommands(chat(pilot))
        found = [hit.text async for hit in provider.discover()]
        assert len(found) == len(COMMANDS) - 1  # all but the palette itself
        assert TideCommands in app(pilot).COMMANDS


def test_the_docs_are_the_table(checkout: Path) -> None:
    assert (checkout / "docs" / "keys.md").read_text(encoding="utf-8") == commands.markdown()


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("/help", "help", ""),
        ("/HELP ", "help", ""),
        ("/keys", "help", ""),
        ("/theme  calm-light ", "theme", "calm-light"),
        ("/q", "quit", ""),
    ],
)
def test_slash_commands_are_understood(text: str, name: str, argument: str) -> None:
    parsed = commands.parse(text)
    assert parsed is not None
    assert (parsed[0].name, parsed[1]) == (name, argument)


@pytest.mark.parametrize("text", ["help", " /help", "/", "/ help", "/nothing", "/i want to die", ""])
def test_words_are_no_commands(text: str) -> None:
    assert commands.parse(text) is None


def test_completions() -> None:
    assert [c.name for c in commands.completions("/he")] == ["help-lines", "help"]
    assert [c.name for c in commands.completions("/retr")] == ["again"]
    assert commands.completions("/") == COMMANDS
    assert commands.completions("/help ") == ()
    assert commands.completions("help") == ()


def test_key_names_for_people() -> None:
    assert [commands.key_label(key) for key in ("ctrl+q", "f1", "escape")] == ["Ctrl+Q", "F1", "Escape"]
