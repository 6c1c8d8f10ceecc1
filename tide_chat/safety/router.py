"""Decides about a message before any model speaks: rules over words, and the risk encoder beside them.

A statement found in the lexicon raises the tier; only the explicit rules in `context.py` lower it; several small signs
together raise it too; the encoder may raise it, never lowers what is said in plain words, and has to bear out the rest
(`join.py`). Every decision says which rule saw which words. What it misses: `docs/safety-protocol.md`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from tide_chat.safety import cards, context, denials, elsewhere, gloss, join, language, sayings, speech, unread, words
from tide_chat.safety.assessment import Assessment, Flag, Reason, Tier
from tide_chat.safety.classifier import Classifier, Reading, Thresholds
from tide_chat.safety.context import Hit, Text
from tide_chat.safety.encoder import Unavailable
from tide_chat.safety.lexicon import Lexicon, load
from tide_chat.safety.normalize import Folded, trace
from tide_chat.safety.people import OTHER_WORDS, SELF_WORDS
from tide_chat.safety.speech import Quotation
from tide_chat.safety.state import RiskState, over_turns

DOUBTFUL = "doubtful"  # the kind of an entry that often stands in harmless messages as well
ENOUGH = 3  # weight of small signs that together make T2
EDGE = 6_000  # characters read whole at the beginning and at the end of a long text
MIDDLE = 12_000  # characters read in between, around alarming words
DEEDS = frozenset({"acts", "selfharm", "flags", "heavy"})  # tables of what is done, and no wish in plain words
BESIDE = 12  # words on each side of those that the encoder reads once more by themselves
PIECES = 3
_WORD = re.compile(r"\S+")
_AROUND = 200
_EDGES = ' \t\r\n.,;:!?…"“”()'  # around what was written, no part of it
_ALARM = re.compile(
    r"suic|kill|die\b|dying|dead|pills|tablets|overdos|goodbye|myself|alive|live|hurt|wake up|rope|gun\b|mori|mour|ster"
)
REDUCED = "the check is reduced: some of its rules could not be read"


def assess(text: str, state: RiskState | None = None) -> Assessment:
    """What the rules alone make of a message, in the light of what was said before. Never raises on any text."""
    return over_turns(_rules, text, state)


def prepare() -> None:
    """Read and compile all rules, so that no message waits for that. Half a second of work: for a thread beside."""
    lexicon = load()
    for table in (lexicon.statements, lexicon.cues, lexicon.frames, *lexicon.contexts.values()):
        table.prepare()
    words.load().prepare()
    gloss.prepare()
    elsewhere.statements()


class Router:
    """Rules and encoder. `classifier` None: rules alone, by choice."""

    def __init__(self, classifier: Classifier | None = None) -> None:
        self._classifier = classifier

    def assess(self, text: str, state: RiskState | None = None) -> Assessment:
        """What is made of a message, in the light of what was said before. Never raises on any text."""
        return over_turns(self._alone, text, state)

    def _alone(self, text: str, *, firm: bool = False) -> Assessment:
        if self._classifier is None or cards.is_choice(text):  # our own words; the encoder was taught English ones
            return _rules(text, firm=firm)
        rules, seen = judge(text, load(), firm=firm)
        read = excerpt(text)
        # "I'm safe, my wife is here" sounds like a farewell to the encoder, and is the answer to a card's question.
        surer = firm or sayings.reassures(text)
        if seen.borne_out(join.DONE) is Tier.T4 and self._classifier.loading:
            return rules  # nothing is graver, and the emergency number waits for nothing
        try:
            readings = self._classifier.read(read)
            if not firm:
                readings += self._closer(read, readings, seen)
            return join.join(rules, readings, self._limits(text, surer=surer), seen)
        except Unavailable as error:
            return join.without_encoder(self._by_ngrams(rules, read, seen, surer=surer), str(error))

    def _limits(self, text: str, *, surer: bool) -> Thresholds:
        """What is asked of the encoder: more of what reassures, and more again of what names a day to meet."""
        assert self._classifier
        limits = self._classifier.thresholds
        if surer:
            limits = join.firmer(limits)
        return join.firmer(limits) if sayings.meets_again(text) else limits

    def _by_ngrams(self, rules: Assessment, read: str, seen: join.Context, *, surer: bool) -> Assessment:
        """By rules and n-grams; by rules alone where the n-grams cannot be read either."""
        assert self._classifier
        try:
            heads = self._classifier.heads
        except Unavailable:
            return rules
        return join.counted(rules, heads.counted(read), join.firmer(heads.alone) if surer else heads.alone, seen)

    def _closer(self, read: str, readings: Sequence[Reading], seen: join.Context) -> list[Reading]:
        """What the encoder makes of the words around those it does not bear out: much other talk hides them from it.

        Raises Unavailable.
        """
        assert self._classifier
        chance = max((reading.at_least(2) for reading in readings), default=0.0)
        pieces = dict.fromkeys(around(read, *place) for place in seen.in_doubt(chance))
        return [each for piece in [*pieces][:PIECES] if piece != read for each in self._classifier.read(piece)]


def around(text: str, start: int, end: int) -> str:
    """A few words on both sides of a place in it."""
    before = [match.start() for match in _WORD.finditer(text, 0, start)][-BESIDE:]
    after = [match.end() for match in _WORD.finditer(text, end)][:BESIDE]
    return text[before[0] if before else 0 : after[-1] if after else len(text)]


def _rules(text: str, *, firm: bool = False) -> Assessment:
    return judge(text, load(), firm=firm)[0]


def assess_alone(text: str, lexicon: Lexicon) -> Assessment:
    """The message by itself, by rules alone."""
    return judge(text, lexicon)[0]


def judge(text: str, lexicon: Lexicon, *, firm: bool = False) -> tuple[Assessment, join.Context]:
    """The message by itself, and what the rules noticed on the way. firm: it is several messages read together."""
    read = excerpt(text)
    folded = trace(read, lexicon.spellings, lexicon.vocabulary)
    framed = context.frame(folded.text, lexicon)
    others = speech.others_words(read)
    hits = [_heard(framed, hit, lexicon, folded, others) for hit in context.find(framed, lexicon.statements)]
    signs = [hit for hit in context.find(framed, lexicon.cues) if not _quotation(hit, folded, others)]
    cue_tier, cue_reasons = combine(framed, signs, lexicon, firm=firm)
    hits = _unmask(framed, hits)
    tier = max((hit.tier for hit in hits), default=Tier.T0)
    foreign, foreign_reasons = elsewhere.heard(read)
    seen = join.Context(
        excused=any(hit.lowered for hit in hits) and tier < Tier.T2,
        denied=denials.is_only_denial(framed, hits, lexicon),
        found=(
            join.Found(foreign, 0),
            join.Found(cue_tier, join.TOGETHER, _place(folded, signs)),
            *(join.Found(hit.tier, _needed(hit), _place(folded, (hit,))) for hit in hits),
        ),
    )
    problems = (*lexicon.problems, *unread.problems())
    reduced = (Reason(REDUCED, "; ".join(problems)),) if problems else ()
    alone = Assessment(
        tier=max(tier, cue_tier, foreign),
        flags=context.flags_of(hits),
        subject=_subject(framed, hits),
        time=_time(framed),
        reasons=(
            *reduced,
            *foreign_reasons,
            *language.noticed(text),
            *(_located(reason, folded, read, text) for reason in (*_reasons(hits), *cue_reasons, *framed.idioms)),
        ),
    )
    return alone, seen


def _heard(text: Text, hit: Hit, lexicon: Lexicon, folded: Folded, others: Sequence[Quotation]) -> Hit:
    """A hit in the light of what stands around it, and of whose words it is among: who asks for a way is the same."""
    may_lower = hit.tier >= Tier.T2 and Flag.METHOD_SEEKING not in hit.entry.flags
    quotation = _quotation(hit, folded, others) if may_lower else None
    return context.quoted(hit, quotation) if quotation else context.weigh(text, hit, lexicon)


def _quotation(hit: Hit, folded: Folded, others: Sequence[Quotation]) -> Quotation | None:
    """Somebody else's words that the hit lies in."""
    if not others:
        return None
    start, end = folded.original(hit.start, hit.end)
    return next((each for each in others if each.start <= start and end <= each.end), None)


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


def combine(text: Text, signs: list[Hit], lexicon: Lexicon, *, firm: bool = False) -> tuple[Tier, tuple[Reason, ...]]:
    """Small signs that say little alone and much together. At least two kinds and one strong sign are needed.

    In several messages at once there are more words to find signs in, so `firm` asks for one kind and one weight more.
    """
    kinds, enough = (2 + firm, ENOUGH + firm)
    best: dict[str, Hit] = {}
    for hit in signs:
        if not _counts(text, hit, lexicon):
            continue
        if hit.entry.kind not in best or hit.entry.weight > best[hit.entry.kind].entry.weight:
            best[hit.entry.kind] = hit
    weight = sum(hit.entry.weight for hit in best.values())
    if len(best) < kinds or weight < enough or not any(hit.entry.weight > 1 for hit in best.values()):
        return Tier.T0, ()
    reasons = tuple(
        Reason(f"signs together: {hit.entry.kind} ({hit.entry.why})", hit.words, (hit.start, hit.end))
        for hit in best.values()
    )
    if "past" in text.frames and "resolved" in text.frames:
        return Tier.T1, (*reasons, Reason("lowered, past, and said to be over", ""))
    return (Tier.T3 if weight > enough else Tier.T2), reasons


def _place(folded: Folded, hits: Sequence[Hit]) -> tuple[int, int]:
    """From the first to the last of them, in what was read."""
    if not hits:
        return 0, 0
    return folded.original(min(hit.start for hit in hits), max(hit.end for hit in hits))


def _needed(hit: Hit) -> float:
    """The chance of T2 or higher that the encoder has to give a hit.

    Doubtful are a past that is not said to be over, and what is denied with a but.
    """
    if hit.tier < Tier.T2:
        return 0
    if hit.entry.kind == DOUBTFUL or hit.is_past or hit.hedged:
        return join.DOUBTFUL
    return join.DONE if hit.entry.table in DEEDS and hit.entry.kind != context.FIRM else 0


def _counts(text: Text, hit: Hit, lexicon: Lexicon) -> bool:
    """Whether a small sign is one: not another's, not negated, not in a sentence about a game, a story or work."""
    if context.is_about_other(text, hit) or context.is_negated(text, hit, lexicon):
        return False
    return "unmask" in text.frames or not context.is_invented(text, hit, lexicon)


def _unmask(text: Text, hits: list[Hit]) -> list[Hit]:
    """`asking for a friend ... the friend is me`: what was said of another counts as said of oneself."""
    if "unmask" not in text.frames:
        return hits
    return [context.restore(hit) if _is_masked(hit) else hit for hit in hits]


def _is_masked(hit: Hit) -> bool:
    """Said of another, or lowered for what stands around it. What is plainly denied was no mask."""
    return Flag.WORRIED_THIRD_PARTY in hit.entry.flags or bool(hit.lowered and not hit.is_denied)


def _reasons(hits: Iterable[Hit]) -> tuple[Reason, ...]:
    ordered = sorted(hits, key=lambda hit: -hit.tier)
    reasons = [
        reason for hit in ordered for reason in (Reason(_rule(hit), hit.words, (hit.start, hit.end)), *hit.lowered)
    ]
    return tuple(dict.fromkeys(reasons))


def _located(reason: Reason, folded: Folded, read: str, text: str) -> Reason:
    """The same reason, its place in the folded text turned into the one in the message."""
    if reason.span is None:
        return reason
    start, end = folded.original(*reason.span)
    written = read[start:end].strip(_EDGES)
    start = (read if read is text else text).find(written, start if read is text else 0)
    return replace(reason, span=(start, start + len(written)) if start >= 0 else None, written=written)


def _rule(hit: Hit) -> str:
    flags = "".join(f" {flag}" for flag in hit.entry.flags)
    return f"{hit.entry.table}, {hit.entry.tier.name}{flags}: {hit.entry.why}"


def _subject(text: Text, hits: list[Hit]) -> str:
    if text.frames & {"game", "fiction"} and "unmask" not in text.frames:
        return "fiction"
    if any(hit.entry.table == "others" or context.lowered_as_other(hit) for hit in hits):
        return "other"
    if text.words & SELF_WORDS:
        return "self"
    return "other" if text.words & OTHER_WORDS else "none"


def _time(text: Text) -> str:
    if "past" in text.frames:
        return "past"
    if "future" in text.frames:
        return "future"
    return "now" if text.words & SELF_WORDS else "none"
