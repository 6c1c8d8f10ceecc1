"""A draft to bring to a clinician: what was noted, and room for one's own words. Holds nothing of any conversation."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from tide_chat.care import today, weeks
from tide_chat.care.checkin import CheckIn
from tide_chat.wording import say

TITLE = "For my clinician"
_NO_SCALE = (
    "The numbers run from 0 (quiet) to 10 (the most I can imagine). I chose them myself in a program. "
    "They are no clinical scale."
)
OWN = (
    "What I would like to say first",
    "What was hard",
    "What helped, also outside of this program",
    "Sleep, medicine, changes since last time",
    "What I would like to ask",
)


def draft(check_ins: Sequence[CheckIn], now: datetime, own: Mapping[str, str] = MappingProxyType({})) -> str:
    """Markdown that reads well as it is. The person changes and cuts it before it goes anywhere.

    own: what was already written below the titles of `OWN`.
    """
    parts = [
        f"# {say(TITLE)}",
        say("Written on {day}.").format(day=today.day(now)),
        *(f"## {say(title)}\n\n{own.get(title) or '...'}" for title in OWN),
    ]
    if check_ins:
        by_week = "\n".join(f"- {week.words}" for week in weeks.weeks(check_ins))
        parts += [f"## {say('Check-ins by week')}", say(_NO_SCALE), by_week]
    if found := weeks.effects(check_ins):
        parts += [f"## {say('Before and after a tool')}", "\n".join(f"- {effect.words}" for effect in found)]
    return "\n\n".join(parts) + "\n"
