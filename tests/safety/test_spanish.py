"""The authored safety texts in Spanish: whole, with the same numbers, in the tone of the English ones.

What a native speaker and a clinician have to judge, no test can: every file says that this review is still to come.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.spanish_files import PLACES, both
from tide_chat import wording
from tide_chat.commands import turns
from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.events import Notice
from tide_chat.safety import cards, disclosure, guard_rules, helplines, sayings, why
from tide_chat.safety.assessment import Assessment, Flag, Reason, Tier
from tide_chat.safety.classifier import Classifier, Reading
from tide_chat.safety.encoder import Unavailable
from tide_chat.safety.router import Router, assess
from tide_chat.safety.state import RiskState, wish_in
from tide_chat.turn import CHECK_FAILED, Companion

FOLDER = Path(cards.__file__).parent / "cards_data"
IDS = ("t2", "t3", "t4", *(str(flag) for flag in Flag))
LEFT_OUT = ("id", "needs", "required", "said", "begins", "languages")  # the checklist, and names of things
NEVER = {
    "an exclamation mark": r"[!¡]",
    "calm down": r"c[aá]lmate|tranquil[ií]zate|rel[aá]jate|an[ií]mate|sé positiv|supéralo",
    "a promise of secrecy": r"te (prometo|juro)|entre nosotros|no se lo diré|confidencial|anónim",
    "a promise of an outcome": r"estarás bien|va a (mejorar|pasar pronto)|todo (irá|saldrá)|vas a estar",
    "safety as a fact": r"\bya estás a salvo\b",
    "what people on a line will do": r"\b(te (atenderán|ayudarán|rastrearán)|llamarán a la policía)",
    "blame or worn-out words": r"comet\w+ suicidio|egoís|llamar la atención|manipul|intento fallido|consumado",
    "a means or a method": r"\b(soga|pistola|cuchill\w+|navaja|puente|sobredosis|ahorc\w+|saltar|tirarse)\b",
    "therapy of a machine": r"mi terapia|como tu terapeuta|diagn[oó]stic",
    "a claim to feel": r"\b(me (preocupas|alegro|importas)|te quiero|siento mucho)\b",
    "an order to feel otherwise": r"no (llores|te preocupes|estés)|(?<!no )(tienes que|debes) ",
    "formal address": r"\b(usted|ustedes|su tarjeta|le (pido|ruego))\b",
    "an end by itself": r"adiós|(el chat|la conversación) (termina|ha terminado|se cierra)",
}
ORDERS = re.compile(
    r"(?:^|[.:?]\s+|\n)(llama|ve|toma|pon|di|guarda|quédate|escribe|respira|intenta|espera|deja|abre|pide|recuerda)\b",
    re.IGNORECASE,
)
ELEMENTS = {
    "asks directly about thoughts of ending life": r"pensamientos de quitarte la vida\?",
    "names a line that answers day and night": r"de día y de noche",
    "names a clinician": r"médico|enfermera|terapeuta|profesional",
    "names somebody at school or a clinician": r"enfermera del colegio",
    "names a trusted person": r"de (su )?confianza",
    "offers a coping choice": r"anclaje",
    "offers the safety plan": r"plan de seguridad",
    "leaves the choice": r"puedes|podrías|podría|podemos|si quieres|elijas|lo decides tú",
    "points at the emergency number": r"número de emergencias",
    "emergency number before anything else": r"número de emergencias va primero",
    "the chat goes on": r"seguir hablando",
    "one question that does not lead": r"¿Puedo preguntarte algo de forma directa",
    "asks about safety right now": r"a salvo ahora mismo\?",
    "stays with the person": r"aquí",
    "distance from means, without naming any": r"fuera de tu alcance|lo guarde por ahora",
    "says what it is": r"soy un programa",
    "the chat does not end itself": r"todo el tiempo que quieras escribir",
    "words to say": r"no estoy a salvo",
    "stays open": r"no se cierra por sí solo",
    "takes blame away": r"culpa tuya|nada malo|no te hace|no es debilidad|no es un fallo",
    "says that the app is for adults": r"para personas adultas",
    "says that one can ask first what a line does": r"preguntarles primero qué hacen",
    "warns of a watched screen": r"mirar la pantalla",
}


pytestmark = pytest.mark.usefixtures("spanish")


def said() -> list[tuple[str, str]]:
    found = [
        (path.name, text)
        for path in sorted((FOLDER / "es").glob("*.toml"))
        for text in both(FOLDER / path.name, LEFT_OUT)[1].values()
    ]
    lines = [(name, line) for name in guard_rules.load().answers for line in guard_rules.load().answer(name).lines]
    reminders = [("reminder", wording.say(words)) for words in (disclosure.REMINDER, disclosure.REMINDER_MINOR)]
    return [*found, *lines, *reminders, ("disclosure", disclosure.text("US"))]


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_each_file_has_the_same_texts_with_the_same_places_for_words(file: Path) -> None:
    english, spanish = both(file, LEFT_OUT)
    assert set(spanish) == set(english)
    for path, text in english.items():
        assert sorted(PLACES.findall(spanish[path])) == sorted(PLACES.findall(text)), path
        assert spanish[path].strip(), path
        assert len(spanish[path].strip().split("\n\n")) == len(text.strip().split("\n\n")), path
        assert re.findall(r"\d+", spanish[path]) == re.findall(r"\d+", text), path


def test_every_file_says_that_the_review_is_pending() -> None:
    for path in [*(FOLDER / "es").glob("*.toml"), *(Path(wording.__file__).parent / "es").glob("*.toml")]:
        assert "needs review by a native speaker and a clinician" in path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize("what", NEVER)
def test_what_no_text_may_say(what: str) -> None:
    assert [
        (name, hit.group()) for name, words in said() if (hit := re.search(NEVER[what], words, re.IGNORECASE))
    ] == []


def test_choices_not_commands() -> None:
    assert [
        (name, hit.group()) for name, words in said() if name != "disclosure" and (hit := ORDERS.search(words))
    ] == []


@pytest.mark.parametrize("name", IDS)
def test_the_checklist_of_each_text(name: str) -> None:
    text = cards.text(name)
    parts = {"title": text.title, "body": text.body, "reply": text.reply, "choices": "\n".join(text.choices)}
    missing = [
        (required.element, required.where)
        for required in text.required
        if required.element in ELEMENTS
        and not re.search(ELEMENTS[required.element], parts[required.where], re.IGNORECASE)
    ]
    assert missing == []
    assert sum(required.element in ELEMENTS for required in text.required) >= 5


@pytest.mark.parametrize("name", IDS)
def test_each_text_is_short(name: str) -> None:
    text = cards.text(name)
    assert len(text.title) <= 60
    assert len(text.body.split()) <= 185
    assert len(text.reply.split()) <= 120
    assert all(len(paragraph.split()) <= 85 for paragraph in text.body.split("\n\n"))


@pytest.mark.parametrize("country", [*sorted(helplines.directory()), "XX", None])
def test_the_numbers_and_their_order_are_those_of_the_english_cards(country: str | None) -> None:
    shown = {}
    for language in ("en", "es"):
        wording.use(language)
        found = [cards.cards_for(Assessment(Tier.T1, (flag,)), country) for flag in Flag]
        found += [cards.cards_for(Assessment(tier), country) for tier in (Tier.T2, Tier.T3, Tier.T4)]
        shown[language] = [[(line.number, line.how) for line in card.lines] for (card,) in found]
        shown[language] += [[(line.number, line.how) for line in helplines.overview(country)]]
    assert shown["es"] == shown["en"]


def test_no_word_of_the_directory_stays_english() -> None:
    english = {
        word
        for country in helplines.directory().values()
        for entry in country.entries
        for word in (entry.line.hours, entry.line.note)
    }
    for word in english:
        assert not re.search(r"\b(day|night|text|press|then|for|and|from|the|weekdays?)\b", word), word


def test_t4_says_its_number_first_also_line_by_line() -> None:
    (card,) = cards.cards_for(Assessment(Tier.T4), "ES")
    assert turns.card_text(card).startswith("El número de emergencias va primero\n\nEmergencias: llama al 112")
    assert "noviembre de 2026" in card.footnote


def test_t2_asks_one_question_and_a_spanish_yes_answers_it() -> None:
    (card,) = cards.cards_for(Assessment(Tier.T2), "MX")
    assert card.body.count("?") == 1
    assert sayings.says_yes("sí")
    assert sayings.says_yes("Sí, a veces")
    state = RiskState(tier=Tier.T2, asked=Tier.T2, gravest=Tier.T2)
    assert assess("sí", state).tier is Tier.T3


def test_each_choice_that_promises_a_text_gets_it_in_spanish() -> None:
    """The choices stand in the same order as in English, so each must mean the same."""
    wording.use("en")
    english = {name: cards.text(name).choices for name in IDS}
    wording.use("es")
    for name in IDS:
        for choice, same in zip(cards.text(name).choices, english[name], strict=True):
            assert wish_in(choice) == wish_in(same), choice
            if wish_in(same):
                assert cards.step_for(choice) == cards.steps()[wish_in(same) or ""]
                assert "Estoy aquí" in (cards.step_for(choice) or "")


def test_the_encoder_is_not_asked_about_the_words_of_a_card() -> None:
    """It was taught English, and may hear something grave in them."""
    read: list[str] = []

    class Listening(Classifier):
        def read(self, text: str) -> list[Reading]:
            read.append(text)
            raise Unavailable("not asked in earnest")

    router = Router(Listening(Path("none")))
    assert router.assess("Me gustaría hacer un plan de seguridad").tier is Tier.T0
    assert read == []
    router.assess("Me gustaría hacer un plan de seguridad y no estar")
    assert len(read) == 1


def test_while_held_the_replies_are_spanish_and_change() -> None:
    held = [
        cards.authored_reply(
            Assessment(
                Tier.T3,
                reasons=(
                    Reason("held from earlier in this conversation", f"T3, clear turns: 0 of 3, turns since: {n}"),
                ),
            )
        )
        for n in range(3)
    ]
    assert len(set(held)) == 3
    assert all("tarjeta" in words or "números" in words for words in held)


def test_why_speaks_spanish_and_shows_the_persons_own_words() -> None:
    words = why.in_words(assess("I want to kill myself"))
    assert words.startswith("Lo que hizo actuar")
    assert "kill myself" in words
    assert why.in_words(None) == "Todavía no hay ningún mensaje."


def test_the_first_screen_says_in_spanish_what_it_must_and_what_is_not_spanish() -> None:
    text = disclosure.text("ES")
    for needed in (
        "un programa, no una persona",
        "No es atención sanitaria",
        "Nadie está mirando",
        "se queda en este equipo",
        "18 años o más",
        "112",
        "024",
        "responde en inglés",
        "entiende el español solo en parte",
    ):
        assert needed in text
    assert disclosure.text("ES", away=True).startswith("Ha pasado una semana")


def test_a_missing_or_damaged_spanish_file_leaves_english_and_never_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    read = wording._toml

    def broken(file: Any) -> dict[str, Any]:
        if "es" in Path(str(file)).parts or Path(str(file)).name == "es.toml":
            raise OSError(str(file))
        return read(file)

    monkeypatch.setattr(wording, "_toml", broken)
    wording.use("es")
    (card,) = cards.cards_for(Assessment(Tier.T3), "US")
    assert card.title == "There are people to talk with right now"
    assert disclosure.text("US").startswith("Before we begin")
    assert cards.authored_reply(Assessment(Tier.T4)).startswith("The emergency number")


def test_a_notice_of_a_turn_is_spanish() -> None:
    def fails(_text: str, _state: RiskState | None) -> Assessment:
        raise RuntimeError

    events = list(Companion(ScriptedEngine(), assess=fails, country="ES").reply("hola"))
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert wording.say(CHECK_FAILED) in notices
    assert "La revisión de seguridad" in notices[0]
