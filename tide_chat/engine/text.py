"""From token bytes to text that can be shown: whole characters only, and nothing after a stop string."""

import codecs


class TextStream:
    """Feed bytes, get text. Holds back what may be the start of a stop string or half a character."""

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.stopped = False

    def feed(self, data: bytes) -> str:
        """Text that is now certain. After a stop string nothing more comes and `stopped` is True."""
        if self.stopped:
            return ""
        self._held += self._decode(data)
        ends = [at for at in (self._held.find(text) for text in self._stop) if at >= 0]
        if ends:
            self.stopped = True
            return self._release(min(ends), drop=True)
        return self._release(len(self._held) - self._possible_start())

    def flush(self) -> str:
        """What was held back; half a character becomes U+FFFD."""
        if self.stopped:
            return ""
        self._held += self._decode(b"", True)
        return self._release(len(self._held))

    def _release(self, count: int, *, drop: bool = False) -> str:
        text, self._held = self._held[:count], "" if drop else self._held[count:]
        return text

    def _possible_start(self) -> int:
        """Length of the longest end of the held text that a stop string could begin with."""
        longest = max((len(text) for text in self._stop), default=0) - 1
        for size in range(min(longest, len(self._held)), 0, -1):
            if any(text.startswith(self._held[-size:]) for text in self._stop):
                return size
        return 0
