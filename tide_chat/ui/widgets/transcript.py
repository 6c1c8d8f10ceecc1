"""The conversation on the screen: newest at the bottom, only a window of it as widgets. Knows no engine and no turn.

Of a long one that goes on, what is not even in memory comes from `older`, when somebody scrolls up to it.
"""

from collections.abc import Sequence
from typing import Protocol

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import AwaitMount

from tide_chat.ui.widgets.entries import CALM, SMOOTH, Entry, EntryView, Kind
from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say, say_count

FIRST = 10  # entries at least that become widgets when another conversation is shown; each new one costs milliseconds
WINDOW = 40  # entries kept as widgets while it grows
STEP = 8  # entries that come or go at once: one or two pages
MOST = WINDOW + 2 * STEP  # entries that are widgets while somebody scrolls far from the end
UNSEEN = "─── the model no longer sees what is above ───"
EARLIER, EARLIER_ONE = "{count} earlier entries. Page Up shows them.", "1 earlier entry. Page Up shows it."


class Older(Protocol):
    """Entries before the first one. left: how many there are."""

    @property
    def left(self) -> int: ...

    def take(self, count: int) -> Sequence[Entry]:
        """The `count` nearest of them, oldest first; they are not given again."""
        ...


class Earlier(Plain):
    """The line above the window: how much is hidden."""

    def on_click(self, event: Click) -> None:
        event.stop()
        self.post_message(Transcript.Wanted())


class Transcript(VerticalScroll):
    """Entries, oldest first. Stays at the bottom unless the user scrolled up."""

    class Wanted(Message):
        """The user wants to see earlier entries, or later ones again."""

        def __init__(self, *, later: bool = False) -> None:
            super().__init__()
            self.later = later

    def __init__(self, greeting: str) -> None:
        super().__init__(id="transcript")
        self.entries: list[Entry] = []
        self._greeting = greeting
        self._first = 0  # index of the oldest entry that is a widget
        self._views: list[EntryView] = []  # the widgets, of entries that follow each other
        self._growing: EntryView | None = None
        self._from_start: EntryView | None = None  # a reply that came at once, to be read from its beginning
        self._older: Older | None = None
        self._before = 0  # entries that came from `older`; the model was never given them
        self._seen_from = 0  # messages the model no longer sees
        self._moving = False

    def compose(self) -> ComposeResult:
        yield Plain(self._greeting, id="greeting")
        yield Earlier("", id="earlier")
        yield Plain(say(UNSEEN), id="unseen")

    def on_mount(self) -> None:
        self.query_one("#earlier").display = False
        self.query_one("#unseen").display = False
        self.anchor()

    @property
    def views(self) -> list[EntryView]:
        return list(self._views)

    @property
    def _at_end(self) -> bool:
        """Whether the newest entry is a widget."""
        return self._first + len(self._views) == len(self.entries)

    def greet(self, greeting: str) -> None:
        """What stands here while nothing was said."""
        self.query_one("#greeting", Plain).update(greeting)

    def draw(self) -> None:
        """Everything anew, in the language in use."""
        for view in self._views:
            view.draw()
        self.query_one("#unseen", Plain).update(say(UNSEEN))
        self._show_marks()

    def fill(self, entries: Sequence[Entry], older: Older | None = None) -> AwaitMount:
        """Show another conversation, from its end. older: what came before `entries`."""
        self._growing, self._from_start, self._seen_from, self._before = None, None, 0, 0
        self.entries, self._older = list(entries), older
        self.query_one("#greeting").display = not entries
        there = self._to_end()
        self.show_vertical_scrollbar = self._hidden > 0  # known now; found out when laid out, all would be drawn twice
        return there

    def _to_end(self) -> AwaitMount:
        """Only the newest entries are widgets. Nothing that was being read is held in its place any more."""
        self._moving = False
        enough = max(FIRST, self.size.height // 2)  # an entry with its margin has two rows at least
        there = self._window(max(0, len(self.entries) - enough), len(self.entries))
        self.anchor()
        return there

    def _window(self, first: int, end: int) -> AwaitMount:
        """Only the entries from `first` to before `end` are widgets. Those that are there show other entries."""
        self._first, count = first, end - first
        self._remove(self._views[count:])
        del self._views[count:]
        for view, entry in zip(self._views, self.entries[first:end], strict=False):
            view.show(entry)
        fresh = [EntryView(entry) for entry in self.entries[first + len(self._views) : end]]
        self._views += fresh
        there = self.mount_all(fresh)
        self._show_marks()
        return there

    def add(self, entry: Entry) -> EntryView:
        """Show a new entry at the end."""
        self.query_one("#greeting").display = False
        self.entries.append(entry)
        if self._first + len(self._views) < len(self.entries) - 1:
            self._to_end()
            return self._views[-1]
        view = EntryView(entry)
        self._views.append(view)
        self.mount(view)
        self._shrink()
        return view

    def notice(self, text: str) -> None:
        self.add(Entry(Kind.NOTICE, text))

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.let_be()
        if not self._at_end:
            self._to_end()
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
            self._from_start = view
            self.call_after_refresh(self._show_start)

    def on_resize(self) -> None:
        """A card that came with a reply takes its room later than the reply."""
        self.call_after_refresh(self._show_start)

    def _show_start(self) -> None:
        view = self._from_start
        if view is not None and view.is_attached and view.outer_size.height > self.size.height:
            self.release_anchor()
            self.scroll_to_widget(view, top=True, animate=False)

    def let_be(self) -> None:
        """The person has seen where the reply begins, and looks elsewhere now."""
        self._from_start = None

    on_mouse_scroll_up = on_mouse_scroll_down = on_key = let_be

    def drop_last_turn(self, *, keep_user: bool = False) -> list[Entry]:
        """Remove the newest user entry and all below it, or only what is below it. Returns the notices among them."""
        users = [i for i, entry in enumerate(self.entries) if entry.kind is Kind.USER]
        gone = self._cut(users[-1] + keep_user) if users else []
        return [entry for entry in gone if entry.kind is Kind.NOTICE]

    def clear(self) -> None:
        self._cut(0)
        self._older = None
        self._seen_from = self._before = 0
        self._show_marks()
        self.query_one("#greeting").display = True

    def _cut(self, index: int) -> list[Entry]:
        gone = self.entries[index:]
        del self.entries[index:]
        self._growing = None
        keep = max(0, index - self._first)
        self._remove(self._views[keep:])
        del self._views[keep:]
        self._first = min(self._first, index)
        if self.entries and not self._views:
            self._to_end()
        return gone

    @staticmethod
    def _remove(views: Sequence[EntryView]) -> None:
        for view in views:
            view.remove()

    def mark_unseen(self, messages: int) -> None:
        """The model no longer sees the oldest `messages` messages."""
        self._seen_from = messages
        self._show_marks()

    def _show_marks(self) -> None:
        earlier, unseen = self.query_one("#earlier", Earlier), self.query_one("#unseen")
        hidden = self._hidden
        earlier.display = hidden > 0
        earlier.update(Content(say_count(hidden, EARLIER_ONE, EARLIER)))
        first_seen = self._first_seen()
        unseen.display = first_seen is not None
        if first_seen is not None:
            self.move_child(unseen, before=first_seen)

    @property
    def _hidden(self) -> int:
        """Entries above the first widget."""
        return self._first + (self._older.left if self._older else 0)

    def _first_seen(self) -> EntryView | None:
        """The view before which the mark goes: the first message that the model still sees, if there is one."""
        said = [index for index, entry in enumerate(self.entries) if entry.kind is not Kind.NOTICE]
        unseen = self._before + self._seen_from
        if not 0 < unseen < len(said):
            return None
        at = max(0, said[unseen] - self._first)
        return self._views[at] if at < len(self._views) else None

    def _shrink(self) -> None:
        """Turn the oldest widgets into a line when there are many, unless the user is looking at them."""
        if len(self._views) <= WINDOW + STEP or self._anchor_released:
            return
        self._remove(self._views[:STEP])
        del self._views[:STEP]
        self._first += STEP
        self._show_marks()

    # Scrolling

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        if new == 0 and old > 0 and self._hidden:
            self.post_message(self.Wanted())
        elif new >= self.max_scroll_y > 0 and new > old and not self._at_end:
            self.post_message(self.Wanted(later=True))

    def page(self, pages: int) -> None:
        """A page up or down. Up at the top brings earlier entries, also where those that are there fill no page."""
        self.let_be()
        if pages > 0:
            self.scroll_page_down(animate=False)
        elif self.scroll_y > 0:
            self.scroll_page_up(animate=False)
        elif self._hidden:
            self.post_message(self.Wanted())

    def look_at(self, number: int) -> bool:
        """Show the entry before which there are `number` others, those from `older` among them, at the top.

        False when it could not be read: then what says so is shown, as far up as there is anything.
        """
        there = True
        while there and self._older and number < self._older.left:
            there = self._take(max(STEP, self._older.left - number))
        before = self._older.left if self._older else 0
        at = min(number - before, len(self.entries) - 1) if there else 0
        if at < 0:
            return False
        if not self._first <= at < self._first + len(self._views):
            self._window(max(0, at - STEP), min(len(self.entries), at + WINDOW))
        self.release_anchor()
        self._moving = True
        self.call_after_refresh(self._stay_at, self._views[at - self._first], top=True)
        return there

    def _take(self, count: int) -> bool:
        """`count` entries from `older`, in front of all others. False when a notice came in their place, or nothing."""
        found = self._older.take(count) if self._older else ()
        self.entries[:0] = found
        self._first += len(found)
        self._before += len(found)
        return bool(found) and found[0].kind is not Kind.NOTICE

    async def on_transcript_wanted(self, message: Wanted) -> None:
        """Bring back some entries; what the user was reading stays where it is."""
        if self._moving:
            return
        self._moving = True
        self.release_anchor()
        with self.app.batch_update():  # drawn once, when all of it is there
            if message.later:
                await self._show_later()
            else:
                await self._show_earlier()

    async def _show_earlier(self) -> None:
        if self._first < STEP and self._older and self._older.left:
            self._take(STEP)
        reading = self._views[0] if self._views else None
        entries = self.entries[max(0, self._first - STEP) : self._first]
        spare = 0 if self._growing else self._over(len(entries))
        again = self._views[len(self._views) - spare :]
        del self._views[len(self._views) - spare :]
        fresh = [EntryView(entry) for entry in entries[: len(entries) - spare]]
        above = place = self.query_one("#earlier", Plain)
        for view, entry in zip(again, entries[len(fresh) :], strict=True):
            view.show(entry)
            self.move_child(view, after=place)
            place = view
        self._first -= len(entries)
        self._views[:0] = [*fresh, *again]  # before the wait: another conversation may come meanwhile
        await self.mount_all(fresh, after=above)
        self._show_marks()
        self.call_after_refresh(self._stay_at, reading, top=True)

    async def _show_later(self) -> None:
        reading = self._views[-1] if self._views else None
        end = self._first + len(self._views)
        entries = self.entries[end : end + STEP]
        again = self._views[: self._over(len(entries))]
        del self._views[: len(again)]
        self._first += len(again)
        for view, entry in zip(again, entries[: len(again)], strict=True):
            view.show(entry)
            self.move_child(view, after=self._views[-1])
            self._views.append(view)
        fresh = [EntryView(entry) for entry in entries[len(again) :]]
        self._views += fresh
        await self.mount_all(fresh)
        self._show_marks()
        self.call_after_refresh(self._stay_at, reading, top=False)

    def _over(self, more: int) -> int:
        """How many widgets are there to show other entries when there are to be `more`."""
        return min(more, max(0, len(self._views) + more - MOST))

    def _stay_at(self, view: EntryView | None, *, top: bool) -> None:
        if view is not None and self._moving:
            region = view.virtual_region
            self.scroll_to(y=region.y if top else region.bottom - self.size.height, animate=False)
        self._moving = False
