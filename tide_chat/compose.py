"""Joins settings, registry, engine and companion into a session. Used by `ask`, `plain` and the app.

A model is looked for when it is first needed: help cards and authored replies come without one. Says nothing itself.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tide_chat import config, ending, paths
from tide_chat.config import Settings
from tide_chat.engine.base import Cancel, Chunk, Engine, EngineInfo, EngineSpec, Prompt, SamplingParams
from tide_chat.engine.supervisor import Supervisor
from tide_chat.errors import TideError, UsageError
from tide_chat.profile import Profile
from tide_chat.registry import Registry, Resolved
from tide_chat.safety.classifier import Classifier
from tide_chat.safety.encoder import default_folder
from tide_chat.safety.guard_encoder import GuardEncoder
from tide_chat.safety.router import Router
from tide_chat.turn import Companion
from tide_chat.wording import say

if TYPE_CHECKING:
    from tide_chat.registry import Model

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AppOptions:
    """What holds for this run. `settings` is the file with the command line over it, `saved` the file alone."""

    settings: Settings
    saved: Settings
    chat_template: Path | None = None
    inspect: bool = False  # the clinician's inspector was switched on on the command line
    _touched: set[str] = field(default_factory=set, init=False, repr=False)

    def save(self, changed: Settings) -> None:
        """Keep what was changed in this run; what only came from the command line is not written.

        Raises OSError, TideError.
        """
        start, now, file = (values.model_dump() for values in (self.settings, changed, self.saved))
        self._touched.update(name for name in now if now[name] != start[name])
        chosen = {name: now[name] if now[name] != start[name] else file[name] for name in self._touched}
        config.save(config.load().model_copy(update=chosen))


def build_companion(
    settings: Settings,
    engine: Engine,
    classifier: Classifier,
    guard: GuardEncoder,
    kind: type[Companion] = Companion,
) -> Companion:
    """A conversation on any engine. The model's own sampling comes with the model."""
    return kind(
        engine,
        sampling=sampling(settings),
        country=country(settings),
        profile=Profile.of(settings),
        assess=Router(classifier).assess,
        doubt=guard.doubt,
        topic=guard.topic,
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
        kind: type[Companion] = Companion,
    ) -> None:
        ending.without_dump()
        self.settings = settings
        self.supervisor = supervisor or Supervisor(prime=self._prefix)
        self.classifier = Classifier(default_folder())
        self.classifier.start()  # it looks at the first message, so it is there before any model
        self.guard = GuardEncoder(default_folder())
        self.guard.start()
        engine = _OnDemand(self.supervisor, self.start)
        self.companion = build_companion(settings, engine, self.classifier, self.guard, kind)
        self.companion.on_scenario = self._suit
        self.resolved: Resolved | None = None
        self._wish = settings.model  # what the user chose
        self._in_use = settings.model
        self._chat_template = chat_template
        self._on_model = on_model
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.classifier.close()
        self.guard.close()
        self.supervisor.close()

    def _prefix(self, info: EngineInfo) -> Prompt:
        return self.companion.prefix(info)

    def start(self) -> None:
        """Begin to load the model of the settings, once. When none can be had, the supervisor's state says why."""
        if self._begun:
            return
        self._begun = True
        try:
            self.use(self._wish)
        except TideError as error:
            self.supervisor.fail(error)

    def described(self) -> str:
        """Which model answers and which others could, in words."""
        now = say("Model: {why}.", why=self.resolved.why) if self.resolved else say("No model is in use.")
        if error := self.supervisor.state.error:
            now = f"{now} {error.short}"
        names = [one.alias for one in Registry.load().installed()]
        others = say("On this computer: {names}.", names=", ".join(names))
        return f"{now}\n{others if names else say('There is no model on this computer yet.')}"

    @property
    def chosen(self) -> str | None:
        """The model that the user chose; None for the best installed one."""
        return self._wish

    def use(self, name: str | None) -> str:
        """Change to a model, keeping the conversation; returns why, at once. On a TideError nothing changes."""
        why = self._put_in_use(name)
        self._wish = name
        return why

    def change_to(self, name: str) -> None:
        """The same, unless it is in use already. Raises ModelError."""
        if self.resolved is None or self.resolved.alias != name:
            self.use(name)

    def _suit(self, scenario: str) -> None:
        """Change to the model that the registry names for this situation, where installed, else back to the chosen."""
        wanted = self._special.get(scenario, self._wish)
        if self._begun and wanted != self._in_use:
            with contextlib.suppress(TideError):  # then the one in use answers
                self._put_in_use(wanted)

    @cached_property
    def _special(self) -> dict[str, str]:
        """Aliases by situation. None of the models that are shipped names one."""
        models = [one.model for one in Registry.load().installed() if one.model]
        return {scenario: model.alias for model in models for scenario in model.entry.scenarios}

    def _put_in_use(self, name: str | None) -> str:
        resolved = Registry.load().resolve(name)
        what = spec(self.settings, resolved, self._chat_template)
        self._begun, self.resolved, self._in_use = True, resolved, name
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
