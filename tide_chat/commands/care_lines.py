"""The care tools line by line, for `plain` and `tide-chat care`. Every line says by itself what it is.

With a person at the keyboard each step waits for Enter; through a pipe everything is printed at once and asks nothing.
"""

import re
import time
from collections.abc import Callable, Iterable

from tide_chat import wording
from tide_chat.care import breathing, today, weeks
from tide_chat.care.checkin import HIGHEST, CheckIn, When, asking, compared, match
from tide_chat.care.keeping import Care, or_else
from tide_chat.care.names import TOOLS, WORDS
from tide_chat.care.tools import Pattern, Tool, find
from tide_chat.care.walk import Walk
from tide_chat.commands.line_input import LineInput
from tide_chat.commands.output import say, tell
from tide_chat.errors import TideError, UsageError, in_words
from tide_chat.terminal import neutral

_WITH = "[Ww]ith|[Cc]on"  # before a key, in each language
_DIGITS = 4  # of a number of a check-in; int() refuses thousands of them
_A_NUMBER = "A check-in is a number from 0 to {highest}."
_KEYS = "Enter goes on, b goes back, q leaves."
_OTHER_WAYS = "As often as you like. Other ways: {command} and one of {names}."
_PACED = "Enter: lines that come at the pace of the breath, Ctrl+C stops them. q leaves: "


class CareLines:
    """The tools and the check-in. people: the help lines as text. still: nothing comes by itself."""

    def __init__(
        self,
        lines: LineInput,
        care: Care,
        people: Callable[[], str],
        *,
        still: bool = False,
        prefix: str = "/",
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._lines, self.care, self._people = lines, care, people
        self._still, self._prefix, self._wait = still, prefix, wait
        self._writes = prefix == "/"  # own texts can be written where there are commands for it

    def menu(self) -> None:
        """What there is, a line each."""
        for word, name in TOOLS.items():
            say(f"{self._prefix}{word}: {find(name).title}. {find(name).short}.")
        say(self.care.where)

    def help_lines(self) -> None:
        """Where to find help, and one's own contacts below it, as in the app."""
        own = [contact.line for contact in or_else(self.care.contacts, ())]
        say(self._people())
        if own:
            say(neutral("\n".join(("", wording.say("My own contacts"), *own))))

    def tool(self, word: str, argument: str = "") -> None:
        """Go through a tool. argument: the way of breathing. Raises UsageError."""
        tool = self._filled(find(TOOLS[word]))
        asks = self._lines.interactive and or_else(lambda: self.care.asks, False)
        before = self._number("before", tool.id, asking().question) if asks else None
        say(f"{tool.title}\n\n{tool.why}\n")
        whole = self._breathe(tool, argument) if tool.patterns else self._walk(tool)
        if whole:
            say(f"\n{tool.close}")
        if before is not None:
            self._after(tool, before)

    def check_in(self, argument: str = "") -> None:
        """A number, and what could fit it. argument: the number, when it is known already. Raises UsageError."""
        if argument:
            level = _level(argument)
            if level is None:
                raise UsageError(wording.say(_A_NUMBER, highest=HIGHEST), details=neutral(argument))
            self._note(CheckIn(today.now(), level))
        else:
            say("\n".join(f"{level} {words}" for level, words in enumerate(asking().anchors)))
            level = self._number("alone", "", asking().question)
        if level is not None:
            self._matched(level)

    def weeks(self) -> None:
        """The chart in words."""
        say("\n".join((*weeks.in_words(self.care.journal.read()), self.care.where)))

    def _filled(self, tool: Tool) -> Tool:
        command = f"/{WORDS[tool.id]} edit" if self._writes else ""
        return self.care.filled(_without_key(tool, command), today.now())

    def _walk(self, tool: Tool) -> bool:
        """Whether one came to the end."""
        if self._lines.interactive:
            tell(_KEYS)
        walk = Walk.of(tool.steps)
        while walk.step:
            place = wording.say("{number} of {all}", number=walk.at + 1, all=len(walk.steps))
            say(f"{place}. {walk.step.still()}")
            answer = self._lines.ask("> ").strip().casefold() if self._lines.interactive else ""
            if answer in ("q", "quit", "/quit"):
                return False
            walk = walk.back() if answer == "b" else walk.next()
        return True

    def _breathe(self, tool: Tool, wanted: str) -> bool:
        pattern = _pattern(tool, wanted)
        say(f"{pattern.title}. {pattern.note}")
        say("\n".join(breathing.in_words(pattern)))
        others = ", ".join(one.id for one in tool.patterns if one is not pattern)
        tell(_OTHER_WAYS, command=f"{self._prefix}{WORDS[tool.id]}", names=others)
        if self._still or not self._lines.interactive:
            return True
        if self._lines.ask(wording.say(_PACED)).strip().casefold() in ("q", "quit", "/quit"):
            return False
        self._pace(pattern)
        return True

    def _pace(self, pattern: Pattern) -> None:
        for phase in pattern.phases * pattern.rounds:
            say(f"{phase.words}, {phase.seconds:g}")
            self._wait(phase.seconds)

    def _number(self, when: When, tool: str, question: str) -> int | None:
        """A number, noted where it can be; None when the question was left."""
        while True:
            answer = self._lines.ask(f"{question} {wording.say('Enter leaves it: ')}").strip()
            if not answer:
                return None
            level = _level(answer)
            if level is not None:
                self._note(CheckIn(today.now(), level, when, tool))
                return level
            tell("A whole number from 0 to {highest}, please.", highest=HIGHEST)

    def _note(self, check_in: CheckIn) -> None:
        """What follows a number, help lines above all, is there whether or not the number can be kept."""
        try:
            self.care.journal.add(check_in)
        except (TideError, OSError) as error:
            reason = error.said if isinstance(error, TideError) else in_words(error)
            say(f"{wording.say('The number could not be kept.')} {neutral(reason)}")

    def _after(self, tool: Tool, before: int) -> None:
        now = self._number("after", tool.id, asking().again)
        if now is not None:
            say(compared(before, now))
            self._matched(now)

    def _matched(self, level: int) -> None:
        fits = match(level)
        people = [contact.line for contact in or_else(self.care.contacts, ())] if fits.people != "none" else []
        parts: list[str] = [fits.words]
        if people:
            parts.append(neutral("\n".join(people)))
        if fits.people == "first":
            parts.append(self._people())
        parts.append("\n".join(self._offers(fits.tools)))
        if fits.people == "below":
            parts.append(self._people())
        say("\n\n".join((*parts, self.care.where)))

    def _offers(self, names: Iterable[str]) -> Iterable[str]:
        for name in names:
            yield f"{self._prefix}{WORDS[name]}: {find(name).title}"
        if self._writes:
            yield wording.say("/plan: my safety plan")


def _level(answer: str) -> int | None:
    if not (answer.isascii() and answer.isdigit() and len(answer) <= _DIGITS):
        return None
    return int(answer) if int(answer) <= HIGHEST else None


def _without_key(tool: Tool, command: str) -> Tool:
    """The words for a missing text name a key of the app; here that is a command, or the sentence is left out."""
    put = (rf"\b({_WITH}) E\b", rf"\1 {command}") if command else (rf" [^.]*\b(?:{_WITH}) E\b[^.]*\.", "")
    return tool.model_copy(update={"missing": re.sub(*put, tool.missing)})


def _pattern(tool: Tool, wanted: str) -> Pattern:
    name = wanted.casefold().replace(" ", "_").replace("-", "_")
    found = next((one for one in tool.patterns if one.id == name), None if name else tool.patterns[0])
    if found is None:
        known = ", ".join(one.id for one in tool.patterns)
        there_are = wording.say("There are: {names}.", names=known)
        raise UsageError("There is no such way of breathing.", details=neutral(wanted), help=there_are)
    return found
