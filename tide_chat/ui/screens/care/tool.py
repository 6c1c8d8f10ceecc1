"""Going through a tool step by step. Time moves a step on only where the tool says so, and never in the still one."""

import time
from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tide_chat.care import today
from tide_chat.care.keeping import Care, Paper
from tide_chat.care.tools import Tool
from tide_chat.care.walk import Walk
from tide_chat.ui.screens.care.panel import CarePanel
from tide_chat.ui.widgets.plain import Plain, PlainOptions
from tide_chat.wording import say

END_KEYS = "Enter chooses · F2 people · Esc goes back"
LOOK_S = 0.5  # seconds between two looks at a step that lasts by itself


class ToolScreen(CarePanel):
    """What every tool has: an end with choices, and a number afterwards if one likes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "next", show=False, priority=True),
    ]

    def __init__(self, tool: Tool, care: Care, *, still: bool, before: int | None = None) -> None:
        self.title_text = tool.title
        super().__init__(care)
        self.tool = tool
        self.still = still
        self.before = before
        self.ended = False
        self._seen = time.monotonic()

    def look(self) -> None:
        """Time stands still while something else is on top, such as the help lines."""
        now = time.monotonic()
        gone, self._seen = now - self._seen, now
        if self.app.screen is self and self.moves:
            self.tick(gone)

    @property
    def moves(self) -> bool:
        """Whether time changes anything now."""
        return not self.ended

    def tick(self, seconds: float) -> None:
        """Time went by."""
        raise NotImplementedError

    def same_as(self, other: CarePanel) -> bool:
        return isinstance(other, ToolScreen) and other.tool.id == self.tool.id and not self.ended

    def action_next(self) -> None:
        raise NotImplementedError

    def again(self) -> None:
        """From the beginning."""
        raise NotImplementedError

    def show_end(self, keys: str = END_KEYS) -> None:
        """The closing words, and what could come next. The first choice is the one that asks for least."""
        self.ended = True
        body = self.query_one("#panel-body")
        body.remove_children()
        number = Option(say("Note how it is now, 0 to 10"), id="number")
        rest = [
            Option(say("Back to where I was"), id="back"),
            Option(say("Once more"), id="again"),
            Option(say("Another tool"), id="tools"),
        ]
        options = [number, *rest] if self.before is not None else [*rest, number]
        body.mount(Plain(self.tool.close, classes="step"), PlainOptions(*options, id="next"))
        self.query_one("#panel-title", Plain).update(self.tool.title)
        self.query_one("#panel-keys", Plain).update(say(keys))
        self.call_after_refresh(self.query_one("#next", OptionList).focus)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        match event.option_id:
            case "number":
                self._number()
            case "again":
                self.ended = False
                self.again()
            case "tools":
                self.tide.action_tools()
            case _:
                self.action_close()

    def _number(self) -> None:
        from tide_chat.ui.screens.care.check_in import CheckInScreen

        self.tide.show_care(CheckInScreen(self.care, when="after", tool=self.tool.id, earlier=self.before))

    def choose(self) -> None:
        """Enter on the end page."""
        self.query_one("#next", OptionList).action_select()


class StepsScreen(ToolScreen):
    """Words, one step at a time."""

    AUTO_FOCUS = "#panel-body"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "forward", show=False, priority=True),
        Binding("left,backspace", "back", show=False, priority=True),
        Binding("p", "pause", show=False),
        Binding("e", "edit", show=False),
    ]

    def __init__(self, tool: Tool, care: Care, *, still: bool, before: int | None = None) -> None:
        super().__init__(tool, care, still=still, before=before)
        self.walk = Walk.of(self._filled().steps)
        self._timed = not still and any(step.seconds for step in self.walk.steps)
        self.keys = self._keys()

    def _keys(self) -> str:
        parts = [say("Enter goes on"), say("Left goes back")]
        parts += [say("P pauses")] * self._timed + [say("E writes")] * bool(self.tool.paper)
        return " · ".join([*parts, say("F2 people"), say("Esc leaves")])

    def _filled(self) -> Tool:
        return self.care.filled(self.tool, today.now())

    def body(self) -> Iterable[Widget]:
        yield Plain("", id="step", classes="step")
        yield Plain("", id="step-time")
        yield Plain(self.tool.why, id="why")

    def on_mount(self) -> None:
        if self.is_empty:
            return
        self._draw()
        if self._timed:
            self.set_interval(LOOK_S, self.look)

    def tick(self, seconds: float) -> None:
        walk = self.walk.tick(seconds)
        if walk != self.walk:
            self._go(walk)

    def _go(self, walk: Walk) -> None:
        moved, self.walk = walk.at != self.walk.at, walk
        if walk.ended:
            self.tool = self._filled()
            self.show_end()
        else:
            self._draw()
            if moved:
                self.query_one("#panel-body").scroll_home(animate=False)

    def _draw(self) -> None:
        step, walk = self.walk.step, self.walk
        if step is None:
            return
        place = say("{number} of {all}", number=walk.at + 1, all=len(walk.steps))
        self.query_one("#panel-title", Plain).update(f"{self.tool.title} · {place}")
        self.query_one("#step", Plain).update(step.text if self._timed else step.still())
        self.query_one("#step-time", Plain).update(self._bar())
        self.query_one("#why", Plain).display = walk.at == 0

    def _bar(self) -> Content:
        step = self.walk.step
        if not self._timed or step is None or not step.seconds:
            return Content("")
        width = max(8, round(step.seconds * 2))
        done = round(width * self.walk.share)
        said = f" {say('paused')}" if self.walk.paused else ""
        return Content.assemble(("━" * done, "$primary"), ("─" * (width - done), "$text-muted"), (said, "$text-muted"))

    def action_next(self) -> None:
        if self.ended:
            self.choose()
        else:
            self._go(self.walk.next())

    def action_forward(self) -> None:
        if not self.ended:
            self._go(self.walk.next())

    def action_back(self) -> None:
        if self.ended:
            self._reopen(Walk(self.walk.steps, len(self.walk.steps) - 1))
        else:
            self._go(self.walk.back())

    def action_pause(self) -> None:
        if self._timed and not self.ended:
            self._go(self.walk.pause())

    def again(self) -> None:
        self._reopen(Walk.of(self._filled().steps))

    def _reopen(self, walk: Walk) -> None:
        """From the end page back into the steps."""
        self.ended = False
        fresh = StepsScreen(self.tool, self.care, still=self.still, before=self.before)
        fresh.walk = walk
        self.app.switch_screen(fresh)

    def action_edit(self) -> None:
        if not self.tool.paper or self.ended:
            return
        from tide_chat.ui.screens.care.writing import write_paper

        write_paper(self.app, self.care, Paper(self.tool.paper), self.tool.title, self._written)

    def _written(self) -> None:
        self._go(Walk(self._filled().steps, self.walk.at))
