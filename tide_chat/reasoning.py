"""Takes reasoning text (`<think>` ... `</think>` of R1 models) out of a stream. Never shown, streamed or counted."""

OPEN, CLOSE = "<think>", "</think>"


class ReasoningFilter:
    """Feed text, get the part that is the reply. `inside`: the prompt has already opened the block."""

    def __init__(self, *, inside: bool = False) -> None:
        self.inside = inside
        self._held = ""

    def feed(self, text: str) -> str:
        self._held += text
        out = ""
        while True:
            tag = CLOSE if self.inside else OPEN
            before, found, after = self._held.partition(tag)
            if not found:
                break
            out += "" if self.inside else before
            self.inside, self._held = not self.inside, after
        keep = _possible_start(self._held, tag)
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return out + ("" if self.inside else shown)

    def flush(self) -> str:
        """What was held back, unless it is reasoning that never ended."""
        held, self._held = self._held, ""
        return "" if self.inside else held


def _possible_start(text: str, tag: str) -> int:
    """Length of the longest end of `text` that `tag` could begin with."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if tag.startswith(text[-size:])), 0)
