"""What stands between the model's words and the screen: sentences are held until they have passed.

So far it ends a reply that loops, that starts to speak for the user, that goes on too long, or that was cut off in
mid-sentence. What a sentence may say is not screened yet; the place for it is `Gate._passes`.
"""

import re

from tide_chat.engine.base import FinishReason

LONGEST = 400  # characters held without a sentence end; then the words so far are released
MOST_SENTENCES = 6  # the prompt asks for two to four; small models wander, and nobody reads on in distress
_END = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s)\s+|\n+""")
_ROLE = re.compile(r"^\W*(user|assistant|system|human|you|person|me|companion)\s*:", re.IGNORECASE)
_WORDS = re.compile(r"\w+(?:['’]\w+)?")
_FEW = 3  # words; "I hear you." may well come twice
_SAME = 0.8  # share of three-word runs that make two sentences the same


class Gate:
    """Feed text, get the sentences that may be shown. `closed` says why nothing more will come."""

    def __init__(self) -> None:
        self._held = ""
        self._seen: list[set[tuple[str, ...]]] = []
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
        """The rest. Half a sentence stays where the user stopped or the engine died, and goes where a limit cut it."""
        out = self.feed("")
        rest, self._held = self._held, ""
        if self.closed or not rest.strip():
            return out
        cut = reason is FinishReason.LENGTH and not re.search(r"""[.!?…]["'”’)\]]*\s*$""", rest)
        if cut and self.shown.strip():
            self.actions.append("cut_sentence")
            return out
        return out + self._release(rest)

    def _next(self) -> str:
        """The first sentence that is complete, "" when there is none."""
        end = _END.search(self._held)
        if end:
            piece = self._held[: end.end()]
        elif len(self._held) > LONGEST or stutters(self._held):
            piece = self._held[: self._held.rfind(" ") + 1] or self._held
        else:
            return ""
        self._held = self._held[len(piece) :]
        return piece

    def _release(self, piece: str) -> str:
        if not self._passes(piece):
            self._held = ""
            return ""
        self.shown += piece
        self._sentences += bool(piece.strip())
        if self._sentences == MOST_SENTENCES:
            self.closed = FinishReason.LENGTH
            self.actions.append("long_reply")
        return piece

    def _passes(self, piece: str) -> bool:
        if _ROLE.match(piece):
            self.closed = FinishReason.STOP
            self.actions.append("role_leak")
        elif stutters(piece) or self._repeats(piece):
            self.closed = FinishReason.LOOP
            self.actions.append("loop")
        return self.closed is None

    def _repeats(self, sentence: str) -> bool:
        words = _words(sentence)
        if len(words) <= _FEW:
            return False
        runs = {tuple(words[i : i + 3]) for i in range(len(words) - 2)}
        repeated = any(len(runs & earlier) >= _SAME * len(runs) for earlier in self._seen)
        self._seen.append(runs)
        return repeated


def stutters(text: str) -> bool:
    """The last words are one to six words said four times in a row."""
    words = _words(text[-LONGEST:])
    for size in range(1, 7):
        run = words[-size:]
        if len(words) >= 4 * size and words[-4 * size :] == run * 4:
            return True
    return False


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORDS.findall(text)]
