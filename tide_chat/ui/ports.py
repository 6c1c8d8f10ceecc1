"""What the app needs from the core, as protocols, and the bundle that `run` puts together. Imports no textual.

The real parts are `turn.Companion`, `engine.supervisor.Supervisor`, `registry` and `safety`; the app sees only this.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from tide_chat.care.keeping import Care
from tide_chat.clinician.desk import Desk
from tide_chat.config import Settings
from tide_chat.engine.base import Cancel
from tide_chat.engine.supervisor import EngineState
from tide_chat.events import Event
from tide_chat.messages import Conversation
from tide_chat.profile import Profile
from tide_chat.safety.assessment import Assessment
from tide_chat.safety.cards import HelpLine
from tide_chat.safety.protocol import Block
from tide_chat.store.book import Book


class Talk(Protocol):
    """The conversation. The iterators block, so they are read from a worker thread."""

    profile: Profile  # how replies should be; may be changed at any time

    @property
    def conversation(self) -> Conversation: ...

    def reply(self, text: str, cancel: Cancel) -> Iterator[Event]: ...

    def again(self, cancel: Cancel) -> Iterator[Event]: ...

    def take_back(self) -> str: ...

    def take_out(self) -> tuple[str, str]: ...

    def clear(self) -> None: ...

    def go_on_with(self, conversation: Conversation) -> None: ...

    def look_back(self) -> None: ...

    def put_away(self, card_id: str) -> None: ...

    @property
    def newest(self) -> Assessment | None: ...

    def reminder(self) -> str | None: ...


class EnginePort(Protocol):
    """The engine in its child process, seen from outside."""

    @property
    def state(self) -> EngineState: ...

    def on_change(self, callback: Callable[[EngineState], None]) -> Callable[[], None]: ...

    def close(self) -> None: ...

    def kill(self) -> None:
        """End the engine's process at once, from any thread."""
        ...


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One line of the model picker. `where` names the host that a download would talk to."""

    alias: str
    title: str
    size: int  # bytes, 0 when unknown
    licence: str
    installed: bool
    where: str = ""
    warning: str = ""  # why it may not run here


class Shelf(Protocol):
    """Models that are here, and models that could be."""

    def rows(self) -> tuple[ModelRow, ...]: ...

    def use(self, alias: str) -> None:
        """Switch to an installed model, keeping the conversation. May block a little. Raises TideError."""
        ...

    def pull(self, alias: str, on_progress: Callable[[int, int], None], cancel: Cancel) -> None:
        """Download a model. Blocks. `on_progress` gets bytes done and bytes in all. Raises TideError."""
        ...


class Words(Protocol):
    """Authored text: the first screen, the safety protocol and the help lines of a country."""

    def disclosure(self, country: str | None) -> str: ...

    def disclosure_due(self) -> bool: ...

    def accept_disclosure(self) -> None: ...

    def protocol(self) -> tuple[Block, ...]: ...

    def help_lines(self, country: str | None) -> tuple[HelpLine, ...]: ...

    def help_footnote(self, country: str | None) -> str: ...

    def set_country(self, country: str | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Core:
    """Everything the app drives."""

    talk: Talk
    engine: EnginePort
    shelf: Shelf
    words: Words
    settings: Settings
    save_settings: Callable[[Settings], None]
    care: Care = field(default_factory=Care)  # what the care tools keep
    history: Book = field(default_factory=Book)
    desk: Desk | None = None  # what the clinician's screens ask
