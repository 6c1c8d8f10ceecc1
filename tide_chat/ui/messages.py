"""What worker threads post to the app. Frozen values in Textual messages; handlers own all state."""

from textual.message import Message

from tide_chat.engine.supervisor import EngineState
from tide_chat.errors import TideError
from tide_chat.events import Event


class TurnEvent(Message):
    """An event of a running turn. `turn` tells a late event of an earlier turn from one of this."""

    def __init__(self, turn: int, event: Event) -> None:
        super().__init__()
        self.turn = turn
        self.event = event


class TurnEnded(Message):
    """The turn's worker is done; `error` when it could not finish."""

    def __init__(self, turn: int, error: TideError | None = None) -> None:
        super().__init__()
        self.turn = turn
        self.error = error


class EngineChanged(Message):
    """The engine's state, as its supervisor sees it."""

    def __init__(self, state: EngineState) -> None:
        super().__init__()
        self.state = state


class PullProgress(Message):
    """How far a download is, in bytes."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__()
        self.done = done
        self.total = total


class PullEnded(Message):
    """A download ended: whole, stopped by the user, or with an error."""

    def __init__(self, alias: str, *, stopped: bool = False, error: TideError | None = None) -> None:
        super().__init__()
        self.alias = alias
        self.stopped = stopped
        self.error = error


class Switched(Message):
    """Another model was asked for; `error` when it could not be."""

    def __init__(self, alias: str, error: TideError | None = None) -> None:
        super().__init__()
        self.alias = alias
        self.error = error
