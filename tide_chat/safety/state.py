"""Risk over turns: what was said stays said. It only goes up by itself; it comes down slowly and one step at a time.

A value and pure functions. It keeps the gravest tier, how many clear turns followed, what was asked, and the last few
messages, which are read once more together: some things are said in pieces. It reads only what the person wrote,
never what a model answered, and knows neither rules nor encoder: `judge` gives their verdict on any text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from tide_chat.safety import sayings
from tide_chat.safety.assessment import Assessment, Flag, Reason, Tier

CLEAR_TURNS = 3  # in a row, before the tier comes down one step
WINDOW = 4  # messages read together, the newest among them
PIECE = 25  # words; a longer message is no piece of something
FEW = 4  # words; so few may go on in the next message
HEAVY_TURNS = 5  # heavy messages in a conversation, after which help lines are mentioned once

HELD = "held from earlier in this conversation"
HELD_UNCLEAR = "held from earlier in this conversation, this turn does not count as clear"
HELD_AFRESH = "held from earlier in this conversation, the clear turns begin anew"
ANSWERED = "answer to the question that was just asked"
TOGETHER = "read together with what was said just before"
METHOD = "asks about a way, after speaking of not wanting to live"
MEANT = "says that what was said before still holds"
ONESELF = "what was said of somebody else is about oneself"
AT_HAND = "means are at hand, after speaking of not wanting to live"
STEP = "tells of a step to safety"
NO_STEP = "nothing was said yet about being out of danger"
AGE = "the age was told earlier in this conversation"
HEAVY = "many heavy messages, so the help lines are mentioned once"

_ASKS = r"\b(would like|want|can (we|you|i)|could (we|you|i)|let'?s|please|try)\b.{0,30}\b"

_ASKS_IN_SPANISH = r"\b(me gustar[ií]a|quiero|quisiera|podemos|puedes|vamos a|por favor|hagamos)\b.{0,30}\b"

# What a card offers and somebody takes up, in the card's own words or near them.
WISHES = {
    "grounding": re.compile(
        rf"{_ASKS}(grounding|breathing exercise)|{_ASKS_IN_SPANISH}(anclaje|ejercicio de respiraci[oó]n)", re.IGNORECASE
    ),
    "safety_plan": re.compile(rf"{_ASKS}safety plan\b|{_ASKS_IN_SPANISH}plan de seguridad\b", re.IGNORECASE),
    "calling": re.compile(r"^\W*(i.?(m| am) calling now|estoy llamando ahora)", re.IGNORECASE),
    "texting": re.compile(r"words to text|palabras para un mensaje", re.IGNORECASE),
    "telling": re.compile(
        r"tell somebody and do not know how|\b(find|need|help.{1,20}) the first sentence|tell one person about"
        r"|cont[aá]rselo a alguien y no s[eé] c[oó]mo|encontrar la primera frase|contarle esto a una persona",
        re.IGNORECASE,
    ),
    "keep_talking": re.compile(r"^\W*(i would like to keep talking|me gustar[ií]a seguir hablando)", re.IGNORECASE),
}
_REFUSABLE = ("grounding", "safety_plan")
_REFUSES = re.compile(r"\b(no|not|never|without|stop|hate|cannot|nunca|sin)\b|n['’]t\b", re.IGNORECASE)
WISH = "asks for something a card offers"
_WISH_LENGTH = 80  # characters; a longer message says more than a wish


class Judge(Protocol):
    """What rules and encoder make of a text by itself. firm: several messages at once, so more is asked for."""

    def __call__(self, text: str, *, firm: bool = False) -> Assessment: ...


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the window, and the flags that came with it."""

    text: str
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class RiskState:
    """The conversation so far. A new conversation starts with `RiskState()`."""

    tier: Tier = Tier.T0
    clear_turns: int = 0
    asked: Tier | None = None  # the tier whose card asked a question with the last reply
    gravest: Tier = Tier.T0  # ever; what one comes back to with `I still mean it`
    held: int = 0  # turns since the tier was last spoken to
    step: bool = False  # at T4: a step to safety was told
    minor: bool = False
    heavy: int = 0  # heavy messages, while nothing graver stood
    said: tuple[Said, ...] = ()  # the newest last

    def after(self, assessment: Assessment, text: str) -> "RiskState":
        """The state after `text`, which was assessed with this state."""
        rules = {reason.rule for reason in assessment.reasons}
        kept = replace(
            self,
            gravest=max(self.gravest, assessment.tier),
            minor=self.minor or Flag.MINOR in assessment.flags,
            heavy=self.heavy + (assessment.tier is Tier.T1),
            step=self.step or STEP in rules,
            said=(*self.said, Said(text, assessment.flags))[-(WINDOW - 1) :],
        )
        if HELD in rules:
            return kept._one_clear_turn()
        if HELD_UNCLEAR in rules:
            stays_open = self.asked is Tier.T2 and WISH not in rules  # its card is shown again, with the question
            return replace(kept, held=self.held + 1, asked=self.asked if stays_open else None)
        if HELD_AFRESH in rules:
            return replace(kept, held=self.held + 1, clear_turns=0, asked=None)
        tier = max(self.tier, assessment.tier)
        asked = assessment.tier if assessment.tier >= Tier.T2 else None
        return replace(
            kept, tier=tier, clear_turns=0, held=0, asked=asked, step=kept.step and assessment.tier < Tier.T4
        )

    def _one_clear_turn(self) -> "RiskState":
        turn = replace(self, clear_turns=self.clear_turns + 1, held=self.held + 1, asked=None)
        if turn.clear_turns < CLEAR_TURNS:
            return turn
        return replace(turn, tier=Tier(max(self.tier - 1, 0)), clear_turns=0, held=0, step=False, said=())


def over_turns(judge: Judge, text: str, state: RiskState | None) -> Assessment:
    """`text` in the light of `state`: never lower than by itself, nor than what was said before."""
    alone = judge(text)
    if state is None:
        return alone
    found = _meant(_answer(_shrugged(alone, state, text), state, text), state, text)
    found = _with_age(_with_pieces(judge, found, state, text), state)
    if found.tier >= state.tier or state.tier < Tier.T2:
        return _with_heavy(found, state)
    return _held(found, state, text)


def held_turn(assessment: Assessment) -> int | None:
    """How many turns a held tier has been held; None when the message itself has this tier."""
    for reason in assessment.reasons:
        if reason.rule in (HELD, HELD_UNCLEAR, HELD_AFRESH):
            return int(reason.words.rsplit(" ", 1)[1])
    return None


def speaks_of_it_no_more(assessment: Assessment) -> bool:
    """Whether the tier is only held: the message itself has nothing of it, and takes nothing back that was calmer."""
    return any(reason.rule in (HELD, HELD_UNCLEAR) for reason in assessment.reasons)


def wish_in(text: str) -> str | None:
    """Which of the things a card offers this short message asks for."""
    if len(text) > _WISH_LENGTH:
        return None
    found = next((name for name, pattern in WISHES.items() if pattern.search(text)), None)
    return None if found in _REFUSABLE and _REFUSES.search(text) else found


def wish_of(assessment: Assessment) -> str | None:
    return next((reason.words for reason in assessment.reasons if reason.rule == WISH), None)


def mentions_lines(assessment: Assessment) -> bool:
    """Whether this is the turn after which the help lines are mentioned, once and quietly."""
    return any(reason.rule == HEAVY for reason in assessment.reasons)


# -- upwards ---------------------------------------------------------------------------------------------------------


def _raised(alone: Assessment, tier: Tier, rule: str, words: str, *flags: Flag) -> Assessment:
    return replace(
        alone,
        tier=max(alone.tier, tier),
        flags=tuple(flag for flag in Flag if flag in (*alone.flags, *flags)),
        subject="self",
        reasons=(Reason(rule, words), *alone.reasons),
    )


def _shrugged(alone: Assessment, state: RiskState, text: str) -> Assessment:
    """`Does it matter` after a card's question has no flag, whatever so short a message sounds like to the encoder."""
    if state.asked is None or alone.tier >= Tier.T2 or not sayings.shrugs(text):
        return alone
    told = tuple(reason for reason in alone.reasons if not any(flag in reason.rule for flag in alone.flags))
    return replace(alone, flags=(), reasons=told)


def _answer(alone: Assessment, state: RiskState, text: str) -> Assessment:
    """`yes` after the question of T2, `no` after `are you safe right now?`."""
    if state.asked is Tier.T2 and sayings.says_yes(text):
        return _raised(alone, Tier.T3, ANSWERED, text.strip())
    if state.asked is not None and state.asked >= Tier.T3 and sayings.says_no(text):
        return _raised(alone, Tier.T4, ANSWERED, text.strip())
    return alone


def _meant(alone: Assessment, state: RiskState, text: str) -> Assessment:
    """Four things that mean little alone: a question about a way, means at hand, `I still mean it`, `it's me`."""
    words = text.strip()
    if _asks_for_a_way(state, text):
        alone = _raised(alone, Tier.T3, METHOD, words, Flag.METHOD_SEEKING)
    if state.tier >= Tier.T3 and sayings.has_means(text):
        alone = _raised(alone, Tier.T4, AT_HAND, words)
    if state.gravest >= Tier.T2 and sayings.means_it(text):
        alone = _raised(alone, state.gravest, MEANT, words)
    if sayings.is_oneself(text) and any(Flag.WORRIED_THIRD_PARTY in said.flags for said in state.said):
        alone = _raised(alone, Tier.T3, ONESELF, words)
    return alone


def _asks_for_a_way(state: RiskState, text: str) -> bool:
    """A plain question counts for the whole conversation, a bare one only while nothing else is spoken of."""
    if state.gravest < Tier.T2:
        return False
    return sayings.asks_plainly(text) or (
        state.tier >= Tier.T2 and state.clear_turns == 0 and sayings.asks_barely(text)
    )


def _with_pieces(judge: Judge, alone: Assessment, state: RiskState, text: str) -> Assessment:
    """What the last messages say together, where that is graver than anything said so far, or raises a new flag."""
    pieces = pieces_before(state.said, text)
    if not pieces:
        return alone
    joined = as_one((*pieces, text))
    together = judge(joined, firm=True)
    known = {*alone.flags, *(flag for said in state.said for flag in said.flags)}
    flags = [flag for flag in together.flags if flag not in known]
    graver = together.tier >= Tier.T2 and together.tier > max(alone.tier, state.tier)
    if not graver and not flags:
        return alone
    before = len(joined) - len(text)
    new = tuple(_in_newest(reason, before) for reason in together.reasons if reason not in alone.reasons)
    raised = _raised(alone, together.tier if graver else alone.tier, TOGETHER, " / ".join((*pieces, text)), *flags)
    return replace(raised, subject=together.subject, reasons=(*raised.reasons, *new))


def _in_newest(reason: Reason, before: int) -> Reason:
    """The reason with its span in the newest message, which begins after so many characters; None where it is not."""
    if reason.span is None:
        return reason
    start, end = (max(0, at - before) for at in reason.span)
    return replace(reason, span=(start, end) if start < end else None)


def pieces_before(earlier: Sequence[Said], text: str) -> tuple[str, ...]:
    """The messages before this one that may belong to it: short, and not about somebody else."""
    if len(text.split()) > PIECE:
        return ()
    pieces: list[str] = []
    for said in reversed(earlier):
        if len(said.text.split()) > PIECE:
            break
        if said.text.strip() and said.text != text and Flag.WORRIED_THIRD_PARTY not in said.flags:
            pieces.insert(0, said.text.strip())
    return tuple(pieces)


def as_one(pieces: Sequence[str]) -> str:
    """One text. A few words go on in the next message (`I want` / `to die`); more words than that get a full stop."""
    text = pieces[0]
    for before, piece in pairwise(pieces):
        stop = len(before.split()) > FEW and not re.search(r"[.!?;:…,]\s*$", before)
        text += (". " if stop else " ") + piece
    return text


def _with_age(found: Assessment, state: RiskState) -> Assessment:
    """Somebody who said earlier to be under 18 gets the lines for young people with each grave message."""
    if not state.minor or found.tier < Tier.T2 or Flag.MINOR in found.flags:
        return found
    flags = tuple(flag for flag in Flag if flag in (*found.flags, Flag.MINOR))
    return replace(found, flags=flags, reasons=(*found.reasons, Reason(AGE, "")))


def _with_heavy(found: Assessment, state: RiskState) -> Assessment:
    """Repetition raises no tier: heavy is not graver for being said often. It makes the lines worth a mention."""
    if found.tier is not Tier.T1 or state.heavy + 1 != HEAVY_TURNS:
        return found
    return replace(found, reasons=(*found.reasons, Reason(HEAVY, "")))


# -- downwards -------------------------------------------------------------------------------------------------------


def _held(found: Assessment, state: RiskState, text: str) -> Assessment:
    """The earlier tier, and whether this turn counts towards coming down."""
    step = sayings.tells_step(text) and found.tier <= Tier.T1
    rule = _counts(found, state, text)
    number = 0 if rule == HELD_AFRESH else state.clear_turns + (rule == HELD)
    words = f"{state.tier.name}, clear turns: {number} of {CLEAR_TURNS}, turns since: {state.held + 1}"
    reasons = [Reason(rule, words)]
    if step:
        reasons.append(Reason(STEP, text.strip()))
    elif state.tier is Tier.T4 and not state.step:
        reasons.append(Reason(NO_STEP, ""))
    wish = wish_in(text) if found.tier <= Tier.T1 else None
    if wish:
        reasons.append(Reason(WISH, wish))
    return replace(found, tier=state.tier, reasons=(*found.reasons, *reasons))


def _counts(found: Assessment, state: RiskState, text: str) -> str:
    """HELD for a clear turn: nothing grave or heavy in it, no taking back, more than a word or two.

    At T4 only after a step to safety was told; the turn that tells of it opens the way and does not count itself.
    """
    deflects = state.asked is not None and sayings.deflects(text)  # the question stays, whatever flag is heard in it
    if found.tier >= Tier.T2 or (found.flags and not deflects) or sayings.takes_back(text):
        return HELD_AFRESH
    if deflects or (state.tier is Tier.T4 and not state.step):
        return HELD_UNCLEAR
    clear = found.tier is Tier.T0 and len(text.split()) >= 3 and not sayings.only_says_fine(text)
    return HELD if clear else HELD_UNCLEAR
