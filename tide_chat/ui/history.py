"""What the app does with the history: opened at the start, gone on with, copied, named, deleted, forgotten.

The state belongs to `store.book`; the words to `screens.history.words`. Nothing here waits for a key to be made.
"""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from tide_chat import wording
from tide_chat.care.checkin import CheckIn
from tide_chat.errors import TideError
from tide_chat.messages import Conversation, Role
from tide_chat.messages import Message as Said
from tide_chat.store import system_keyring
from tide_chat.store.book import Book, State
from tide_chat.store.care import in_file
from tide_chat.terminal import neutral
from tide_chat.ui.care import CareApp
from tide_chat.ui.screens.history import words
from tide_chat.ui.widgets.entries import Entry, Kind
from tide_chat.ui.widgets.status import StatusLine
from tide_chat.wording import say

if TYPE_CHECKING:
    from tide_chat.store.archive import Archive
    from tide_chat.ui.screens.chat import ChatScreen
    from tide_chat.ui.screens.history.choices import Choice
    from tide_chat.ui.screens.history.lists import HistoryScreen

GO_ON = 200  # messages of an earlier conversation that are given to the model; the screen reads the rest when needed
SLOW_S = 0.2  # seconds after which it is said that a conversation is being opened: most are there before


class KeyringAnswered(Message):
    """`error` when the keyring did not open the history."""

    def __init__(self, error: TideError | None) -> None:
        super().__init__()
        self.error = error


class GoneOn(Message):
    """Another conversation is the open one, to be shown from position `at` on; `error` when it could not be opened."""

    def __init__(self, conversation: Conversation, at: int | None, error: TideError | None) -> None:
        super().__init__()
        self.conversation, self.at, self.error = conversation, at, error


class StoredEntries:
    """What came before the messages that the companion has: read from the file when somebody scrolls up to it."""

    def __init__(self, archive: "Archive", id: int, left: int) -> None:
        self._archive, self._id, self.left = archive, id, left

    def take(self, count: int) -> Sequence[Entry]:
        """Nothing, and nothing left, when it cannot be read."""
        first = max(0, self.left - count)
        try:
            kept = self._archive.messages(self._id, first=first, limit=self.left - first)
        except TideError:
            self.left = 0
            return [Entry(Kind.NOTICE, say("What came before cannot be read now."))]
        self.left = first
        return [entry(one.message) for one in kept]


def entry(said: Said) -> Entry:
    """A message as the transcript shows it."""
    return Entry(Kind.USER if said.role is Role.USER else Kind.REPLY, neutral(said.text), said.authored)


class HistoryApp(CareApp):
    """The actions. `TideChatApp` adds all else."""

    chat: "ChatScreen"
    _keeps = False  # the care tools keep things in the open history

    @property
    def book(self) -> Book:
        return self.core.history

    # Opening

    def open_history(self) -> None:
        """At the start, behind the first screen. Nothing happens where no history is kept."""
        self.history_changed()
        if not self.settings.history or self.book.state is State.OPEN:
            return
        if self.book.state is State.OFF:
            self.chat.call_after_refresh(self._say, say(words.NOTHING_HERE))
        elif self.settings.history_keyring:
            self.book.expect()
            self.history_changed()
            self.run_worker(self._ask_keyring, name="keyring", thread=True)
        else:
            self.ask_passphrase()

    def _ask_keyring(self) -> None:
        error: TideError | None = None
        try:
            self.book.unlock_by_keyring()
        except TideError as problem:
            error = problem
        except Exception as problem:  # noqa: BLE001 - the passphrase is asked for instead
            error = TideError("The keyring did not answer.", details=type(problem).__name__)
        self.post_message(KeyringAnswered(error))

    def on_keyring_answered(self, message: KeyringAnswered) -> None:
        if message.error:
            self.ask_passphrase(message.error.said)
        self.history_changed()

    def ask_passphrase(self, said: str = "") -> None:
        """The screen that opens the history, or the one that begins it."""
        from tide_chat.ui.screens.history.opening import TurnOnScreen, UnlockScreen

        if self.book.vault.exists():
            screen = UnlockScreen(self.book, said, turn_on=not self.settings.history)
            self.push_screen(screen, self._asked)
        else:
            self.push_screen(TurnOnScreen(self.book), self._asked)

    def _asked(self, opened: bool | None) -> None:
        self.history_changed()
        if opened and len(self.core.talk.conversation):
            self._say(say(words.FROM_HERE))

    def history_changed(self) -> None:
        """Everything that says what is kept says what is true now, and the care tools keep things where they should."""
        state, care = self.book.state, self.core.care
        if self.book.archive and not care.kept:
            try:
                care.keep_in(*in_file(self.book.archive, CheckIn))
            except TideError as error:
                self._say(error.short)
            else:
                self._keeps = True
        elif not self.book.archive:
            if self._keeps:
                care.keep_nothing(locked=False)
            self._keeps, care.locked = False, state is not State.OFF
        if self.book.archive:
            self.call_after_refresh(self.prepare_list)
        if self.chat.is_mounted:
            self.chat.transcript.greet(words.greeting(state))
            self.chat.query_one(StatusLine).change(kept=words.SHORT[state])

    def turn_history_off(self) -> None:
        """Nothing is kept from now on; what was kept stays."""
        self.change_settings(history=False)
        self.book.turn_off()
        self.history_changed()

    def change_settings(self, **changes: object) -> None:
        raise NotImplementedError

    # Conversations

    def _say(self, text: str) -> None:
        self.chat.transcript.notice(neutral(text))

    def _open_archive(self) -> "Archive | None":
        """The archive; when it is not open, the screen that opens it is shown."""
        if self.book.archive is None and self.book.state is not State.OPENING:
            self.ask_passphrase()
        return self.book.archive

    def action_history(self) -> None:
        from tide_chat.ui.screens.history.lists import HistoryScreen

        if isinstance(self.screen, HistoryScreen):
            self.screen.dismiss(None)
        elif self.screen is self.chat and (archive := self._open_archive()):
            shown = self._list()
            shown.open(archive, self.book.open_id)
            self.push_screen(shown)

    def _list(self) -> "HistoryScreen":
        """The one of the language in use."""
        from tide_chat.ui.screens.history.lists import HistoryScreen

        name = f"history-{wording.language()}"
        if not self.is_screen_installed(name):
            self.install_screen(HistoryScreen(name), name)
        return self.get_screen(name, HistoryScreen)

    async def prepare_list(self) -> None:
        """Make the list while nobody waits for it: that takes as long as showing it.

        Textual has no public way to. Where its own one is another, the list is made when it is first shown.
        """
        screen = self._list()
        if not screen.is_running:
            with contextlib.suppress(AttributeError, TypeError):
                await self._get_screen(screen)[1]
                if self.book.archive:
                    screen.get_ready(self.book.archive)

    def action_branch(self) -> None:
        if self.screen is self.chat and (number := self._kept_id()):
            self.act_on(number, "copy")

    def action_export_this(self) -> None:
        if self.screen is self.chat and (number := self._kept_id()):
            self.act_on(number, "file")

    def _kept_id(self) -> int | None:
        """The number of the open conversation; a line says so when nothing of it is kept."""
        if self.book.state is not State.OPEN:
            self.chat.hint(say(words.NOT_OPEN))
        elif self.book.open_id is None:
            self.chat.hint(say(words.NOTHING_YET))
        return self.book.open_id

    def act_on(self, id: int, choice: "Choice | str") -> None:
        """Do what was chosen for a conversation."""
        from tide_chat.ui.screens.history.acting import act

        act(self, id, choice)

    def go_on_with(self, id: int, copy_to: int | None = None, *, at: int | None = None) -> None:
        """Open a conversation, or a copy of it that ends with the turn at position `copy_to`. In a thread.

        It is shown from its end, or from position `at` on.
        """
        turns = self.chat.turns
        if turns.running or turns.held:
            self.tell(say(words.BUSY if turns.running else words.OPENING))
            return
        turns.held = True
        self.set_timer(SLOW_S, self._still_opening)
        self.run_worker(lambda: self._go_on(id, copy_to, at), name="go on", thread=True)

    def _still_opening(self) -> None:
        if self.chat.turns.held:
            self.tell(say("Opening it."))

    def _go_on(self, id: int, copy_to: int | None, at: int | None) -> None:
        conversation, error = Conversation(), None
        try:
            conversation = self.book.go_on_with(id, last=GO_ON, copy_to=copy_to)
            self.core.talk.go_on_with(conversation)
        except TideError as problem:
            error = problem
        self.post_message(GoneOn(conversation, at, error))

    async def on_gone_on(self, message: GoneOn) -> None:
        self.chat.turns.held = False
        if message.error:
            self.tell(message.error.short)
            return
        while self.screen is not self.chat:
            self.pop_screen()
        archive, number = self.book.archive, self.book.open_id
        before = self.book.diary.first if self.book.diary else 0
        older = StoredEntries(archive, number, before) if archive and number is not None and before else None
        said = message.conversation.messages
        with self.batch_update():  # drawn once, when all of it is there
            await self.chat.begin_with([entry(one) for one in said], older)
        self.call_after_refresh(self._look_back)
        hint = words.UNANSWERED if said and said[-1].role is Role.USER else ""
        if message.at is not None and message.at < before + len(said) - 1:
            hint = words.FOUND if self.chat.transcript.look_at(message.at) else ""
        self.chat.hint(say(hint) if hint else "")

    def _look_back(self) -> None:
        """While it is read already: what was said there about risk, which takes longer than opening it."""
        self.run_worker(self.core.talk.look_back, name="look back", thread=True, exit_on_error=False)

    def tell(self, text: str) -> None:
        """A line where one is: in the list, or above the box to write in."""
        from tide_chat.ui.screens.history.side import SideList

        if isinstance(self.screen, SideList):
            self.screen.note(text)
        else:
            self.chat.hint(neutral(text))

    # Forgetting

    def action_forget_this(self) -> None:
        from tide_chat.ui.screens.confirm import Confirm

        if self.screen is self.chat:
            details = words.FORGET if self.book.open_id is not None else words.NEW
            said = words.LEFT_PART if self.book.left_part else details
            question = Confirm("Forget this conversation?", said, yes="Forget it", no="Keep it")
            self.push_screen(question, self._forget)

    def _forget(self, agreed: bool | None) -> None:
        if agreed:
            self.chat.forget_kept = True
            self.chat.begin_anew()

    def forget_kept(self) -> bool:
        """Delete what was kept of the open conversation. False, and it is said, when that failed."""
        try:
            self.book.forget()
        except TideError as error:
            self._say(f"{say('It could not be deleted.')} {error.short}")
            return False
        return True

    def delete_history(self) -> None:
        """All of it, here and in the file. When that fails, the history is closed and still there."""
        try:
            self.book.destroy()
        except TideError as error:
            said = f"{say('It could not be deleted.')} {error.short}"
        else:
            self.change_settings(history=False, history_keyring=False)
            self.chat.forget()
            self.run_worker(self._forget_key, name="forget key", thread=True)  # the keyring may ask the person first
            said = say(words.DELETED_ALL)
        while self.screen is not self.chat:
            self.pop_screen()
        self.history_changed()
        self._say(said)

    def _forget_key(self) -> None:
        with contextlib.suppress(TideError):  # without a keyring there is none to take out
            system_keyring.forget(self.book.vault.file)

    def action_about_me(self) -> None:
        from tide_chat.ui.screens.history.about_me import AboutMeScreen

        self.show_care(AboutMeScreen(self.core.care))
