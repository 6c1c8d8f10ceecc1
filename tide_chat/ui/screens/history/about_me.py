"""What the person wants a new conversation to begin with: written by them, switched on by them, off until then."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tide_chat.care.keeping import PAPER_HINTS, Care, Paper, or_else
from tide_chat.errors import TideError
from tide_chat.terminal import neutral
from tide_chat.ui.screens.care.panel import CarePanel, problem
from tide_chat.ui.screens.care.writing import write_paper
from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say

TITLE = "What you may know about me"
ON = "This is given to the model with every message. S switches it off."
OFF = "Nothing reads this now: it is switched off. S switches it on; then the model is given it with every message."
NOT_YET = "E begins it."
WHAT_FOR = "The model knows nothing of earlier conversations. What stands here can go along into each one."


class AboutMeScreen(CarePanel):
    """What was written, and whether it is used."""

    title_text = TITLE
    keys = "E writes · S switches it on and off · F2 people · Esc goes back"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", show=False),
        Binding("s", "switch", show=False),
    ]

    def __init__(self, care: Care) -> None:
        super().__init__(care)
        self._problem = ""

    def body(self) -> Iterable[Widget]:
        yield Plain(say(WHAT_FOR), classes="reading")
        yield Plain("", id="about-me", classes="step")
        yield Plain("", id="about-me-use")
        yield Plain(self.care.where, id="care-note")

    def on_mount(self) -> None:
        self.show_it()

    def show_it(self) -> None:
        written = or_else(self.care.about_me, "")
        used = or_else(lambda: self.care.carries, False)
        use = (ON if used else OFF) if written else NOT_YET
        self.query_one("#about-me", Plain).update(neutral(written) or say(PAPER_HINTS[Paper.ABOUT_ME]))
        self.query_one("#about-me-use", Plain).update(say(use))

    def action_edit(self) -> None:
        write_paper(self.app, self.care, Paper.ABOUT_ME, TITLE, self.show_it)

    def action_switch(self) -> None:
        try:
            if self.care.about_me():
                self.care.carry(not self.care.carries)
        except (TideError, OSError) as error:
            self.query_one("#care-note", Plain).update(problem(error))
            return
        self.show_it()
