"""Runs one turn at a time in a worker thread, which only posts messages. Used from the app's thread alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from textual.message import Message
from textual.widget import Widget

from tide_chat.engine.base import Cancel
from tide_chat.errors import TideError
from tide_chat.events import Event, Stage
from tide_chat.ui.messages import TurnEnded, TurnEvent
from tide_chat.ui.ports import Talk


@dataclass(slots=True)
class Turn:
    """A turn that runs. `text` is what the user sent, empty when only the answer is made again."""

    number: int
    text: str
    cancel: Cancel = field(default_factory=Cancel)
    stage: Stage | None = None
    wrote: bool = False  # something of the reply, or a card, is on the screen
    cards: int = 0  # that came together just now, the gravest first
    error: TideError | None = None
    give_back: bool = False  # the user wants the waiting message back


class Turns:
    """Starts and stops turns."""

    def __init__(self, host: Widget, talk: Talk) -> None:
        self._host = host
        self._talk = talk
        self._count = 0
        self.running: Turn | None = None
        self.held = False  # another conversation is being opened: nothing may be said into either

    def reply(self, text: str) -> None:
        self._start(text, lambda cancel: self._talk.reply(text, cancel))

    def again(self) -> None:
        self._start("", self._talk.again)

    def stop(self) -> bool:
        """Ask the running turn to stop. Returns whether it was asked just now."""
        turn = self.running
        if turn is None or turn.cancel.is_set():
            return False
        turn.give_back = bool(turn.text) and not turn.wrote and turn.stage in (None, Stage.WAITING)
        turn.cancel.set()
        return True

    def owns(self, number: int) -> bool:
        return self.running is not None and self.running.number == number

    def _start(self, text: str, events: Callable[[Cancel], Iterator[Event]]) -> None:
        self._count += 1
        turn = self.running = Turn(self._count, text)
        number, cancel, post = turn.number, turn.cancel, self._host.post_message
        self._host.run_worker(lambda: _drain(number, lambda: events(cancel), post), name="turn", thread=True)


def _drain(number: int, events: Callable[[], Iterator[Event]], post: Callable[[Message], bool]) -> None:
    """The worker: read the pipeline to its end. An unforeseen failure ends the turn, not the app, and is shown."""
    error: TideError | None = None
    try:
        for event in events():
            post(TurnEvent(number, event))
    except TideError as problem:
        error = problem
    except Exception as problem:  # noqa: BLE001 - shown in words below, and the conversation goes on
        error = TideError("Something in the program went wrong.", details=f"{type(problem).__name__}: {problem}")
    post(TurnEnded(number, error))
