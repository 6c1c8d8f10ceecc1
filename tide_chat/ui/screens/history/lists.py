"""The conversations that are kept, newest first, and what is found in them; the turns of one, to copy it up to one."""

from collections.abc import Sequence
from typing import ClassVar

from rich.console import RenderableType
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from tide_chat.care import today
from tide_chat.errors import TideError
from tide_chat.messages import Role
from tide_chat.store.archive import Archive
from tide_chat.store.values import Hit, Kept, Summary
from tide_chat.terminal import neutral
from tide_chat.ui.screens.care.panel import problem
from tide_chat.ui.screens.history.choices import OF_NONE, Choice, ChoicesScreen
from tide_chat.ui.screens.history.side import SideList
from tide_chat.ui.widgets.entries import PROGRAM, YOU
from tide_chat.ui.widgets.rows import Row
from tide_chat.wording import say, say_count

PAUSE_S = 0.15  # without a key, before what was typed is looked for
MOST = 200  # messages found that are listed
BLANK = dict.fromkeys((*range(32), *range(127, 160)), " ")  # instead of signs that could drive the terminal
NONE_YET = "Nothing is kept yet. Your next message begins the first one."


class HistoryScreen(SideList):
    """All conversations, or the messages in which the words occur. Made once: that takes longer than to show it.

    Between two times that it is shown it holds nothing of the history.
    """

    title_text = "Your history"
    placeholder = "Type to search in it"
    keys = "Enter goes on with it · Tab: name, copy, file, delete · Esc goes back · F2 find help now"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "choices", show=False, priority=True)]

    class Found(Message):
        """What a search gave, or why it gave nothing."""

        def __init__(self, typed: str, hits: Sequence[Hit], error: TideError | None) -> None:
            super().__init__()
            self.typed, self.hits, self.error = typed, hits, error

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._archive: Archive | None = None
        self._open_id: int | None = None
        self._due: Timer | None = None

    def open(self, archive: Archive, open_id: int | None) -> None:
        """What it shows when it is pushed next."""
        self._archive, self._open_id = archive, open_id
        self.stand()
        if self.is_mounted:
            self.query_one("#find", Input).value = ""
            self.list_all()

    def get_ready(self, archive: Archive) -> None:
        """Show it to nobody and close it again: what the first time needs more than another is done then."""
        if self not in self.app.screen_stack:  # else somebody was quicker
            self._archive = archive
            try:
                self.list_all()
                self._refresh_layout(self.app.size)
                self._compositor.render_strips(self.app.size)
            finally:
                self.let_go()

    def on_mount(self) -> None:
        self.list_all()

    def let_go(self) -> None:
        if self._due:
            self._due.stop()
        self._archive = None
        self.query_one("#find", Input).value = ""
        self.note("")
        self.rows.show(0, lambda _limit, _first: ())
        self.refresh()
        self.render_line(0)  # what was drawn last is kept by Textual until something else is drawn

    def render(self) -> RenderableType:
        """What is below the list; nothing while it is not shown."""
        return super().render() if self._archive else ""

    @property
    def typed(self) -> str:
        return self.query_one("#find", Input).value.strip()

    def list_all(self, at: int = 0) -> None:
        """Every conversation, windowed."""
        if (archive := self._archive) is None:
            return
        try:
            total = archive.count()
        except TideError as error:
            self.note(problem(error))
            return
        self.note("" if total else say(NONE_YET))
        opened = self._open_id
        self.rows.show(total, lambda *page: [_conversation(one, opened) for one in archive.conversations(*page)], at=at)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._due:
            self._due.stop()
        if self.typed:
            self._due = self.set_timer(PAUSE_S, self._search)
        else:
            self.list_all()

    def _search(self) -> None:
        typed, archive = self.typed, self._archive
        if archive is None:
            return

        def look() -> None:
            hits: Sequence[Hit] = ()
            error: TideError | None = None
            try:
                hits = archive.search(typed, MOST)
            except TideError as problem:
                error = problem
            self.post_message(self.Found(typed, hits, error))

        self.run_worker(look, name="search", thread=True)

    def on_history_screen_found(self, message: Found) -> None:
        if message.typed != self.typed:
            return
        hits = message.hits
        self.rows.show(len(hits), lambda limit, first: [_hit(hit) for hit in hits[first : first + limit]], height=3)
        if message.error:
            self.note(problem(message.error))
        elif not hits:
            self.note(say("Nothing was found. Every word has to occur in the same message."))
        else:
            self.note(say("The newest {count} messages that were found.", count=MOST) if len(hits) == MOST else "")

    def choose(self, row: Row) -> None:
        self.tide.go_on_with(row.key, at=row.at)

    def action_choices(self) -> None:
        row = self.rows.chosen
        of_one = row is not None and row.key >= 0
        number, name = (row.key, row.name) if row and of_one else (-1, say(self.title_text))
        screen = ChoicesScreen(name, Choice if of_one else OF_NONE)
        self.app.push_screen(screen, lambda choice: self.tide.act_on(number, choice) if choice else None)

    def again(self) -> None:
        """Show what is in the file now; the place in the list stays."""
        self._open_id = self.tide.core.history.open_id
        if self.typed:
            self._search()
        else:
            self.list_all(self.rows.highlighted)


class TurnsScreen(SideList):
    """What the person said in one conversation, newest first. A copy up to the chosen message goes on."""

    title_text = "A copy up to which message?"
    keys = "Up, Down move · Enter makes the copy and goes on with it · Esc goes back"

    def __init__(self, archive: Archive, id: int) -> None:
        super().__init__("turns")
        self._archive, self._conversation = archive, id

    def on_mount(self) -> None:
        try:
            total = self._archive.turn_count(self._conversation)
        except TideError as error:
            self.note(problem(error))
            return
        self.rows.show(total, self._page, height=3)

    def _page(self, limit: int, first: int) -> Sequence[Row]:
        return [_turn(one) for one in self._archive.turns(self._conversation, limit, first)]

    def choose(self, row: Row) -> None:
        self.tide.go_on_with(self._conversation, copy_to=row.key)


def _conversation(one: Summary, open_id: int | None) -> Row:
    parts = [_day(one), say_count(one.messages, "1 message", "{count} messages")]
    parts += [say("open now")] if one.id == open_id else []
    return Row(one.id, neutral(one.name), Content.styled(" · ".join(parts), "$text-muted"))


def _day(one: Summary) -> str:
    local = one.updated.astimezone()
    now = today.now()
    if local.date() == now.date():
        return say("today, {time}", time=f"{local:%H:%M}")
    return today.short_day(local) if local.year == now.year else today.with_year(local)


def _hit(one: Hit) -> Row:
    """The words that were found are bold and underlined, so that they stand out without colour."""
    who = say(YOU if one.role is Role.USER else PROGRAM)
    shown = Content(f"{who}: {one.snippet.text}")
    for start, end in one.snippet.spans:
        shown = shown.stylize("bold underline", start + len(who) + 2, end + len(who) + 2)
    return Row(one.conversation, neutral(one.name), _one_line(shown), one.position)


def _turn(one: Kept) -> Row:
    said = " ".join(neutral(one.message.text).split())
    return Row(one.position, f"{today.short_day(one.at.astimezone())}, {one.at.astimezone():%H:%M}", Content(said))


def _one_line(content: Content) -> Content:
    """Control signs and line ends become blanks: every place stays where it is."""
    return Content(content.plain.translate(BLANK), spans=list(content.spans))
