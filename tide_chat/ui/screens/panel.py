"""The frame of every panel: a title, a body that scrolls, a line of keys. Esc closes it, F2 has people above it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget

from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say

if TYPE_CHECKING:
    from tide_chat.ui.app import TideChatApp

Result = TypeVar("Result")


class Panel(ModalScreen[Result]):
    """A modal panel. Subclasses give `title_text` and `keys`, in English or said already, and `body`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False),
        Binding("f2,ctrl+l", "help_lines", show=False),
    ]
    AUTO_FOCUS = "#panel-body"
    title_text = ""
    least_rows = 0  # of the body, so that the frame of a panel whose text changes stays where it is
    keys = "Esc closes · Ctrl+Q leaves at once"

    def compose(self) -> ComposeResult:
        with Vertical(id="panel"):
            yield Plain(self.heading(), id="panel-title")
            with VerticalScroll(id="panel-body"):
                yield from self.body()
            yield Plain(say(self.keys), id="panel-keys")

    @property
    def tide(self) -> "TideChatApp":
        return cast("TideChatApp", self.app)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it: it came when the app was leaving already, or is being closed."""
        return not self.query("#panel-keys")

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """The body takes what title and keys leave, so that neither is ever pushed out of sight."""
        if len(self.query("#panel, #panel-title, #panel-body, #panel-keys")) < 4:
            return  # it was closed in the moment in which its size changed, and some of it is gone
        panel = self.query_one("#panel")
        used = sum(self.query_one(name).outer_size.height for name in ("#panel-title", "#panel-keys"))
        room = max(1, self.size.height - used - panel.gutter.height)
        body = self.query_one("#panel-body")
        body.styles.max_height = room
        body.styles.min_height = min(room, self.least_rows)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing for a key that was pressed while it closes, or the app: there is nothing left to change."""
        return self.is_current and (action == "close" or not self.is_empty)

    def heading(self) -> str:
        """The title as it is shown."""
        return say(self.title_text)

    def body(self) -> Iterable[Widget]:
        raise NotImplementedError

    def action_close(self) -> None:
        self.dismiss(None)

    def action_help_lines(self) -> None:
        self.tide.show_people()
