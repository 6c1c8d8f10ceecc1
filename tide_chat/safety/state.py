"""Risk over turns: what was said stays said. It only goes up by itself; it comes down slowly and one step at a time.

Small on purpose: it knows the gravest tier so far, how many clear turns followed, and whether a question was asked.
It does not know which topic a denial was about, so a denial never counts as a clear turn.
"""

import re
from dataclasses import dataclass, replace

from tide_chat.safety.assessment import Assessment, Reason, Tier

CLEAR_TURNS = 3  # in a row, before the tier comes down one step

HELD = "held from earlier in this conversation"
HELD_UNCLEAR = "held from earlier in this conversation, this turn does not count as clear"
ANSWERED = "answer to the question that was just asked"

_ASKS = r"\b(would like|want|can (we|you|i)|could (we|you|i)|let'?s|please|try)\b.{0,30}\b"

# What a card offers and somebody takes up, in the card's own words or near them.
WISHES = {
    "grounding": re.compile(_ASKS + r"(grounding|breathing exercise)", re.IGNORECASE),
    "safety_plan": re.compile(_ASKS + r"safety plan\b", re.IGNORECASE),
    "calling": re.compile(r"^\W*i.?(m| am) calling now", re.IGNORECASE),
    "texting": re.compile(r"words to text", re.IGNORECASE),
    "telling": re.compile(r"tell somebody and do not know how|the first sentence|tell one person about", re.IGNORECASE),
    "keep_talking": re.compile(r"^\W*i would like to keep talking", re.IGNORECASE),
}
WISH = "asks for something a card offers"
_WISH_LENGTH = 80  # characters; a longer message says more than a wish

_YES = re.compile(
    r"\W*(yes|yeah|yep|yea|ye|sometimes|often|maybe|i think so|i am|i do|i have|kind of|kinda|sort of|all the time"
    r"|si|oui|ja|sim)\b"
)
_NO = re.compile(r"\W*(no|nope|nah|not (really|sure|safe)|i am ?n.?t|im not|i.m not|i don.?t (know|think so)|idk)\b")
_DENIAL = re.compile(
    r"(just )?(kidding|joking)|\bjk\b|didn.?t mean (it|that|any)|forget (it|that|i)|ignore (that|me|it)|never ?mind|"
    r"i.?m (fine|ok|okay|good|alright|safe)\b|was a joke|over ?react|don.?t worry"
)
_SHORT = 40  # characters; a longer message is no mere yes or no


@dataclass(frozen=True, slots=True)
class RiskState:
    """The conversation so far. A new conversation starts with `RiskState()`."""

    tier: Tier = Tier.T0
    clear_turns: int = 0
    asked: Tier | None = None  # the tier whose card asked a question with the last reply

    def after(self, assessment: Assessment) -> "RiskState":
        """The state after a turn that was assessed with this state."""
        rules = {reason.rule for reason in assessment.reasons}
        if HELD in rules:
            return self._one_clear_turn()
        tier = max(self.tier, assessment.tier)
        asked = assessment.tier if assessment.tier >= Tier.T2 and HELD_UNCLEAR not in rules else None
        return RiskState(tier, 0, asked)

    def _one_clear_turn(self) -> "RiskState":
        if self.clear_turns + 1 < CLEAR_TURNS:
            return replace(self, clear_turns=self.clear_turns + 1, asked=None)
        return RiskState(Tier(max(self.tier - 1, 0)))


def hold(alone: Assessment, state: RiskState | None, text: str) -> Assessment:
    """`alone` seen in the light of `state`: never lower than what was said before."""
    if state is None:
        return alone
    alone = _answer(alone, state, text)
    if alone.tier >= state.tier or state.tier < Tier.T2:
        return alone
    rule = HELD if _is_clear(alone, text) else HELD_UNCLEAR
    number = state.clear_turns + (rule == HELD)
    reason = Reason(rule, f"{state.tier.name}, clear turns: {number} of {CLEAR_TURNS}")
    wish = wish_in(text) if alone.tier <= Tier.T1 else None
    wished = (Reason(WISH, wish),) if wish else ()
    return replace(alone, tier=state.tier, reasons=(*alone.reasons, reason, *wished))


def held_turn(assessment: Assessment) -> int | None:
    """How many clear turns a held assessment has seen; None when the message itself has this tier."""
    for reason in assessment.reasons:
        if reason.rule in (HELD, HELD_UNCLEAR):
            return int(reason.words.split(":")[1].split()[0])
    return None


def wish_in(text: str) -> str | None:
    """Which of the things a card offers this short message asks for."""
    if len(text) > _WISH_LENGTH:
        return None
    return next((name for name, pattern in WISHES.items() if pattern.search(text)), None)


def wish_of(assessment: Assessment) -> str | None:
    return next((reason.words for reason in assessment.reasons if reason.rule == WISH), None)


def _answer(alone: Assessment, state: RiskState, text: str) -> Assessment:
    """`yes` after the question of T2, `no` after `are you safe right now?`."""
    if state.asked is None or len(text) > _SHORT:
        return alone
    spoken = text.casefold()
    if state.asked is Tier.T2 and _YES.match(spoken):
        tier = Tier.T3
    elif state.asked >= Tier.T3 and _NO.match(spoken):
        tier = Tier.T4
    else:
        return alone
    return replace(alone, tier=max(alone.tier, tier), reasons=(*alone.reasons, Reason(ANSWERED, text.strip())))


def _is_clear(alone: Assessment, text: str) -> bool:
    """Nothing grave in it, no taking back, and more than a word or two."""
    return alone.tier <= Tier.T1 and not alone.flags and len(text.split()) >= 3 and not _DENIAL.search(text.casefold())
