"""The day and the time in words, as the computer's clock has them. Guesses no place."""

from datetime import date, datetime

from tide_chat.wording import say

_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MONTHS = "January February March April May June July August September October November December".split()
_PARTS = ((5, "at night"), (12, "in the morning"), (18, "in the afternoon"), (22, "in the evening"), (24, "at night"))


def now() -> datetime:
    """The computer's clock, with its zone."""
    return datetime.now().astimezone()


def day(now: date) -> str:
    """`Thursday, 26 November 2026`, in any locale of the system."""
    words = say("{weekday}, {day} {year}")
    return words.format(weekday=say(_DAYS[now.weekday()]), day=short_day(now), year=now.year)


def with_year(day: date) -> str:
    """`26 November 2026`."""
    return say("{day} {year}", day=short_day(day), year=day.year)


def short_day(now: date) -> str:
    """`26 November`."""
    return say("{number} {month}").format(number=now.day, month=say(_MONTHS[now.month - 1]))


def time(now: datetime) -> str:
    """`21:40, in the evening`."""
    part = next(words for until, words in _PARTS if now.hour < until)
    return f"{now:%H:%M}, {say(part)}"
