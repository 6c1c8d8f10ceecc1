"""A panel with something to read: the safety protocol, and why the safety check acted. Scrolls; changes nothing."""

from collections.abc import Iterable, Sequence

from textual.content import Content
from textual.widget import Widget

from tide_chat.safety.protocol import Block
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain


class ReadingScreen(Panel[None]):
    """Paragraphs below a title."""

    keys = "Up and Down scroll · Esc closes · Ctrl+Q leaves at once"

    def __init__(self, title: str, blocks: Sequence[Block]) -> None:
        super().__init__()
        self.title_text = title
        self._blocks = blocks

    def body(self) -> Iterable[Widget]:
        for block in self._blocks:
            style = "bold $accent" if block.heading else ""
            yield Plain(Content.assemble((block.text, style)), classes="reading")
