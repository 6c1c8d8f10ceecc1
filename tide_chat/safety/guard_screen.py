"""Looks at one sentence after the other of a reply, alone and together with the end of what came before.

It finds; it does not decide what happens then (`guard.py`), nor what the person wrote. The words before are the model's
own, also those that were held back, so that a thought split over sentences, lines or list items is seen whole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tide_chat.safety import guard_contacts
from tide_chat.safety.guard_rules import Rule, RuleBook
from tide_chat.safety.guard_words import Words, plain, unlisted
from tide_chat.safety.index import Index
from tide_chat.safety.normalize import BREAK

TAIL_WORDS = 14  # of what came before; no rule reaches further over a border
TAIL_CHARACTERS = 120

EDGE = re.compile(r"\(\?<?=\\\|")  # a rule that asks for the start or the end of a sentence

# A reply may quote what somebody could say ("my daughter gave me this number"): no claim of the program's own.
QUOTABLE = frozenset({"human", "leaving"})
_QUOTE = re.compile(r"(?<![\w])['\"‘“][^'\"’”]{2,120}(?:'\w[^'\"’”]{0,80})?['\"’”](?!\w)")
_LEAST_OUTSIDE = 3  # words beside a quote; a sentence that is all quote is the program's own

_LETTERS = re.compile(r"(?:(?<!\S)[^\W\d_][.\s]+)+$")
_LETTER = re.compile(r"\s*[^\W\d_](?:[.\s]|$)")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in a sentence. `rule` is the pattern as its table has it."""

    category: str
    rule: str
    why: str


class Screen:
    """The rules, ready to be looked up by the words of a text. Knows no reply: `Reading` does."""

    def __init__(self, book: RuleBook) -> None:
        self.book = book
        self.words = Words(book.spellings)
        self._index = Index([rule.phrase.ways if rule.phrase else () for rule in book.rules])
        self._edges = frozenset(
            i for i, rule in enumerate(book.rules) if rule.phrase and EDGE.search(rule.phrase.source)
        )

    def folded(self, alone: str, joined: str, before: int) -> Iterator[Finding]:
        """Findings in a folded sentence: by itself, or as `joined` to the `before` characters that came earlier."""
        for index in self._index.among({*joined.split(), *alone.split()}):
            rule = self.book.rules[index]
            over = [span for span in _spans(rule, joined) if span[1] > before]
            if not over and index not in self._edges:
                continue  # a sentence by itself holds nothing that the joined text lacks, edges apart
            if self._stands(rule, list(_spans(rule, alone)), alone) or self._stands(rule, over, joined):
                yield Finding(rule.category, rule.pattern, rule.why)

    def written(self, text: str, after: int) -> Iterator[Finding]:
        """Findings in the text as written: marks of templates, doses, numbers and links."""
        for rule in self.book.raw:
            if rule.regex and any(match.end() > after for match in rule.regex.finditer(text)):
                yield Finding(rule.category, rule.pattern, rule.why)
        for _, end, what in guard_contacts.invented(text):
            if end > after:
                yield Finding("contact", "directory", what)

    def _stands(self, rule: Rule, spans: list[tuple[int, int]], text: str) -> bool:
        """Whether one of these spans is covered by no exemption."""
        if not spans:
            return False
        allowed = [at for other in self.book.allowed.get(rule.category, ()) for at in _spans(other, text)]
        return any(all(end <= span[0] or start >= span[1] for start, end in allowed) for span in spans)


def _spans(rule: Rule, text: str) -> Iterator[tuple[int, int]]:
    if rule.phrase:
        for match in rule.phrase.regex.finditer(text):
            yield match.span()


class Reading:
    """One reply, read sentence by sentence."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._tail = ""  # as written
        self._said: list[str] = []  # folded words

    def gravest(self, sentence: str) -> Finding | None:
        """The gravest finding in this sentence, alone or with what came before; None lets it pass."""
        found = list(self._findings(sentence))
        return min(found, key=lambda finding: self._screen.book.gravity(finding.category), default=None)

    def _findings(self, sentence: str) -> Iterator[Finding]:
        written = plain(sentence)
        bare = unlisted(written)
        for form in {bare, written}:
            yield from self._screen.written(self._tail + form, len(self._tail))
        alone = self._screen.words.fold(unlisted(sentence))
        said, words = self._joined(bare, alone)
        before = " ".join(("", *said, ""))
        own = self._without_quotes(sentence)
        for finding in self._screen.folded(alone, f"{before}{' '.join(words)} {BREAK}", len(before)):
            if finding.category not in QUOTABLE or own is None or finding in self._screen.folded(own, own, 0):
                yield finding
        self._said = (said + words)[-TAIL_WORDS:]
        self._tail = (self._tail + bare)[-TAIL_CHARACTERS:]

    def _without_quotes(self, sentence: str) -> str | None:
        """The folded sentence without what it quotes; None when it quotes nothing or nothing else is left."""
        if not any(mark in sentence for mark in "'\"‘“"):
            return None
        rest = _QUOTE.sub(" ", sentence)
        if rest == sentence or len(rest.split()) < _LEAST_OUTSIDE:
            return None
        return self._screen.words.fold(unlisted(rest))

    def _joined(self, bare: str, alone: str) -> tuple[list[str], list[str]]:
        """The words before and those of the sentence; letters that stand alone at the border are read together."""
        letters = _LETTERS.search(self._tail)
        if letters and _LETTER.match(bare):
            whole = self._screen.words.fold(letters.group() + bare)
            said = self._screen.words.fold(self._tail[: letters.start()])
            return _only_words(said)[-TAIL_WORDS:], _only_words(whole)
        return self._said, _only_words(alone)


def _only_words(folded: str) -> list[str]:
    return [word for word in folded.split() if word != BREAK]
