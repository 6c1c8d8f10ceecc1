"""The first safety route: decides from words and rules alone, before any model speaks.

A statement found in the lexicon raises the tier; only the explicit rules in `context.py` lower it; several small signs
together raise it too. Every decision says which rule saw which words. It knows no classifier (that comes later, joined
here) and misses what is only implied: `docs/safety-protocol.md` has the figures.
"""

import re
from collections.abc import Iterable

from tide_chat.safety import context
from tide_chat.safety.assessment import Assessment, Flag, Reason, Tier
from tide_chat.safety.context import SELF_WORDS, Hit, Text
from tide_chat.safety.lexicon import Lexicon, load
from tide_chat.safety.normalize import fold
from tide_chat.safety.state import RiskState, over_turns

ENOUGH = 3  # weight of small signs that together make T2
EDGE = 6_000  # characters read whole at the beginning and at the end of a long text
MIDDLE = 12_000  # characters read in between, around alarming words
_AROUND = 200
_ALARM = re.compile(
    r"suic|kill|die\b|dying|dead|pills|tablets|overdos|goodbye|myself|alive|live|hurt|wake up|rope|gun\b|mori|mour|ster"
)
REDUCED = "the check is reduced: some of its rules could not be read"


def assess(text: str, state: RiskState | None = None) -> Assessment:
    """What the rules make of a message, in the light of what was said before. Never raises on any text."""
    return over_turns(_rules, text, state)


def _rules(text: str, *, firm: bool = False) -> Assessment:
    return assess_alone(text, load(), firm=firm)


def assess_alone(text: str, lexicon: Lexicon, *, firm: bool = False) -> Assessment:
    """The message by itself. firm: it is several messages read together."""
    framed = context.frame(fold(excerpt(text), lexicon.spellings, lexicon.vocabulary), lexicon)
    hits = [context.weigh(framed, hit, lexicon) for hit in context.find(framed, lexicon.statements)]
    cue_tier, cue_reasons = combine(framed, lexicon, firm=firm)
    hits = _unmask(framed, hits)
    tier = max((hit.tier for hit in hits), default=Tier.T0)
    reduced = (Reason(REDUCED, "; ".join(lexicon.problems)),) if lexicon.problems else ()
    return Assessment(
        tier=max(tier, cue_tier),
        flags=context.flags_of(hits),
        subject=_subject(framed, hits),
        time=_time(framed),
        reasons=(*reduced, *_reasons(hits), *cue_reasons, *framed.idioms),
    )


def excerpt(text: str) -> str:
    """All of a short text; of a long one its beginning, its end, and what stands around alarming words in between."""
    if len(text) <= 2 * EDGE:
        return text
    middle, pieces, budget = text[EDGE:-EDGE], [], MIDDLE
    position = 0
    for match in _ALARM.finditer(middle.lower()[: len(middle)]):
        if match.start() < position:
            continue
        start, position = max(position, match.start() - _AROUND), match.end() + _AROUND
        pieces.append(middle[start:position])
        budget -= len(pieces[-1])
        if budget <= 0:
            break
    return " … ".join((text[:EDGE], *pieces, text[-EDGE:]))


def combine(text: Text, lexicon: Lexicon, *, firm: bool = False) -> tuple[Tier, tuple[Reason, ...]]:
    """Small signs that say little alone and much together. At least two kinds and one strong sign are needed.

    In several messages at once there are more words to find signs in, so `firm` asks for one kind and one weight more.
    """
    kinds, enough = (2 + firm, ENOUGH + firm)
    best: dict[str, Hit] = {}
    for hit in context.find(text, lexicon.cues):
        if not _counts(text, hit, lexicon):
            continue
        if hit.entry.kind not in best or hit.entry.weight > best[hit.entry.kind].entry.weight:
            best[hit.entry.kind] = hit
    weight = sum(hit.entry.weight for hit in best.values())
    if len(best) < kinds or weight < enough or not any(hit.entry.weight > 1 for hit in best.values()):
        return Tier.T0, ()
    reasons = tuple(Reason(f"signs together: {hit.entry.kind} ({hit.entry.why})", hit.words) for hit in best.values())
    if "past" in text.frames and "resolved" in text.frames:
        return Tier.T1, (*reasons, Reason("lowered, past, and said to be over", ""))
    return (Tier.T3 if weight > enough else Tier.T2), reasons


def _counts(text: Text, hit: Hit, lexicon: Lexicon) -> bool:
    """Whether a small sign is one: not another's, not negated, not in a sentence about a game, a story or work."""
    if context.is_about_other(text, hit) or context.is_negated(text, hit, lexicon):
        return False
    return "unmask" in text.frames or not context.is_invented(text, hit, lexicon)


def _unmask(text: Text, hits: list[Hit]) -> list[Hit]:
    """`asking for a friend ... the friend is me`: what was said of another counts as said of oneself."""
    if "unmask" not in text.frames:
        return hits
    return [context.restore(hit) if Flag.WORRIED_THIRD_PARTY in hit.entry.flags or hit.lowered else hit for hit in hits]


def _reasons(hits: Iterable[Hit]) -> tuple[Reason, ...]:
    ordered = sorted(hits, key=lambda hit: -hit.tier)
    reasons = [reason for hit in ordered for reason in (Reason(_rule(hit), hit.words), *hit.lowered)]
    return tuple(dict.fromkeys(reasons))


def _rule(hit: Hit) -> str:
    flags = "".join(f" {flag}" for flag in hit.entry.flags)
    return f"{hit.entry.table}, {hit.entry.tier.name}{flags}: {hit.entry.why}"


def _subject(text: Text, hits: list[Hit]) -> str:
    if text.frames & {"game", "fiction"} and "unmask" not in text.frames:
        return "fiction"
    if any(hit.entry.table == "others" or context.lowered_as_other(hit) for hit in hits):
        return "other"
    words = set(text.folded.split())
    if words & SELF_WORDS:
        return "self"
    return "other" if words & context.OTHER_WORDS else "none"


def _time(text: Text) -> str:
    if "past" in text.frames:
        return "past"
    if "future" in text.frames:
        return "future"
    return "now" if set(text.folded.split()) & SELF_WORDS else "none"
