"""The chat: conversation, pinned cards, the box to write in and the status line. Handlers here own what is shown.

What can be done on request (the commands) is in `actions.py`.
"""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList, TextArea

from tide_chat.engine.base import FinishReason
from tide_chat.engine.supervisor import EngineState, Phase
from tide_chat.errors import EngineDied
from tide_chat.events import CardShown, Done, Event, Notice, Progress, Stage, TextDelta, TurnResult
from tide_chat.messages import Role
from tide_chat.safety import authored
from tide_chat.safety.state import wish_in
from tide_chat.terminal import neutral
from tide_chat.ui import commands
from tide_chat.ui.messages import EngineChanged, TurnEnded, TurnEvent
from tide_chat.ui.ports import Core
from tide_chat.ui.screens.actions import EDITING, Actions
from tide_chat.ui.screens.history import words
from tide_chat.ui.turns import Turns
from tide_chat.ui.widgets.card import CardDeck
from tide_chat.ui.widgets.composer import Composer
from tide_chat.ui.widgets.entries import Entry, Kind
from tide_chat.ui.widgets.plain import Plain
from tide_chat.ui.widgets.status import StatusLine
from tide_chat.ui.widgets.suggestions import Suggestions
from tide_chat.ui.widgets.transcript import Transcript
from tide_chat.wording import say

TITLE = "tide-chat · a program, not a person"
TITLE_KEYS = "F1 keys   F2 find help now   F8 care tools   Ctrl+Q leave at once"
TITLE_KEYS_SHORT = "F2 help now · F8 tools · Ctrl+Q leave"
PLACEHOLDER = "Write here. Enter sends, Ctrl+J makes a new line"
NO_COMMAND = "There is no command {typed}. F1 lists them. With a space before it, it is sent as words."
NO_MODEL = "No model is running. Help lines (F2), cards and care tools (F8) still work. F4 shows the models."
NOT_ANSWERED = "Your message is back in the box. F4 shows the models, F8 has things to do without one."

WALKS = {  # a choice of a card that has a screen of its own as well
    "grounding": "F10 goes through it step by step.",
    "safety_plan": "Alt+L opens your plan, to read and to write.",
}
AGAIN = "Ctrl+R answers again."
CALLED = "F2 or Ctrl+L shows people you can reach now. F8 or /tools has small things to do in a hard moment."
LOOK_S = 60.0  # seconds between two looks at whether a reminder is due

WHOLE = (".", "!", "?", "…", '"', "”")
ENDINGS = {
    FinishReason.CANCELLED: "stopped",
    FinishReason.LENGTH: "ended at the length limit",
    FinishReason.LOOP: "ended early, it began to repeat itself",
    FinishReason.DIED: "cut off",
    FinishReason.ERROR: "cut off",
}


class ChatScreen(Actions):
    """The main screen."""

    AUTO_FOCUS = "#composer"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(",".join(c.keys), c.action, c.title, show=False, priority=True)
            for c in commands.COMMANDS
            if c.keys and not c.anywhere
        ),
        Binding("escape", "escape", "Stop or go back", show=False),
    ]

    def __init__(self, core: Core) -> None:
        super().__init__(id="chat")
        self.core = core
        self.turns = Turns(self, core.talk)
        self.editing = None  # the draft that waits while the last message is edited
        self.clear_when_done = self.forget_kept = False
        self._box: Composer | None = None  # outlives the screen
        self._told_no_model = False
        self._hint_for = ""  # what stood in the box when the hint was given; it goes when that changes

    def compose(self) -> ComposeResult:
        yield Plain("", id="title")
        yield CardDeck()
        yield Transcript(words.greeting(self.core.history.state))
        yield Suggestions()
        yield Plain("", id="hint")
        self._box = Composer(say(PLACEHOLDER))
        yield self._box
        yield StatusLine(self.core.engine.state)

    def on_mount(self) -> None:
        self.hint("")
        self.composer.cursor_blink = self.app.animation_level != "none"
        self.show_engine(self.core.engine.state)
        self.tide.history_changed()
        self.call_after_refresh(self.fit_title)
        self.set_interval(LOOK_S, self.remind)

    def remind(self) -> None:
        """What this is, said again during long use: a line in the conversation, never in the middle of a reply."""
        if not self.refusal and (words := self.core.talk.reminder()):
            self.transcript.notice(words)

    def on_resize(self) -> None:
        self.fit_title()

    def fit_title(self) -> None:
        width, title = max(0, self.outer_size.width - self.gutter.width - 2), say(TITLE)
        for keys in (say(TITLE_KEYS), say(TITLE_KEYS_SHORT)):
            if len(title) + len(keys) + 3 <= width:
                self.query_one("#title", Plain).update(f"{title}{keys:>{width - len(title)}}")
                return
        self.query_one("#title", Plain).update(say(TITLE_KEYS_SHORT))

    def say_anew(self) -> None:
        """Another language is in use now. What was said in the conversation, and the cards, stay as they are."""
        self.fit_title()
        self.composer.placeholder = say(PLACEHOLDER)
        self.query_one(CardDeck).name_keys()
        self.transcript.draw()
        self.query_one(StatusLine).draw()
        self.tide.history_changed()

    def hint(self, text: str) -> None:
        """One calm line above the box, empty to take it away."""
        self._hint_for = self.composer.text
        hint = self.query_one("#hint", Plain)
        if text or hint.display:
            hint.update(text)
            hint.display = bool(text)

    # Writing

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if event.text_area.text != self._hint_for:
            self.hint(say(EDITING) if self.editing is not None else "")
        self.composer.suggesting = self.query_one(Suggestions).show_for(event.text_area.text)
        self.transcript.let_be()
        self.tide.note_unsent()

    @property
    def unsent(self) -> str:
        """What was typed and is in no conversation yet: a message that is still being looked at, and what is written.

        Can be asked for when the screen is gone.
        """
        sent, said = self.turns.running.text if self.turns.running else "", self.core.talk.conversation
        last = said.last_user()
        newest = "" if last is None else said.messages[last].text
        written = self._box.text if self._box else ""
        if self.editing is not None and written == newest:
            written = ""
        parts = ("" if sent == newest else sent, self.editing, written)
        return "\n".join(part for part in parts if part)

    async def on_paste(self, event: events.Paste) -> None:
        """What is pasted while something else has the focus goes into the box as well."""
        if not self.composer.has_focus:
            await self.composer.paste(event.text)

    def on_key(self, event: events.Key) -> None:
        """Words typed while the conversation or a card has the focus go into the box instead of nowhere."""
        typed = event.character if event.is_printable else None
        begun = self.focused is self.composer  # by a key before this one, and this one was on its way already
        if typed and (begun or not typed.isspace()):
            event.stop()
            self.set_focus(self.composer)
            self.composer.insert(typed)

    def on_composer_moved(self, event: Composer.Moved) -> None:
        suggestions = self.query_one(Suggestions)
        if event.key == "tab":
            if suggestions.chosen:
                self.composer.put(f"{suggestions.chosen.slash} ")
        elif event.key == "up":
            suggestions.action_cursor_up()
        else:
            suggestions.action_cursor_down()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.composer.take()
        self.run_slash(commands.find(event.option_id or ""), "")

    def on_composer_scrolled(self, event: Composer.Scrolled) -> None:
        self.transcript.page(event.pages)

    def on_composer_sent(self, event: Composer.Sent) -> None:
        text, chosen = event.text, self.query_one(Suggestions).chosen
        parsed = commands.parse(text) or ((chosen, "") if chosen else None)
        if parsed:
            self.composer.take()
            self.run_slash(*parsed)
        elif commands.looks_mistyped(text):
            self.hint(say(NO_COMMAND, typed=text.strip()))
        elif self.refusal:
            self.hint(self.refusal)
        elif neutral(text).strip():
            self._send()

    def _send(self) -> None:
        text = neutral(self.composer.take()).strip()
        if self.editing is not None:
            self.core.talk.take_back()
            self.transcript.drop_last_turn()
            draft, self.editing = self.editing, None
            self.composer.put(draft)
        self._say(text)

    def _say(self, text: str) -> None:
        self.hint("")
        self.transcript.add(Entry(Kind.USER, text))
        self.transcript.follow()
        self.query_one(CardDeck).make_room()
        if authored.calls_for_help(text):
            self.transcript.notice(say(CALLED))
        self.turns.reply(text)
        self._stage(Stage.WAITING if self.core.engine.state.phase is Phase.LOADING else Stage.READING)

    # A turn

    def _stage(self, stage: Stage | None) -> None:
        self.query_one(StatusLine).change(stage=stage, stopping=False)

    def on_turn_event(self, message: TurnEvent) -> None:
        turn = self.turns.running
        if turn is None or turn.number != message.turn:
            return
        match message.event:
            case Progress(stage):
                turn.stage = stage
            case TextDelta():
                turn.wrote, turn.cards = True, 0
            case CardShown(card):
                self.query_one(CardDeck).pin(card, below=turn.cards)
                turn.wrote, turn.cards = True, turn.cards + 1
            case Done(result):
                turn.error = result.error
        self._show_event(message.event)
        self.tide.note_unsent()

    def _show_event(self, event: Event) -> None:
        match event:
            case Progress(stage):
                self._stage(stage)
            case TextDelta(text):
                self.transcript.grow(neutral(text), still=self.app.animation_level == "none")
            case Notice(text, can_answer_again):
                self.transcript.notice(" ".join([neutral(text), *([say(AGAIN)] if can_answer_again else [])]))
            case Done(result):
                self._finish(result)

    def _finish(self, result: TurnResult) -> None:
        ending = ENDINGS.get(result.finish_reason, "")
        if result.finish_reason is FinishReason.LENGTH and result.reply.rstrip().endswith(WHOLE):
            ending = ""  # it stopped between two sentences, so nothing looks broken
        self.transcript.finish(neutral(result.reply), authored=result.route == "authored", ending=ending)
        usage = result.usage
        self.transcript.mark_unseen(usage.dropped_messages)
        fields: dict[str, object] = {"speed": usage.decode_tps} if usage.decode_tps else {}
        if usage.context_size:
            fields |= {"size": usage.context_size}
        if usage.context_tokens:
            fields |= {"used": usage.context_tokens}
        self.query_one(StatusLine).change(**fields)

    def on_turn_ended(self, message: TurnEnded) -> None:
        turn = self.turns.running
        if turn is None or turn.number != message.turn:
            return
        self.turns.running = None
        self._stage(None)
        self.transcript.finish()
        if message.error is not None:
            self.transcript.notice(neutral(message.error.short))
        error = message.error or turn.error
        failed = error is not None and not isinstance(error, EngineDied)  # after a death the message waits for Ctrl+R
        if turn.text and not turn.wrote and (failed or turn.give_back):
            self._give_back(turn.text)
        if self.clear_when_done:
            self.forget()

    def _give_back(self, text: str) -> None:
        """A message that was not answered goes back into the box; what was said about why stays."""
        last = self.core.talk.conversation.messages[-1:]
        problem = self.core.talk.take_out()[1] if last and last[0].role is Role.USER else ""
        for notice in self.transcript.drop_last_turn():
            self.transcript.add(notice)
        if problem:
            self.transcript.notice(neutral(problem))
        self.composer.give_back(text)
        if self.core.engine.state.phase is Phase.NO_MODEL:
            self.hint(say(NOT_ANSWERED))

    # The engine and the cards

    def on_engine_changed(self, message: EngineChanged) -> None:
        self.show_engine(message.state)

    def show_engine(self, state: EngineState) -> None:
        fields: dict[str, object] = {"engine": state}
        if state.info is not None:
            fields |= {"model": neutral(state.info.name), "size": state.info.context_size}
        elif state.phase is not Phase.RESTARTING:
            fields |= {"model": "", "size": 0, "used": 0}
        self.query_one(StatusLine).change(**fields)
        if state.phase is Phase.NO_MODEL and not self._told_no_model:
            why = neutral(state.error.short) if state.error else ""
            self.transcript.notice(f"{why}\n{say(NO_MODEL)}".strip())
        self._told_no_model = state.phase is Phase.NO_MODEL

    def on_card_deck_chosen(self, event: CardDeck.Chosen) -> None:
        """A choice is something to say; what stands in the box stays there."""
        self.composer.focus()
        if self.refusal:
            self.hint(self.refusal)
        else:
            self._say(event.text)
            self.hint(say(WALKS.get(wish_in(event.text) or "", "")))

    def on_card_deck_put_away(self, event: CardDeck.PutAway) -> None:
        self.core.talk.put_away(event.card.id)
        self.composer.focus()
