"""Whose words stand in quotation marks: another person's, a page's, or the writer's own.

It reads the message as it was written, knows no rules and no tiers, and says `others` only where somebody or something
else is named as the speaker and the writer does not take the words up (`'i want to die' he said, and so do i`).
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tide_chat.safety.people import OTHER_WORDS

_BEFORE, _AFTER = 90, 70  # characters around a quotation that may name who speaks
_MARKS = re.compile("[\"“”„«‘']")
_QUOTATION = re.compile(
    r"“[^“”]{1,300}[”“]|„[^„“”]{1,300}[“”]|«[^«»]{1,300}»"
    r"|(?<!\w)\"(?=\S)[^\"\n]{1,300}(?<=\S)\"(?!\w)"  # an end left out makes no quotation of what lies between two
    r"|(?<![\w'’])['‘](?=[^\W\d])(?!(?:bout|cause|cos|coz|cuz|em|n|round|till?|tis|twas)\b)"
    r"[^\n]{1,300}?(?<=[\w.!?,…-])['’](?![\w'’])"
)
_SENTENCE_END = re.compile(r"[.!?…\n](?=\s|$)|\n")
_CLAUSE_END = re.compile(r"[,;:()–—]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

SAYING = frozenset(
    "said says say saying shouted shouts screamed screams yelled yells whispered whispers muttered mutters joked jokes "
    "texted texts wrote writes typed types posted posts messaged messages tweeted captioned sent asked asks asking "
    "goes went sings sang told tells telling answered replied reads read announced announces printed put calls "
    "called".split()
)
# Said in one's own words, with nothing between: `she texted im going to ...`. `he said i ...` may be about the writer.
WRITING = frozenset("texted texts wrote writes typed types posted posts messaged tweeted captioned screams".split())
THINKING = frozenset("says said thinks reckons swears".split())
_OWN = frozenset("i i'm im i've ive i'd i'll we we've".split())
_PAGES = frozenset(
    "form forms questionnaire checklist sheet worksheet leaflet poster sign headline title clue crossword song lyric "
    "lyrics chorus film movie scene play script character hero heroine villain narrator book novel poem chapter "
    "episode show quiz advert homework item question sticker mug card mural streamer parrot".split()
)
_OTHERS = OTHER_WORDS | frozenset(
    "vicar doctor therapist counsellor resident residents passenger caller child toddler baby man woman boy people "
    "nobody old grandson granddaughter auntie carer gp psychologist officer instructor captain manager".split()
)
_NO_FINITE = frozenset("say saying asking telling".split())  # `Keep saying` has no name in it
# Words that begin a sentence as a name does, where the writer leaves out `I`. So do those in -ly.
_HOLLOW = frozenset(
    "yesterday today tonight just then once last never even and so but also now always still almost often sometimes "
    "again already later earlier afterwards instead maybe perhaps soon twice first only ever nearly have had has was "
    "were been got could would should might can did do wish which what that this it there here who when".split()
)
# A part of the writer that speaks, or something they wrote.
_OWN_VOICES = frozenset(
    "head brain mind heart body soul depression illness ptsd anxiety thought thoughts voice voices part diary journal "
    "note letter notes inner inside demon demons trauma shame guilt fear pain ocd bpd".split()
)
_ARTICLES = frozenset("my the our his her their a an one".split())
_JOINING = frozenset("and but so then because when while".split()) | _OWN
_SAID = "said|says|shouted|screamed|asked|muttered|texted|wrote|sings|sang"
_SAID_AFTER = re.compile(
    rf"[\s,.]*(?:(?:{_SAID}) (?P<whose>(?:\w+ )?\w+)"
    rf"|(?P<who>he|she|they|(?:my|the|our|his|her) \w+) (?:{_SAID}|keeps saying)"
    r"(?=\s*(?:[.,;!?]|$|(?:to|in|at|when|while|every|last|over|because|before|after|with|on|like|again|once|and)\b)))",
    re.IGNORECASE,
)
_TAKEN_UP = re.compile(
    r"\b(?:(?:so|as) (?:do|am|did|have|would|will) i|n(?:either|or) (?:do|am|can|will) i|me (?:too|as well|also)"
    r"|same(?! (?:day|night|week|time|way|thing|place|as)\b)|i (?:agree|do too|am too)|i['’]?m (?:like that|there)"
    r"|i (?:can )?relate|i (?:really |so |totally )?get (?:it|him|her|them|that|why)"
    r"|i (?:want|wanna)(?: to)? (?:too|as well|also|join|go with|follow)"
    r"|i (?:said|say|told \w+|answered|ticked|put) (?:yes|yeah|maybe|sometimes|i do|i am)|i nodded|yes"
    r"|(?:and|maybe|perhaps) i (?:will|might|should|do|am|could)|nearly every day|most days|several days|more than half"
    r"|i (?:feel|felt|think|want|mean|know) (?:the same|that too|it too|like that|so too|exactly|what)"
    r"|(?:he|she|they)(?:['’]?s|['’]?re| is| was| were| are) (?:so |probably |maybe )?right"
    r"|that['’]?s (?:me|how i feel|what i|exactly)|it['’]?s (?:me|true|how i)|exactly (?:how|what) i"
    r"|(?:wish|now) (?:it was me|i (?:do|am|could))|my turn|i understand (?:him|her|them|why|it))\b",
    re.IGNORECASE,
)


class Quotation(NamedTuple):
    """Words of somebody else, at these characters. somebody: a person says them; otherwise a page, a song, a story."""

    start: int
    end: int
    somebody: bool


def others_words(text: str) -> tuple[Quotation, ...]:
    """The quotations in which somebody or something else speaks."""
    if not _MARKS.search(text):
        return ()
    return tuple(_others(text))


def is_taken_up(after: str) -> bool:
    """Whether the writer says of words just quoted that they are true of themselves."""
    return bool(_TAKEN_UP.search(after))


def _others(text: str) -> Iterator[Quotation]:
    for match in _QUOTATION.finditer(text):
        start, end = match.span()
        after = text[end : end + _AFTER]
        speaker = _speaker(text[max(0, start - _BEFORE) : start])
        if speaker is None and _is_named(after):
            speaker = True
        if speaker is not None and not is_taken_up(after):
            yield Quotation(start, end, speaker)


def _is_named(after: str) -> bool:
    """`he said`, `said my brother`; not `said out loud`, nor `said the back of my mind`."""
    match = _SAID_AFTER.match(after)
    if match is None or _OWN_VOICES & set(_low(_WORD.findall(_SENTENCE_END.split(after)[0]))):
        return False
    if match["who"]:
        return True
    first, *noun = match["whose"].split()
    return bool(noun and first.lower() in _ARTICLES) or first.lower() in _OTHERS or _is_name(first)


def _is_name(word: str) -> bool:
    return word.istitle() and word.lower() not in _HOLLOW | _OWN and not word.endswith("ly")


def _low(words: Iterable[str]) -> list[str]:
    return [word.lower().replace("’", "'") for word in words]


def _speaker(lead: str) -> bool | None:
    """Who speaks after these words: True for a person, False for a page, None for nobody or the writer."""
    sentence = _SENTENCE_END.split(lead)[-1]
    said = next((each for each in reversed([*_WORD.finditer(sentence)]) if each[0].lower() in SAYING), None)
    if said is None:
        low = _low(_WORD.findall(sentence))
        return False if _PAGES & set(low[-3:]) and not {"my", *_OWN} & set(low) else None
    words = _WORD.findall(_CLAUSE_END.split(sentence[: said.start()])[-1])
    low = _low(words)
    if _JOINING & set(_low(_WORD.findall(sentence[said.end() :]))) or _OWN_VOICES & set(low):
        return None
    for word in reversed(low):
        if word in _OWN:
            return None
        if word in _PAGES or word in _OTHERS:
            return word not in _PAGES
    return True if words and said[0].lower() not in _NO_FINITE and _is_name(words[-1]) else None
