"""What the chat screen does on request: an `action_` for every row of the command table. Shows nothing by itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual.screen import Screen
from textual.widget import AwaitMount

from tide_chat.engine.supervisor import Phase
from tide_chat.events import Stage
from tide_chat.messages import Role
from tide_chat.safety import why
from tide_chat.safety.protocol import Block
from tide_chat.ui import themes
from tide_chat.ui.commands import Command
from tide_chat.ui.ports import Core
from tide_chat.ui.turns import Turns
from tide_chat.ui.widgets.card import CardDeck
from tide_chat.ui.widgets.composer import Composer
from tide_chat.ui.widgets.entries import Entry
from tide_chat.ui.widgets.status import StatusLine
from tide_chat.ui.widgets.suggestions import Suggestions
from tide_chat.ui.widgets.transcript import Older, Transcript
from tide_chat.wording import NAMES, say

if TYPE_CHECKING:
    from tide_chat.ui.app import TideChatApp

BUSY = "A reply is being written. Esc stops it first; what you write stays."
OPENING = "Another conversation is being opened. What you write stays."
EDITING = "Editing your last message. Enter sends it, Esc leaves it as it was."
COPIED = "Copied through the terminal. It stays in the clipboard after you leave."


class Actions(Screen[None]):
    """The commands. `ChatScreen` adds what is shown."""

    core: Core
    turns: Turns
    editing: str | None
    clear_when_done: bool
    forget_kept: bool  # when it is cleared, what was kept of it goes as well

    def hint(self, text: str) -> None:
        raise NotImplementedError

    @property
    def refusal(self) -> str:
        """Why nothing can be said, changed or forgotten now; empty when it can."""
        if self.turns.running:
            return say(BUSY)
        return say(OPENING) if self.turns.held else ""

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    @property
    def tide(self) -> "TideChatApp":
        return cast("TideChatApp", self.app)

    def run_slash(self, command: Command | None, argument: str) -> None:
        """Run a command. Those that take an argument get it through `action_<action>(argument)`."""
        if command is None:
            return
        owner = self.app if command.anywhere else self
        action = getattr(owner, f"action_{command.action}")
        self.call_later(action, argument) if command.argument else self.call_later(action)

    def action_escape(self) -> None:
        """Esc: the nearest thing that can be left."""
        suggestions = self.query_one(Suggestions)
        if suggestions.display:
            suggestions.hide()
            self.composer.suggesting = False
        elif self.turns.running:
            self.action_stop()
        elif self.editing is not None:
            draft, self.editing = self.editing, None
            self.composer.put(draft)
            self.hint("")
        self.composer.focus()

    def action_stop(self) -> None:
        if self.turns.stop():
            self.query_one(StatusLine).change(stopping=True)

    def action_again(self) -> None:
        if self.refusal or self.core.talk.conversation.last_user() is None:
            self.hint(self.refusal or say("There is nothing to answer again yet."))
            return
        self.hint("")
        self.transcript.drop_last_turn(keep_user=True)
        self.transcript.follow()
        self.turns.again()
        waiting = self.core.engine.state.phase is Phase.LOADING
        self.query_one(StatusLine).change(stage=Stage.WAITING if waiting else Stage.READING)

    def action_edit(self) -> None:
        """Put the last message into the box. The conversation changes only when it is sent."""
        said = self.core.talk.conversation
        last = said.last_user()
        if self.refusal or last is None or self.editing is not None:
            if self.editing is None:
                self.hint(self.refusal or say("Nothing to edit yet."))
            return
        self.editing = self.composer.text
        self.composer.put(said.messages[last].text)
        self.hint(say(EDITING))
        self.composer.focus()

    def action_copy_reply(self) -> None:
        replies = [m.text for m in self.core.talk.conversation.messages if m.role is Role.ASSISTANT]
        if replies:
            self.app.copy_to_clipboard(replies[-1])
        self.hint(say(COPIED) if replies else say("There is no reply to copy yet."))

    def action_card(self) -> None:
        deck = self.query_one(CardDeck)
        if deck.display:
            deck.focus()
        else:
            self.hint(say("No card is open. F2 shows the help lines."))

    def action_away(self) -> None:
        self.query_one(CardDeck).put_away()

    def action_clear(self) -> None:
        from tide_chat.ui.screens.confirm import Confirm

        if self.core.history.holds(self.core.talk.conversation):
            self.begin_anew()
            return
        question = "Forget this conversation and start anew?"
        self.app.push_screen(
            Confirm(question, "It cannot be brought back.", yes="Forget it", no="Keep it"), self._clear
        )

    def _clear(self, agreed: bool | None) -> None:
        if agreed:
            self.begin_anew()

    def begin_anew(self) -> None:
        if self.turns.held:
            self.forget_kept = False
            self.hint(say(OPENING))
            return
        if self.turns.running:
            self.turns.stop()
            self.clear_when_done = True
            return
        self.forget()

    def forget(self) -> None:
        """Forget the conversation. Only while no turn runs: the pipeline would add its reply afterwards."""
        self.clear_when_done = False
        forget_kept, self.forget_kept = self.forget_kept, False
        if forget_kept and not self.tide.forget_kept():
            return
        self.core.talk.clear()
        self.editing = None
        self.composer.put("")
        self.tide.drop_unsent()
        self.begin_with(())

    def begin_with(self, entries: Sequence[Entry], older: Older | None = None) -> AwaitMount:
        """Show another conversation. older: what came before `entries`. Can be awaited; then it is there."""
        if self.editing is not None:  # the message that was edited belongs to the conversation that is left
            self.composer.put(self.editing)
            self.editing = None
        there = self.transcript.fill(entries, older)
        self.composer.history_of_text.forget()
        self.composer.focus()
        self.query_one(StatusLine).change(stage=None, stopping=False, used=0, speed=0.0)
        return there

    def action_models(self, alias: str = "") -> None:
        from tide_chat.ui.screens.models import ModelScreen

        info = self.core.engine.state.info
        self.app.push_screen(ModelScreen(self.core.shelf, alias, in_use=info.name if info else ""))

    def action_theme(self, name: str = "") -> None:
        if name in themes.TITLES:
            self.tide.change_settings(theme=name)
        elif name:
            self.hint(say("There are these colours: {names}.", names=", ".join(themes.TITLES)))
        else:
            self.action_settings()

    def action_language(self, name: str = "") -> None:
        if name in NAMES:
            self.tide.change_settings(language=name)
        elif name:
            self.hint(say("There are these languages: {names}.", names=", ".join(NAMES)))
        else:
            self.action_settings()

    def action_settings(self) -> None:
        from tide_chat.ui.screens.settings import SettingsScreen

        self.app.push_screen(SettingsScreen(self.tide.settings))

    def action_profile(self) -> None:
        from tide_chat.profile import keeps_personal
        from tide_chat.ui.screens.profile import ProfileScreen

        self.app.push_screen(ProfileScreen(self.core.talk, personal=keeps_personal(self.tide.settings)))

    def action_help(self) -> None:
        from tide_chat.ui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen())

    def action_help_lines(self) -> None:
        self.tide.show_people()

    def action_about(self) -> None:
        from tide_chat.ui.screens.disclosure import DisclosureScreen

        self.app.push_screen(DisclosureScreen(self.core.words, self.tide.settings.country, read_only=True))

    def action_safety(self) -> None:
        from tide_chat.ui.screens.reading import ReadingScreen

        title, *blocks = self.core.words.protocol()
        self.app.push_screen(ReadingScreen(title.text, blocks))

    def action_why(self) -> None:
        from tide_chat.ui.screens.reading import ReadingScreen

        said = why.in_words(self.core.talk.newest)
        self.app.push_screen(
            ReadingScreen(say("About your last message"), [Block(part) for part in said.split("\n\n")])
        )

    def action_inspect(self) -> None:
        from tide_chat.ui.screens.clinician import doors

        self.hint(doors.inspect(self.app, self.core.desk, answering=bool(self.turns.running)))

    def action_receipt(self) -> None:
        from tide_chat.ui.screens.clinician import doors

        self.hint(doors.receipt(self.app, self.core.desk, answering=bool(self.turns.running)))

    def action_compare(self, words: str = "") -> None:
        from tide_chat.ui.screens.clinician import doors

        self.hint(self.refusal or doors.compare(self.app, self.core.desk, words))

    async def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_quit(self) -> None:
        self.app.exit(0)
