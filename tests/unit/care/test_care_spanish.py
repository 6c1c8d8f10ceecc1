"""The care tools in Spanish: whole, with the times of the English ones, in their tone."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.spanish_files import PLACES, both
from tide_chat import care, wording
from tide_chat.care import breathing, checkin, plan, summary, today, weeks
from tide_chat.care.keeping import Care
from tide_chat.care.tools import all_tools, find

FOLDER = Path(care.__file__).parent / "data"
FILES = sorted(path for path in FOLDER.rglob("*.toml") if path.parent.name != "es")
LEFT_ENGLISH = ("id", "source", "name", "does", "people", "paper", "tools")  # names of the program, and titles of works
NIGHT = datetime(2026, 11, 26, 3, 5, tzinfo=UTC)
NEVER = {
    "an exclamation mark": r"[!¡]",
    "an order to feel otherwise": r"c[aá]lmate|tranquil[ií]zate|rel[aá]jate|an[ií]mate|supéralo",
    "a promise of an outcome": r"(te|vas a) (sentirás|sentir|calmará) |todo (irá|saldrá)|siempre funciona",
    "safety as a fact": r"\bya estás a salvo\b",
    "a means or a method": r"\b(pastillas?|soga|pistola|armas?|cuchill\w+|navaja|puente|sobredosis|veneno|alcohol)\b",
    "a clinical claim": r"diagn[oó]stic|\bsíntomas?\b|\bTEPT\b|demostrado|\bcura\b|puntúas",
    "an order": r"\b(debes|(?<!no )tienes que)\b",
    "holding the breath": r"(aguanta|contén|retén) (la respiración|el aire)",
    "formal address": r"\busted(es)?\b",
}
ORDERS = re.compile(
    r"(?:^|[.:?]\s+)(llama|ve|toma|pon|di|guarda|escribe|respira|intenta|espera|mira|nombra|imagina|cierra|aprieta"
    r"|siéntate|túmbate|piensa|siente|cuenta|deja)\b",
    re.IGNORECASE,
)


pytestmark = pytest.mark.usefixtures("spanish")


def said() -> list[tuple[str, str]]:
    found = [(path.stem, text) for path in FILES for text in both(path, LEFT_ENGLISH)[1].values()]
    return [*found, ("summary", summary.draft((), NIGHT)), *(("breathing", line) for line in _rounds())]


def _rounds() -> Iterator[str]:
    for pattern in find("breathing").patterns:
        yield from breathing.in_words(pattern)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_each_file_has_the_same_texts(file: Path) -> None:
    english, other = both(file, LEFT_ENGLISH)
    assert set(other) == set(english)
    for path, text in english.items():
        assert sorted(PLACES.findall(other[path])) == sorted(PLACES.findall(text)), path
        assert re.findall(r"\d+", other[path]) == re.findall(r"\d+", text), path
        assert other[path] != text or text == "{own}", path


def test_every_file_says_that_the_review_is_pending() -> None:
    for file in FILES:
        assert "needs review by a native speaker and a clinician" in (file.parent / "es" / file.name).read_text("utf-8")


@pytest.mark.parametrize("what", NEVER)
def test_what_is_never_said(what: str) -> None:
    assert [(name, hit.group()) for name, text in said() if (hit := re.search(NEVER[what], text, re.IGNORECASE))] == []


def test_choices_not_commands() -> None:
    assert [(name, hit.group()) for name, text in said() if (hit := ORDERS.search(text))] == []


def test_the_times_and_the_order_are_those_of_the_english_tools() -> None:
    def bones() -> list[object]:
        tools = [(tool.id, tool.source, [(step.seconds, step.own) for step in tool.steps]) for tool in all_tools()]
        breaths = [(one.id, one.rounds, one.total_s, one.holds) for one in find("breathing").patterns]
        return [*tools, *breaths, *((fit.tools, fit.people) for fit in map(checkin.match, range(11)))]

    spanish = bones()
    wording.use("en")
    assert bones() == spanish


def test_the_day_and_the_time_are_said_in_spanish() -> None:
    assert today.day(NIGHT) == "jueves, 26 de noviembre de 2026"
    assert today.time(NIGHT) == "03:05, de noche"
    tool = Care().filled(find("orienting"), NIGHT)
    assert tool.steps[0].text == "Hoy es jueves, 26 de noviembre de 2026. La hora: 03:05, de noche."
    assert tool.close.startswith("Hoy es jueves")


def test_breathing_in_words() -> None:
    assert breathing.in_words(find("breathing").patterns[0]) == (
        "Tomando aire, mientras cuentas despacio hasta cuatro.",
        "Soltando el aire, mientras cuentas despacio hasta seis.",
    )
    assert find("muscles").steps[1].still().endswith("Unos 6 segundos, contados a tu ritmo.")


def test_the_plan_the_summary_and_the_weeks_are_spanish() -> None:
    assert plan.SafetyPlan(coping="pasear").brief() == (
        "Mi plan de seguridad\n- Lo que puedo hacer por mi cuenta: pasear\nEl plan entero: /plan"
    )
    notes = [checkin.CheckIn(NIGHT, 7, "before", "grounding"), checkin.CheckIn(NIGHT, 4, "after", "grounding")]
    assert weeks.in_words(notes) == (
        "del 23 de noviembre al 29 de noviembre: 2 registros, de 4 a 7, en medio 5.5.",
        "Anclaje 5-4-3-2-1: anotado antes y después una vez; después 1 más bajo.",
    )
    assert "# Para mi profesional\n\nEscrito el jueves, 26 de noviembre" in summary.draft(notes, NIGHT)
    assert checkin.compared(5, 5).endswith("no dice nada de ti.")
