"""What stands between the model's words and the screen: sentences are held until they have passed.

It ends a reply that loops, that starts to speak for the user, that goes on too long, or that was cut off in
mid-sentence. A sentence with something that must not be said (`guard_rules/`, and an encoder where no rule knows it),
or of what the model was told, is replaced by an authored line, or ends the reply. One that an earlier reply has said is
left out, and so is a question where enough were asked and what names an unwanted topic. It knows neither what the
person wrote nor which country they are in.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from tide_chat.engine.base import FinishReason
from tide_chat.safety import guard_rules
from tide_chat.safety.encoder import Unavailable
from tide_chat.safety.guard_rules import Answer
from tide_chat.safety.guard_screen import Finding, Reading, Screen

LONGEST = 400  # characters held without a sentence end; then the words so far are released
MOST_SENTENCES = 6  # the prompt asks for two to four; small models wander, and nobody reads on in distress
_END = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s)\s+|\n+""")
_RUNS_ON = re.compile(r"[\w,;] *$")
_WHOLE = re.compile(r"""[.!?…]["'”’)\]]*\s*$""")
_ROLE = re.compile(
    r"^\W*(user|assistant|system|human|you|person|me|companion"
    r"|((your|my|their|the person['’]s) )?(response|reply|answer|words))\s*:",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\w+(?:['’]\w+)?")
_ASKS = re.compile(r"""\?["'”’)\]]*\s*$""")
_FEW, _TWICE = 3, 2  # words, times: "I hear you." may well come twice
_ENDED = (FinishReason.LENGTH, FinishReason.LOOP)  # not by the model, nor by the user
_SAME = 0.8  # share of three-word runs that make two sentences the same
_TOLD = 7  # words in a row that only somebody who repeats has in common with what they were told
_CASE = re.compile(r"\W*the person(?:['’]s| is| isn['’]t| was| has)\b", re.IGNORECASE)
_OPENS_AS_A_CASE = Finding("leak", "opening", "speaks about the person as of a case")
_UNWANTED = "unwanted_topic"
ENCODER = "guard encoder"  # in place of a rule
Doubt = Callable[[str], str | None]  # the category of what must not be said in a text
_REPEATS_INSTRUCTIONS = Finding("leak", "system prompt", "repeats its instructions")


@dataclass(frozen=True, slots=True)
class Held:
    """A sentence that was not shown, for the clinician's inspector. Its words stay out of every repr and log."""

    action: str  # replaced, dropped (an authored line stands there already), ended
    category: str
    rule: str
    why: str
    text: str = field(repr=False)


class Gate:
    """Feed text, get the sentences that may be shown. `closed` says why nothing more will come.

    `held` keeps what was not shown; `needs_help` says that help should be offered beside the reply.
    said: earlier replies. told: the system prompt. questions: whether this one may ask something. most: sentences.
    unwanted: whether a sentence names what the person does not want brought up. doubt: what an encoder makes of a text
    where no rule finds anything; it may raise Unavailable, and `reduced` says that it did.
    """

    def __init__(
        self,
        screen: Screen | None = None,
        *,
        said: Iterable[str] = (),
        told: str = "",
        questions: bool = True,
        most: int | None = None,
        unwanted: Callable[[str], bool] = lambda _: False,
        doubt: Doubt | None = None,
    ) -> None:
        self._screen = screen or default_screen()
        self._earlier = [_runs(piece) for text in said for piece in _END.split(text)]
        self._told = _runs(told, _TOLD)
        self._questions = questions
        self._most = most or MOST_SENTENCES
        self._unwanted = unwanted
        self._doubt = doubt
        self._before = ""  # the sentence that was shown last, as the model wrote it
        self.reduced = False
        self._left_out = ""  # the first sentence that was; said after all when nothing else was
        self._reading = Reading(self._screen)
        self._answered: list[str] = []  # categories that an authored line stands for
        self._authored_last = False
        self.held: list[Held] = []
        self.needs_help = False
        self._held = ""
        self._seen: list[set[tuple[str, ...]]] = []
        self._short: Counter[tuple[str, ...]] = Counter()  # sentences of few words
        self._sentences = 0
        self.shown = ""
        self.closed: FinishReason | None = None
        self.actions: list[str] = []

    def feed(self, text: str) -> str:
        if self.closed:
            return ""
        self._held += text
        out = ""
        while not self.closed and (piece := self._next()):
            out += self._release(piece)
        return out

    def flush(self, reason: FinishReason) -> str:
        """The rest. Half a sentence stays where the user stopped or the engine died, and goes where a limit cut it.

        Where nothing but half a sentence could be shown, it trails off. A reply that was only spoken for somebody else
        has an authored line.
        """
        out = self._rest(reason)
        if (self.closed or reason) in _ENDED and _RUNS_ON.search(self.shown):
            self.actions.append("trailed_off")
            self.shown, out = f"{self.shown}…", f"{out}…"
        if self.shown.strip() or reason is FinishReason.CANCELLED:
            return out
        spoken_for = "role_leak" in self.actions
        self.shown = self._left_out or (self._screen.book.answer("template").lines[0] if spoken_for else "")
        return self.shown

    def _rest(self, reason: FinishReason) -> str:
        out = self.feed("")
        rest, self._held = self._held, ""
        if self.closed or not rest.strip():
            return out
        cut = reason is FinishReason.LENGTH and not _WHOLE.search(rest)
        if cut and self.shown.strip():
            self.actions.append("cut_sentence")
            return out
        return out + self._release(rest.rstrip() if cut else rest)

    def _next(self) -> str:
        """The first sentence that is complete, "" when there is none."""
        end = _END.search(self._held)
        if end and end.start() <= LONGEST:
            piece = self._held[: end.end()]
        elif len(self._held) > LONGEST:
            piece = self._held[: self._held.rfind(" ", 0, LONGEST) + 1] or self._held[:LONGEST]
        elif stutters(self._held.rpartition(" ")[0]):
            piece = self._held
        else:
            return ""
        self._held = self._held[len(piece) :]
        return piece

    def _release(self, piece: str) -> str:
        if not self._passes(piece):
            self._held = ""
            return ""
        finding = self._reading.gravest(piece) or self._out_of_place(piece) or self._doubted(piece)
        if not finding and (why := self._needless(piece)):
            self._left_out = self._left_out or (piece if why != _UNWANTED else "")
            self.actions.append(why)
            return ""
        self._before = "" if finding else piece.strip()
        piece = self._instead(piece, finding) if finding else piece
        self._authored_last = bool(finding) or (self._authored_last and not _WORDS.search(piece))
        self.shown += piece
        self._sentences += bool(piece.strip())
        if self._sentences >= self._most and not self.closed:
            self.closed = FinishReason.LENGTH
            self.actions.append("long_reply")
        return piece

    def _out_of_place(self, piece: str) -> Finding | None:
        if not self.shown.strip() and _CASE.match(piece):  # later it may be somebody who was named
            return _OPENS_AS_A_CASE
        if {"i", "i'm", "i’m"} & set(_words(piece)[:3]):  # "I am a program, not a person ..." is a true answer
            return None
        return None if self._told.isdisjoint(_runs(piece, _TOLD)) else _REPEATS_INSTRUCTIONS

    def _doubted(self, piece: str) -> Finding | None:
        """What the encoder makes of the sentence, and of it with the one before."""
        if self._doubt is None or not _WORDS.search(piece):
            return None
        try:
            for text in (piece.strip(), f"{self._before} {piece.strip()}" if self._before else ""):
                if text and (category := self._doubt(text)):
                    return Finding(category, ENCODER, "is worded like what must not be said")
        except Unavailable:
            self._doubt, self.reduced = None, True
        return None

    def _instead(self, piece: str, finding: Finding) -> str:
        """What stands where a sentence was held back: an authored line, or nothing beside another one."""
        answer = self._screen.book.answer(finding.category)
        if answer.ends:
            action, line = "ended", self._last_line(answer)
            self.closed, self._held = FinishReason.STOP, ""
            self.needs_help = self.needs_help or answer.help
        else:
            line = "" if self._authored_last else self._line(finding.category, answer)
            action = "replaced" if line else "dropped"
            line += piece[len(piece.rstrip()) :] if line else ""
        self.held.append(Held(action, finding.category, finding.rule, finding.why, piece.strip()))
        self.actions.append(f"{action}:{finding.category}")
        return line

    def _last_line(self, answer: Answer) -> str:
        if not self.shown.strip():
            return answer.lines[0]
        return "" if answer.silent else f"\n\n{answer.lines[0]}"

    def _line(self, category: str, answer: Answer) -> str:
        """The next line of this category; nothing when all were said in this reply."""
        said = self._answered.count(category)
        self._answered.append(category)
        return answer.lines[said] if said < len(answer.lines) else ""

    def _passes(self, piece: str) -> bool:
        if _ROLE.match(piece):
            self.closed = FinishReason.STOP
            self.actions.append("role_leak")
        elif stutters(piece) or self._repeats(piece):
            self.closed = FinishReason.LOOP
            self.actions.append("loop")
        return self.closed is None

    def _needless(self, piece: str) -> str:
        """Why a sentence is left out although nothing is wrong with it; empty when it is shown."""
        if self._unwanted(piece):
            return _UNWANTED
        if not self._questions and _ASKS.search(piece):
            return "one_question_too_many"
        return "said_before" if _same(_runs(piece), self._earlier) else ""

    def _repeats(self, sentence: str) -> bool:
        runs, words = _runs(sentence), tuple(_words(sentence))
        repeated = _same(runs, self._seen) or self._short[words] >= _TWICE
        self._seen.append(runs)
        self._short[words] += 1 < len(words) <= _FEW  # "No. No. No." is none
        return repeated


def pieces(text: str) -> list[str]:
    """The sentences of a whole text, as they are screened."""
    ends = (match.end() for match in _END.finditer(text))
    cut = [text[start:end].strip() for start, end in pairwise((0, *ends, len(text)))]
    return [piece for piece in cut if piece]


@lru_cache(maxsize=1)
def default_screen() -> Screen:
    """The rules that travel with the app, read once."""
    return Screen(guard_rules.load())


def stutters(text: str) -> bool:
    """Somewhere two to six words are said four times in a row, or one seven times: "so, so, so, so hard" is fine."""
    words = _words(text)
    return any(_in_a_row(words, size, 7 if size == 1 else 4) for size in range(1, 7))


def _in_a_row(words: list[str], size: int, times: int) -> bool:
    """Whether some `size` words are said so many times."""
    alike = 0  # words in a row that are as the one `size` words earlier
    for one, earlier in zip(words[size:], words, strict=False):
        alike = alike + 1 if one == earlier else 0
        if alike == (times - 1) * size:
            return True
    return False


def _runs(sentence: str, size: int = 3) -> set[tuple[str, ...]]:
    """Its runs of so many words; none of a sentence of three words or fewer."""
    words = _words(sentence)
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)} if len(words) > _FEW else set()


def _same(runs: set[tuple[str, ...]], others: Iterable[set[tuple[str, ...]]]) -> bool:
    return bool(runs) and any(len(runs & other) >= _SAME * len(runs) for other in others)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORDS.findall(text)]
