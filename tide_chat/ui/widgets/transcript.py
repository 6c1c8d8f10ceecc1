"""The conversation on the screen: newest at the bottom, only a window of it as widgets. Knows no engine and no turn."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.message import Message

from tide_chat.ui.widgets.entries import CALM, SMOOTH, Entry, EntryView, Kind
from tide_chat.ui.widgets.plain import Plain

WINDOW = 60  # entries kept as widgets
STEP = 30  # entries that come or go at once
UNSEEN = "─── the model no longer sees what is above ───"


class Earlier(Plain):
    """The line above the window: how much is hidden."""

    def on_click(self, event: Click) -> None:
        event.stop()
        self.post_message(Transcript.Wanted())


class Transcript(VerticalScroll):
    """Entries, oldest first. Stays at the bottom unless the user scrolled up."""

    class Wanted(Message):
        """The user wants to see earlier entries."""

    def __init__(self, greeting: str) -> None:
        super().__init__(id="transcript")
        self.entries: list[Entry] = []
        self._greeting = greeting
        self._first = 0  # index of the oldest entry that is a widget
        self._growing: EntryView | None = None
        self._seen_from = 0  # messages the model no longer sees
        self._loading_earlier = False

    def compose(self) -> ComposeResult:
        yield Plain(self._greeting, id="greeting")
        yield Earlier("", id="earlier")
        yield Plain(UNSEEN, id="unseen")

    def on_mount(self) -> None:
        self.query_one("#earlier").display = False
        self.query_one("#unseen").display = False
        self.anchor()

    @property
    def views(self) -> list[EntryView]:
        return list(self.query(EntryView))

    def add(self, entry: Entry) -> EntryView:
        """Show a new entry at the end."""
        self.query_one("#greeting").display = False
        self.entries.append(entry)
        view = EntryView(entry)
        self.mount(view)
        self._shrink()
        return view

    def notice(self, text: str) -> None:
        self.add(Entry(Kind.NOTICE, text))

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.anchor()

    def grow(self, text: str, *, authored: bool = False, still: bool = False) -> None:
        """Add to the reply that is being written; the first piece begins it."""
        if self._growing is None:
            self._growing = self.add(Entry(Kind.REPLY, text, authored))
        else:
            self._growing.append(text, CALM if still else SMOOTH)

    def finish(self, text: str | None = None, *, authored: bool = False, ending: str = "") -> None:
        """The reply is whole, or ended early. `text` replaces what was streamed."""
        view, self._growing = self._growing, None
        if view is None:
            if not text:
                return
            view = self.add(Entry(Kind.REPLY, text))
        view.entry.text = view.entry.text if text is None else text
        view.entry.authored, view.entry.ending = authored, ending
        view.draw()
        if authored:  # it came at once, so its beginning was never seen
            self.call_after_refresh(self._show_start, view)

    def _show_start(self, view: EntryView) -> None:
        if view.outer_size.height > self.size.height:
            self.release_anchor()
            self.scroll_to_widget(view, top=True, animate=False)

    def drop_last_turn(self, *, keep_user: bool = False) -> list[Entry]:
        """Remove the newest user entry and all below it, or only what is below it. Returns the notices among them."""
        users = [i for i, entry in enumerate(self.entries) if entry.kind is Kind.USER]
        gone = self._cut(users[-1] + keep_user) if users else []
        return [entry for entry in gone if entry.kind is Kind.NOTICE]

    def clear(self) -> None:
        self._cut(0)
        self._seen_from = self._first = 0
        self._show_marks()
        self.query_one("#greeting").display = True

    def _cut(self, index: int) -> list[Entry]:
        gone = self.entries[index:]
        del self.entries[index:]
        self._growing = None
        for view in self.views:
            if any(view.entry is entry for entry in gone):
                view.remove()
        return gone

    def mark_unseen(self, messages: int) -> None:
        """The model no longer sees the oldest `messages` messages."""
        self._seen_from = messages
        self._show_marks()

    def _show_marks(self) -> None:
        earlier, unseen = self.query_one("#earlier", Earlier), self.query_one("#unseen")
        earlier.display = self._first > 0
        earlier.update(Content(f"{self._first} earlier entries. Page Up shows them."))
        first_seen = self._first_seen()
        unseen.display = first_seen is not None
        if first_seen is not None:
            self.move_child(unseen, before=first_seen)

    def _first_seen(self) -> EntryView | None:
        """The view before which the mark goes: the first message that the model still sees, if there is one."""
        said = [entry for entry in self.entries if entry.kind is not Kind.NOTICE]
        if not 0 < self._seen_from < len(said):
            return None
        seen = said[self._seen_from]
        start = next(i for i, entry in enumerate(self.entries) if entry is seen)
        return next((view for view in self.views if view.entry in self.entries[max(start, self._first) :]), None)

    def _shrink(self) -> None:
        """Turn the oldest widgets into a line when there are many, unless the user is looking at them."""
        if len(self.entries) - self._first <= WINDOW + STEP or self._anchor_released:
            return
        hidden = self.views[:STEP]
        self._first += len(hidden)
        for view in hidden:
            view.remove()
        self._show_marks()

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        if new == 0 and old > 0 and self._first > 0:
            self.post_message(self.Wanted())

    async def on_transcript_wanted(self) -> None:
        """Bring back some earlier entries; what the user was reading stays where it is."""
        if self._first == 0 or self._loading_earlier:
            return
        self._loading_earlier = True
        height, at = self.virtual_size.height, self.scroll_y
        start = max(0, self._first - STEP)
        fresh = [EntryView(entry) for entry in self.entries[start : self._first]]
        self._first = start
        await self.mount_all(fresh, after=self.query_one("#earlier"))
        self._show_marks()
        self.call_after_refresh(self._settle, height, at)

    def _settle(self, height: int, at: float) -> None:
        self.scroll_to(y=at + self.virtual_size.height - height, animate=False)
        self._loading_earlier = False
