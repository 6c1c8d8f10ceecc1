"""The box one writes in: Enter sends, several ways to a new line, what was written before. In memory only.

It posts what the user wants and knows nothing of turns; text leaves it only through `take`.
"""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from tide_chat.terminal import neutral

NEWLINE_KEYS = frozenset({"ctrl+j", "shift+enter", "alt+enter", "ctrl+enter"})


class History:
    """What was written, oldest first, and the place in it. The draft waits at the end."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self._at: int | None = None
        self._draft = ""

    def add(self, text: str) -> None:
        if text and (not self.items or self.items[-1] != text):
            self.items.append(text)
        self._at = None

    def older(self, current: str) -> str | None:
        if not self.items or self._at == 0:
            return None
        if self._at is None:
            self._draft, self._at = current, len(self.items)
        self._at -= 1
        return self.items[self._at]

    def newer(self) -> str | None:
        if self._at is None:
            return None
        self._at += 1
        if self._at < len(self.items):
            return self.items[self._at]
        self._at = None
        return self._draft

    def forget(self) -> None:
        self.items.clear()
        self._at, self._draft = None, ""


class Composer(TextArea):
    """A TextArea that sends on Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+d", "delete_right", show=False)]

    class Sent(Message):
        """Enter was pressed on what stands in the box. It still stands there."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Moved(Message):
        """A key for the list of suggestions: up, down or tab."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Scrolled(Message):
        """Page Up or Page Down, for the conversation."""

        def __init__(self, pages: int) -> None:
            super().__init__()
            self.pages = pages

    def __init__(self, placeholder: str) -> None:
        super().__init__(
            id="composer", placeholder=placeholder, highlight_cursor_line=False, tab_behavior="focus", soft_wrap=True
        )
        self.history_of_text = History()
        self.suggesting = False  # keys go to the list of suggestions

    def take(self) -> str:
        """Empty the box and remember what was in it."""
        text = self.text
        self.history_of_text.add(text)
        self.put("")
        return text

    def put(self, text: str) -> None:
        """Replace what is in the box; the cursor goes to the end."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def give_back(self, text: str) -> None:
        """Put sent text back, before whatever was written since."""
        draft = self.text
        self.put(f"{text}\n{draft}" if draft.strip() else text)

    def render_line(self, y: int) -> Strip:
        """Textual wraps the placeholder to the width there is, and fails when there is none."""
        return super().render_line(y) if self.content_size.width > 0 else Strip.blank(self.size.width)

    async def _on_key(self, event: events.Key) -> None:
        if self._own_key(event.key):
            event.stop()
            event.prevent_default()
            return
        await super()._on_key(event)

    def _own_key(self, key: str) -> bool:
        if key in NEWLINE_KEYS:
            self.insert("\n")
        elif key == "enter":
            self._enter()
        elif self.suggesting and key in ("up", "down", "tab"):
            self.post_message(self.Moved(key))
        elif key == "up" and self.cursor_at_first_line and self.selection.is_empty:
            return self._recall(self.history_of_text.older(self.text))
        elif key == "down" and self.cursor_at_last_line and self.selection.is_empty:
            return self._recall(self.history_of_text.newer())
        elif key in ("pageup", "pagedown"):
            self.post_message(self.Scrolled(-1 if key == "pageup" else 1))
        else:
            return False
        return True

    def _enter(self) -> None:
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        if before.endswith("\\"):
            self.replace("\n", (row, column - 1), (row, column))
        else:
            self.post_message(self.Sent(self.text))

    def _recall(self, text: str | None) -> bool:
        if text is None:
            return False
        self.put(text)
        return True

    async def _on_paste(self, event: events.Paste) -> None:
        """A paste is one piece of text, whatever line ends and control characters it holds."""
        event.stop()
        event.prevent_default()
        await self.paste(event.text)

    async def paste(self, text: str) -> None:
        await super()._on_paste(events.Paste(neutral(text)))
