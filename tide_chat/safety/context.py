"""What surrounds a finding: negation, who it is about, when, fiction, games, study. Only these rules may lower a tier.

Each rule is explicit and leaves a readable reason. It sees folded text (see normalize.py) and knows no model.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tide_chat.safety.assessment import Flag, Reason, Tier
from tide_chat.safety.lexicon import Entry, Lexicon, Table
from tide_chat.safety.normalize import BREAK
from tide_chat.safety.people import OTHER_WORDS, SELF_WORDS
from tide_chat.safety.speech import THINKING, WRITING, Quotation, is_taken_up

_WORKS = frozenset(
    "character villain hero heroine protagonist novel story book script screenplay play song poem film thesis essay "
    "assignment dissertation paper module course lecture seminar research coursework".split()
)
NONE = Table()
_LOOK_BACK = 10  # words
_INVENTED = frozenset({"fiction", "game", "study"})
_LOWERING = _INVENTED | {"past"}
_TURNS = frozenset("but pero aber ma lekin tapi".split())
_QUALIFIES = frozenset("exactly really yet as properly".split())  # `not suicidal exactly`
# A plan that is put off; `no wish tonight` puts nothing off.
_WILL = frozenset("wont gonna going planning doing voy vais werde vou akan voglio non".split())
_TAKEN_UP_WITHIN = 70  # characters
_SAYS_I = frozenset("i im ive ill id".split())
_ON_THE_WAY = frozenset("gonna going to wanna want will just really so might could about ready need be am".split())
_NEVER = frozenset("never not no nobody hasnt havent hadnt didnt doesnt wont".split())
_WOULD = frozenset({"ill", "id"})  # `he says i want to` may be what he makes of the writer's own words
FIRM = "firm"  # the kind of an entry that only a negation may lower
_DENIED, _HELD_OFF = "negated", "negated, but held off and not denied"
_HEDGED = "negated, with a but"
_ANSWERED = "negated, asked and answered"
_OTHER, _QUOTED, _PAST = "about somebody else", "quoted", "past"

# `she asked was i suicidal and i said no`, `do i want to die? no.` - and not `no idea`, nor `no, but`.
_ASKED = re.compile(
    r"\b(?:ask|asks|asked|asking|question|questions|form|whether|checks|checked)\b(?!.*\bbut\b)"
    r"|\b(?:am|was|do|did|have|are) (?:i|you) (?:\S+ )?$|\bif (?:i|im|id) (?:\S+ )?$"
)
_STILL_NO = r"(?!(?:yes|yeah|yep|sometimes|maybe|often|probably|lately|always)\b)"
_NO = re.compile(
    rf"^(?:(?:{_STILL_NO}\w+ ){{0,3}}?\| (?:and |so )?"
    rf"|(?:{_STILL_NO}\S+ ){{0,10}}?(?:i|ive) (?:said|say|told (?:him|her|them)|answered|ticked|put) (?:that )?)"
    r"(?:no|nope|nah|never|not at all|of course not|im not|i do not|i am not) (?P<on>(?:\S+ ){0,5})"
)
_TICKED = re.compile(r"\s?\| (?:no|none|not at all|nil|never|0|zero|negative) \|")
_NO_NO = frozenset(
    "idea clue one way body longer doubt question reason point more matter answer but though although except yet lied "
    "lie lying true sure really exactly know maybe will wont cant because cause cos since or otherwise would scared "
    "afraid".split()
)


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry found in a text, at these character positions of the folded text."""

    entry: Entry
    start: int
    end: int
    words: str
    tier: Tier
    lowered: tuple[Reason, ...] = ()
    hedged: bool = False  # denied, and then comes a but: as grave as without the denial, and doubtful

    @property
    def is_past(self) -> bool:
        """Lowered because it lies in the past, and not said to be over."""
        return any(reason.rule == f"lowered, {_PAST}" for reason in self.lowered)

    @property
    def is_denied(self) -> bool:
        return any(reason.rule in (f"lowered, {_DENIED}", f"lowered, {_ANSWERED}") for reason in self.lowered)


@dataclass(frozen=True, slots=True)
class Text:
    """A folded text with its idioms taken out, and the frame it stands in."""

    folded: str
    words: frozenset[str]
    idioms: tuple[Reason, ...]
    frames: frozenset[str]  # kinds of context found anywhere: fiction, game, study, past, resolved, unmask, denial


def occurrences(entry: Entry, folded: str) -> Iterator[tuple[int, int]]:
    """Where an entry stands in a text."""
    for match in entry.phrase.regex.finditer(folded):
        yield match.span()


def take_out_idioms(folded: str, words: frozenset[str], lexicon: Lexicon) -> tuple[str, tuple[Reason, ...]]:
    """Blank harmless sayings, so that no rule reads their words literally."""
    reasons = []
    for entry in lexicon.contexts.get("idiom", NONE).among(words):
        for start, end in occurrences(entry, folded):
            saying = folded[start:end]
            reasons.append(Reason(f"idiom: {entry.why}", saying.strip(), (start, end)))
            folded = folded[:start] + "".join(c if c in f" {BREAK}" else "·" for c in saying) + folded[end:]
    return folded, tuple(reasons)


def frame(folded: str, lexicon: Lexicon) -> Text:
    """Prepare a text: idioms out, frames noted."""
    folded, idioms = take_out_idioms(folded, frozenset(folded.split()), lexicon)
    return Text(folded, frozenset(folded.split()), idioms, frames_of(folded, lexicon))


def frames_of(folded: str, lexicon: Lexicon) -> frozenset[str]:
    """The kinds of context found in these words."""
    return frozenset(
        entry.kind
        for entry in lexicon.frames.among(set(folded.split()))
        if entry.phrase.regex.search(folded) is not None
    )


def find(text: Text, entries: Table) -> list[Hit]:
    """Every place where an entry is found."""
    return [
        Hit(entry, start, end, text.folded[start:end].strip(), entry.tier)
        for entry in entries.among(text.words)
        for start, end in occurrences(entry, text.folded)
    ]


def before(text: Text, hit: Hit) -> str:
    """The few words before a hit, within its sentence."""
    sentence = text.folded[: hit.start].rpartition(BREAK)[2]
    return " ".join(sentence.split()[-_LOOK_BACK:])


def sentence(text: Text, hit: Hit) -> str:
    """The sentence or sentences that a hit stands in."""
    start = text.folded.rfind(BREAK, 0, hit.start)
    end = text.folded.find(BREAK, hit.end)
    return text.folded[start : end + 1]


def after(text: Text, hit: Hit) -> str:
    """The few words after a hit, within its sentence."""
    sentence = text.folded[hit.end :].partition(BREAK)[0]
    return " ".join(sentence.split()[:_LOOK_BACK])


def is_negated(text: Text, hit: Hit, lexicon: Lexicon) -> bool:
    """Whether the hit is plainly denied."""
    return _negation(text, hit, lexicon) == _DENIED


def negated_from(text: Text, hit: Hit, lexicon: Lexicon) -> int | None:
    """Where the words begin that plainly deny the hit; None where nothing does."""
    if not is_negated(text, hit, lexicon):
        return None
    lead = f"{BREAK} {before(text, hit)} "
    return hit.start - len(lead) + min(_reaching("negation", lead, lexicon))


def _negation(text: Text, hit: Hit, lexicon: Lexicon) -> str:
    """What a negation that reaches up to the hit (`i dont` + `want to die`) makes of it: _DENIED, _HEDGED, _HELD_OFF or
    nothing.

    `why dont i` and `i cant promise i wont` deny nothing; `trying not to` and `not until` hold off what is there.
    """
    lead, tail = f"{BREAK} {before(text, hit)} ", f"{BREAK} {after(text, hit)} "
    starts = list(_reaching("negation", lead, lexicon))
    around = frames_of(tail, lexicon) if starts else frozenset[str]()
    if not starts or set(tail.split()[1:2]) & _QUALIFIES:
        return ""
    leads = [lead[:start] for start in starts]
    if any(True for each in leads for _ in _reaching("doubted", each, lexicon)):
        return ""
    if set(tail.split()[1:3]) & _TURNS or "turn" in around:
        return _HEDGED
    held_off = any(True for each in leads for _ in _reaching("strained", each, lexicon))
    for_now = any(_WILL & set(lead[start:].split()) for start in starts) and "limited" in around
    return _HELD_OFF if held_off or for_now else _DENIED


def _reaching(kind: str, lead: str, lexicon: Lexicon) -> Iterator[int]:
    """Where entries of this kind begin that end where the lead ends."""
    for entry in lexicon.contexts.get(kind, NONE).among(lead.split()):
        yield from (start for start, end in occurrences(entry, lead) if end == len(lead))


def is_about_other(text: Text, hit: Hit) -> bool:
    """Somebody else is the nearest subject, and nothing in the hit speaks of oneself or asks for a way."""
    if SELF_WORDS & set(hit.words.split()) or Flag.METHOD_SEEKING in hit.entry.flags:
        return False
    nearest = next((word for word in reversed(before(text, hit).split()) if word in SELF_WORDS | OTHER_WORDS), "")
    return nearest in OTHER_WORDS


def _written_by_other(text: Text, hit: Hit) -> bool:
    """`she texted im going to kill myself`: somebody else's words, written down without marks around them."""
    return _tells(text, hit, WRITING, _SAYS_I)


def _foretold_by_other(text: Text, hit: Hit) -> bool:
    """`my wife says ill kill myself on that ladder`: what somebody else thinks will happen to the writer."""
    return _tells(text, hit, THINKING, _WOULD)


def _tells(text: Text, hit: Hit, verbs: frozenset[str], on: frozenset[str]) -> bool:
    """Somebody else is the subject of one of these verbs, and the hit is all that they say.

    `he texted me and i want to` and `he never texted i want to` are the writer's own.
    """
    lead = before(text, hit).split()
    words = [*lead, *hit.words.split()]
    told = next((at for at in range(len(words) - 2, -1, -1) if words[at] in verbs), None)
    if told is None or words[told + 1] not in on or not set(lead[told + 2 :]) <= _ON_THE_WAY:
        return False
    subject = set(words[max(0, told - 2) : told])
    taken_up = is_taken_up(text.folded[hit.end :][:_TAKEN_UP_WITHIN])
    return bool(subject & OTHER_WORDS) and not subject & (_NEVER | _SAYS_I) and not taken_up


def quoted(hit: Hit, quotation: Quotation) -> Hit:
    """What stands in these quotation marks was said by somebody else."""
    return _lower(hit, Tier.T0, _OTHER if quotation.somebody else _QUOTED)


def _answered_no(text: Text, hit: Hit) -> bool:
    """It was asked, and the answer is no."""
    if not _ASKED.search(f"{before(text, hit)} "):
        return False
    answer = _NO.match(f"{text.folded[hit.end :]} ")
    return answer is not None and not _NO_NO & set(answer["on"].split()[:3])


def _ticked_no(text: Text, hit: Hit) -> bool:
    """It stands on a form, and nothing but a no beside it: `thoughts of being dead: none`."""
    return bool(_TICKED.match(text.folded[hit.end :])) and not _SAYS_I & set(sentence(text, hit).split())


def weigh(text: Text, hit: Hit, lexicon: Lexicon) -> Hit:
    """Lower a hit where an explicit rule says so; the rule is kept as a reason."""
    if hit.tier < Tier.T2 and not hit.entry.flags:
        return hit
    negation = _negation(text, hit, lexicon)
    if negation == _DENIED:
        return _lower(hit, min(hit.tier, Tier.T1), negation)
    if negation == _HEDGED:
        hit = replace(hit, hedged=True)
    elif negation and hit.tier > Tier.T2:
        hit = _lower(hit, Tier.T2, negation)
    if hit.tier < Tier.T2:
        return _weigh_worry(text, hit, lexicon)
    if _answered_no(text, hit) or _ticked_no(text, hit):
        return _lower(hit, Tier.T1, _ANSWERED)
    of_others = _weigh_speaker(text, hit)
    if of_others is not hit or "unmask" in text.frames or not text.frames & _LOWERING:
        return of_others
    return _weigh_frames(text, hit, frames_of(sentence(text, hit), lexicon))


def _weigh_speaker(text: Text, hit: Hit) -> Hit:
    """What is said of somebody else, by somebody else, or by somebody else of the writer."""
    if is_about_other(text, hit) or _written_by_other(text, hit):
        return _lower(hit, Tier.T0, _OTHER)
    return _lower(hit, Tier.T1, _QUOTED) if _foretold_by_other(text, hit) else hit


def _weigh_worry(text: Text, hit: Hit, lexicon: Lexicon) -> Hit:
    """A worry about somebody that is only read, played or studied is none."""
    if hit.entry.table == "others" and "unmask" not in text.frames:
        frames = frames_of(sentence(text, hit), lexicon) & _INVENTED
        return _lower(hit, hit.tier, f"a {min(frames)}") if frames else hit
    return hit


def _weigh_frames(text: Text, hit: Hit, frames: frozenset[str]) -> Hit:
    """What the sentence around a hit makes of it: past, a game, a story, work. Never what other sentences say."""
    if hit.entry.kind == FIRM:
        return hit
    if "past" in frames:
        over = "resolved" in text.frames
        return _lower(hit, Tier.T1 if over else Tier.T2, "past, and said to be over" if over else _PAST)
    if "game" in frames:
        return _lower(hit, Tier.T0, "game")
    if frames & _INVENTED and not is_about_self(text, hit):
        return _lower(hit, Tier.T0, "story, song, work or study")
    return hit


def is_invented(text: Text, hit: Hit, lexicon: Lexicon) -> bool:
    """The sentence speaks of a game, a story or work."""
    return bool(text.frames & _INVENTED) and bool(frames_of(sentence(text, hit), lexicon) & _INVENTED)


def is_about_self(text: Text, hit: Hit) -> bool:
    """The writer is the subject, in the hit or nearest before it. `my villain` is not."""
    if SELF_WORDS & set(hit.words.split()):
        return True
    words = before(text, hit).split()
    nearest = next((at for at in range(len(words) - 1, -1, -1) if words[at] in SELF_WORDS | OTHER_WORDS), None)
    if nearest is None or words[nearest] not in SELF_WORDS:
        return False
    return words[nearest] != "my" or not _WORKS & set(words[nearest + 1 : nearest + 2])


def lowered_as_other(hit: Hit) -> bool:
    return any(reason.rule == f"lowered, {_OTHER}" for reason in hit.lowered)


def _lower(hit: Hit, tier: Tier, rule: str) -> Hit:
    return replace(hit, tier=tier, lowered=(*hit.lowered, Reason(f"lowered, {rule}", hit.words, (hit.start, hit.end))))


def flags_of(hits: list[Hit]) -> tuple[Flag, ...]:
    """Flags of all hits, in the order of the enumeration. A grave hit about somebody else is a worry about them."""
    found = {flag for hit in hits for flag in hit.entry.flags if not hit.lowered or hit.tier >= Tier.T2}
    own = any(hit.tier >= Tier.T2 for hit in hits)
    if not own and any(lowered_as_other(hit) and hit.entry.tier >= Tier.T3 for hit in hits):
        found.add(Flag.WORRIED_THIRD_PARTY)
    return tuple(flag for flag in Flag if flag in found)


def restore(hit: Hit) -> Hit:
    """What was said of another is about oneself: back to its own tier, at least T2."""
    reason = Reason("raised, it is about oneself", hit.words, (hit.start, hit.end))
    return replace(hit, tier=max(hit.entry.tier, Tier.T2), lowered=(*hit.lowered, reason))
