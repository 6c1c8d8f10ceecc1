"""`plain` in Spanish: every line and every question of the program; and the change from one language to the other."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.plain_room import Room, Typed
from tide_chat import config, wording
from tide_chat.care.keeping import Care
from tide_chat.commands import plain_history
from tide_chat.commands.plain import Plain
from tide_chat.safety import disclosure
from tide_chat.store.vault import Vault

ENGLISH = re.compile(r"(?i)(?<!/)\b(the|and|your|you|goes|leaves|people|kept|with|reply|written|nothing|there|model)\b")
PASSPHRASE = "four words of mine"


@pytest.fixture(autouse=True)
def english_again(tide_home: Path) -> Iterator[None]:
    yield
    wording.use("en")


@pytest.fixture
def spoken(spanish: None) -> None:
    disclosure.accept()


class Asked(Typed):
    """Keeps the questions as well."""

    def __init__(self, *typed: str) -> None:
        super().__init__(*typed)
        self.prompts: list[str] = []

    def _line(self, prompt: str, draft: str = "") -> str:
        self.prompts.append(prompt)
        return super()._line(prompt, draft)


def room() -> Room:
    made = Room(*["Vale."] * 9)
    made.companion.country = "ES"  # help lines elsewhere have English names
    return made


def english(text: str) -> list[str]:
    return [line for line in text.splitlines() if ENGLISH.search(line)]


@pytest.mark.parametrize(
    "typed",
    [
        ["/help"],
        ["/tools", "/ground", "b", *[""] * 8],
        ["/breathe", "q"],
        ["/check-in", "once", "8"],
        ["/check-in 3", "/weeks", "/summary", *[""] * 5, "s", "n"],
        ["/plan edit", *["x"] * 6, "/plan", "/plan file", "n"],
        ["/contacts", "/contacts edit", "Ana: 1", "/contacts", "/contacts edit", "-"],
        ["/about-me", "/about-me edit", "Algo", "/about-me on", "/about-me off", "/about-me what"],
        ["/place edit", "El mar", "/orient", "q"],
        ["/profile", "/profile brief", "/profile name Ana", "/profile keep", "/profile forget", "/profile x"],
        ["Hola.", "/again", "/edit", "", "/edit Otra vez.", "/card", "/why", "/nada", "/clear", "/edit", "/again"],
    ],
    ids=lambda typed: typed[0],
)
def test_nothing_is_said_in_english(spoken: None, typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    lines = Asked(*typed)
    Plain(room(), lines, Care(), still=True).run()
    assert not lines.typed
    out = capsys.readouterr().out
    assert out.startswith("/help muestra lo que puedes hacer.\n")
    assert english(out) == []
    assert english("\n".join(lines.prompts)) == []


def test_nothing_of_the_history_is_said_in_english(
    spoken: None, tmp_path: Path, cheap_keys: None, capsys: pytest.CaptureFixture[str]
) -> None:
    vault, talk = Vault(tmp_path / "history"), room()
    file = tmp_path / "talk.md"
    lines = Asked(
        "/name", "Hola.", "/name Lunes", "/history", "/find Hola", "/find mar", "/open 1", "/branch", "/open x",
        "/branch 9", f"/export {file}", "", "/help", "/forget", "n", "/forget", "s",
    )  # fmt: skip
    with vault.open(vault.create(PASSPHRASE)) as archive:
        history = plain_history.keep(archive, talk.companion, lines)
        Plain(talk, lines, Care(), history).run()
    out = capsys.readouterr().out
    assert english(out) == []
    assert english("\n".join(lines.prompts)) == []
    assert f"Escrito: {file}" in out
    assert "Esta conversación está olvidada" in out


def test_yes_is_understood_in_english_and_in_the_language_in_use(spanish: None) -> None:
    assert all(Typed(answer).agrees("?") for answer in ("y", "yes", "s", "sí", "SI"))
    assert not any(Typed(answer).agrees("?") for answer in ("", "n", "no", "quit"))


def test_a_slip_is_no_yes_in_english() -> None:
    assert all(Typed(answer).agrees("?") for answer in ("y", "YES"))
    assert not any(Typed(answer).agrees("?") for answer in ("s", "sí", "si", "S"))


def test_the_first_words_can_be_accepted_or_left(spanish: None, capsys: pytest.CaptureFixture[str]) -> None:
    Plain(Room(), Typed("n")).run()
    assert disclosure.due()
    Plain(Room(), Typed("sí")).run()
    assert not disclosure.due()


def test_the_language_changes_at_once_and_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    disclosure.accept()
    Plain(Room("Vale."), Typed("/language", "/language es", "Hola.", "/language xx")).run()
    assert capsys.readouterr().out.splitlines()[1:] == [
        "/language and one of these: en, es.",
        "Idioma: Español.",
        "Respuesta: Vale.",
        "/language y uno de estos: en, es.",
    ]
    assert config.load().language == "es"
