"""What `ask` and `plain` share: a turn read in a worker thread, Ctrl+C that stops the reply, cards as plain text.

Knows neither the engine nor the words that are said.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Protocol

from tide_chat.engine.base import Cancel
from tide_chat.events import Event
from tide_chat.messages import Conversation
from tide_chat.profile import Profile
from tide_chat.safety.assessment import Assessment
from tide_chat.safety.cards import Card
from tide_chat.safety.lines import HelpLine
from tide_chat.wording import say


class Talk(Protocol):
    """What the line commands need of the companion. The iterators block."""

    profile: Profile

    @property
    def conversation(self) -> Conversation: ...

    @property
    def country(self) -> str | None: ...

    @property
    def pinned_cards(self) -> Sequence[Card]: ...

    @property
    def newest(self) -> Assessment | None: ...

    def reply(self, text: str, cancel: Cancel) -> Iterator[Event]: ...

    def again(self, cancel: Cancel) -> Iterator[Event]: ...

    def take_back(self) -> str: ...

    def take_out(self) -> tuple[str, str]: ...

    def clear(self) -> None: ...

    def reminder(self) -> str | None: ...


Start = Callable[[Cancel], Iterator[Event]]
_JOIN_S = 2.0  # how long leaving may wait for a turn to notice that it was cancelled


class Quiet:
    """Nothing was heard for a while."""


class _End:
    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def read(start: Start, *, quiet_after: float | None = None) -> Iterator[Event | Quiet]:
    """The events of a turn. Ctrl+C cancels the turn, which then ends by itself; a second Ctrl+C raises.

    quiet_after: seconds without an event after which a Quiet is given, again and again.
    """
    cancel = Cancel()
    queue: SimpleQueue[Event | _End] = SimpleQueue()
    worker = threading.Thread(target=_work, args=(start, cancel, queue.put), daemon=True)
    with _interrupt_cancels(cancel):
        worker.start()
        try:
            yield from _drain(queue, quiet_after)
        finally:
            cancel.set()
            worker.join(_JOIN_S)


def _work(start: Start, cancel: Cancel, put: Callable[[Event | _End], None]) -> None:
    try:
        for event in start(cancel):
            put(event)
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that reads
        put(_End(error))
    else:
        put(_End())


def _drain(queue: "SimpleQueue[Event | _End]", quiet_after: float | None) -> Iterator[Event | Quiet]:
    while True:
        try:
            item = queue.get(timeout=quiet_after)
        except Empty:
            yield Quiet()
            continue
        if not isinstance(item, _End):
            yield item
        elif item.error:
            raise item.error
        else:
            return


@contextlib.contextmanager
def _interrupt_cancels(cancel: Cancel) -> Iterator[None]:
    """The handler runs in the main thread, which never holds a lock of the turn: that one is in the worker."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Trimmed:
    """A streamed text without the blanks at its end: those are held until more follows."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        whole = self._held + text
        shown = whole.rstrip()
        self._held = whole[len(shown) :]
        return shown


def card_text(card: Card) -> str:
    """A card as paragraphs, without borders. Where it is urgent the numbers come before the words."""
    lines = "\n".join(map(line_text, card.lines))
    parts = [card.title, lines, card.plan, card.body] if card.urgent else [card.title, card.plan, card.body, lines]
    if card.choices:
        parts.append("\n".join(f"- {choice}" for choice in card.choices))
    return "\n\n".join(part.strip() for part in [*parts, card.footnote] if part.strip())


def line_text(line: HelpLine) -> str:
    """`Name: call 116 123 (day and night)`, the words a screen reader should say."""
    reach = f"{line.name}: {line.reach}"
    extra = ", ".join(part for part in (line.hours, line.note) if part)
    return f"{reach} ({extra})" if extra else reach


def help_text(country: str | None) -> str:
    """Where people can be reached, the emergency number first."""
    from tide_chat.safety import helplines

    lines = "\n".join(map(line_text, helplines.overview(country)))
    return f"{say('Where to find help now')}\n\n{lines}\n\n{helplines.footnote(country)}"
