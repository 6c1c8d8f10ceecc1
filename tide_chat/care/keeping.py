"""Where check-ins and own texts are kept: two small protocols, and what forgets everything when the app closes.

An encrypted store fulfils the same protocols; this module knows none. Both may raise TideError or OSError.
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

Value = TypeVar("Value")
Other = TypeVar("Other")


class Paper(StrEnum):
    """The texts that a person writes, each kept under its name."""

    PLAN = "plan"  # JSON of a SafetyPlan
    CALM_PLACE = "calm_place"
    WHERE_I_AM = "where_i_am"
    CONTACTS = "contacts"  # a person a line
    ASK = "ask"  # "yes": ask 0 to 10 before and after a tool


PAPER_HINTS = {  # what one could write
    Paper.CALM_PLACE: "A place, real or made up. What there is to see, hear and feel, in your own words.",
    Paper.WHERE_I_AM: "A line or two to read when now is far away. Where you live now, who is near, what is different.",
    Paper.CONTACTS: "One person a line, and after a colon how to reach them. For example: Maria, my sister: 555 0100",
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
KEPT = "Kept in your encrypted history, on this computer only."


@dataclass(frozen=True, slots=True)
class Care:
    """What the tools keep, and where. kept: whether it outlives the app."""

    journal: Journal = field(default_factory=MemoryJournal)
    papers: Papers = field(default_factory=MemoryPapers)
    kept: bool = False

    @property
    def where(self) -> str:
        """One line that a screen shows wherever something is written."""
        return KEPT if self.kept else UNKEPT

    def plan(self) -> SafetyPlan:
        return SafetyPlan.loads(self.papers.get(Paper.PLAN))

    def plan_in_short(self) -> str:
        """What the cards show; empty without a plan."""
        return self.plan().brief()

    def keep_plan(self, plan: SafetyPlan) -> None:
        self.papers.put(Paper.PLAN, "" if plan.empty else plan.dumps())

    def contacts(self) -> tuple[Contact, ...]:
        return parse(self.papers.get(Paper.CONTACTS))

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
