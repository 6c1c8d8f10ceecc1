"""A conversation that remembers how it came about: what was asked of it, in order, and each turn from inside.

In memory only, and forgotten with the conversation. The inspector and receipts read it; it changes no turn.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tide_chat.clinician import hashes
from tide_chat.engine.base import Cancel, EngineInfo, SamplingParams
from tide_chat.errors import TideError
from tide_chat.events import Done, Event, TurnResult
from tide_chat.messages import Conversation
from tide_chat.safety.guard import Held
from tide_chat.turn import Companion


class Do(StrEnum):
    SAY = "say"
    AGAIN = "again"
    TAKE_BACK = "take_back"  # before a message was changed and sent anew


@dataclass(frozen=True, slots=True)
class Turn:
    """prompt: as sent, empty when no model was asked. info: None without a model. seconds: of the whole turn."""

    text: str = field(repr=False)
    result: TurnResult = field(repr=False)
    held: tuple[Held, ...]
    prompt: str = field(repr=False)
    sampling: SamplingParams
    info: EngineInfo | None
    seconds: float

    @property
    def asked(self) -> bool:
        """Whether a model wrote the reply."""
        return self.result.route == "model"


@dataclass(frozen=True, slots=True)
class Step:
    """What was asked of the conversation, and what came of it. Hashes are empty where there is nothing to compare."""

    do: Do
    text: str = field(default="", repr=False)
    model: str = ""  # alias; empty where none was asked
    seed: int = 0
    finish: str = ""
    prompt_sha256: str = ""
    reply_sha256: str = ""
    anew: bool = False  # nothing of this conversation was computed before: it began, or the model was loaded again


class Recorded(Companion):
    """A Companion whose steps can be looked at. Of earlier turns only those are kept, with checksums."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._answering = False
        self._start_at(Conversation())

    def _start_at(self, conversation: Conversation) -> None:
        self.earlier = conversation  # with which it began
        self.steps: list[Step] = []
        self.newest_turn: Turn | None = None
        self.newest_asked: Turn | None = None  # in which a model was asked

    def reply(self, text: str, cancel: Cancel | None = None) -> Iterator[Event]:
        yield from self._watch(Do.SAY, text, super().reply(text, cancel))

    def again(self, cancel: Cancel | None = None) -> Iterator[Event]:
        last = self.conversation.last_user()
        text = "" if last is None else self.conversation.messages[last].text
        yield from self._watch(Do.AGAIN, text, super().again(cancel))

    def compute_anew(self) -> None:
        """The next prompt takes nothing from what was computed before, as after the model was loaded again."""
        self._anew = True

    def take_back(self) -> str:
        text = super().take_back()
        if text and not self._answering:
            self.steps.append(Step(Do.TAKE_BACK))
        return text

    def clear(self) -> None:
        super().clear()
        self._start_at(Conversation())

    def go_on_with(self, conversation: Conversation) -> None:
        super().go_on_with(conversation)
        self._start_at(conversation)

    def _watch(self, do: Do, text: str, events: Iterator[Event]) -> Iterator[Event]:
        begun, self._answering, self.last_prompt = time.monotonic(), True, ""
        try:
            for event in events:
                if isinstance(event, Done) and text:
                    self._keep_turn(do, self._seen(text, event.result, time.monotonic() - begun))
                yield event
        finally:
            self._answering = False

    def _seen(self, text: str, result: TurnResult, seconds: float) -> Turn:
        prompt = self.last_prompt if result.route == "model" else ""
        return Turn(text, result, self.held_back, prompt, self.sampling, self._info(), seconds)

    def _keep_turn(self, do: Do, turn: Turn) -> None:
        self.newest_turn = turn
        self.newest_asked = turn if turn.asked else self.newest_asked
        self.steps.append(_step(do, turn))

    def _info(self) -> EngineInfo | None:
        """What is loaded, without waiting for it."""
        now = Cancel()
        now.set()
        try:
            return self._engine.info(now)
        except TideError:
            return None


def _step(do: Do, turn: Turn) -> Step:
    reply = hashes.of_text(turn.result.reply)
    if not turn.asked:
        return Step(do, turn.text, reply_sha256=reply)
    result = turn.result
    prompt = hashes.of_text(turn.prompt) if turn.prompt else ""
    usage = result.usage
    anew = usage.cached_tokens <= usage.prefix_tokens
    return Step(do, turn.text, result.model or "", usage.seed, str(result.finish_reason), prompt, reply, anew)
