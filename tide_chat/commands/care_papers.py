"""Own texts line by line: the safety plan, a calm place, contacts, a page for a clinician. For `plain`.

Nothing becomes a file before the person has seen where it would go.
"""

from collections.abc import Callable

from tide_chat import wording
from tide_chat.care import export, summary, today
from tide_chat.care.keeping import PAPER_HINTS, Care, Paper, or_else
from tide_chat.care.plan import SafetyPlan, texts
from tide_chat.commands.line_input import LineInput, is_yes
from tide_chat.commands.output import say, tell
from tide_chat.errors import UsageError
from tide_chat.terminal import neutral

_HOW = "Enter keeps what stands there, a single - empties it, /multi begins several lines."
_PUT_IN = "Put the check-ins in? Enter or y for yes, n for no: "
_EDIT, _FILE = "edit", "file"


class CarePapers:
    """Shows, changes and exports own texts."""

    def __init__(self, lines: LineInput, care: Care) -> None:
        self._lines, self._care = lines, care

    def plan(self, argument: str = "") -> None:
        """The safety plan. argument: `edit`, or `file` and perhaps where it goes. Raises UsageError, OSError."""
        what, _, rest = argument.partition(" ")
        plan = self._care.plan()
        if what == _EDIT:
            self._edit_plan(plan)
        elif what == _FILE:
            self._to_file("safety-plan", plan.text(), rest)
        elif what:
            raise UsageError("/plan knows edit and file.", details=neutral(what))
        else:
            say(_read_out(plan))
            tell("/plan edit changes it, /plan file makes a file to print.")
            say(self._care.where)

    def paper(self, paper: Paper, argument: str, show: Callable[[], None]) -> None:
        """One own text: `edit` changes it, otherwise it is shown by `show`. Raises TideError, OSError."""
        if argument.strip() != _EDIT:
            show()
            return
        old = self._care.papers.get(paper)  # one that cannot be read is not written over
        tell(PAPER_HINTS[paper])
        self._care.papers.put(paper, self._asked(old))
        say(self._care.where)

    def contacts(self) -> None:
        lines = [neutral(contact.line) for contact in self._care.contacts()]
        say("\n".join(lines) or wording.say("There are no contacts yet."))
        tell("/contacts edit changes them.")
        say(self._care.where)

    def about_me(self, argument: str = "") -> None:
        """What a conversation may begin with. argument: `edit`, `on`, `off`. Raises TideError, OSError."""
        if argument in ("on", "off"):
            self._care.carry(argument == "on")
        elif argument and argument != _EDIT:
            raise UsageError("/about-me knows edit, on and off.", details=neutral(argument))
        self.paper(Paper.ABOUT_ME, argument, self._say_about_me)

    def _say_about_me(self) -> None:
        nothing = f"{wording.say('Nothing is written yet.')} {wording.say(PAPER_HINTS[Paper.ABOUT_ME])}"
        say(neutral(self._care.about_me()) or nothing)
        tell("The model is given it with every message." if self._care.carried() else "The model is not given it.")
        tell("/about-me edit changes it, /about-me on and off switch it.")
        say(self._care.where)

    def summary(self, argument: str = "") -> None:
        """A page for a clinician: its parts one by one, then shown whole, then perhaps a file."""
        tell("A page to bring along. Each part can be left with Enter. Nothing from your conversations is in it.")
        own = {title: self._asked("", f"{wording.say(title)}: ") for title in summary.OWN}
        check_ins = or_else(self._care.journal.read, ())
        if check_ins and self._lines.ask(wording.say(_PUT_IN)).strip().casefold().startswith("n"):
            check_ins = ()
        text = summary.draft(check_ins, today.now(), own)
        say(f"\n{text}")
        self._to_file("for-my-clinician", text, argument)

    def _edit_plan(self, plan: SafetyPlan) -> None:
        self._only_with_somebody()
        say(f"{texts()['intro']}\n{wording.say(_HOW)}")
        for section in plan.sections:
            say(f"\n{section.title}. {section.hint}")
            plan = plan.model_copy(update={section.name: self._asked(section.text)})
            self._care.keep_plan(plan)  # each at once: who stops in the middle keeps the parts so far
        tell("That is your plan now. /plan reads it out.")
        say(self._care.where)

    def _asked(self, old: str, prompt: str = "") -> str:
        self._only_with_somebody()
        if old:
            tell("It says: {text}", text=neutral(old))
            tell(_HOW)
        answer = neutral(self._lines.message(prompt or wording.say("Write: "))).strip()
        return "" if answer == "-" else answer or old

    def _to_file(self, name: str, text: str, where: str) -> None:
        self._only_with_somebody()
        path = where.strip() or str(export.suggested(name))
        tell("It would go to {path}", path=neutral(path))
        tell(export.PLAIN)
        answer = self._lines.ask(wording.say("Enter or y writes it, n does not, or another place: ")).strip()
        if answer.casefold() in ("n", "no", "q"):
            tell("No file was written.")
            return
        chosen = path if not answer or is_yes(answer) else answer
        tell("Written: {path}", path=neutral(str(export.write(chosen, text))))

    def _only_with_somebody(self) -> None:
        if not self._lines.interactive:
            raise UsageError(
                "This asks questions, and nobody is at the keyboard.", help="In a terminal: tide-chat plain"
            )


def _read_out(plan: SafetyPlan) -> str:
    """The plan as lines, without marks."""
    if plan.empty:
        return f"{texts()['title']}\n\n{texts()['intro']}"
    parts = [f"{section.title}:\n{neutral(section.text)}" for section in plan.sections if section.text]
    return "\n\n".join([texts()["title"], *parts])
