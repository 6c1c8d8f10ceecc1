"""Paced breathing: a disc that moves with the breath, or the same in words that stand still."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from tide_chat.care.breathing import in_words, moment
from tide_chat.care.keeping import Care
from tide_chat.care.tools import Pattern, Tool
from tide_chat.ui.screens.care.tool import ToolScreen
from tide_chat.ui.widgets.breath import ROWS, Breath
from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say

FRAME_S = 1 / 15  # seconds between two pictures
STILL_END = "As often as you like. Enter when it has been enough."


class BreathingScreen(ToolScreen):
    """Left and right choose how. Nothing has to be followed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "other(1)", show=False, priority=True),
        Binding("left", "other(-1)", show=False, priority=True),
        Binding("p", "pause", show=False),
        Binding("s", "still", show=False),
    ]

    def __init__(self, tool: Tool, care: Care, *, still: bool, before: int | None = None) -> None:
        super().__init__(tool, care, still=still, before=before)
        self.at = 0
        self.elapsed = 0.0
        self.paused = False
        self.keys = self._keys()

    @property
    def pattern(self) -> Pattern:
        return self.tool.patterns[self.at]

    def _keys(self) -> str:
        how = say("S moves") if self.still else say("P pauses · S words only")
        return say("Left, Right: other ways · {how} · Enter ends · F2 people · Esc leaves", how=how)

    def body(self) -> Iterable[Widget]:
        yield Plain("", id="pattern")
        yield Breath(id="breath")
        yield Plain("", id="breath-words", classes="step")
        yield Plain(self.tool.why, id="why")

    def on_mount(self) -> None:
        if self.is_empty:
            return
        self.set_interval(FRAME_S, self.look)
        self._draw()

    def on_resize(self) -> None:
        super().on_resize()
        if not self.ended and not self.is_empty:
            self._draw()

    @property
    def moves(self) -> bool:
        return not (self.ended or self.still or self.paused)

    def tick(self, seconds: float) -> None:
        """Time went by; the end of the last round is the end."""
        self.elapsed += seconds
        if moment(self.pattern, self.elapsed).ended:
            self.show_end()
        else:
            self._draw_breath()

    def _draw(self) -> None:
        places = " ".join("●" if index == self.at else "○" for index in range(len(self.tool.patterns)))
        head = Content.assemble((self.pattern.title, "bold"), f"  {places}\n{self.pattern.note}")
        title = [self.tool.title, *([say("paused")] if self.paused else [])]
        self.query_one("#panel-title", Plain).update(" · ".join(title))
        self.query_one("#pattern", Plain).update(head)
        self.query_one("#panel-keys", Plain).update(self._keys())
        self.query_one("#why", Plain).display = self.still or self.size.height >= 30
        self.query_one("#breath").display = not self.still
        words = self.query_one("#breath-words", Plain)
        words.display = self.still
        words.update("\n".join((*in_words(self.pattern), say(STILL_END))))
        self._draw_breath()

    def _draw_breath(self) -> None:
        rows = max(3, min(ROWS, self.size.height - 11))
        self.query_one(Breath).show(moment(self.pattern, self.elapsed), rows)

    def action_other(self, step: int) -> None:
        if self.ended:
            return
        self.at = (self.at + step) % len(self.tool.patterns)
        self.elapsed = 0.0
        self._draw()

    def action_pause(self) -> None:
        if self.ended or self.still:
            return
        self.paused = not self.paused
        self._draw()

    def action_still(self) -> None:
        if self.ended:
            return
        self.still = not self.still
        self.elapsed, self.paused = 0.0, False
        self._draw()

    def action_next(self) -> None:
        if self.ended:
            self.choose()
        else:
            self.show_end()

    def again(self) -> None:
        fresh = BreathingScreen(self.tool, self.care, still=self.still, before=self.before)
        fresh.at = self.at
        self.app.switch_screen(fresh)
