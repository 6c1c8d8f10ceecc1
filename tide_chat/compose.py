"""Joins settings, registry, engine and companion into a session. Used by `ask`, `plain` and the app.

A model is looked for when it is first needed: help cards and authored replies come without one. Says nothing itself.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tide_chat import config, paths
from tide_chat.config import Settings
from tide_chat.engine.base import Cancel, Chunk, Engine, EngineInfo, EngineSpec, Prompt, SamplingParams
from tide_chat.engine.supervisor import Supervisor
from tide_chat.errors import TideError, UsageError
from tide_chat.prompt import primer, system_text
from tide_chat.registry import Registry, Resolved
from tide_chat.safety.classifier import Classifier, default_folder
from tide_chat.safety.router import Router
from tide_chat.turn import Companion

if TYPE_CHECKING:
    from tide_chat.registry import Model

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AppOptions:
    """What holds for this run. `settings` is the file with the command line over it, `saved` the file alone."""

    settings: Settings
    saved: Settings
    chat_template: Path | None = None
    _touched: set[str] = field(default_factory=set, init=False, repr=False)

    def save(self, changed: Settings) -> None:
        """Keep what was changed in this run; what only came from the command line is not written.

        Raises OSError, TideError.
        """
        start, now, file = (values.model_dump() for values in (self.settings, changed, self.saved))
        self._touched.update(name for name in now if now[name] != start[name])
        chosen = {name: now[name] if now[name] != start[name] else file[name] for name in self._touched}
        config.save(config.load().model_copy(update=chosen))


def build_companion(settings: Settings, engine: Engine, classifier: Classifier) -> Companion:
    """A conversation on any engine. The model's own sampling comes with the model."""
    return Companion(
        engine,
        sampling=sampling(settings),
        country=country(settings),
        assess=Router(classifier).assess,
    )


def sampling(settings: Settings, model: "Model | None" = None) -> SamplingParams:
    """What the makers of the model advise, within what the user set."""
    advised = model.sampling.model_dump() if model else {}
    return SamplingParams(max_tokens=settings.max_tokens, seed=settings.seed, **advised)


def spec(settings: Settings, resolved: Resolved, chat_template: Path | None = None) -> EngineSpec:
    """What to load, and where. Raises UsageError."""
    if chat_template and not chat_template.is_file():
        raise UsageError("The chat template is not a file.", details=str(chat_template))
    limit = resolved.model.context_limit if resolved.model else settings.context
    return EngineSpec(
        model=resolved.path,
        name=resolved.alias,
        adapter=resolved.adapter,
        context=min(settings.context, limit),
        gpu=str(settings.gpu),
        threads=settings.threads,
        cache_dir=paths.cache_dir(),
        chat_template=chat_template,
    )


def country(settings: Settings) -> str | None:
    """The country for help lines: as set, else from the language settings of the system, else None."""
    if settings.country:
        return settings.country
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            found = re.match(r"[A-Za-z]{2,3}[_-]([A-Z]{2})\b", value)
            return found[1] if found else None
    return None


class Session:
    """One conversation and the model behind it. `on_model` is told which model is used, and why."""

    def __init__(
        self,
        settings: Settings,
        chat_template: Path | None = None,
        *,
        on_model: Say = lambda _: None,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.settings = settings
        self.supervisor = supervisor or Supervisor(prime=primer(system_text))
        self.classifier = Classifier(default_folder())
        self.classifier.start()  # it looks at the first message, so it is there before any model
        engine = _OnDemand(self.supervisor, self.start)
        self.companion = build_companion(settings, engine, self.classifier)
        self.resolved: Resolved | None = None
        self._chat_template = chat_template
        self._on_model = on_model
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.classifier.close()
        self.supervisor.close()

    def start(self) -> None:
        """Begin to load the model of the settings, once. When none can be had, the supervisor's state says why."""
        if self._begun:
            return
        self._begun = True
        try:
            self.use(self.settings.model)
        except TideError as error:
            self.supervisor.fail(error)

    def described(self) -> str:
        """Which model answers and which others could, in words."""
        now = f"Model: {self.resolved.why}." if self.resolved else "No model is in use."
        if error := self.supervisor.state.error:
            now = f"{now} {error.message} {error.help}".strip()
        names = [one.alias for one in Registry.load().installed()]
        others = f"On this computer: {', '.join(names)}." if names else "There is no model on this computer yet."
        return f"{now}\n{others}"

    def use(self, name: str | None) -> str:
        """Change to a model, keeping the conversation; returns why, at once. On a TideError nothing changes."""
        resolved = Registry.load().resolve(name)
        what = spec(self.settings, resolved, self._chat_template)
        self._begun, self.resolved = True, resolved
        self.companion.sampling = sampling(self.settings, resolved.model)
        self.supervisor.switch(what)
        self._on_model(f"Model: {resolved.why}")
        return resolved.why


class _OnDemand:
    """An Engine that calls `begin` before a model is first needed."""

    def __init__(self, engine: Engine, begin: Callable[[], None]) -> None:
        self._engine = engine
        self._begin = begin

    def load(self, spec: EngineSpec, on_progress: Callable[[float], None] | None = None) -> EngineInfo:
        return self._engine.load(spec, on_progress)

    def generate(self, prompt: Prompt, params: SamplingParams, cancel: Cancel) -> Iterator[Chunk]:
        self._begin()
        return self._engine.generate(prompt, params, cancel)

    def count_tokens(self, text: str) -> int:
        self._begin()
        return self._engine.count_tokens(text)

    def embed(self, text: str) -> list[float]:
        self._begin()
        return self._engine.embed(text)

    def info(self, cancel: Cancel | None = None) -> EngineInfo:
        self._begin()
        return self._engine.info(cancel)

    def close(self) -> None:
        self._engine.close()
