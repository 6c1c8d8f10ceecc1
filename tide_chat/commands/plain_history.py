"""The history in `plain`: unlocked at the start, and its commands by words. Nothing here when no history is kept."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from tide_chat import wording
from tide_chat.care import today
from tide_chat.commands import history_views as views
from tide_chat.commands.line_input import is_yes
from tide_chat.commands.output import say, tell
from tide_chat.errors import TideError
from tide_chat.messages import Role
from tide_chat.terminal import neutral

if TYPE_CHECKING:
    from tide_chat.care.keeping import Care
    from tide_chat.commands.line_input import LineInput
    from tide_chat.config import Settings
    from tide_chat.store.archive import Archive
    from tide_chat.store.diary import Diary
    from tide_chat.store.values import Record
    from tide_chat.turn import Companion

HELP = """\
Your history, kept encrypted:
/history      the newest conversations; /find WORDS searches them
/open NUMBER  go on with one
/branch       go on with a copy of this conversation; /branch 2 ends it with the answer to your second message
/name TITLE   give this conversation a name
/export FILE  write it to FILE: .md to read, .json to import again. It says more before it writes
/forget       delete this conversation from the history, and from here
/clear        begin a new one; what was kept stays"""
_NOTHING_YET = "Nothing was kept of this conversation yet."
_FORGET = "Forget this conversation, here and in your history? It cannot be brought back."
_NOBODY = "A history is kept, but nobody is here to open it. This conversation is not kept."
_WITHOUT = "Enter alone goes on without your history; nothing is kept then."
_WRITES = "Enter or y writes it, r writes it without names, places and numbers, n does not: "
_SUFFIXES = (".md", ".json")
_NEWEST, _AGAIN, _GO_ON = 20, 6, 200  # conversations listed, messages read out, messages gone on with
_DIGITS = 18  # of a number of a conversation; SQLite holds no longer ones


def unlocked(settings: "Settings", *, interactive: bool) -> "Archive | None":
    """The open history, when one is kept and somebody can open it; otherwise it is said that nothing is kept now."""
    if not settings.history:
        return None
    if not interactive and not settings.history_keyring:
        click.echo(wording.say(_NOBODY), err=True)
        return None
    from tide_chat.commands.history_access import Passphrases, open_archive

    if interactive:
        say(wording.say(_WITHOUT))
    try:
        return open_archive(Passphrases(piped=False))
    except (TideError, EOFError) as error:
        say(f"{error}\n{wording.say('This conversation is not kept.')}".strip())
        return None


def keep(archive: "Archive", companion: "Companion", lines: "LineInput", care: "Care | None" = None) -> "History":
    """From now on the conversation is kept, and with it check-ins and own texts. Raises StoreError."""
    from tide_chat.care.checkin import CheckIn
    from tide_chat.store.care import in_file
    from tide_chat.store.diary import Diary

    companion.keeper = diary = Diary(archive)
    if care:
        care.keep_in(*in_file(archive, CheckIn))
    return History(archive, diary, companion, lines)


class History:
    """The commands of an open history."""

    def __init__(self, archive: "Archive", diary: "Diary", talk: "Companion", lines: "LineInput") -> None:
        self._archive, self._diary, self._talk, self._lines = archive, diary, talk, lines
        self.commands: dict[str, Callable[[str], None]] = {
            "/history": lambda _: self._list(),
            "/find": self._find,
            "/open": self._open,
            "/branch": self._branch,
            "/name": self._name,
            "/export": self._export,
            "/forget": lambda _: self._forget(),
        }

    def _list(self) -> None:
        found = self._archive.conversations(_NEWEST)
        for one in found:
            say(neutral(f"{one.id}, {today.with_year(one.updated.astimezone())}: {one.name}"))
        tell("To go on with one: /open and its number." if found else "No conversation is kept yet.")

    def _find(self, words: str) -> None:
        hits = self._archive.search(words, _NEWEST)
        for one in hits:
            say(neutral(f"{one.conversation}, {_who(one.role)}: {' '.join(one.snippet.text.split())}"))
        if not hits:
            tell("Nothing was found.")

    def _open(self, number: str) -> None:
        if not _is_number(number):
            tell("Which one? /history lists them with their numbers.")
            return
        self._go_on(int(number))

    def _go_on(self, id: int) -> None:
        conversation = self._diary.resume(id, last=_GO_ON)
        self._talk.go_on_with(conversation)
        for message in conversation.messages[-_AGAIN:]:
            say(neutral(f"{_who(message.role)}: {message.text}"))
        tell("You can go on from here.")
        self._talk.look_back()

    def _branch(self, which: str) -> None:
        """which: of one's own messages, counted from 1; without it, all of the conversation."""
        if (open_now := self._diary.id) is None:
            tell(_NOTHING_YET)
            return
        said = self._archive.turn_count(open_now)
        if which and not (_is_number(which) and 1 <= int(which) <= said):
            tell("Which of your messages? From 1 to {count}.", count=said)
            return
        self._go_on(self._archive.branch(open_now, self._end(open_now, said - int(which) if which else None)))

    def _end(self, id: int, later: int | None) -> int:
        """The last position of the turn after which so many came; None: of all there is."""
        if later is None:
            return self._archive.summary(id).messages - 1
        return self._archive.turn_end(id, self._archive.turns(id, 1, later)[0].position)

    def _name(self, title: str) -> None:
        if self._diary.id is None:
            tell(_NOTHING_YET)
            return
        self._archive.rename(self._diary.id, title)
        tell("Its name is now: {name}", name=neutral(self._archive.summary(self._diary.id).name))

    def _export(self, where: str) -> None:
        """Says where it goes and who can read it before it writes. Raises TideError, OSError."""
        from tide_chat.care import export
        from tide_chat.store import exchange

        if self._diary.id is None:
            tell(_NOTHING_YET)
            return
        path = export.checked(where, _SUFFIXES)
        tell("It would go to {path}", path=neutral(str(path)))
        tell(export.PLAIN)
        answer = self._lines.ask(wording.say(_WRITES)).strip() if self._lines.interactive else ""
        redacted = answer.casefold() == "r"
        if answer and not redacted and not is_yes(answer):
            tell("No file was written.")
            return
        records: tuple[Record, ...] = (self._archive.record(self._diary.id),)
        records = exchange.without_names(records) if redacted else records
        text = exchange.to_text(records, path.suffix, datetime.now(UTC), redacted=redacted)
        tell("Written: {path}", path=neutral(str(export.write(path, text, _SUFFIXES))))
        if redacted:
            tell(exchange.MISSES)

    def _forget(self) -> None:
        if self._lines.interactive and not self._lines.agrees(wording.say(_FORGET)):
            tell("It is kept.")
            return
        self._diary.forget()
        self._talk.clear()
        self._lines.forget()
        tell("This conversation is forgotten, here and in the history.")


def _who(role: Role) -> str:
    return wording.say(views.WHO[role])


def _is_number(typed: str) -> bool:
    return typed.isascii() and typed.isdigit() and len(typed) <= _DIGITS
