"""`tide-chat plain`: the conversation line by line, without borders, colours or movement.

Made for screen readers and pipes: every line says by itself what it is. Knows neither the engine nor what is said.
"""

import contextlib
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import click

from tide_chat import ending, wording
from tide_chat.commands import clinician_lines, language_lines, options, plain_history, turns
from tide_chat.commands.clinician_lines import ClinicianLines
from tide_chat.commands.line_input import LineInput, is_yes
from tide_chat.commands.output import say, tell
from tide_chat.commands.plain_history import History
from tide_chat.commands.profile_lines import ProfileLines
from tide_chat.commands.unsent_lines import UnsentLines
from tide_chat.engine.base import FinishReason
from tide_chat.errors import TideError, in_words
from tide_chat.events import CardShown, Done, Event, Notice, Progress, Stage, TextDelta
from tide_chat.safety import authored, disclosure, protocol, why
from tide_chat.terminal import still

if TYPE_CHECKING:
    from tide_chat.care.keeping import Care

_QUIET_S = 2.5  # seconds of silence after which it is said what is going on
_INTERRUPTED = 130
_NO = ("n", "no", "q", "/quit")
_WHAT_GOES_ON = {
    None: "One moment...",
    Stage.WAITING: "The model is still being loaded. Your message waits.",
    Stage.READING: "Reading...",
    Stage.THINKING: "Thinking...",
    Stage.WRITING: "Writing...",
}
_HELP = """\
Write a message and press Enter. Ctrl+C stops a reply; at the prompt it leaves.
To write several lines, end a line with \\ or use /multi.

/again   another answer to your last message
/edit    change your last message and send it again
/card    the cards shown so far, and where to find help now; /help-lines that alone
/why     what the safety check noticed in your last message
/safety  what happens when somebody is in danger, and what this program misses
/about   what this program is and is not
/model   which model answers; /model NAME changes it
/profile how replies should be, what to call you, what not to bring up
/language en or es: the language of what this program says by itself
/clear   begin a new conversation; this one stays only in a history, if you keep one
/quit    leave; what was written stays visible in this window until you close it

In a hard moment, with no model: /ground, /breathe, /orient, /muscles, /place, /sleep. /tools says what each is.
/check-in  how strong it is, 0 to 10, and what could fit; /weeks reads out the numbers so far
/plan      my safety plan; /plan edit, /plan file
/contacts  people of my own; /contacts edit
/summary   a page to bring to a clinician
/about-me  what a conversation may begin with; /about-me edit, on, off
/orient edit and /place edit: your own words for where you are, and for a calm place

To send a message that begins with one of these words, put a space before it."""


class Room(Protocol):
    """What the loop needs of a session."""

    @property
    def companion(self) -> turns.Talk: ...

    def described(self) -> str: ...

    def use(self, name: str) -> str: ...


@click.command("plain", short_help="Talk line by line, for screen readers and pipes.")
@options.with_options
def command(chat_template: Path | None, **given: Any) -> int:
    """Talk line by line, without borders, colours or movement.

    Reads well in a screen reader, and through a pipe: then each line is a message, and the end of input ends it.
    """
    chosen = options.read(chat_template, **given)
    from tide_chat.compose import Session

    if sys.stdin is not None and hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="replace")  # one wrong byte must not end a conversation
    from tide_chat.clinician.recorded import Recorded

    lines = LineInput()
    unsent = UnsentLines(lines)
    with (
        ending.told(lines.end),
        Session(chosen.settings, chosen.chat_template, kind=Recorded) as session,
    ):
        session.start()
        from tide_chat.care.keeping import Care
        from tide_chat.clinician.desk import Desk

        care = Care(locked=chosen.settings.history)
        session.companion.plan, session.companion.carried = care.plan_in_short, care.carried
        with contextlib.ExitStack() as open_now:
            history = None
            if archive := plain_history.unlocked(chosen.settings, interactive=lines.interactive):
                open_now.callback(archive.close)
                if lines.interactive:  # a pipe has no draft, and what stands in a file of output is read by others
                    open_now.enter_context(unsent.kept_in(archive))
                history = plain_history.keep(archive, session.companion, lines, care)
            examine = ClinicianLines(Desk.of(session), lines).commands
            calm = still(chosen.settings.reduced_motion)
            return Plain(session, lines, care, history, examine, still=calm, unsent=unsent).run()


class Leave(Exception):
    """The user wants to go."""


class Plain:
    """The loop. Everything it says goes to standard output, in order."""

    def __init__(
        self,
        room: Room,
        lines: LineInput,
        care: "Care | None" = None,
        history: History | None = None,
        examine: Mapping[str, Callable[[str], None]] = MappingProxyType({}),
        *,
        still: bool = False,
        unsent: UnsentLines | None = None,
    ) -> None:
        self._unsent = unsent or UnsentLines(lines)
        self._room = room
        self._talk = room.companion
        self._lines = lines
        self._draft = ""
        self._code = 0
        self._care = care_commands(lines, care, lambda: turns.help_text(self._talk.country), still=still)
        self._commands: dict[str, Callable[[str], None]] = {
            "/help": lambda _: self._help(),
            "/again": lambda _: self._again(),
            "/edit": self._edit,
            "/card": lambda _: self._cards(),
            "/why": lambda _: say(why.in_words(self._talk.newest)),
            "/safety": lambda _: say(protocol.text()),
            "/about": lambda _: self._about(),
            "/model": self._model,
            "/profile": ProfileLines(self._talk),
            "/language": language_lines.change,
            "/clear": lambda _: self._clear(),
            "/forget": lambda _: self._clear(),  # with a history it is another one, below
            "/quit": lambda _: self._leave(),
            **(history.commands if history else {}),
            **examine,
        }
        self._kept = history is not None

    def run(self) -> int:
        """Until the user leaves or the input ends. Returns the exit code."""
        try:
            self._disclose()
            if self._lines.interactive:
                tell("/help lists what you can do.")
            self._draft = self._unsent.left()
            while True:
                self._remind()
                text = self._read()
                self._one(text)
                if text.strip():
                    self._unsent.answered()
        except (EOFError, Leave):
            return self._code
        except KeyboardInterrupt:
            say()
            return _INTERRUPTED

    def _disclose(self) -> None:
        """What this is, once a day. A pipe cannot answer; there it is only said."""
        if not disclosure.due():
            return
        self._about()
        say()
        if self._lines.interactive:
            tell("Help lines and care tools are here already: /help-lines, /tools.")
            while not self._accepted():
                pass
        disclosure.accept()

    def _accepted(self) -> bool:
        """Care tools and help lines come before any yes; what is neither yes nor no is asked again. Raises Leave."""
        answer = self._lines.ask(wording.say("Press Enter to go on, or type n to leave: ")).strip()
        name, _, rest = answer.partition(" ")
        if care := self._care.get(name):
            self._guarded(lambda: self._interruptible(care, rest.strip()))
        elif answer.casefold() in _NO:
            raise Leave
        return answer.casefold() in ("", "ok") or is_yes(answer)

    def _remind(self) -> None:
        """What this is, said again during long use: a paragraph between turns that asks for nothing."""
        if words := self._talk.reminder():
            say(f"\n{words}\n")

    def _about(self) -> None:
        say(disclosure.text(self._talk.country, away=disclosure.away()))

    def _read(self) -> str:
        draft, self._draft = self._draft, ""
        return self._lines.message(wording.say("You: "), draft)

    def _one(self, text: str) -> None:
        if not text.strip():
            return
        name, _, rest = text.partition(" ")
        if found := self._commands.get(name):
            self._guarded(lambda: found(rest.strip()))
        elif care := self._care.get(name):
            self._guarded(lambda: self._interruptible(care, rest.strip()))
        elif name.startswith("/") and not rest and "\n" not in name:
            tell("There is no {name}. /help lists what there is.", name=name)
        else:
            self._unsent.sent(text)
            if self._lines.interactive and authored.calls_for_help(text):
                tell("/help-lines has people you can reach now, /ground and /breathe are for a hard moment.")
            self._guarded(lambda: self._turn(lambda cancel: self._talk.reply(text, cancel)))

    def _guarded(self, action: Callable[[], None]) -> None:
        """A failed command or turn never ends the conversation."""
        try:
            action()
        except TideError as error:
            self._code = error.exit_code
            say(str(error))
        except OSError as error:  # a file that could not be written
            self._code = TideError.exit_code
            say(in_words(error))

    def _interruptible(self, tool: Callable[[str], None], argument: str) -> None:
        """Ctrl+C leaves the tool and goes back to the talk."""
        try:
            tool(argument)
        except KeyboardInterrupt:
            tell("\nStopped. You can write, or choose another with /tools.")

    def _turn(self, start: turns.Start) -> None:
        out = _Out()
        for event in turns.read(start, quiet_after=_QUIET_S):
            out.show(event)
            if isinstance(event, Progress | TextDelta):
                self._unsent.answered()
        if out.finish is FinishReason.CANCELLED:
            if not self._lines.interactive:
                raise KeyboardInterrupt
            tell("Stopped. What was written is kept. /again gives another answer.")
        elif out.error:
            self._code = out.error.exit_code

    def _again(self) -> None:
        if self._talk.conversation.last_user() is None:
            tell("There is nothing to answer yet.")
        else:
            self._turn(self._talk.again)

    def _edit(self, text: str) -> None:
        if self._talk.conversation.last_user() is None:
            tell("There is no message to change yet.")
            return
        if text:
            self._talk.take_back()
            self._turn(lambda cancel: self._talk.reply(text, cancel))
            return
        self._draft, problem = self._talk.take_out()
        tell("Your message was: {text}\nIt is taken back. Write it anew, or leave it out.", text=self._draft)
        if problem:
            say(problem)

    def _cards(self) -> None:
        for card in self._talk.pinned_cards:
            say(f"{turns.card_text(card)}\n")
        self._help_lines()

    def _help(self) -> None:
        tell(_HELP)
        if self._kept:
            say()
            tell(plain_history.HELP)
        if "/inspect" in self._commands:
            say()
            tell(clinician_lines.HELP)
        say()
        self._help_lines()

    def _help_lines(self) -> None:
        self._care["/help-lines"]("")

    def _model(self, name: str) -> None:
        say(self._room.use(name) if name else self._room.described())

    def _clear(self) -> None:
        self._talk.clear()
        self._lines.forget()
        tell("A new conversation begins. What was kept stays." if self._kept else "The conversation is forgotten.")

    def _leave(self) -> None:
        raise Leave


def care_commands(
    lines: LineInput, care: "Care | None", people: Callable[[], str], *, still: bool
) -> dict[str, Callable[[str], None]]:
    """The care tools by their commands. They need no model, and none has to be loaded."""
    from tide_chat.care.keeping import Care, Paper
    from tide_chat.care.names import TOOLS
    from tide_chat.commands.care_lines import CareLines
    from tide_chat.commands.care_papers import CarePapers

    care = care or Care()
    tools, papers = CareLines(lines, care, people, still=still), CarePapers(lines, care)

    def own(word: str, paper: Paper) -> Callable[[str], None]:
        return lambda text: papers.paper(paper, text, lambda: tools.tool(word))

    return {f"/{word}": partial(tools.tool, word) for word in TOOLS} | {
        "/help-lines": lambda _: tools.help_lines(),
        "/tools": lambda _: tools.menu(),
        "/orient": own("orient", Paper.WHERE_I_AM),
        "/place": own("place", Paper.CALM_PLACE),
        "/check-in": tools.check_in,
        "/weeks": lambda _: tools.weeks(),
        "/plan": papers.plan,
        "/about-me": papers.about_me,
        "/contacts": lambda text: papers.paper(Paper.CONTACTS, text, papers.contacts),
        "/summary": papers.summary,
    }


class _Out:
    """Prints a turn. A reply is `Reply: ...` on lines of its own; everything else begins a new line."""

    def __init__(self) -> None:
        self.finish: FinishReason | None = None
        self.error: TideError | None = None
        self._stage: Stage | None = None
        self._said: set[Stage | None] = set()
        self._writing = False
        self._text = turns.Trimmed()

    def show(self, event: Event | turns.Quiet) -> None:
        match event:
            case TextDelta(text) if text:
                self._write(text)
            case Progress(stage):
                self._stage = stage
            case turns.Quiet():
                self._announce()
            case CardShown(_, again=True):
                self._line(wording.say("The card from before is still there. /card says it again."))
            case CardShown(card):
                self._line(f"\n{turns.card_text(card)}\n")
            case Notice(text):
                self._line(text)
            case Done(result):
                self.finish, self.error = result.finish_reason, result.error
                self._end_line()

    def _write(self, text: str) -> None:
        if not self._writing:
            self._writing, self._text = True, turns.Trimmed()
            click.echo(wording.say("Reply: "), nl=False)
        click.echo(self._text.feed(text), nl=False)

    def _announce(self) -> None:
        """Each stage is named once; in the middle of a reply silence needs no words."""
        if not self._writing and self._stage not in self._said:
            self._said.add(self._stage)
            tell(_WHAT_GOES_ON[self._stage])

    def _line(self, text: str) -> None:
        self._end_line()
        say(text)

    def _end_line(self) -> None:
        if self._writing:
            say()
        self._writing = False
