"""What a model answers alone, said to the app piece by piece: from the cache where it is there, else from the model.

The app may stop a reply early; what is kept is whole. So the words can be compared with what reached the screen, a run
through the app needs no model after one without it, and none after a change of the app. Knows no router and no guard.
"""

import re
from collections.abc import Iterator

from tide_chat.engine.base import Cancel, Chunk, Engine, FinishReason, Usage
from tide_chat.errors import PromptTooLong
from tide_chat.reasoning import CLOSE
from training.evaluation.auto import keys, llama
from training.evaluation.auto.cache import Store, Written
from training.evaluation.auto.conditions import Condition
from training.evaluation.auto.energy import Meter
from training.evaluation.auto.writers import Ask

_PIECE = re.compile(r"\S+\s*|\s+")


class Wrote:
    """The `generate` of an engine. newest: what the model wrote last, whole."""

    def __init__(self, engine: Engine, store: Store, condition: Condition) -> None:
        self._engine, self._store, self._condition = engine, store, condition
        self.newest: Written | None = None

    def generate(self, ask: Ask, cancel: Cancel) -> Iterator[Chunk]:
        """Stops after the piece at which `cancel` is set. Raises PromptTooLong, EngineDied, OSError."""
        self.newest = written = self._whole(ask)
        if written.finish == FinishReason.ERROR:
            raise PromptTooLong("This message is too long for the model.")
        if ask.thinks:
            yield Chunk(CLOSE)
        said, finish = 0, FinishReason(written.finish)
        for piece in _PIECE.findall(written.text):
            said += len(piece)
            yield Chunk(piece, 1)
            if cancel.is_set():
                finish = FinishReason.CANCELLED
                break
        yield Chunk("", 0, finish, usage_of(written, said))

    def _whole(self, ask: Ask) -> Written:
        name = keys.of(self._condition, ask)
        if not (kept := self._store.get(name)):
            kept = llama.written(self._engine, ask, Meter())
            self._store.put(name, kept)
        return kept


def seconds(usage: Usage) -> float:
    """From the request to the last token, by the mean speed."""
    return usage.ttft_s + (max(0, usage.completion_tokens - 1) / usage.decode_tps if usage.decode_tps else 0.0)


def usage_of(written: Written, said: int) -> Usage:
    """For the first `said` characters; their tokens are a share of all."""
    after_first = written.seconds - written.first_token_s
    return Usage(
        prompt_tokens=written.prompt_tokens,
        completion_tokens=round(written.tokens * said / len(written.text)) if written.text else 0,
        ttft_s=written.first_token_s,
        decode_tps=(written.tokens - 1) / after_first if written.tokens > 1 and after_first > 0 else 0.0,
    )
