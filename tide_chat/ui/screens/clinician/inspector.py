"""The inspector: the newest turn from inside. It opens only after it was switched on for this session."""

from collections.abc import Iterable, Sequence

from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tide_chat.clinician import inspection
from tide_chat.clinician.desk import NO_TURN, Desk
from tide_chat.clinician.inspection import Line, Section, pieces
from tide_chat.terminal import neutral
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain

YES, NO = "Switch it on", "Leave it off"
WIDE = 110  # columns; a prompt is long


class InspectorScreen(Panel[None]):
    """Sections in the order in which a turn happens. Files and chances are looked up in a worker."""

    title_text = "The newest turn, from inside"
    keys = "Up and Down scroll · Esc closes · Ctrl+Q leaves at once"
    least_rows = 6

    class Found(Message):
        """What the worker found; `problem` where it failed."""

        def __init__(self, sections: Sequence[Section], problem: str = "") -> None:
            super().__init__()
            self.sections = sections
            self.problem = problem

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    def body(self) -> Iterable[Widget]:
        yield Plain(inspection.ABOUT, classes="setting")
        yield Plain("Looking ...", id="inspecting", classes="reading")

    def on_mount(self) -> None:
        self.query_one("#panel").styles.max_width = WIDE
        self.run_worker(self._look, name="inspect", thread=True)

    def _look(self) -> None:
        try:
            self.post_message(self.Found(self._desk.newest()))
        except Exception as error:  # noqa: BLE001 - shown in words; looking on must never end the app
            self.post_message(self.Found((), f"It could not be looked up: {type(error).__name__}: {error}"))

    async def on_inspector_screen_found(self, event: Found) -> None:
        note = self.query_one("#inspecting", Plain)
        if not event.sections:
            note.update(neutral(event.problem) or NO_TURN)
            return
        await note.remove()
        await self.query_one("#panel-body").mount_all(_widgets(event.sections))


def _widgets(sections: Sequence[Section]) -> Iterable[Widget]:
    for section in sections:
        yield Plain(section.title, classes="help-head")
        for line in section.lines:
            yield Plain(drawn(line))


def drawn(line: Line) -> Content:
    """A label, and the text with its marked parts in reverse."""
    parts: list[Content | tuple[str, str] | str] = [(f"{line.label}: ", "bold")] if line.label else []
    for part, marked in pieces(line):
        parts.append(Content.styled(neutral(part), "reverse") if marked else Content(neutral(part)))
    return Content.assemble(*parts)
