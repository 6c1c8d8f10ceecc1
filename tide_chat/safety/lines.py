"""One way to reach a person. Standard library only; knows no country and no card."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HelpLine:
    """One way to reach a person. `number` is what to dial or text, exactly as shown."""

    name: str
    number: str
    how: str = "call"  # call, text, chat, open
    hours: str = ""
    note: str = ""
