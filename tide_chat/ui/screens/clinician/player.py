"""Plays a script: types its lines, opens tools, presses keys, waits for replies. Drives the app as a user would.

A clock ticks, and at each tick at most one small thing is done; the presenter can stop it, go on, or write meanwhile.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from tide_chat.clinician.script import Kind, Script, Step

TICK_S = 0.05
AFTER_TYPING_S = 0.6  # so that a line can be read before it is sent
PAUSES_S = {Kind.SAY: 4.0, Kind.NOTE: 1.5, Kind.OPEN: 3.0, Kind.PRESS: 1.5}
READING = 18  # characters of a note that an audience reads in a second


class Stage(Protocol):
    """What the player needs of the app."""

    def ready(self) -> bool:
        """The first screen was accepted and no reply is being written."""
        ...

    def to_chat(self) -> bool:
        """Whether the chat is in front; otherwise one panel is closed."""
        ...

    def type(self, text: str) -> None: ...

    def send(self) -> None: ...

    def note(self, text: str) -> None: ...

    def open(self, command: str) -> None: ...

    def press(self, key: str) -> None: ...

    def ended(self) -> None: ...


class Player:
    """`tick` is called every TICK_S. pace: characters a second, None for whole lines at once (no movement)."""

    def __init__(
        self,
        stage: Stage,
        script: Script,
        *,
        pace: float | None,
        by_key: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stage, self._clock = stage, clock
        self._steps = deque((Step(Kind.NOTE, f"{script.title}. {script.about}"), *script.steps))
        self._pace, self._by_key = pace, by_key
        self._line, self._typed = "", 0.0  # what is being typed, and how many characters of it are
        self._pause = 0.0  # seconds, from the end of a reply on
        self._due = 0.0
        self.stopped = by_key
        self.over = False

    def key(self) -> None:
        """By key: the next step. Else: stop, or go on at once."""
        self.stopped = not (self._by_key or self.stopped)
        self._due = self._clock()

    def tick(self) -> None:
        now = self._clock()
        if self.over:
            return
        if not self._stage.ready():
            self._due = max(self._due, now + self._pause)
        elif now < self._due:
            return
        elif self._line:
            self._go_on_typing(now)
        elif not self.stopped:
            self._next(now)

    def _next(self, now: float) -> None:
        if not self._steps:
            self.over = True
            self._stage.ended()
            return
        step = self._steps[0]
        if step.kind in (Kind.SAY, Kind.NOTE) and not self._stage.to_chat():
            self._due = now + TICK_S
            return
        self._steps.popleft()
        self.stopped = self._by_key
        self._pause = _pause(step)
        if step.kind is Kind.SAY:
            self._line, self._typed = step.text, 0.0
            return
        does = {Kind.NOTE: self._stage.note, Kind.OPEN: self._stage.open, Kind.PRESS: self._stage.press}
        does[step.kind](step.text)
        self._due = now + self._pause

    def _go_on_typing(self, now: float) -> None:
        if self._typed >= len(self._line):
            self._line = ""
            self._stage.send()
            self._due = now + max(TICK_S, self._pause)
            return
        before = int(self._typed)
        self._typed = min(len(self._line), self._typed + self._pace * TICK_S) if self._pace else len(self._line)
        self._stage.type(self._line[before : int(self._typed)])
        if self._typed >= len(self._line):
            self._due = now + AFTER_TYPING_S


def _pause(step: Step) -> float:
    if step.pause is not None:
        return step.pause
    return PAUSES_S[step.kind] + (len(step.text) / READING if step.kind is Kind.NOTE else 0)
