"""Check-ins over weeks: points for a plot, weeks in words, and what was noted before and after each tool.

Says what was noted and draws no conclusion from it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from statistics import median

from tide_chat.care.checkin import CheckIn
from tide_chat.care.today import short_day
from tide_chat.care.tools import find
from tide_chat.wording import say

_TOGETHER = timedelta(hours=3)  # a number after a tool belongs to one before it no longer ago than this

NOTHING = "There are no check-ins yet. Each one becomes a point here."


@dataclass(frozen=True, slots=True)
class Week:
    """The check-ins of a week. monday: its first day, in the zone the check-ins are in."""

    monday: date
    count: int
    lowest: int
    middle: float  # the median
    highest: int

    @property
    def words(self) -> str:
        times = say("1 check-in") if self.count == 1 else say("{count} check-ins").format(count=self.count)
        first, last = self.monday, self.monday + timedelta(days=6)
        span = say("from {lowest} to {highest}").format(lowest=self.lowest, highest=self.highest)
        span = f"{self.lowest}" if self.lowest == self.highest else span
        middle = say(", middle {middle}").format(middle=f"{self.middle:g}") if self.count > 1 else ""
        days = say("{first} to {last}").format(first=short_day(first), last=short_day(last))
        return f"{days}: {times}, {span}{middle}."


@dataclass(frozen=True, slots=True)
class Effect:
    """What was noted around one tool: how many times the number was lower, the same or higher afterwards."""

    tool: str
    lower: int
    same: int
    higher: int

    @property
    def words(self) -> str:
        total = self.lower + self.same + self.higher
        times = say("once") if total == 1 else say("{total} times").format(total=total)
        parts = ((self.lower, say("lower")), (self.same, say("the same")), (self.higher, say("higher")))
        said = ", ".join(f"{count} {words}" for count, words in parts if count)
        noted = say("noted before and after {times}; afterwards {said}.").format(times=times, said=said)
        return f"{title_of(self.tool)}: {noted}"


def weeks(check_ins: Sequence[CheckIn]) -> tuple[Week, ...]:
    """The weeks in which there are check-ins, oldest first."""
    ordered = sorted(check_ins, key=lambda one: one.at)
    return tuple(_week(monday, [one.level for one in group]) for monday, group in groupby(ordered, _monday))


def effects(check_ins: Sequence[CheckIn]) -> tuple[Effect, ...]:
    """What was noted before and after each tool that was used so."""
    pairs = sorted(_pairs(check_ins))
    return tuple(_effect(tool, [change for _, change in group]) for tool, group in groupby(pairs, lambda pair: pair[0]))


def in_words(check_ins: Sequence[CheckIn]) -> tuple[str, ...]:
    """The chart for those who listen to it: a line a week, then a line a tool."""
    by_week = tuple(week.words for week in weeks(check_ins))
    return (*by_week, *(effect.words for effect in effects(check_ins))) or (say(NOTHING),)


def title_of(tool: str) -> str:
    """A tool's title; its name when there is no such tool any more."""
    try:
        return find(tool).title
    except KeyError:
        return tool


def _monday(one: CheckIn) -> date:
    day = one.at.date()
    return day - timedelta(days=day.weekday())


def _week(monday: date, levels: Sequence[int]) -> Week:
    return Week(monday, len(levels), min(levels), median(levels), max(levels))


def _pairs(check_ins: Sequence[CheckIn]) -> Iterator[tuple[str, int]]:
    before: dict[str, CheckIn] = {}
    for one in sorted(check_ins, key=lambda one: one.at):
        if one.when == "before":
            before[one.tool] = one
        elif one.when == "after" and (first := before.pop(one.tool, None)) and one.at - first.at <= _TOGETHER:
            yield one.tool, one.level - first.level


def _effect(tool: str, changes: Sequence[int]) -> Effect:
    lower, higher = sum(change < 0 for change in changes), sum(change > 0 for change in changes)
    return Effect(tool, lower, len(changes) - lower - higher, higher)
