"""Somebody who types at `plain`, and a session whose model says what a test wants."""

from collections import deque

from tide_chat.commands.line_input import LineInput
from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.errors import ModelNotFound
from tide_chat.turn import Companion


class Typed(LineInput):
    """Lines in order; an exception is raised at the prompt. Keeps what was offered to be changed."""

    def __init__(self, *typed: str | BaseException, interactive: bool = True) -> None:
        self.typed = deque(typed)
        self.interactive = interactive
        self.drafts: list[str] = []
        self.forgotten = 0
        self._readline = None

    def _line(self, prompt: str, draft: str = "") -> str:
        self.drafts.append(draft)
        if not self.typed:
            raise EOFError
        line = self.typed.popleft()
        if isinstance(line, BaseException):
            raise line
        return line

    def forget(self) -> None:
        self.forgotten += 1


class Room:
    """A session on a scripted engine; `other` is a second model."""

    def __init__(self, *replies: str | Exception) -> None:
        self.engine = ScriptedEngine(replies)
        self.companion = Companion(self.engine, country="US")

    def described(self) -> str:
        return "Model: scripted."

    def use(self, name: str) -> str:
        if name != "other":
            raise ModelNotFound(f"There is no model {name}.")
        return "other: the model you chose"
