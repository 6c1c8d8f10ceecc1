"""The frame of the lists: beside the conversation where there is room, the whole screen where there is not.

A box to type in keeps the keys for letters; the arrows move in the list below it.
"""

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tide_chat.terminal import neutral
from tide_chat.ui.screens.care.panel import problem
from tide_chat.ui.widgets.plain import Plain
from tide_chat.ui.widgets.rows import Row, Rows
from tide_chat.wording import say

if TYPE_CHECKING:
    from tide_chat.ui.app import TideChatApp

BESIDE = 100  # columns from which the conversation stays in sight
WIDTH = 46  # columns of the list then; app.tcss has the same


class SideList(ModalScreen[None]):
    """Subclasses give words in English, fill `rows` and act on `choose`."""

    AUTO_FOCUS = "#find"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("enter", "choose", show=False),
        Binding("f2,ctrl+l", "help_lines", show=False),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("ctrl+home", "move(-1000000)", show=False, priority=True),
        Binding("ctrl+end", "move(1000000)", show=False, priority=True),
    ]
    title_text = ""
    placeholder = ""  # of the box; without one there is none
    keys = ""

    def __init__(self, id: str) -> None:
        """With the style classes of the size there is: for each that came later it would be styled all over again."""
        sizes = (*(self.app.HORIZONTAL_BREAKPOINTS or ()), *(self.app.VERTICAL_BREAKPOINTS or ()))
        fitting = [name for _, name in sizes if self.tide.chat.has_class(name)]
        beside = ["-beside"] if self.app.size.width >= BESIDE else []
        super().__init__(id=id, classes=" ".join(fitting + beside))

    def compose(self) -> ComposeResult:
        with Vertical(id="side"):
            yield Plain(say(self.title_text), id="panel-title")
            if self.placeholder:
                yield Input(id="find", placeholder=say(self.placeholder), compact=True)
            yield Rows()
            yield Plain("", id="side-note")
            yield Plain(say(self.keys), id="panel-keys")

    @property
    def tide(self) -> "TideChatApp":
        return cast("TideChatApp", self.app)

    @property
    def rows(self) -> Rows:
        return self.query_one(Rows)

    def note(self, text: str) -> None:
        note = self.query_one("#side-note", Plain)
        note.update(neutral(text))
        note.display = bool(text)

    def choose(self, row: Row) -> None:
        raise NotImplementedError

    def on_resize(self) -> None:
        if self in self.app.screen_stack:
            self.stand()

    def on_screen_resume(self) -> None:
        self.stand()
        for box in self.query(Input):
            box.cursor_blink = self.app.animation_level != "none"

    def on_screen_suspend(self) -> None:
        """Closed, or below another one."""
        if not any(isinstance(screen, SideList) for screen in self.app.screen_stack):
            self._make_room(0)
        if self not in self.app.screen_stack:
            self.let_go()

    def let_go(self) -> None:
        """Nothing is left in it of what it showed. For a screen that is shown again."""

    def stand(self) -> None:
        """Beside the conversation, or in its place."""
        beside = self.app.size.width >= BESIDE
        self.set_class(beside, "-beside")
        self._make_room(WIDTH if beside else 0)

    def _make_room(self, columns: int) -> None:
        """On the left of the conversation. Not by a class, for which every entry of it would be styled anew."""
        chat = self.tide.chat
        if chat.styles.padding.left != columns:
            chat.styles.padding = (0, 0, 0, columns)
            chat.fit_title()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_choose()

    def on_rows_chosen(self) -> None:
        self.action_choose()

    def action_choose(self) -> None:
        row = self.rows.chosen
        if row and row.key >= 0:
            self.choose(row)

    def on_rows_failed(self, event: Rows.Failed) -> None:
        self.note(problem(event.error))

    def action_move(self, by: int) -> None:
        self.rows.move(by)

    def action_page(self, pages: int) -> None:
        self.rows.move(pages * self.rows.page)

    def action_help_lines(self) -> None:
        self.tide.show_people()

    def action_close(self) -> None:
        self.dismiss(None)
