"""Replies of the whole app: router, authored words, model, guard. What a person would have read, and why.

Each item is a conversation of its own. Earlier exchanges go through the pipeline too, with the replies of the data in
the model's place, so that what was said before counts for the router as it would in the app.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from tide_chat.compose import build_companion
from tide_chat.config import Settings
from tide_chat.engine.base import (
    Cancel,
    Chunk,
    Engine,
    EngineInfo,
    EngineSpec,
    FinishReason,
    Prompt,
    SamplingParams,
    Usage,
)
from tide_chat.errors import PromptTooLong
from tide_chat.events import Done, Notice, TextDelta, TurnResult
from tide_chat.safety import join
from tide_chat.safety.classifier import HEADS, Classifier
from tide_chat.safety.encoder import default_folder
from tide_chat.safety.guard_encoder import GuardEncoder
from tide_chat.turn import THINKING_TOKENS, Companion
from training.evaluation.auto.cache import Store, Written
from training.evaluation.auto.conditions import Condition
from training.evaluation.auto.llama import LlamaWriter
from training.evaluation.auto.writers import Ask
from training.evaluation.auto.wrote import Wrote, seconds

_TOLD = (".py", ".toml", ".tsv", ".txt")  # code, rules, cards, lines and guidance
COUNTRY = "US"  # whose lines the cards have: the same on every machine


@cache
def pipeline() -> str:
    """What a reply through the app follows from besides model and prompt: the code, its data and the encoder."""
    root, hashed = Path(str(files("tide_chat"))), hashlib.sha256()  # turn.py and what stands beside it
    paths = [*root.glob("*.py"), *(path for part in ("safety", "prompts") for path in (root / part).rglob("*"))]
    for path in sorted((*(path for path in paths if path.suffix in _TOLD), default_folder() / HEADS)):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Seen:
    """shown: the reply as it reached the screen. notices: the app's own lines beside it."""

    result: TurnResult
    shown: str
    notices: tuple[str, ...]


class AppWriter(LlamaWriter):
    """A Writer. store: where what the model itself wrote is kept too."""

    def __init__(self, condition: Condition, words: Path, store: Store, threads: int | None = None) -> None:
        super().__init__(condition, words, threads)
        self._store = store

    def write(self, asks: Sequence[Ask]) -> Iterator[tuple[Ask, Written]]:
        engine = self._engine()
        with_history = _WithHistory(engine, Wrote(engine, self._store, self._condition))
        classifier = Classifier(default_folder())
        classifier.start()
        guard = GuardEncoder(default_folder(), patience=30)
        try:
            for ask in asks:
                settings = Settings(country=COUNTRY, reply_style=self._condition.style.value)
                companion = build_companion(settings, with_history, classifier, guard)
                companion.guided = self._condition.guided
                yield ask, _answered(companion, with_history, ask)
        finally:
            classifier.close()
            guard.close()


def _answered(companion: Companion, engine: "_WithHistory", ask: Ask) -> Written:
    """Raises TideError for what goes wrong in the newest turn."""
    said, engine.ask, engine.wrote.newest = ask.item.said, ask, None
    for text, reply in zip(said[:-1:2], said[1::2], strict=True):
        engine.instead = reply
        _turn(companion, text)
    engine.instead = None
    extra = THINKING_TOKENS if ask.thinks else 0  # the companion adds them itself
    companion.sampling = replace(ask.params, max_tokens=ask.params.max_tokens - extra)
    seen = _turn(companion, said[-1])
    if isinstance(seen.result.error, PromptTooLong):
        return Written("", FinishReason.ERROR)
    if seen.result.error:
        raise seen.result.error
    return _written(seen, engine.wrote.newest)


def _turn(companion: Companion, text: str) -> _Seen:
    events = list(companion.reply(text))
    (done,) = (event for event in events if isinstance(event, Done))
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    return _Seen(done.result, shown, tuple(event.text for event in events if isinstance(event, Notice)))


def _written(seen: _Seen, wrote: Written | None) -> Written:
    """Times are the model's, as far as the reply was shown; the rest of a turn takes some milliseconds."""
    result, usage, found = seen.result, seen.result.usage, seen.result.assessment
    app = {
        "route": result.route,
        "tier": found.tier.name,
        "flags": sorted(map(str, found.flags)),
        "reduced": join.is_reduced(found),
        "cards": list(result.cards),
        "guard": list(result.guard),
        "scenario": result.scenario,
        "guidance": result.guidance,
        "notices": list(seen.notices),
        "wrote": wrote.text if wrote else None,
        "wrote_finish": wrote.finish if wrote else None,
    }
    return Written(
        seen.shown.strip(),
        result.finish_reason,
        usage.prompt_tokens,
        usage.completion_tokens,
        round(usage.ttft_s, 4),
        round(seconds(usage), 4),
        app=app,
    )


class _WithHistory:
    """An Engine that says `instead` where that is set, and otherwise what the model answers to `ask`."""

    def __init__(self, engine: Engine, wrote: Wrote) -> None:
        self._engine = engine
        self.wrote = wrote
        self.instead: str | None = None
        self.ask: Ask | None = None

    def load(self, spec: EngineSpec, on_progress: Callable[[float], None] | None = None) -> EngineInfo:
        return self._engine.load(spec, on_progress)

    def generate(self, prompt: Prompt, params: SamplingParams, cancel: Cancel) -> Iterator[Chunk]:
        if self.instead is not None:
            yield Chunk(self.instead, 1, FinishReason.STOP, Usage())
        elif self.ask:
            yield from self.wrote.generate(replace(self.ask, prompt=prompt, params=params), cancel)

    def count_tokens(self, text: str) -> int:
        return self._engine.count_tokens(text)

    def embed(self, text: str) -> list[float]:
        return self._engine.embed(text)

    def info(self, cancel: Cancel | None = None) -> EngineInfo:
        return self._engine.info(cancel)

    def close(self) -> None:
        self._engine.close()
