"""What stands in the transcript, and how one entry is drawn. Plain text only: nothing in it is ever read as markup."""

from dataclasses import dataclass
from enum import StrEnum

from textual.content import Content
from textual.timer import Timer

from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say

SMOOTH = 0.08  # seconds between updates of a growing reply
LONGEST = 6000  # characters of one entry that are drawn; a pasted book would make every scroll slow
CALM = 1.0  # the same with reduced motion

YOU = "You"
PROGRAM = "Tide"
AUTHORED = "Tide · prepared words, not from the model"


class Kind(StrEnum):
    USER = "user"
    REPLY = "reply"
    NOTICE = "notice"


@dataclass(slots=True)
class Entry:
    """One entry. `ending` says in words why a reply is not whole."""

    kind: Kind
    text: str
    authored: bool = False
    ending: str = ""

    @property
    def label(self) -> str:
        return say({Kind.USER: YOU, Kind.REPLY: AUTHORED if self.authored else PROGRAM, Kind.NOTICE: ""}[self.kind])

    @property
    def drawn(self) -> str:
        left = len(self.text) - LONGEST
        return f"{self.text[:LONGEST]}\n{say('… and {left} more characters', left=left)}" if left > 0 else self.text

    def content(self) -> Content:
        """A label, the text below it, and why it ended early."""
        if self.kind is Kind.NOTICE:
            return Content(f"· {self.text}")
        parts: list[Content | tuple[str, str]] = [(f"{self.label}\n", "bold $primary")]
        parts.append(Content(self.drawn))
        if self.ending:
            ending = f"({say(self.ending)})"
            parts.append((f"\n{ending}" if self.text else ending, "$text-muted"))
        return Content.assemble(*parts)


class EntryView(Plain):
    """One entry on the screen. A growing reply is drawn a few times a second, and once more when it is whole.

    Plain text instead of Markdown: replies are short prose without headings or code, drawing them costs a tenth,
    and what a model writes can then change nothing but words.
    """

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.content(), classes=f"entry {entry.kind.value}")
        self.entry = entry
        self._due: Timer | None = None

    def show(self, entry: Entry) -> None:
        """Another entry from now on: a tenth of the work of another widget."""
        if entry.kind is not self.entry.kind:
            self.set_classes(f"entry {entry.kind.value}")
        self.entry = entry
        self.draw()

    def append(self, text: str, interval: float) -> None:
        self.entry.text += text
        if self._due is None:
            self._due = self.set_timer(interval, self.draw)

    def draw(self) -> None:
        """Show the entry as it now is."""
        if self._due is not None:
            self._due.stop()
            self._due = None
        self.update(self.entry.content())
