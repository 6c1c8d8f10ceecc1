"""Two replies side by side, or below each other where it is narrow, rated with the keys 1 to 5.

In blind mode both are shown when both are whole, so that neither speed nor order tells who wrote what.
"""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.screen import Screen

from tide_chat.clinician.ratings import HOLDS, QUESTION, SCALE, Sitting
from tide_chat.clinician.sides import LETTERS, Answer, Comparison, Pair, Side
from tide_chat.engine.base import Cancel
from tide_chat.errors import TideError, in_words
from tide_chat.safety.cards import Card
from tide_chat.terminal import neutral
from tide_chat.ui.app import WIDTHS, TideChatApp, run_app
from tide_chat.ui.ports import Core
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.widgets.card import CardDeck
from tide_chat.ui.widgets.composer import Composer
from tide_chat.ui.widgets.plain import Plain

if TYPE_CHECKING:
    from tide_chat.compose import AppOptions

WITH_WIDE = [*WIDTHS, (100, "-wide")]  # columns from which both stand side by side
TITLE = "Compare · for role-play, with made-up words"
KEYS = "Enter sends · F2 help now · Esc ends · Ctrl+Q leaves at once"
RATING_KEYS = "1 to 5 rate · Tab, Up, Down: read on · F2 help now · Ctrl+Q leaves at once"
FIRST = "Write a message. Both models answer it."
NEXT = "Write the next message, or Esc to end."
ONCE_MORE = "Backspace: A again."


class SideView(VerticalScroll):
    """One reply below its letter. Tab moves here, to scroll."""

    def __init__(self, letter: str) -> None:
        super().__init__(classes="side")
        self.letter = letter

    def compose(self) -> ComposeResult:
        yield Plain(self.letter, classes="side-head")
        yield Plain("", classes="side-text")

    def show(self, answer: Answer | None, head: str) -> None:
        self.query_one(".side-head", Plain).update(neutral(head))
        text = neutral(answer.result.reply.strip()) if answer else ""
        problem = f"\n\n({answer.problem})" if answer and answer.problem else ""
        self.query_one(".side-text", Plain).update(Content.assemble(text, (neutral(problem), "$text-muted")))
        self.scroll_home(animate=False)


class CompareScreen(Screen[None]):
    """Message, two replies, two ratings, and again."""

    AUTO_FOCUS = "#composer"
    HORIZONTAL_BREAKPOINTS = WITH_WIDE
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "end", show=False),
        Binding("f2,ctrl+l", "help_lines", show=False, priority=True),
        Binding("f3", "card", show=False, priority=True),
        Binding("ctrl+g", "away", show=False, priority=True),
    ]

    class Answered(Message):
        """Both replies are there, or why not."""

        def __init__(self, pair: Pair | None, problem: str = "") -> None:
            super().__init__()
            self.pair = pair
            self.problem = problem

    class Told(Message):
        """How far it is."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Shown(Message):
        """A card, or words of the safety check."""

        def __init__(self, what: Card | str) -> None:
            super().__init__()
            self.what = what

    def __init__(self, comparison: Comparison, sitting: Sitting) -> None:
        super().__init__(id="compare")
        self._asked = ""
        self._cards = 0  # that came with this message, the gravest first
        self.comparison, self.sitting = comparison, sitting
        self.pair: Pair | None = None
        self.scores: list[int] = []
        self._begun = 0.0
        self._cancel: Cancel | None = None  # of what is being written

    def compose(self) -> ComposeResult:
        yield Plain(TITLE, id="title")
        yield CardDeck()
        yield Plain("", id="asked")
        with Container(id="sides"):
            yield from (SideView(letter) for letter in LETTERS)
        yield Plain(FIRST, id="hint")
        yield Composer("A message to both")
        yield Plain(KEYS, id="status")

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def rating(self) -> bool:
        return self.pair is not None and self.pair.can_be_rated and len(self.scores) < len(LETTERS)

    def hint(self, text: str) -> None:
        self.query_one("#hint", Plain).update(neutral(text))

    def on_composer_sent(self, event: Composer.Sent) -> None:
        text = neutral(event.text).strip()
        if not text or self._cancel or self.rating:
            return
        self.composer.take()
        self.pair, self.scores, self._cancel = None, [], Cancel()
        self._asked, self._cards = f"You: {text}", 0
        self.query_one("#asked", Plain).update(self._asked)
        self._show()
        cancel = self._cancel
        self.run_worker(lambda: self._ask(text, cancel), name="compare", thread=True)

    def _ask(self, text: str, cancel: Cancel) -> None:
        try:
            pair = self.comparison.answer(
                text,
                cancel,
                lambda words: self.post_message(self.Told(words)),
                lambda what: self.post_message(self.Shown(what)),
            )
            self.post_message(self.Answered(pair))
        except TideError as error:
            self.post_message(self.Answered(None, error.short))

    def on_compare_screen_told(self, event: Told) -> None:
        self.hint(f"{event.words} Esc stops.")

    def on_compare_screen_shown(self, event: Shown) -> None:
        """Before any reply, as in the app."""
        if isinstance(event.what, str):
            self.query_one("#asked", Plain).update(f"{self._asked}\n{neutral(event.what)}")
        else:
            self.query_one(CardDeck).pin(event.what, below=self._cards)
            self._cards += 1

    def on_compare_screen_answered(self, event: Answered) -> None:
        self._cancel, self.pair = None, event.pair
        if event.pair is None:
            self.hint(event.problem)
            return
        self._begun = time.monotonic()
        self._show()
        if self.rating:
            self._ask_for_a()
        else:
            self.hint(f"These are not rated. {NEXT}")

    def _ask_for_a(self) -> None:
        self.query(SideView).first().focus()
        self.hint(f"A. {QUESTION}")

    def on_key(self, event: Key) -> None:
        """A digit rates, Backspace takes the first one back; letters go into the box unless a rating is waited for."""
        typed = event.character if event.is_printable else None
        if self.rating and typed and typed.isdecimal() and int(typed) in SCALE:
            event.stop()
            self._rate(int(typed))
        elif self.rating and self.scores and event.key == "backspace":
            event.stop()
            self.scores.clear()
            self._ask_for_a()
        elif typed and not self.rating and not self.composer.has_focus:
            event.stop()
            self.composer.focus()
            self.composer.insert(typed)

    def _rate(self, score: int) -> None:
        self.scores.append(score)
        if self.rating:
            self.query(SideView).last().focus()
            self.hint(f"A: {score}. And B? {QUESTION} {ONCE_MORE}")
            return
        assert self.pair
        try:
            self.sitting.rate(self.pair, self.scores, time.monotonic() - self._begun)
            self.hint(f"A: {self.scores[0]}, B: {self.scores[1]}. Kept. {NEXT}")
        except OSError as error:
            self.hint(f"The ratings could not be written: {in_words(error)}")
        self._show()
        self.composer.focus()

    def _show(self) -> None:
        """The replies, with names where they may be known."""
        known = not self.comparison.blind or (self.pair is not None and not self.rating)
        answers: Iterable[Answer | None] = self.pair.answers if self.pair else (None, None)
        sides: Iterable[Side | None] = (answer.side if answer else None for answer in answers)
        for view, answer, side in zip(self.query(SideView), answers, sides, strict=True):
            view.show(answer, f"{view.letter} · {side.shown}" if known and side else view.letter)
        self.set_class(self.pair is not None, "-answered")  # then the replies get the room of card and box
        self.composer.display = not self.rating
        self.query_one("#status", Plain).update(RATING_KEYS if self.rating else KEYS)

    def action_end(self) -> None:
        if self._cancel:
            self._cancel.set()
            return
        details = f"{self.sitting.summary()}\n{self.sitting.folder}\n{HOLDS}" if self.sitting.ratings else ""
        self.app.push_screen(Confirm("End here?", details, yes="End", no="Go on"), self._end)

    def _end(self, agreed: bool | None) -> None:
        if agreed:
            self.dismiss()

    def action_help_lines(self) -> None:
        assert isinstance(self.app, TideChatApp)
        self.app.show_people()

    def action_card(self) -> None:
        self.query_one(CardDeck).focus()

    def action_away(self) -> None:
        self.query_one(CardDeck).put_away()

    def on_card_deck_chosen(self, event: CardDeck.Chosen) -> None:
        """A choice is something to say, to both; it is not sent before Enter."""
        if not self.rating:
            self.composer.put(event.text)
        self._focus()

    def on_card_deck_put_away(self, _event: CardDeck.PutAway) -> None:
        self._focus()

    def _focus(self) -> None:
        """Where the next key belongs."""
        sides = self.query(SideView)
        waiting = sides.last() if self.scores else sides.first()
        (waiting if self.rating else self.composer).focus()


class CompareApp(TideChatApp):
    """The app with two replies in place of the chat."""

    CSS_PATH = "../../app.tcss"  # beside the app, not beside this

    def __init__(self, core: Core, comparison: Comparison, sitting: Sitting) -> None:
        super().__init__(core)
        self.comparing = CompareScreen(comparison, sitting)

    def begin(self, _accepted: bool | None = True) -> None:
        self.push_screen(self.comparing, lambda _: self.exit(0))


def run(options: "AppOptions", sitting: Sitting, both: tuple[Side, Side], *, blind: bool) -> int:
    """Start the engine's process, then the app. Returns the exit code."""
    from tide_chat.ui.wiring import build

    def make(core: Core) -> TideChatApp:
        assert core.desk
        comparison = Comparison(core.desk.session, both, seed=options.settings.seed or 0, blind=blind)
        return CompareApp(core, comparison, sitting)

    return run_app(build(options), make)
