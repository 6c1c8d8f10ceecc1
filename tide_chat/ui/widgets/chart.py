"""Check-ins as points over days, drawn by plotext. Two colours only, those of the text, so that every theme fits."""

from collections.abc import Sequence
from datetime import date, timedelta

from textual_plotext import PlotextPlot

from tide_chat.care.checkin import HIGHEST, CheckIn
from tide_chat.care.today import short_day

TICKS = 4  # dates below the plot
SHORTEST = 7  # days that the plot spans at least


class Chart(PlotextPlot):
    """A point for each check-in; 0 to 10 upwards, days to the right."""

    def __init__(self, check_ins: Sequence[CheckIn]) -> None:
        super().__init__(id="chart")
        self._check_ins = check_ins
        self.theme = "clear"

    def on_mount(self) -> None:
        first = min(one.at for one in self._check_ins).date()
        days = [(one.at.date() - first).days + (one.at.hour * 60 + one.at.minute) / 1440 for one in self._check_ins]
        last = max(SHORTEST, int(max(days)) + 1)
        self.plt.scatter(days, [one.level for one in self._check_ins], marker="●", color="default")
        self.plt.ylim(0, HIGHEST)
        self.plt.yticks([0, 5, HIGHEST])
        self.plt.xlim(0, last)
        at, labels = _ticks(first, last)
        self.plt.xticks(at, labels)


def _ticks(first: date, last: int) -> tuple[list[float], list[str]]:
    """Days from the first on, and their names."""
    step = max(1, last // TICKS)
    days = range(0, last + 1, step)
    return [float(day) for day in days], [_short(first + timedelta(days=day)) for day in days]


def _short(day: date) -> str:
    """`26 Nov`."""
    number, *_, month = short_day(day).split()
    return f"{number} {month[:3]}"
