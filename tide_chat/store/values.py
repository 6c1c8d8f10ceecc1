"""What the history gives and takes: frozen values, and how times and texts are kept. Knows no SQL."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tide_chat.messages import Message, Role
from tide_chat.store.search import Snippet

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TITLE, OPENING = 200, 80  # characters


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation in a list. `opening` is how its first message begins; `revision` grows with each change."""

    id: int
    title: str
    opening: str
    created: datetime
    updated: datetime
    messages: int
    revision: int

    @property
    def name(self) -> str:
        return self.title or self.opening or "(empty)"


@dataclass(frozen=True, slots=True)
class Kept:
    """A message, its place in the conversation (from 0) and when it was kept (UTC, whole milliseconds)."""

    position: int
    message: Message
    at: datetime


@dataclass(frozen=True, slots=True)
class Hit:
    """A message in which all words were found."""

    conversation: int
    name: str
    position: int
    role: Role
    at: datetime
    snippet: Snippet


@dataclass(frozen=True, slots=True)
class Record:
    """A whole conversation, for export and import."""

    title: str
    created: datetime
    messages: tuple[tuple[Message, datetime], ...]

    @property
    def touched(self) -> datetime:
        """When it last changed."""
        return max([self.created, *(at for _, at in self.messages)])


def as_title(text: str) -> str:
    """One line of at most 200 characters."""
    return " ".join(storable(text).split())[:TITLE]


def opening(text: str) -> str:
    """How a text begins, in one line, with whole words."""
    line = " ".join(text.split())
    return line if len(line) <= OPENING else f"{line[:OPENING].rpartition(' ')[0] or line[:OPENING]}…"


def storable(text: str) -> str:
    """Without NUL, at which SQL functions stop; a lone surrogate, which is no character, becomes a question mark."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def stamp(when: datetime) -> int:
    """Milliseconds since 1970 in UTC."""
    return (when - EPOCH) // timedelta(milliseconds=1)


def moment(stamp: int) -> datetime:
    return EPOCH + timedelta(milliseconds=stamp)


def iso(when: datetime) -> str:
    """ISO 8601 in UTC, with milliseconds."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
