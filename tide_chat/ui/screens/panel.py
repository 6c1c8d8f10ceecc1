"""The frame of every panel: a title, a body that scrolls, a line of keys. Esc closes it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget

from tide_chat.ui.widgets.plain import Plain

if TYPE_CHECKING:
    from tide_chat.ui.app import TideChatApp

Result = TypeVar("Result")


class Panel(ModalScreen[Result]):
    """A modal panel. Subclasses give `title_text`, `keys` and `body`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close", show=False)]
    AUTO_FOCUS = "#panel-body"
    title_text = ""
    least_rows = 0  # of the body, so that the frame of a panel whose text changes stays where it is
    keys = "Esc closes · Ctrl+Q leaves at once"

    def compose(self) -> ComposeResult:
        with Vertical(id="panel"):
            yield Plain(self.title_text, id="panel-title")
            with VerticalScroll(id="panel-body"):
                yield from self.body()
            yield Plain(self.keys, id="panel-keys")

    @property
    def tide(self) -> "TideChatApp":
        return cast("TideChatApp", self.app)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """The body takes what title and keys leave, so that neither is ever pushed out of sight."""
        panel = self.query_one("#panel")
        used = sum(self.query_one(name).outer_size.height for name in ("#panel-title", "#panel-keys"))
        room = max(1, self.size.height - used - panel.gutter.height)
        body = self.query_one("#panel-body")
        body.styles.max_height = room
        body.styles.min_height = min(room, self.least_rows)

    def body(self) -> Iterable[Widget]:
        raise NotImplementedError

    def action_close(self) -> None:
        self.dismiss(None)
