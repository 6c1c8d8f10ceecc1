"""Boxes for one's own words: the safety plan, a calm place, contacts. Esc asks before it loses any.

Where the app ends first, what was not kept is a draft as an unsent message is, and stands there again the next time.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, TextArea

from tide_chat.care.keeping import PAPER_HINTS, Care, Paper
from tide_chat.errors import TideError
from tide_chat.terminal import neutral
from tide_chat.ui.screens.care.panel import problem
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain, PlainButton
from tide_chat.wording import say

Keep = Callable[[dict[str, str]], None]  # may raise TideError or OSError
KEYS = "Ctrl+S keeps it · Tab moves on · Esc goes back · Ctrl+Q leaves at once"
ALREADY = "You are writing this already; Esc goes back there."
LEFT = "You had begun this the last time. It stays here, encrypted, until you keep it or leave it."


@dataclass(frozen=True, slots=True)
class Field:
    """One box: what it is for, and what stands in it."""

    name: str
    title: str
    hint: str
    text: str = ""


class OwnWords(TextArea):
    """A box. What is pasted becomes plain text."""

    def __init__(self, field: Field, text: str) -> None:
        super().__init__(
            neutral(text), tab_behavior="focus", soft_wrap=True, highlight_cursor_line=False, classes="own-words"
        )
        self.field = field

    @property
    def changed(self) -> bool:
        return self.text != neutral(self.field.text)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        await super()._on_paste(events.Paste(neutral(event.text)))


class WritingScreen(Panel[bool]):
    """Dismissed with True when it was kept. paper: what is written, so that nothing is opened twice."""

    AUTO_FOCUS = "OwnWords"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "save", show=False, priority=True)]

    def __init__(
        self,
        paper: str,
        title: str,
        fields: Sequence[Field],
        keep: Keep,
        note: str,
        keys: str = KEYS,
        button: str = "Keep it (Ctrl+S)",
    ) -> None:
        super().__init__(classes="writing")
        self.paper, self.title_text = paper, title
        self.keys = keys
        self._fields, self._keep, self._note, self._button = fields, keep, note, button

    def body(self) -> Iterable[Widget]:
        left = read_draft(self.tide.unsent.take(self.paper))
        if any(left.get(field.name, field.text) != field.text for field in self._fields):
            yield Plain(say(LEFT), classes="lead")
        for field in self._fields:
            title = ((field.title, "bold $accent"), "\n") if field.title else ()
            yield Plain(Content.assemble(*title, field.hint), classes="field")
            yield OwnWords(field, left.get(field.name, field.text))
        yield Plain(self._note, id="care-note")
        yield Horizontal(
            PlainButton(say(self._button), id="save"), PlainButton(say("Cancel (Esc)"), id="no"), classes="answers"
        )

    def on_mount(self) -> None:
        for box in self.query(OwnWords):
            box.cursor_blink = self.app.animation_level != "none"
            box.set_class(len(self._fields) == 1, "-alone")
            if box.changed:  # begun the last time
                box.move_cursor(box.document.end)

    @property
    def written(self) -> dict[str, str]:
        return {box.field.name: neutral(box.text) for box in self.query(OwnWords)}

    @property
    def changed(self) -> dict[str, str]:
        """What differs from what is kept."""
        return {box.field.name: box.text for box in self.query(OwnWords) if box.changed}

    def on_text_area_changed(self) -> None:
        self.tide.note_draft(draft_of(self.changed), self.paper)

    def end(self, *, kept: bool) -> None:
        """Nothing here is a draft any more."""
        self.tide.note_draft("", self.paper)
        self.dismiss(kept)

    def action_save(self) -> None:
        try:
            self._keep(self.written)
        except (TideError, OSError) as error:
            self.query_one("#care-note", Plain).update(f"{say('It could not be kept.')} {problem(error)}")
        else:
            self.end(kept=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "save":
            self.action_save()
        else:
            self.action_close()

    def action_close(self) -> None:
        if not self.changed:
            self.dismiss(False)
            return
        question = Confirm(
            "Leave without keeping it?", "What you wrote here would be gone.", yes="Leave it", no="Go on writing"
        )
        self.app.push_screen(question, self._leave)

    def _leave(self, agreed: bool | None) -> None:
        if agreed:
            self.end(kept=False)


def draft_of(changed: Mapping[str, str]) -> str:
    """Texts by their boxes as one line; empty when there are none."""
    return json.dumps(changed) if changed else ""


def read_draft(text: str) -> dict[str, str]:
    """What `draft_of` gave, of one form or, a line each, of several. Nothing where it is something else."""
    found: dict[str, str] = {}
    with contextlib.suppress(ValueError, AttributeError):
        for line in text.splitlines():
            for name, words in json.loads(line).items():
                found[name] = "\n".join(filter(None, (found.get(name), str(words))))
    return found


def open_writing(app: App[int], form: WritingScreen, then: Callable[[], None] | None = None) -> None:
    """Open a form, once. then: called when something was kept."""
    if any(isinstance(screen, WritingScreen) and screen.paper == form.paper for screen in app.screen_stack):
        app.notify(say(ALREADY))
        return
    app.push_screen(form, lambda kept: then() if kept and then else None)


def write_paper(app: App[int], care: Care, paper: Paper, title: str, then: Callable[[], None] | None = None) -> None:
    """A form with one box, for one of the person's own texts. One that cannot be read is not written over."""
    try:
        text = care.papers.get(paper)
    except (TideError, OSError) as error:
        app.notify(problem(error), severity="error", markup=False)
        return

    field = Field(paper, "", say(PAPER_HINTS[paper]), text)

    def keep(written: dict[str, str]) -> None:
        care.papers.put(paper, written[paper].strip())

    open_writing(app, WritingScreen(paper, title, [field], keep, care.where), then)
