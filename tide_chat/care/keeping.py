"""Where check-ins and own texts are kept: two small protocols, and what forgets everything when the app closes.

`store.care` fulfils the same protocols in the encrypted file; this module knows no store. Both may raise TideError or
OSError.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from tide_chat.care import today
from tide_chat.care.checkin import CheckIn
from tide_chat.care.contacts import Contact, parse
from tide_chat.care.plan import SafetyPlan
from tide_chat.care.tools import Tool
from tide_chat.errors import TideError
from tide_chat.terminal import neutral
from tide_chat.wording import say

Value = TypeVar("Value")
Other = TypeVar("Other")


class Paper(StrEnum):
    """The texts that a person writes, each kept under its name."""

    PLAN = "plan"  # JSON of a SafetyPlan
    CALM_PLACE = "calm_place"
    WHERE_I_AM = "where_i_am"
    CONTACTS = "contacts"  # a person a line
    ASK = "ask"  # "yes": ask 0 to 10 before and after a tool
    ABOUT_ME = "about_me"  # what a conversation may begin with
    CARRY = "carry"  # "yes": it does


PAPER_HINTS = {  # what one could write
    Paper.CALM_PLACE: "A place, real or made up. What there is to see, hear and feel, in your own words.",
    Paper.WHERE_I_AM: "A line or two to read when now is far away. Where you live now, who is near, what is different.",
    Paper.CONTACTS: "One person a line, and after a colon how to reach them. For example: Maria, my sister: 555 0100",
    Paper.ABOUT_ME: "A few lines, in your own words: what to call you, who matters, what you are in the middle of. "
    "What you would not want to be reminded of can stay out.",
}


class Journal(Protocol):
    """Check-ins."""

    def add(self, check_in: CheckIn) -> None: ...

    def read(self) -> Sequence[CheckIn]:
        """All of them, oldest first."""
        ...

    def clear(self) -> None: ...


class Papers(Protocol):
    """Own texts. One that is not there is empty; putting an empty one removes it."""

    def get(self, name: Paper) -> str: ...

    def put(self, name: Paper, text: str) -> None: ...


@dataclass(slots=True)
class MemoryJournal:
    """Check-ins until the app closes."""

    check_ins: list[CheckIn] = field(default_factory=list)

    def add(self, check_in: CheckIn) -> None:
        self.check_ins.append(check_in)

    def read(self) -> Sequence[CheckIn]:
        return tuple(sorted(self.check_ins, key=lambda one: one.at))

    def clear(self) -> None:
        self.check_ins.clear()


@dataclass(slots=True)
class MemoryPapers:
    """Own texts until the app closes."""

    texts: dict[Paper, str] = field(default_factory=dict)

    def get(self, name: Paper) -> str:
        return self.texts.get(name, "")

    def put(self, name: Paper, text: str) -> None:
        self.texts[name] = text
        if not text:
            del self.texts[name]


UNKEPT = "Nothing here is kept: it is gone when you leave."
LOCKED = "Your history is not open, so nothing here is kept: it is gone when you leave."
KEPT = "Kept in your encrypted history, on this computer only."


@dataclass(slots=True)
class Care:
    """What the tools keep, and where. kept: it outlives the app. locked: it would, if the history were open."""

    journal: Journal = field(default_factory=MemoryJournal)
    papers: Papers = field(default_factory=MemoryPapers)
    kept: bool = False
    locked: bool = False

    def keep_in(self, journal: Journal, papers: Papers) -> None:
        """From now on things are kept there. What was written so far moves along; no text takes another's place.

        Raises TideError or OSError; then the rest stays here, and nothing is moved twice when it is tried again.
        """
        if self.papers.get(Paper.ABOUT_ME) and not papers.get(Paper.ABOUT_ME):
            papers.put(Paper.CARRY, self.papers.get(Paper.CARRY))  # the choice belongs to the text, and goes before it
        for name in Paper:
            if name is not Paper.CARRY and (text := self.papers.get(name)) and not papers.get(name):
                papers.put(name, text)
        while waiting := self.journal.read():
            journal.add(waiting[0])
            self.journal = MemoryJournal(list(waiting[1:]))
        self.journal, self.papers, self.kept, self.locked = journal, papers, True, False

    def keep_nothing(self, *, locked: bool) -> None:
        """From now on nothing is kept, and what was kept elsewhere is out of sight."""
        if self.kept:
            self.journal, self.papers, self.kept = MemoryJournal(), MemoryPapers(), False
        self.locked = locked

    @property
    def where(self) -> str:
        """One line that a screen shows wherever something is written."""
        if self.kept:
            return say(KEPT)
        return say(LOCKED) if self.locked else say(UNKEPT)

    def plan(self) -> SafetyPlan:
        return SafetyPlan.loads(self.papers.get(Paper.PLAN))

    def plan_in_short(self) -> str:
        """What the cards show; empty without a plan."""
        return self.plan().brief()

    def keep_plan(self, plan: SafetyPlan) -> None:
        self.papers.put(Paper.PLAN, "" if plan.empty else plan.dumps())

    def contacts(self) -> tuple[Contact, ...]:
        return parse(self.papers.get(Paper.CONTACTS))

    def about_me(self) -> str:
        """What the person wrote for this."""
        return self.papers.get(Paper.ABOUT_ME).strip()

    @property
    def carries(self) -> bool:
        """Whether a conversation begins with it. Off until the person switches it on."""
        return self.papers.get(Paper.CARRY) == "yes"

    def carry(self, wanted: bool) -> None:
        self.papers.put(Paper.CARRY, "yes" if wanted else "")

    def carried(self) -> str:
        """What a conversation may begin with; empty unless it was written and switched on."""
        return self.about_me() if self.carries else ""

    def filled(self, tool: Tool, now: datetime) -> Tool:
        """`tool` with the person's own words, where they can be read, and with the day and the time."""
        own = or_else(lambda: self.papers.get(Paper(tool.paper)), "") if tool.paper else ""
        return tool.filled(neutral(own), day=today.day(now), time=today.time(now))

    @property
    def asks(self) -> bool:
        """Whether 0 to 10 is asked before and after a tool."""
        return self.papers.get(Paper.ASK) == "yes"

    def ask(self, wanted: bool) -> None:
        self.papers.put(Paper.ASK, "yes" if wanted else "")


def or_else(read: Callable[[], Value], otherwise: Other) -> Value | Other:
    """What `read` gives, or `otherwise` where what was kept cannot be read: a tool is there all the same."""
    try:
        return read()
    except (TideError, OSError):
        return otherwise
