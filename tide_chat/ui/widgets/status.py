"""The status line: what the model is, what it is doing, how full its context is. A pure function draws it."""

from dataclasses import dataclass, replace
from typing import Any

from textual.content import Content

from tide_chat.engine.supervisor import EngineState, Phase
from tide_chat.events import Stage
from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say

_STAGES = {
    Stage.WAITING: "waiting for the model, Esc takes it back",
    Stage.READING: "reading, Esc stops",
    Stage.THINKING: "thinking, Esc stops",
    Stage.WRITING: "writing, Esc stops",
}
_LOADING = {
    None: "loading {percent}%",
    Stage.WAITING: "loading {percent}%, your message waits, Esc takes it back",
}
_TRYING_OUT = {  # all of the file is read; the first computations take their time on a busy computer
    None: "loaded, getting ready",
    Stage.WAITING: "loaded, getting ready, your message waits, Esc takes it back",
}
_PHASES = {
    Phase.RESTARTING: "starting the model again",
    Phase.READY: "ready",
    Phase.NO_MODEL: "no model",
    Phase.IDLE: "no model",
}


@dataclass(frozen=True, slots=True)
class Status:
    """What the line is made from. Context in tokens, speed in tokens a second."""

    engine: EngineState
    model: str = ""
    stage: Stage | None = None
    stopping: bool = False
    used: int = 0
    size: int = 0
    speed: float = 0.0
    kept: str = ""  # whether the conversation is kept, where a history is

    @property
    def doing(self) -> str:
        """The one thing that matters now."""
        if self.stopping:
            return say("stopping")
        loading = self.engine.phase is Phase.LOADING and self.stage in (None, Stage.WAITING)
        if loading and self.engine.progress < 1:
            return say(_LOADING[self.stage], percent=self.percent)
        if loading:
            return say(_TRYING_OUT[self.stage])
        if self.stage is not None:
            return say(_STAGES[self.stage])
        return say(_PHASES[self.engine.phase])

    @property
    def percent(self) -> int:
        return int(100 * self.engine.progress)

    @property
    def gauge(self) -> str:
        if not self.size:
            return ""
        share = min(1.0, self.used / self.size)
        filled = round(8 * share)
        bar = f"{'█' * filled}{'░' * (8 - filled)}"
        return say("context {bar} {percent}% of {size}", bar=bar, percent=round(100 * share), size=self.size)


def line(status: Status, width: int) -> str:
    """As many parts as fit, the most important first."""
    speed = f"{status.speed:.0f} tok/s" if status.speed else ""
    short = say("context {percent}%", percent=round(100 * status.used / status.size)) if status.size else ""
    known = [status.doing, say(status.kept), say("offline"), status.model]
    wide, narrow = [*known, status.gauge, speed], [*known, short]
    for parts in (wide, wide[:5], narrow, *(narrow[:count] for count in (4, 3, 2, 1))):
        text = " · ".join(part for part in parts if part)
        if len(text) <= width:
            return text
    return text[: max(0, width)]


class StatusLine(Plain):
    """Draws a Status; `change` replaces fields of it."""

    def __init__(self, engine: EngineState) -> None:
        super().__init__("", id="status")
        self.status = Status(engine)

    def change(self, **fields: Any) -> None:
        changed = replace(self.status, **fields)
        if changed != self.status:
            self.status = changed
            self.draw()

    def draw(self) -> None:
        self.refresh()  # one row, whatever it says

    def render(self) -> Content:
        """For the width there is: drawn anew after a change of it, everything around it would be as well."""
        return Content(line(self.status, max(1, self.content_size.width or self.size.width)))
