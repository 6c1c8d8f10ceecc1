"""Authored cards. The text itself lives in `cards_data/`; this module only finds and fills it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HelpLine:
    """One way to reach a person. `number` is what to dial or text, exactly as shown."""

    name: str
    number: str
    how: str = "call"  # call, text, chat
    hours: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """An authored card: shown as it is, in any front end. `body` is plain paragraphs separated by blank lines."""

    id: str  # t2, t3, t4, or a flag
    title: str
    body: str
    lines: tuple[HelpLine, ...] = ()
    choices: tuple[str, ...] = ()  # things one could do now, offered and never ordered
    footnote: str = ""  # that numbers may have changed
