"""The one table of what can be done: slash commands, palette, bindings, help panel and docs/keys.md come from it.

Knows names, keys and words only; the chat screen has an `action_<action>` for each.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tide_chat.wording import say


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a user can do. `keys` are Textual's names; `argument` is shown after the slash command."""

    name: str
    title: str
    help: str
    action: str
    keys: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    argument: str = ""
    anywhere: bool = False  # works on every screen, handled by the app

    @property
    def slash(self) -> str:
        return f"/{self.name}"


@dataclass(frozen=True, slots=True)
class Typing:
    """A key that works while writing; the message box handles it itself."""

    keys: str
    help: str


LEAVE_KEYS = ("ctrl+q",)  # one key, away from every other binding; /leave does the same

COMMANDS = (
    Command(
        "help-lines", "Find help now", "Help lines near you, to call or text a person.", "help_lines", ("f2", "ctrl+l")
    ),
    Command("help", "Keys and commands", "This list.", "help", ("f1",), ("keys",)),
    Command(
        "leave",
        "Leave at once",
        "Closes at once and clears the screen and what can be scrolled back to.",
        "leave_now",
        LEAVE_KEYS,
        anywhere=True,
    ),
    Command(
        "tools",
        "Care tools",
        "Things to do in a hard moment, with no model. Esc goes back to where you were.",
        "tools",
        ("f8", "alt+t"),
        ("care",),
        anywhere=True,
    ),
    Command(
        "breathe",
        "Paced breathing",
        "Slow breathing, moving or in words only.",
        "breathe",
        ("f9", "alt+r"),
        anywhere=True,
    ),
    Command(
        "ground",
        "Grounding",
        "Five, four, three, two, one: back to this room.",
        "ground",
        ("f10", "alt+g"),
        ("grounding",),
        anywhere=True,
    ),
    Command(
        "orient",
        "Where am I, what day is it",
        "Today's date, and your own words for where you are.",
        "orient",
        ("f12", "alt+w"),
        ("where",),
        anywhere=True,
    ),
    Command(
        "muscles", "Muscle release", "Muscle release, from the hands to the feet.", "muscles", ("alt+m",), anywhere=True
    ),
    Command("place", "A calm place", "A calm place, in words that you write.", "place", ("alt+p",), anywhere=True),
    Command("sleep", "Winding down", "Winding down: small things before sleep.", "sleep", ("alt+s",), anywhere=True),
    Command(
        "check-in",
        "Check in, 0 to 10",
        "How strong it is, and what could fit. Only for you.",
        "check_in",
        ("alt+c",),
        ("checkin",),
        anywhere=True,
    ),
    Command("plan", "My safety plan", "Your safety plan, to read, write and print.", "plan", ("alt+l",), anywhere=True),
    Command("contacts", "My own contacts", "People you can reach, one a line.", "contacts", anywhere=True),
    Command(
        "weeks",
        "My check-ins over weeks",
        "Your check-ins as a small chart, and the same in words.",
        "weeks",
        anywhere=True,
    ),
    Command(
        "summary",
        "For my clinician",
        "A page to bring to a clinician. You change it before it becomes a file.",
        "summary",
        anywhere=True,
    ),
    Command("stop", "Stop", "Stops the reply; what is there stays. A waiting message comes back to you.", "stop"),
    Command("again", "Answer again", "Asks for another answer to your last message.", "again", ("ctrl+r",), ("retry",)),
    Command(
        "edit",
        "Edit my last message",
        "Puts your last message back into the box. Nothing changes until you send it.",
        "edit",
        ("ctrl+t",),
    ),
    Command(
        "copy",
        "Copy the last reply",
        "Copies it through the terminal (OSC 52). Other programs can read the clipboard, and it stays after you leave.",
        "copy_reply",
        ("ctrl+o",),
    ),
    Command("card", "Go to the card", "Moves to the card at the top, to read and scroll it.", "card", ("f3",)),
    Command("away", "Put the card away", "Puts the top card away. F2 still has the help lines.", "away", ("ctrl+g",)),
    Command("why", "Why a card was shown", "Says in words what the safety check noticed in your last message.", "why"),
    Command(
        "inspect",
        "Inspector, for clinicians",
        "The newest turn from inside, for showing how this works. Off until you switch it on for this session.",
        "inspect",
        ("alt+i",),
    ),
    Command(
        "receipt",
        "Write a receipt",
        "A file with which a colleague gets the same replies. It says where it goes before it is written.",
        "receipt",
    ),
    Command(
        "compare",
        "Compare two models",
        "For clinicians and role-play: each message to two models, side by side, to be rated.",
        "compare",
        (),
        (),
        "MODEL MODEL FOLDER",
    ),
    Command("safety", "Safety protocol", "What happens when somebody is in danger, and what this misses.", "safety"),
    Command(
        "clear",
        "Start anew",
        "Begins a new conversation. What your history keeps stays; what it does not is forgotten, after asking you.",
        "clear",
        ("ctrl+n",),
        ("new",),
    ),
    Command(
        "history",
        "My history",
        "Your conversations: search, go on with one, name, copy, write to a file, delete.",
        "history",
        ("f11", "alt+h"),
        ("conversations", "unlock"),
        anywhere=True,
    ),
    Command(
        "forget",
        "Forget this conversation",
        "Deletes this conversation, here and in your history, after asking you.",
        "forget_this",
        anywhere=True,
    ),
    Command(
        "branch",
        "Go on with a copy",
        "A copy of this conversation, up to one of your messages.",
        "branch",
        anywhere=True,
    ),
    Command(
        "export",
        "Write to a file",
        "Writes this conversation to a file. You see first where it goes and who can read it.",
        "export_this",
        anywhere=True,
    ),
    Command(
        "about-me",
        "What you may know about me",
        "A few lines of yours that every conversation may begin with. Off until you switch it on.",
        "about_me",
        anywhere=True,
    ),
    Command("model", "Models", "Choose another model, or fetch one.", "models", ("f4",), ("models",), "[name]"),
    Command("theme", "Colours", "calm-dark, calm-light, high-contrast, large or no-colour.", "theme", (), (), "[name]"),
    Command(
        "profile",
        "How replies should be",
        "Reassured first, something concrete, or short; what to call you; what not to bring up.",
        "profile",
        (),
        ("replies",),
    ),
    Command("settings", "Settings", "Colours, movement, language, country for help lines.", "settings", ("f5",)),
    Command(
        "language", "Language", "English or Spanish for the app's own texts: en or es.", "language", (), (), "[name]"
    ),
    Command("about", "About", "What this is and what it is not.", "about", (), ("disclosure",)),
    Command("palette", "Search all commands", "Finds a command by a part of its name.", "palette", ("ctrl+p",)),
    Command(
        "quit",
        "Quit",
        "Closes in the usual way. What your history keeps stays; all else is gone.",
        "quit",
        (),
        ("exit", "q"),
    ),
)

TYPING = (
    Typing("Enter", "Send"),
    Typing("Ctrl+J", "New line, in every terminal"),
    Typing("\\ then Enter", "New line, in every terminal"),
    Typing("Shift+Enter", "New line, in terminals that tell it from Enter"),
    Typing("Esc", "Stop the reply, take back a waiting message, or leave editing"),
    Typing("Up, Down", "At the first or last line: what you wrote before"),
    Typing("Page Up, Page Down", "Scroll the conversation"),
    Typing("Tab", "Complete a command; otherwise move on to the card or the conversation"),
    Typing("Ctrl+C", "Copy what is selected"),
    Typing("Ctrl+Z, Ctrl+Y", "Undo and redo while writing"),
    Typing("/", "Start a command. Put a space before it to send it as words"),
)


def find(name: str) -> Command | None:
    """The command called `name`, with or without its slash."""
    name = name.removeprefix("/").lower()
    return next((c for c in COMMANDS if name == c.name or name in c.aliases), None)


def parse(text: str) -> tuple[Command, str] | None:
    """A known command and its argument, or None: then `text` is words to be sent.

    An unknown name followed by more words is never taken for a command: what someone says must not be lost to a slash.
    """
    if not text.startswith("/"):
        return None
    name, _, argument = text.strip().partition(" ")
    command = find(name)
    return (command, argument.strip()) if command else None


def looks_mistyped(text: str) -> bool:
    """One word with a slash before it that is no command."""
    return text.startswith("/") and len(text) > 1 and len(text.split()) == 1 and parse(text) is None


def completions(text: str) -> tuple[Command, ...]:
    """Commands that begin with what was typed so far; none once there is more than one word."""
    if not text.startswith("/") or any(c.isspace() for c in text):
        return ()
    typed = text[1:].lower()
    return tuple(c for c in COMMANDS if any(n.startswith(typed) for n in (c.name, *c.aliases)))


def key_label(key: str) -> str:
    """Textual's key name as people write it."""
    return "+".join(part.upper() if len(part) == 1 or part[1:].isdigit() else part.title() for part in key.split("+"))


def rows() -> Iterable[tuple[str, str, str]]:
    """Keys, slash command and help of every command, for the help panel and the docs (which are in English)."""
    for command in COMMANDS:
        keys = ", ".join(key_label(key) for key in command.keys)
        yield keys, f"{command.slash} {command.argument}".strip(), say(command.help)


def markdown() -> str:
    """docs/keys.md."""
    lines = ["# Keys and commands", "", "Written from `tide_chat/ui/commands.py`; a test compares them.", ""]
    lines += ["| Key | Command | What it does |", "| --- | --- | --- |"]
    lines += [f"| {keys} | `{slash}` | {text} |" for keys, slash, text in rows()]
    lines += ["", "## While writing", "", "| Key | What it does |", "| --- | --- |"]
    lines += [f"| {row.keys} | {row.help} |" for row in TYPING]
    return "\n".join(lines) + "\n"
