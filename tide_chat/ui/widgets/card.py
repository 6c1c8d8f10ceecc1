"""Pinned cards: authored text and help lines that stay until the user puts them away. Streaming never touches them."""

import re

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Digits

from tide_chat.safety.cards import Card, HelpLine
from tide_chat.ui.widgets.plain import Plain, PlainButton
from tide_chat.wording import say

_DIALLED = re.compile(r"[\d +\-]{2,16}")


def line_content(line: HelpLine) -> Content:
    """A help line in words: what to do and the number, then who answers and when."""
    rest = "".join(f" · {part}" for part in (line.name, line.hours, line.note) if part)
    return Content.assemble((f"{line.reach[0].upper()}{line.reach[1:]}", "bold $accent"), rest)


class HelpLineView(Vertical):
    """A help line. Where there is room the number stands in tall digits as well."""

    def __init__(self, line: HelpLine, *, tall: bool = False) -> None:
        super().__init__(classes="help-line")
        self.line = line
        self.tall = tall and _DIALLED.fullmatch(line.number) is not None

    def compose(self) -> ComposeResult:
        if self.tall:
            yield Digits(self.line.number, classes="tall-number")
        yield Plain(line_content(self.line))


class Choice(PlainButton):
    """Something one could do now."""

    def __init__(self, text: str) -> None:
        super().__init__(f"› {text}", classes="choice")
        self.choice = text


class CardView(Vertical):
    """One card."""

    def __init__(self, card: Card) -> None:
        super().__init__(classes="card")
        self.card = card

    def compose(self) -> ComposeResult:
        yield Plain(Content.assemble((self.card.title, "bold")), classes="card-title")
        if self.card.plan and not self.card.urgent:
            yield Plain(Content(self.card.plan), classes="card-plan")
        for index, line in enumerate(self.card.lines):
            yield HelpLineView(line, tall=index == 0)
        if self.card.plan and self.card.urgent:
            yield Plain(Content(self.card.plan), classes="card-plan")
        yield Plain(Content(self.card.body), classes="card-body")
        for choice in self.card.choices:
            yield Choice(choice)
        if self.card.footnote:
            yield Plain(Content(self.card.footnote), classes="card-foot")
        yield PlainButton(say("Put this card away (Ctrl+G)"), classes="put-away")


class CardDeck(VerticalScroll):
    """The pinned cards, the newest on top; of those that came together the first. Hidden while there are none."""

    class Chosen(Message):
        """The user picked a choice of a card."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class PutAway(Message):
        """The user put a card away."""

        def __init__(self, card: Card) -> None:
            super().__init__()
            self.card = card

    def __init__(self) -> None:
        super().__init__(id="deck")
        self.cards: list[Card] = []
        self.display = False
        self._read = False  # something was said since the newest came
        self.name_keys()

    def name_keys(self) -> None:
        """On the frame, in the language in use."""
        self.border_subtitle = say("F3 to read on · Ctrl+G puts it away")

    def pin(self, card: Card, below: int = 0) -> None:
        """Show a card on top, or below that many that came with it; the same card is not shown twice."""
        if all(other.id != card.id for other in self.cards):
            self._read = False
            self._fit()
        self._drop(card)
        self.cards.insert(below, card)
        after = [view for view in self.query(CardView) if view.card in self.cards[below + 1 :]]
        self.mount(CardView(card), before=after[0] if after else None)
        self.display = True
        self.scroll_home(animate=False)

    def make_room(self) -> None:
        """The cards were there to be read, and the talk goes on: title and numbers stay, where rows are few.

        Focused they are whole again. Cards whose emergency number comes first stay as they are.
        """
        self._read = not any(card.urgent for card in self.cards)
        self._fit()

    def _fit(self) -> None:
        seen = self._read and not self.has_focus_within
        self.set_class(seen, "-seen")
        if seen:
            self.scroll_home(animate=False)

    @on(events.Focus)
    @on(events.Blur)
    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _entered_or_left(self) -> None:
        self._fit()

    def put_away(self, card: Card | None = None) -> None:
        """Put away one card, or the top one."""
        card = card or (self.cards[0] if self.cards else None)
        if card is None:
            return
        self._drop(card)
        self.display = bool(self.cards)
        self.post_message(self.PutAway(card))

    def _drop(self, card: Card) -> None:
        self.cards = [other for other in self.cards if other.id != card.id]
        for view in self.query(CardView):
            if view.card.id == card.id:
                view.remove()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if isinstance(event.button, Choice):
            self.post_message(self.Chosen(event.button.choice))
            return
        view = next(node for node in event.button.ancestors if isinstance(node, CardView))
        self.put_away(view.card)
