"""A long list to choose from, of which only what is in sight is read: ten thousand rows cost what fifty do.

Rows have the same height and come from a function, page by page. Knows nothing of what they stand for.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from tide_chat.errors import TideError
from tide_chat.wording import say

PAGE, PAGES = 50, 20  # rows read at once, pages remembered
LOST = "This could not be read."


@dataclass(frozen=True, slots=True)
class Row:
    """One entry: what it stands for, a line that names it, and what is below it. at: a place in what it stands for."""

    key: int
    name: str
    text: Content
    at: int | None = None


Fetch = Callable[[int, int], Sequence[Row]]  # how many at most, from which one on; may raise TideError


class Rows(ScrollView):
    """Moved by whoever has the keys. The highlighted row is marked by style and by a sign before its name."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--row", "rows--highlighted"}
    ALLOW_SELECT = False
    can_focus = False

    highlighted: reactive[int] = reactive(0)

    class Chosen(Message):
        """A row was clicked."""

    class Failed(Message):
        """Rows could not be read."""

        def __init__(self, error: TideError) -> None:
            super().__init__()
            self.error = error

    def __init__(self) -> None:
        super().__init__(id="rows")
        self.total, self._height = 0, 2
        self._fetch: Fetch = lambda _limit, _first: ()
        self._pages: OrderedDict[int, Sequence[Row]] = OrderedDict()
        self._drawn: dict[int, list[Strip]] = {}  # while it is drawn
        self._broken = False
        self.auto_links = False  # there are none, and looking for them takes a third of the drawing

    def show(self, total: int, fetch: Fetch, *, height: int = 2, at: int = 0) -> None:
        """Other rows. height: lines of each. at: the one that is highlighted."""
        self.total, self._fetch, self._height = total, fetch, height
        self._pages.clear()
        self._broken = False
        self.virtual_size = Size(0, total * height)
        if self.virtual_size.height > self.app.size.height:
            self.show_vertical_scrollbar = True  # known before it has a place: what comes later moves every line
        self.highlighted = max(0, min(at, total - 1))
        self._in_sight()
        self.refresh()

    @property
    def chosen(self) -> Row | None:
        """The highlighted row."""
        return self._row(self.highlighted)

    def move(self, by: int) -> None:
        """Up or down by so many rows, as far as there are any."""
        self.highlighted = max(0, min(self.highlighted + by, self.total - 1))

    @property
    def page(self) -> int:
        """Rows in sight."""
        return max(1, self.size.height // self._height)

    def watch_highlighted(self) -> None:
        self._in_sight()
        self.refresh()

    def _in_sight(self) -> None:
        region = Region(0, self.highlighted * self._height, 1, self._height)
        self.scroll_to_region(region, animate=False, force=True)

    def on_resize(self) -> None:
        self._in_sight()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        index = (event.y + round(self.scroll_y)) // self._height
        if 0 <= index < self.total:
            self.highlighted = index
            self.post_message(self.Chosen())

    def render_lines(self, crop: Region) -> list[Strip]:
        """A row is drawn once for all its lines in sight. Nothing drawn is kept here."""
        try:
            return super().render_lines(crop)
        finally:
            self._drawn.clear()

    def render_line(self, y: int) -> Strip:
        index, line = divmod(y + round(self.scroll_y), self._height)
        if index not in self._drawn:
            self._drawn[index] = self._draw(index, self.scrollable_content_region.width)
        return self._drawn[index][line]

    def _draw(self, index: int, width: int) -> list[Strip]:
        """All lines of a row."""
        row = self._row(index)
        if row is None or width < 1:
            return [Strip.blank(max(0, width), self.rich_style)] * self._height
        names = ("rows--row", "rows--highlighted") if index == self.highlighted else ("rows--row",)
        style = self.get_visual_style(*names)
        mark = "› " if index == self.highlighted else "  "
        name = Content(f"{mark}{row.name}").truncate(width, ellipsis=True)
        edge = Strip.blank(2, style.rich_style)
        below = [Strip.join([edge, one]) for one in Visual.to_strips(self, row.text, max(1, width - 2), None, style)]
        lines = [*Visual.to_strips(self, name, width, None, style)[:1], *below][: self._height]
        lines += [edge] * (self._height - len(lines))
        return [line.crop(0, width).extend_cell_length(width, style.rich_style) for line in lines]

    def _row(self, index: int) -> Row | None:
        if not 0 <= index < self.total:
            return None
        number, offset = divmod(index, PAGE)
        rows = self._page_of(number)
        return rows[offset] if offset < len(rows) else Row(-1, say(LOST), Content(""))

    def _page_of(self, number: int) -> Sequence[Row]:
        if number not in self._pages:
            self._pages[number] = self._read(number)
            while len(self._pages) > PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(number)
        return self._pages[number]

    def _read(self, number: int) -> Sequence[Row]:
        try:
            return self._fetch(PAGE, number * PAGE)
        except TideError as error:
            if not self._broken:
                self._broken = True
                self.post_message(self.Failed(error))
            return ()
