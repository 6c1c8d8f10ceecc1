"""Text, buttons and lists that are only ever text: no markup, in a terminal of any width."""

from collections.abc import Iterable

from textual.content import Content
from textual.geometry import Size
from textual.widgets import Button, OptionList, Static
from textual.widgets.option_list import Option


class Plain(Static):
    """A Static that reads no markup and survives having no column at all."""

    def __init__(self, content: str | Content = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(content, markup=False, id=id, classes=classes)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Textual cannot wrap text to a width of nothing."""
        return super().get_content_height(container, viewport, max(1, width))


class PlainButton(Button):
    """The same for a button."""

    def __init__(self, label: str, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(Content(label), id=id, classes=classes, compact=True)
        self.styles.line_pad = 0  # the stylesheet takes no zero here

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return super().get_content_height(container, viewport, max(1, width))


class PlainOptions(OptionList):
    """The same for a list to choose from."""

    def __init__(self, *options: Option, id: str | None = None) -> None:
        super().__init__(*options, id=id, markup=False, compact=True)

    def refill(self, options: Iterable[Option]) -> None:
        """Other words in the same rows; the highlighted one stays."""
        at = self.highlighted
        self.clear_options()
        self.add_options(options)
        self.highlighted = at

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return super().get_content_height(container, viewport, max(3, width))  # an option is padded by two


def mark(chosen: bool) -> str:
    """Before a choice, in signs that need no colour."""
    return "(x)" if chosen else "( )"
