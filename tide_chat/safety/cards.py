"""Authored cards and replies. The text itself lives in `cards_data/`; this module only finds and fills it.

Help lines and the checklist are those of the English file in every language; only words are translated.

It decides which text belongs to an assessment and never what a message means. Every text carries a checklist of what it
must contain, which the tests read; all of it is AI-written and no clinician has reviewed it yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tide_chat import wording
from tide_chat.safety import helplines, language
from tide_chat.safety.assessment import Assessment, Flag, Tier
from tide_chat.safety.lines import HelpLine
from tide_chat.safety.state import WISHES, held_turn, wish_in, wish_of

MOST_CARDS = 3
_TIERS = frozenset({"t2", "t3", "t4"})
LANGUAGE = "language"  # the card beside a message that the check does not understand

__all__ = ["Card", "HelpLine", "authored_reply", "cards_for", "needs_authored", "step_for", "with_plan"]

# Beside a model reply: the chat goes on. Every other flag bypasses the model, since nothing screens what it writes yet.
BESIDE = frozenset({Flag.MINOR})

# Whose words come first when several apply.
_FIRST = (
    "t4",
    Flag.MEDICAL_EMERGENCY,
    Flag.METHOD_SEEKING,
    Flag.HARM_TO_OTHERS,
    "t3",
    Flag.ABUSE_NOW,
    Flag.PSYCHOSIS_MANIA,
    Flag.WITHDRAWAL,
    Flag.WORRIED_THIRD_PARTY,
    Flag.EATING_DISORDER,
    Flag.AI_DEPENDENCE,
    "t2",
    Flag.MINOR,
    LANGUAGE,
)

# If the texts cannot be read: never without words and never without a number.
_FALLBACK_TITLE = "There are people to talk with right now"
_FALLBACK = (
    "Thank you for telling me. If you are in danger, the emergency number comes first. Most crisis lines are answered "
    "day and night, and a doctor or one person you trust can be told too. I am a program and cannot call anyone. "
    "I am here."
)


@dataclass(frozen=True, slots=True)
class Card:
    """An authored card: shown as it is, in any front end. `body` is plain paragraphs separated by blank lines."""

    id: str  # t2, t3, t4, or a flag
    title: str
    body: str
    lines: tuple[HelpLine, ...] = ()
    choices: tuple[str, ...] = ()  # things one could do now, offered and never ordered
    footnote: str = ""  # that numbers may have changed
    urgent: bool = False  # its numbers come before its words, also where nothing is seen at a glance
    plan: str = ""  # the person's own safety plan in short, shown before our words


@dataclass(frozen=True, slots=True)
class Said:
    """The core of a card in another language. only: shown only when that language was noticed."""

    languages: tuple[str, ...]
    text: str
    only: bool = False


@dataclass(frozen=True, slots=True)
class Required:
    """One element that a text must have, as a pattern, and where the demand comes from."""

    element: str
    where: str  # title, body, reply, choices
    pattern: str
    source: str


@dataclass(frozen=True, slots=True)
class Text:
    """One file of `cards_data/`."""

    id: str
    title: str
    body: str
    reply: str
    choices: tuple[str, ...]
    needs: tuple[str, ...]
    emergency: bool
    most: int
    required: tuple[Required, ...]
    said: tuple[Said, ...] = ()


def cards_for(assessment: Assessment, country: str | None) -> tuple[Card, ...]:
    """The cards to pin, the gravest first: that of the tier and those of the flags.

    The first one says in the person's own language, where that is not covered, what the number for emergencies is.
    """
    noticed = _noticed(assessment)
    own = tuple(said.text for said in text(LANGUAGE).said if noticed in said.languages)
    names = _names(assessment)[:MOST_CARDS]
    return tuple(_filled(text(name), country, own if name in (names[0], LANGUAGE) else ()) for name in names)


def with_plan(shown: Sequence[Card], plan: str) -> tuple[Card, ...]:
    """The same cards, the first of a tier with the person's own safety plan. An empty plan changes nothing."""
    first = next((card for card in shown if card.id in _TIERS), None) if plan else None
    return tuple(replace(card, plan=plan) if card is first else card for card in shown)


def needs_authored(assessment: Assessment) -> bool:
    """Whether the model stays out: T3, T4, or a flag that the model must not answer."""
    return assessment.tier >= Tier.T3 or any(flag not in BESIDE for flag in assessment.flags)


def authored_reply(assessment: Assessment) -> str:
    """What is said without the model. Never empty."""
    if wish := wish_of(assessment):
        return steps()[wish]
    turn = held_turn(assessment)
    if turn is not None and not assessment.flags:
        return held_replies()[turn % len(held_replies())]
    names = _names(assessment)
    if not names:
        return _FALLBACK
    reply = text(names[0]).reply
    if assessment.tier is Tier.T2 and names[0] != "t2":
        return f"{reply}\n\n{text('t2').reply}"
    return reply


def step_for(said: str) -> str | None:
    """The authored text behind a choice that a card offers (`I would like a short grounding exercise`)."""
    wish = wish_in(said)
    return steps()[wish] if wish else None


def is_choice(said: str) -> bool:
    """Whether this is a choice of a card, word for word."""
    return said.strip() in _choices()


@wording.cached
def _choices() -> frozenset[str]:
    return frozenset(choice for name in _FIRST for choice in text(str(name)).choices)


def _names(assessment: Assessment) -> list[str]:
    present = {str(flag) for flag in assessment.flags}
    if assessment.tier >= Tier.T2:
        present.add(f"t{int(assessment.tier)}")
    if _noticed(assessment):
        present.add(LANGUAGE)
    return [str(name) for name in _FIRST if str(name) in present]


def _noticed(assessment: Assessment) -> str:
    """The language that is not covered; empty for all others."""
    return next((reason.words for reason in assessment.reasons if reason.rule == language.RULE), "")


def _filled(text_: Text, country: str | None, own: Sequence[str]) -> Card:
    """The card of a country. own: what stands first, in the language that was noticed."""
    lines = helplines.lines_for(country, *text_.needs, most=text_.most)
    emergency = helplines.emergency(country)
    lines = (emergency, *lines) if text_.emergency else (*lines, emergency)
    rest = [said.text for said in text_.said if said.text not in own and not said.only]
    body = "\n\n".join((*own, text_.body, *rest)).replace("{emergency}", emergency.number)
    return Card(text_.id, text_.title, body, lines, text_.choices, helplines.footnote(country), text_.emergency)


@wording.cached
def text(name: str) -> Text:
    """One authored text; a short one built in when its file cannot be read."""
    try:
        return _parsed(_data(name))
    except (OSError, ValueError, KeyError, TypeError):
        return Text(name, _FALLBACK_TITLE, _FALLBACK, _FALLBACK, (), ("crisis",), True, 3, ())


def _parsed(data: Mapping[str, Any]) -> Text:
    return Text(
        data["id"],
        data["title"],
        data["body"].strip(),
        data["reply"].strip(),
        tuple(data["choices"]),
        tuple(data["needs"]),
        data["emergency"],
        data["most"],
        tuple(Required(**row) for row in data["required"]),
        tuple(Said(tuple(row["languages"]), row["text"], row.get("only", False)) for row in data.get("said", ())),
    )


@wording.cached
def steps() -> Mapping[str, str]:
    """What is said when one of a card's choices is taken."""
    try:
        return {name: words.strip() for name, words in _data("steps")["steps"].items() if isinstance(words, str)}
    except (OSError, ValueError, KeyError):
        return dict.fromkeys(WISHES, _FALLBACK)


@wording.cached
def held_replies() -> tuple[str, ...]:
    """Replies while the tier is still held from before."""
    return _in_turn("held")


@wording.cached
def replies_alone() -> tuple[str, ...]:
    """Replies to T2 where the model is too small to be let near it."""
    return _in_turn("alone")


def _in_turn(name: str) -> tuple[str, ...]:
    try:
        return tuple(words.strip() for words in _data("steps")["steps"][name])
    except (OSError, ValueError, KeyError):
        return (_FALLBACK,)


def _data(name: str) -> dict[str, Any]:
    return wording.read("tide_chat.safety", f"cards_data/{name}.toml")
