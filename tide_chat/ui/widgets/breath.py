"""A breath that can be seen: a disc that grows and shrinks. A pure function draws it; it reads no clock."""

from textual.content import Content

from tide_chat.care.breathing import Moment
from tide_chat.ui.widgets.plain import Plain

ROWS = 9  # of the screen; each holds two rows of dots
SMALLEST = 0.22  # what is left of the disc when the breath is out


def disc(fullness: float, rows: int = ROWS) -> tuple[str, ...]:
    """Lines of half blocks, twice as wide as high. fullness: 0 to 1."""
    radius = rows * (SMALLEST + (1 - SMALLEST) * max(0.0, min(1.0, fullness)))
    return tuple("".join(_cell(column, row, rows, radius) for column in range(2 * rows)) for row in range(rows))


def _cell(column: int, row: int, rows: int, radius: float) -> str:
    upper, lower = (_inside(column, 2 * row + half, rows, radius) for half in (0, 1))
    return {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}[upper, lower]


def _inside(column: int, dot: int, rows: int, radius: float) -> bool:
    """Dots are square: a cell is one wide and two high."""
    return (column + 0.5 - rows) ** 2 + (dot + 0.5 - rows) ** 2 <= radius**2


class Breath(Plain):
    """The disc and the words below it. Drawn again only when one of them is another."""

    _shown: tuple[str, str] | None = None

    def show(self, moment: Moment, rows: int = ROWS) -> None:
        shape, words = "\n".join(disc(moment.fullness, rows)), f"\n\n{moment.words} · {moment.left}"
        if (shape, words) != self._shown:
            self._shown = (shape, words)
            self.update(Content.assemble((shape, "$primary"), words))
