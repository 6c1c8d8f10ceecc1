"""The app in Spanish: nothing that it says itself is left in English, and it fits where the English does."""

import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Button, Input, OptionList, Static, TextArea

from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles, FakeWords
from tests.ui.driving import chat, doing, hint, on_screen, send, settle, shown
from tests.ui.history_driving import kept_history, open_list, reply, type_in, unlock, user
from tide_chat import wording
from tide_chat.config import Settings
from tide_chat.engine.supervisor import EngineState, Phase
from tide_chat.errors import ModelUnusable
from tide_chat.safety import disclosure, helplines
from tide_chat.safety.cards import HelpLine
from tide_chat.ui.commands import COMMANDS
from tide_chat.ui.screens import chat as chat_screen
from tide_chat.ui.screens.settings import SettingsScreen

FOLDER = Path(wording.__file__).parent / "es"
ROWS = [row for file in FOLDER.glob("*.toml") for row in tomllib.loads(file.read_text(encoding="utf-8"))["words"]]
ENGLISH = re.compile(
    r"\b(the|and|your|you|goes|keys|leaves|closes|chooses|people|write|kept|with|back|how)\b", re.IGNORECASE
)
PANEL, BOX = 72, 76  # columns of a panel's lines and of the box to write in, at 80
KEYS = [row for row in ROWS if " · " in row["en"] and "{" not in row["en"] and "\n" not in row["en"]]


class Authored(FakeWords):
    """The real texts."""

    def disclosure(self, country: str | None) -> str:
        return disclosure.text("ES")

    def help_lines(self, country: str | None) -> tuple[HelpLine, ...]:
        return helplines.overview("ES")

    def help_footnote(self, country: str | None) -> str:
        return helplines.footnote("ES")


@pytest.fixture
def spoken(doubles: Doubles, spanish: None) -> Doubles:
    doubles.settings = Settings(language="es", reduced_motion=True)
    doubles.words = Authored()
    doubles.shelf.all = tuple(replace(row, title=row.alias) for row in doubles.shelf.all)
    return doubles


def words(screen: Screen[object]) -> Iterator[str]:
    """Everything a screen says, also what has to be scrolled to."""
    for widget in screen.query("*").exclude(".credit"):  # a citation
        match widget:
            case Button():
                yield str(widget.label)
            case OptionList():
                yield from (str(option.prompt) for option in widget.options)
            case Input() | TextArea():
                yield str(widget.placeholder)
            case Static():
                yield str(widget.render())


def lines(text: str, width: int) -> int:
    return len(textwrap.wrap(text, width))


@pytest.mark.parametrize("row", KEYS, ids=lambda row: row["en"][:30])
def test_a_line_of_keys_takes_no_more_room_than_the_english_one(row: dict[str, str]) -> None:
    assert lines(row["es"], PANEL) <= lines(row["en"], PANEL)


def test_what_stands_on_one_line_fits_it(spanish: None) -> None:
    say = wording.say
    assert len(say(chat_screen.TITLE)) + 3 + len(say(chat_screen.TITLE_KEYS_SHORT)) <= 78
    assert len(say(chat_screen.PLACEHOLDER)) <= BOX
    assert all(17 + len(say(command.title)) <= BOX for command in COMMANDS)
    assert len(say("F3 to read on · Ctrl+G puts it away")) <= PANEL
    keys = say("Left, Right: other ways · {how} · Enter ends · F2 people · Esc leaves", how=say("S moves"))
    assert len(keys) <= PANEL
    assert len(say("loading {percent}%, your message waits, Esc takes it back", percent=100)) <= BOX


PANELS = (
    "f1",
    "f2",
    "f4",
    "f4 down enter",
    "f5",
    "f8",
    "f9",
    "f9 s",
    "f10",
    "f10 enter enter enter enter enter enter",
    "f12",
    "alt+m",
    "alt+p e x escape",
    "alt+s",
    "alt+c",
    "alt+c 8 enter",
    "alt+l",
    "alt+l e",
    "alt+l x",
    *("/profile /weeks /contacts /summary /about-me /forget /clear /about /why".split()),
)
HISTORY = ("f11", "f11 tab", "f11 tab down enter", "f11 tab down down enter", "f11 tab down down down enter")


async def walk(pilot: Pilot[int], how: str) -> None:
    """From the chat to a panel, look at it, and back."""
    if how.startswith("/"):
        await send(pilot, how)
    else:
        await pilot.press(*how.split())
        await settle(pilot)
    assert pilot.app.screen is not chat(pilot), how
    assert [said for said in words(pilot.app.screen) if ENGLISH.search(said)] == [], how
    keys = pilot.app.screen.query_one("#panel-keys").region
    assert 1 <= keys.height <= 3, how
    assert keys.bottom <= pilot.app.size.height, how
    for button in pilot.app.screen.query(Button):
        assert len(str(button.label)) <= button.size.width, how
    while pilot.app.screen is not chat(pilot):
        pilot.app.pop_screen()
        await pilot.pause()


async def test_no_panel_has_english_left(open_app: OpenApp, spoken: Doubles) -> None:
    async with open_app() as pilot:
        for how in PANELS:
            await walk(pilot, how)


async def test_no_screen_of_the_history_has_english_left(
    open_app: OpenApp, spoken: Doubles, tmp_path: Path, cheap_keys: None
) -> None:
    kept_history(spoken, tmp_path / "history", [user("Me duele la cabeza."), reply("Eso cansa.")])
    spoken.settings = spoken.settings.model_copy(update={"language": "es"})
    async with open_app() as pilot:
        assert "Abrir tu historial" in on_screen(pilot)
        await type_in(pilot, "not this one")
        assert "Esta frase de contraseña no abre el historial." in " ".join(words(pilot.app.screen))
        await unlock(pilot)
        assert " · se guarda · " in on_screen(pilot)
        for how in HISTORY:
            await walk(pilot, how)
        await open_list(pilot)
        assert "9 de junio" in on_screen(pilot) or "hoy, " in on_screen(pilot) or "2 mensajes" in on_screen(pilot)


async def test_the_conversation_is_framed_in_spanish(open_app: OpenApp, spoken: Doubles) -> None:
    async with open_app() as pilot:
        assert "un programa, no una persona" in on_screen(pilot)
        assert "Escribe lo que tengas en la cabeza." in on_screen(pilot)
        await send(pilot, "Hola.")
        assert {"Tú", "Tide"} <= {line.strip(" ▌") for line in on_screen(pilot).splitlines()}
        assert doing(pilot) == "listo"
        await send(pilot, "/nada")
        assert hint(pilot).startswith("No existe /nada.")
        await pilot.press("f3")
        assert hint(pilot).startswith("No hay ninguna tarjeta abierta.")


async def test_what_the_program_says_of_a_failure_is_spanish(open_app: OpenApp, spoken: Doubles) -> None:
    error = ModelUnusable("The model stopped three times in a row, so it stays off for now.", details="signal 9")
    async with open_app() as pilot:
        spoken.engine.become(EngineState(Phase.NO_MODEL, error=error))
        await pilot.pause()
        (_, text), *_ = shown(pilot)
        assert text.startswith("El modelo se detuvo tres veces seguidas, así que por ahora queda apagado.\nNo hay")
        assert doing(pilot) == "sin modelo"


class TestChanging:
    """At once, everywhere on the screen, and kept like any setting."""

    @pytest.fixture(autouse=True)
    def english_again(self) -> Iterator[None]:
        yield
        wording.use("en")

    async def test_on_the_settings_screen(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await send(pilot, "Hello.")
            await pilot.press("f5")
            await pilot.pause()
            choose(pilot, "es")
            await pilot.pause()
            assert not [said for said in words(pilot.app.screen) if ENGLISH.search(said)]
            assert "(x) Español" in on_screen(pilot)
            assert "Ajustes" in on_screen(pilot)
            await pilot.press("escape")
            await pilot.pause()
            assert "un programa, no una persona" in on_screen(pilot)
            assert "Tú" in on_screen(pilot)
            assert "Escribe aquí." in on_screen(pilot)
        assert [saved.language for saved in doubles.saved] == ["es"]

    async def test_back_to_what_the_system_has(
        self, open_app: OpenApp, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
        doubles.settings = Settings(language="en")
        async with open_app() as pilot:
            await pilot.press("f5")
            await pilot.pause()
            choose(pilot, "system")
            await pilot.pause()
            assert "Ajustes" in on_screen(pilot)
        assert [saved.language for saved in doubles.saved] == [None]

    async def test_by_command(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await send(pilot, "/language es")
            assert "Escribe lo que tengas en la cabeza." in on_screen(pilot)
            await send(pilot, "/language xx")
            assert hint(pilot) == "Los idiomas son estos: en, es."
            await send(pilot, "/language")
            assert isinstance(pilot.app.screen, SettingsScreen)
        assert [saved.language for saved in doubles.saved] == ["es"]


def choose(pilot: Pilot[int], name: str) -> None:
    options = pilot.app.screen.query_one("#choices", OptionList)
    options.highlighted = options.get_option_index(name)
    options.action_select()
