"""The authored texts: each has what its checklist demands, and none says what must never be said."""

import re
from pathlib import Path

import pytest

from tide_chat.commands import turns
from tide_chat.safety import cards
from tide_chat.safety.assessment import Assessment, Flag, Reason, Tier
from tide_chat.safety.router import assess
from tide_chat.safety.state import WISHES, RiskState

IDS = ("t2", "t3", "t4", *(str(flag) for flag in Flag))
SAID = [
    *((name, part) for name in IDS for part in (cards.text(name).title, cards.text(name).body, cards.text(name).reply)),
    *((name, words) for name, words in cards.steps().items()),
    *(("held", words) for words in cards.held_replies()),
]

NEVER = {
    "an exclamation mark": r"!",
    "calm down": r"calm down|relax\b|cheer up|stay positive|get over it",
    "a promise of secrecy": r"(i|we) (promise|swear)|between us|never tell|confidential|anonymous",
    "a promise of an outcome": r"you('ll| will) be (ok|okay|fine|safe)|it (gets|will get) better|everything will",
    "safety as a fact": r"\byou are safe\b|you're safe",
    "what a line does": r"they will (not )?(trace|send|call the police|keep)|hotlines? (never|always)",
    "blame or worn-out words": r"commit(ted|ting)? suicide|selfish|attention|manipulat|failed attempt|successful",
    "a means or a method": r"\b(pills?|rope|noose|gun|knife|blade|razor|bridge|overdos\w+|hang(ing)?|jump(ing)?)\b",
    "therapy of a machine": r"\bmy therapy\b|i (can )?treat you|as your therapist|diagnos",
    "a claim to feel": r"\bi (feel|care|love|worry|am (sad|proud|happy|glad|worried))\b(?! in)",
    "what people on a line will do": r"\b(they|people|lines?|somebody) (will|won't|always|never) |reaches people",
    "a leading question": r"you are not (thinking|going)|you (aren't|wouldn't|don't)[^.]*\?",
    "an end by itself": r"\b(this|the) (chat|conversation) (ends|is over|will (end|close))|goodbye",
    "an order to stop feeling": r"don't (cry|worry|be)|you (must|have to|need to)\b",
}


ORDERS = re.compile(
    r"(?:^|[.:?]\s+|\n)(call|go|take|put|tell|keep|stay|write|breathe|stop|try|wait|leave|unlock|reach|text|remember)\b",
    re.IGNORECASE,
)


def test_choices_not_commands() -> None:
    """No sentence begins with an order."""
    assert [(name, found.group()) for name, words in SAID if (found := ORDERS.search(words))] == []


def test_t2_asks_one_question_wherever_it_speaks() -> None:
    for words in (cards.text("t2").body, cards.text("t2").reply):
        assert words.count("?") == 1
        assert "are you having thoughts of ending your life?" in words


@pytest.mark.parametrize("name", ["t2", "t3", "t4"])
def test_grounding_and_the_safety_plan_stand_beside_the_numbers(name: str) -> None:
    choices = " ".join(cards.text(name).choices)
    assert "grounding" in choices
    assert "safety plan" in choices


@pytest.mark.parametrize("flag", ["medical_emergency", "method_seeking", "harm_to_others", "abuse_now"])
def test_urgent_cards_say_their_numbers_first_also_line_by_line(flag: str) -> None:
    (card,) = cards.cards_for(Assessment(Tier.T1, (Flag(flag),)), "GB")
    text = turns.card_text(card)
    assert text.index("999") < text.index(card.body[:20])


def test_t4_says_its_number_before_any_other_word_but_the_title() -> None:
    (card, *_) = cards.cards_for(Assessment(Tier.T4), "GB")
    assert turns.card_text(card).startswith(f"{card.title}\n\nEmergency: call 999")


def test_every_tier_and_flag_has_a_text_of_its_own() -> None:
    for name in IDS:
        text = cards.text(name)
        assert text.id == name
        assert text.required, f"{name} fell back"


@pytest.mark.parametrize("name", IDS)
def test_the_checklist_beside_each_text(name: str) -> None:
    text = cards.text(name)
    parts = {"title": text.title, "body": text.body, "reply": text.reply, "choices": "\n".join(text.choices)}
    for required in text.required:
        found = re.search(required.pattern, parts[required.where], re.IGNORECASE)
        assert found, f"{name}: {required.element} ({required.source}) is missing from the {required.where}"


@pytest.mark.parametrize("what", NEVER)
def test_what_no_text_may_say(what: str) -> None:
    wrong = [(name, found.group()) for name, words in SAID if (found := re.search(NEVER[what], words, re.IGNORECASE))]
    allowed = {("ai_dependence", "I feel")}
    assert [hit for hit in wrong if hit not in allowed] == []


@pytest.mark.parametrize("name", IDS)
def test_the_checklists_demand_the_essentials(name: str) -> None:
    """A person, a clinician or a line to reach, and something to do now, on every card."""
    elements = " ".join(required.element for required in cards.text(name).required)
    assert "trusted person" in elements
    assert "clinician" in elements
    assert len(cards.text(name).required) >= 6


@pytest.mark.parametrize("name", IDS)
def test_each_text_is_short_and_in_paragraphs(name: str) -> None:
    text = cards.text(name)
    assert len(text.title) <= 60
    assert len(text.body.split()) <= 170
    assert len(text.reply.split()) <= 110
    assert all(len(paragraph.split()) <= 75 for paragraph in text.body.split("\n\n"))
    assert all("\n" not in paragraph for paragraph in text.body.split("\n\n"))


def test_every_file_says_that_review_is_pending() -> None:
    folder = Path(cards.__file__).parent / "cards_data"
    for path in folder.glob("*.toml"):
        assert "clinician review pending" in path.read_text(encoding="utf-8"), path.name


def test_t4_puts_the_emergency_number_first() -> None:
    (card, *_) = cards.cards_for(Assessment(Tier.T4), "GB")
    assert card.id == "t4"
    assert card.lines[0].number == "999"
    assert "emergency number" in card.title
    assert cards.authored_reply(Assessment(Tier.T4)).startswith("The emergency number")


def test_t3_asks_about_this_moment() -> None:
    assert "are you safe right now?" in cards.authored_reply(Assessment(Tier.T3))


def test_t2_asks_one_direct_question_and_the_chat_goes_on() -> None:
    (card,) = cards.cards_for(Assessment(Tier.T2), "IE")
    assert card.body.count("?") == 1
    assert not cards.needs_authored(Assessment(Tier.T2))
    assert card.lines[0].number == "116 123"
    assert card.lines[-1].number == "112"


def test_t0_and_t1_show_nothing() -> None:
    for tier in (Tier.T0, Tier.T1):
        assert cards.cards_for(Assessment(tier), "US") == ()
        assert not cards.needs_authored(Assessment(tier))


@pytest.mark.parametrize("flag", Flag)
def test_each_flag_brings_its_card(flag: Flag) -> None:
    assessment = Assessment(Tier.T1, (flag,))
    assert [card.id for card in cards.cards_for(assessment, None)] == [str(flag)]
    assert cards.needs_authored(assessment) == (flag not in cards.BESIDE)
    assert cards.authored_reply(assessment) == cards.text(str(flag)).reply


def test_a_flag_beside_t2_keeps_the_direct_question() -> None:
    reply = cards.authored_reply(Assessment(Tier.T2, (Flag.ABUSE_NOW,)))
    assert reply.startswith("I believe you")
    assert "thoughts of ending your life?" in reply


def test_the_gravest_card_comes_first_and_there_are_never_many() -> None:
    shown = cards.cards_for(Assessment(Tier.T3, (Flag.MINOR, Flag.WITHDRAWAL, Flag.MEDICAL_EMERGENCY)), "US")
    assert [card.id for card in shown] == ["medical_emergency", "t3", "withdrawal"]


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("country", ["US", "XX", None])
def test_every_card_has_a_number_and_the_note_about_numbers(name: str, country: str | None) -> None:
    tier = {"t2": Tier.T2, "t3": Tier.T3, "t4": Tier.T4}.get(name, Tier.T1)
    flags = () if name.startswith("t") and name[1:].isdigit() else (Flag(name),)
    (card,) = cards.cards_for(Assessment(tier, flags), country)
    assert card.lines
    assert "may have changed" in card.footnote
    assert "not verified online" in card.footnote


@pytest.mark.parametrize("name", IDS)
def test_each_choice_that_promises_a_text_gets_one(name: str) -> None:
    promised = ("grounding", "safety plan", "words to text", "calling", "keep talking")
    for choice in cards.text(name).choices:
        assert choice.startswith("I ")
        if any(word in choice for word in promised):
            assert cards.step_for(choice), choice


def test_after_a_grave_turn_a_choice_is_answered_with_its_own_text() -> None:
    state = RiskState().after(assess("I want to kill myself"), "I want to kill myself")
    assessment = assess("I would like a short grounding exercise", state)
    assert cards.needs_authored(assessment)
    assert cards.authored_reply(assessment) == cards.steps()["grounding"]


def test_while_held_the_same_words_do_not_come_back() -> None:
    state = RiskState().after(assess("I want to kill myself"), "I want to kill myself")
    said = []
    for text in ("the garden is quiet today", "my sister made soup for us", "I slept a little this afternoon"):
        assessment = assess(text, state)
        said.append(cards.authored_reply(assessment))
        state = state.after(assessment, text)
    assert len(set(said)) == 3
    assert cards.text("t3").reply not in said


def test_all_wishes_have_words() -> None:
    assert set(WISHES) == set(cards.steps())


def test_without_its_files_there_are_still_words_and_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> dict[str, object]:
        raise OSError(name)

    monkeypatch.setattr(cards, "_data", broken)
    for cached in (cards.text, cards.steps, cards.held_replies):
        cached.cache_clear()
    try:
        (card,) = cards.cards_for(Assessment(Tier.T4), "US")
        assert card.lines[0].number == "911"
        assert "I am here" in cards.authored_reply(Assessment(Tier.T4))
        held = Assessment(
            Tier.T3, reasons=(Reason("held from earlier in this conversation", "T3, clear turns: 1 of 3"),)
        )
        assert cards.authored_reply(held)
    finally:
        for cached in (cards.text, cards.steps, cards.held_replies):
            cached.cache_clear()


def test_what_is_said_in_place_of_a_small_model_also_fits_a_no() -> None:
    """ "No, I just want it quiet" may be T2 as well, and "it is still this heavy, then" would not have heard the no."""
    assert not any("still" in words for words in cards.replies_alone())


def test_beside_its_card_the_first_words_are_no_echo_of_it() -> None:
    """Both stand on one screen; only the direct question is in both, since either may be all that is read."""
    body = cards.text("t2").body
    opening, _, question = cards.replies_alone()[0].partition("\n\n")
    assert question.split("?")[0] in body
    assert not set(re.findall(r"\w{5,}", opening.lower())) & set(re.findall(r"\w{5,}", body.lower()))
