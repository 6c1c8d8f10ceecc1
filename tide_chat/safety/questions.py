"""True answers to questions about what this program is, from `answers_data/`: a question has to fit a whole sentence.

A sentence is made plain first: lower case, contractions undone, typing errors in the words that matter put right. Knows
no tier and no model; whether an answer is given at all is decided by `turn.py`.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from tide_chat.safety.letters import unaccented

LONGEST = 200  # characters of a sentence; a longer one is more than such a question
SENTENCES = 12  # looked at, from the beginning and from the end
TOGETHER = 3  # sentences that an encoder reads as one
LEAST, WORDS = 3, 30  # words of what an encoder reads
Topic = Callable[[str], str | None]  # the id of the answer that a text asks for
_MACRO = re.compile(r"\{([a-z_]+)\}")
_ENDS = re.compile(r"([.!?;:…\n¿¡]+|\s[-–—]+\s)")
_TOLD = re.compile(r"(so |but |and |well )?(you are|you|your|this is|it is) ")  # no question, unless it stands alone
_TYPED = {
    word: right
    for right, words in {
        "you": "u ya yu yuo yoo youu",
        "your": "ur yr",
        "are": "r ar aer arre",
        "what": "wat wut waht wht whta",
        "this": "ths thsi tihs dis thiss",
        "is": "si iz",
        "please": "pls plz plez",
        "people": "ppl",
        "really": "rly rlly realy reallly relly",
        "though": "tho",
        "because": "cuz bc cos coz becuase",
        "someone": "sum1 some1",
        "anyone": "any1 ne1 anyoen",
        "to": "2",
        "going to": "gonna gunna",
        "want to": "wanna",
        "real": "reel rael reall",
        "tell": "tel tll",
        "can": "cna cn",
        "will": "wil wll",
        "who": "hoo woh whoo",
        "does": "dose doess deos",
        "do": "od",
        "and": "n nd",
        "i": "l",
        "private": "priv8",
        "bot": "bott",
        "human": "hooman hoomin humen hunan",
        "know": "kno",
    }.items()
    for word in words.split()
}
_SHORT_FORMS = (
    (r"\b(won'?t)\b", "will not"),
    (r"\b(can'?t|cannot)\b", "can not"),
    (r"\b(do|does|did|is|are|was|were|would|could|should|have|has)n'?t\b", r"\1 not"),
    (r"\b(who|what|where|how|there|that|it|he|she)'s\b", r"\1 is"),
    (r"\b(who|what|where|how)s\b", r"\1 is"),
    (r"\b(you|we|they|who|what)'re\b", r"\1 are"),
    (r"\b(youre|your? re)\b", "you are"),
    (r"\bi'?m\b", "i am"),
    (r"\b(you|i|it|they|we|that)'ll\b", r"\1 will"),
    (r"\b(i|you|we|they)'ve\b", r"\1 have"),
    (r"\b(i|you|we|they)'d\b", r"\1 would"),
    (r"\blet'?s\b", "let us"),
)
# Words that change nothing about such a question.
_FILLERS = re.compile(
    r"\b(really|actually|even|just|still|truly|honestly|literally|secretly|maybe|perhaps|basically|definitely|fully"
    r"|completely|totally|somehow|ever|also|always|by any chance|(?:some |a )?(?:kind|sort) of|in fact|100|in any way"
    r"|able to|allowed to|likely to|of course|only|all like|the fuck|the hell|fucking|bloody|damn) "
)
_GOING = re.compile(r"\b(?:are|is|am) (you|this|it|i|the app|they|anyone|anybody|someone|somebody) (?:not )?going to ")
# Words that carry such a question. One that is nearly one of them, with the same first letter, is taken for it.
_KEYS = frozenset(
    """person people human humans robot machine program computer chatbot automated artificial intelligence therapist
    therapy doctor psychologist psychiatrist counsellor counselor clinician professional licensed qualified certified
    trained private confidential anonymous secret promise watching reading listening recording recorded monitored
    watched conscious sentient feelings emotions remember forget diagnose diagnosis medical advice treatment police
    ambulance sending internet conversation messages someone anyone anybody somebody between stored saved shared really
    talking speaking privacy created programmed built trust""".split()
)
_FALLBACK = (
    "I am a program, not a person, and not a therapist. What you write stays on this machine. "
    "If you would like a real person, the help screen has lines that people answer."
)
_FALLBACK_PATTERN = (
    r".{0,40}\b(are you|is this|am i talking to)( an?)?( real)? (person|human|bot|robot|ai|therapist|private)\b.{0,20}"
)


@dataclass(frozen=True)
class Answer:
    """One true answer, and the questions it belongs to. `cues` are words without which no pattern can fit."""

    id: str
    text: str
    cues: re.Pattern[str]
    sources: tuple[str, ...]
    macros: Mapping[str, Any] = field(default_factory=dict, repr=False)
    language: str = "en"

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """Compiled when first needed: most messages ask nothing of the kind."""
        return tuple(re.compile(_filled(source, self.macros)) for source in self.sources)

    def fits(self, core: str) -> bool:
        return bool(self.cues.search(core)) and any(pattern.fullmatch(core) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class Found:
    """An answer, and how many words were said beside the question."""

    id: str
    text: str
    beside: int


def find(said: str, topic: Topic | None = None) -> Found | None:
    """The answer to the first question about this program that stands as a sentence of its own.

    topic: what an encoder takes a text for; it is asked where no pattern fits.
    """
    return _by_pattern(said) or (_by_topic(said, topic) if topic else None)


def _by_topic(said: str, topic: Topic) -> Found | None:
    """Of a short message as a whole, else of each of its sentences: few words say little without what is around."""
    sentences = _sentences(said)
    count = len(said.split())
    if len(sentences) <= TOGETHER and count <= WORDS:
        answer = _answer_to(topic(said.strip()))
        return Found(answer.id, answer.text, 0) if answer else None
    for sentence, end in (*sentences[:SENTENCES], *sentences[SENTENCES:][-SENTENCES:]):
        words = len(sentence.split())
        if LEAST <= words <= WORDS and (answer := _answer_to(topic(sentence.strip() + end.strip()))):
            return Found(answer.id, answer.text, count - words)
    return None


def _answer_to(id_: str | None) -> "Answer | None":
    return next((answer for answer in answers() if answer.id == id_), None) if id_ else None


def _by_pattern(said: str) -> Found | None:
    sentences = _sentences(said)
    counts = [len(sentence.split()) for sentence, _ in sentences]
    for index in (*range(len(sentences))[:SENTENCES], *range(SENTENCES, len(sentences))[-SENTENCES:]):
        sentence, end = sentences[index]
        if "?" not in end and len(sentences) > 1 and _TOLD.match(plain(sentence)):
            continue
        for part in _parts(sentence):
            if found := _match(part):
                return Found(found.id, found.text, sum(counts) - counts[index])
    return None


def plain(text: str, *, english: bool = True) -> str:
    """As the patterns see it: `R u a REEL person??` becomes `are you a real person`. Only English is put right."""
    text = unaccented(text.casefold()).replace("’", "'").replace("`", "'").replace("´", "'")
    for pattern, instead in _SHORT_FORMS if english else ():
        text = re.sub(pattern, instead, text)
    words = re.findall(r"[^\W_]+", text)
    if not english:
        return " ".join(words)
    return " ".join(_righted(_TYPED.get(word, word)) for word in words)


def _sentences(said: str) -> list[tuple[str, str]]:
    """Sentences, each with what ended it."""
    pieces = [*_ENDS.split(said), ""]
    return [(piece, end) for piece, end in zip(pieces[::2], pieces[1::2], strict=False) if any(map(str.isalpha, piece))]


def _parts(sentence: str) -> Iterator[str]:
    """The sentence, and what stands before and after each of its commas."""
    if len(sentence) <= LONGEST:
        yield sentence
    commas = [match.start() for match in re.finditer(",", sentence)][:8]
    for at in commas:
        for part in (sentence[at + 1 :], sentence[:at]):
            if len(part) <= LONGEST and len(part.split()) > 1:
                yield part


def _match(part: str) -> Answer | None:
    for core, language in _cores(plain(part), plain(part, english=False)):
        for answer in answers():
            if answer.language == language and answer.fits(core):
                return answer
    return None


def _cores(english: str, other: str) -> Iterator[tuple[str, str]]:
    """The sentence as it is, and without what may stand before and after a question, a piece at a time."""
    for language, (lead, tail) in _around().items():
        bare = _FILLERS.sub("", f"{english} ").strip()
        starts = (bare, _GOING.sub(r"will \1 ", bare)) if language == "en" else (other,)
        seen = {core: None for start in dict.fromkeys(starts) for core in _stripped(start, lead, tail)}
        yield from ((core, language) for core in seen if core)


def _stripped(start: str, lead: re.Pattern[str], tail: re.Pattern[str]) -> Iterator[str]:
    for _ in range(6):
        core = start
        for _ in range(4):
            yield core
            core, changed = tail.subn("", core, count=1)
            if not changed:
                break
        start, changed = lead.subn("", start, count=1)
        if not changed:
            return


@lru_cache(maxsize=4096)
def _righted(word: str) -> str:
    if len(word) < 5 or word in _KEYS or not word.isascii():
        return word
    allowed = 2 if len(word) >= 9 else 1
    return next((key for key in sorted(_KEYS) if key[0] == word[0] and _near(word, key, allowed)), word)


def _near(one: str, other: str, allowed: int) -> bool:
    """Whether at most `allowed` letters are wrong, missing, too many or swapped. Plurals are words of their own."""
    ends = ("s", "d", "r", "ly", "al", "ed", "n", "er")
    if abs(len(one) - len(other)) > allowed or any(one == other + end or other == one + end for end in ends):
        return False
    before, row = list(range(len(other) + 1)), [0] * (len(other) + 1)
    older = before
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        older, before = before, row
    return row[-1] <= allowed


@lru_cache(maxsize=1)
def answers() -> tuple[Answer, ...]:
    """All answers in order; one built in when the file cannot be read."""
    try:
        return tuple(_read())
    except (OSError, ValueError, KeyError, TypeError, re.error):
        return (Answer("program", _FALLBACK, re.compile(""), (_FALLBACK_PATTERN,)),)


def _read() -> Iterator[Answer]:
    data = _data()
    macros: dict[str, Any] = data["macros"]
    for row in data["answer"]:
        yield Answer(row["id"], row["text"].strip(), _cued(row["cues"]), tuple(row["patterns"]), macros)
        for language, other in row.get("in", {}).items():
            cues = _cued(macros["cues"][language])
            yield Answer(f"{row['id']}.{language}", other["text"], cues, tuple(other["patterns"]), macros, language)


def _cued(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b")


@lru_cache(maxsize=1)
def _around() -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    """For each language what may come before a question, and after it."""
    try:
        macros = _data()["macros"]
    except (OSError, ValueError, KeyError):
        macros = {"lead": "so|hey|but", "tail": "please|really"}
    leads = {"en": macros["lead"], **macros.get("leads", {})}
    after = re.compile(f" (?:{macros['tail']})$")
    return {language: (re.compile(f"^(?:{lead}) "), after) for language, lead in leads.items()}


def _data() -> dict[str, Any]:
    text = (files("tide_chat.safety") / "answers_data" / "answers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _filled(pattern: str, macros: Mapping[str, Any]) -> str:
    while found := _MACRO.search(pattern):
        pattern = pattern.replace(found.group(), macros[found[1]])
    return re.sub(r"\((?!\?)", "(?:", pattern)
