"""One way to reach a person. Knows no country and no card."""

from dataclasses import dataclass

from tide_chat import wording

# What one does with a number. The words around it differ between languages, so it stands in them.
_HOW = {"call": "call {number}", "text": "text {number}", "chat": "chat {number}", "open": "open {number}"}


@dataclass(frozen=True, slots=True)
class HelpLine:
    """One way to reach a person. `number` is what to dial or text, exactly as shown."""

    name: str
    number: str
    how: str = "call"  # call, text, chat, open
    hours: str = ""
    note: str = ""

    @property
    def reach(self) -> str:
        """`call 988`, as a sentence says it."""
        return wording.say(_HOW[self.how]).replace("{number}", self.number)
