"""Going through the steps of a tool: a pure state machine. Time is told to it; it reads no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tide_chat.care.tools import Step


@dataclass(frozen=True, slots=True)
class Walk:
    """Where one is. elapsed: seconds in this step, which only a timed step uses."""

    steps: tuple[Step, ...]
    at: int = 0
    elapsed: float = 0.0
    paused: bool = False

    @classmethod
    def of(cls, steps: Sequence[Step]) -> "Walk":
        return cls(tuple(steps))

    @property
    def ended(self) -> bool:
        return self.at >= len(self.steps)

    @property
    def step(self) -> Step | None:
        return None if self.ended else self.steps[self.at]

    @property
    def share(self) -> float:
        """How much of a timed step is over, 0 to 1."""
        return min(1.0, self.elapsed / self.step.seconds) if self.step and self.step.seconds else 0.0

    def next(self) -> "Walk":
        return replace(self, at=min(self.at + 1, len(self.steps)), elapsed=0.0)

    def back(self) -> "Walk":
        return replace(self, at=max(self.at - 1, 0), elapsed=0.0)

    def pause(self) -> "Walk":
        """Stop the time, or let it go on."""
        return replace(self, paused=not self.paused)

    def tick(self, seconds: float) -> "Walk":
        """Time went by. A timed step that is over gives way to the next; any other waits for the person."""
        walk = self
        while not walk.paused and walk.step and walk.step.seconds:
            left = walk.step.seconds - walk.elapsed
            if seconds < left:
                return replace(walk, elapsed=walk.elapsed + seconds)
            seconds -= left
            walk = walk.next()
        return walk
