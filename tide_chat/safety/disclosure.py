"""What this program says about itself unasked: the first screen, and reminders during long use.

The first screen comes once a day; after seven days' absence it says so. Knows no tier and no model. When the day of
acceptance cannot be written down (a read-only home), it is asked again.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from tide_chat import atomic, paths, wording
from tide_chat.safety import helplines
from tide_chat.safety.cards import HelpLine

REMIND_S = 3 * 60 * 60  # seconds of use between two reminders
BREAK_S = 60 * 60  # seconds of use, when somebody seems to be under 18
ABSENCE = timedelta(days=7)

_FILE = "disclosure-accepted"

_TEXT = """\
{title}

This is a program, not a person. It has no feelings and it can be wrong.
It is not care and does not replace a doctor, a clinician or a friend.
Nobody is watching: no person reads along, and nobody will notice if you are in danger.
What you write stays on this machine and is not sent anywhere.
When you close the app it is gone, unless you keep a history.
It is for adults, 18 and over.

If you need help now
{lines}

{footnote}"""
_TITLE = "Before we begin"
_TITLE_AWAY = "It has been a week or more, so here again is what this is"

REMINDER = (
    "A quiet reminder that comes every three hours: this is a program, not a person. It can be wrong, and nobody reads "
    "along. A pause is fine at any time. The help screen has people you can reach."
)
REMINDER_MINOR = (
    "A quiet reminder: this is a program, not a person, and it was made for adults, 18 and over. This could be a good "
    "moment for a break: some water, some air, or a word with an adult you trust. The help screen has people for "
    "young people too."
)


def text(country: str | None = None, *, away: bool = False) -> str:
    """The first screen in full, with where to find help now. away: after seven days without use."""
    lines = [helplines.emergency(country), *helplines.lines_for(country, "crisis")]
    return wording.say(_TEXT).format(
        title=wording.say(_TITLE_AWAY if away else _TITLE),
        lines="\n".join(f"  {_spoken(line)}" for line in lines),
        footnote=helplines.footnote(country),
    )


def due(now: datetime | None = None, accepted_at: datetime | None = None) -> bool:
    """Whether the first screen has to be shown: not yet accepted on this calendar day, or the clock went backwards."""
    now = now or _now()
    accepted_at = accepted_at or _accepted_at()
    if accepted_at is None:
        return True
    return accepted_at.astimezone(now.tzinfo).date() != now.date()


def away(now: datetime | None = None, accepted_at: datetime | None = None) -> bool:
    """Whether seven days or more have gone by since it was accepted. It is accepted on each day of use."""
    accepted_at = accepted_at or _accepted_at()
    return accepted_at is not None and (now or _now()) - accepted_at >= ABSENCE


def accept(now: datetime | None = None) -> None:
    """Note that it was accepted. Where nothing can be written it is simply asked again next time."""
    with suppress(OSError):
        atomic.write_text(paths.state_dir() / _FILE, (now or _now()).isoformat() + "\n")


class Reminders:
    """When to say again what this is, while it is in use. `clock` counts seconds and never goes backwards."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told_at = clock()

    def due(self, *, minor: bool = False) -> str | None:
        """What is to be said now, once. minor: somebody seems to be under 18."""
        now = self._clock()
        if now - self._told_at < (BREAK_S if minor else REMIND_S):
            return None
        self._told_at = now
        return wording.say(REMINDER_MINOR if minor else REMINDER)


def _now() -> datetime:
    return datetime.now().astimezone()


def _accepted_at() -> datetime | None:
    try:
        written = (paths.state_dir() / _FILE).read_text(encoding="utf-8").strip()
        return datetime.fromisoformat(written).astimezone()
    except (OSError, ValueError, OverflowError):
        return None


def _spoken(line: HelpLine) -> str:
    extra = ", ".join(part for part in (line.hours, line.note) if part)
    return f"{line.name}: {line.reach}" + (f" ({extra})" if extra else "")
