"""What this program says about itself: the first screen, once a day, and true answers to questions about its nature.

Knows no tier and no model. When the day of acceptance cannot be written down (a read-only home), it is asked again.
"""

import re
from contextlib import suppress
from datetime import datetime

from tide_chat import atomic, paths
from tide_chat.safety import helplines
from tide_chat.safety.cards import HelpLine, step_for

_FILE = "disclosure-accepted"

_TEXT = """\
Before we begin

This is a program, not a person. It has no feelings and it can be wrong.
It is not care and does not replace a doctor, a clinician or a friend.
Nobody is watching: no person reads along, and nobody will notice if you are in danger.
What you write stays on this machine. It is not sent anywhere, and it is gone when you close the app.
It is for adults, 18 and over.

If you need help now
{lines}

{footnote}"""


def text(country: str | None = None) -> str:
    """The first screen in full, with where to find help now."""
    lines = [helplines.emergency(country), *helplines.lines_for(country, "crisis")]
    return _TEXT.format(lines="\n".join(f"  {_spoken(line)}" for line in lines), footnote=helplines.footnote(country))


def due(now: datetime | None = None, accepted_at: datetime | None = None) -> bool:
    """Whether the first screen has to be shown: not yet accepted on this calendar day, or the clock went backwards."""
    now = now or _now()
    accepted_at = accepted_at or _accepted_at()
    if accepted_at is None:
        return True
    return accepted_at.astimezone(now.tzinfo).date() != now.date()


def accept(now: datetime | None = None) -> None:
    """Note that it was accepted. Where nothing can be written it is simply asked again next time."""
    with suppress(OSError):
        atomic.write_text(paths.state_dir() / _FILE, (now or _now()).isoformat() + "\n")


def fixed_answer(said: str) -> str | None:
    """A true answer to a question about what this is, or the text behind a card's choice; None for all else."""
    if len(said) > _LONGEST:
        return None
    plain = re.sub(r"[’`´]", "'", said.casefold())
    return next((answer for pattern, answer in _ANSWERS if pattern.search(plain)), None) or step_for(said)


def _now() -> datetime:
    return datetime.now().astimezone()


def _accepted_at() -> datetime | None:
    try:
        written = (paths.state_dir() / _FILE).read_text(encoding="utf-8").strip()
        return datetime.fromisoformat(written).astimezone()
    except (OSError, ValueError, OverflowError):
        return None


def _paragraphs(answer: str) -> str:
    """One line a paragraph, so that the front end wraps it."""
    return "\n\n".join(" ".join(part.split()) for part in answer.strip().split("\n\n"))


def _spoken(line: HelpLine) -> str:
    extra = ", ".join(part for part in (line.hours, line.note) if part)
    return f"{line.name}: {line.how} {line.number}" + (f" ({extra})" if extra else "")


_LONGEST = 200  # characters; a longer message is more than such a question

_PROGRAM = """
I am a program, not a person. There is no one behind these words, and I do not feel or remember as a person does.
What you write is read by nobody but the software on this machine.

If you would like a real person, the help screen has lines that people answer."""

_NOT_CARE = """
No. I am a program, not a therapist, doctor or any other clinician, and I do not treat anything. I can listen in my way
and put things into words with you.

For care, a clinician is the right person, and I can help you find words for them."""

_PRIVATE = """
What you write stays on this machine: this program sends it nowhere and keeps it only in memory until you close it.

I cannot speak for the machine itself. Somebody who uses it, looks at the screen or manages it could see what you
write."""

_SECRET = """
I am a program and tell nobody: nothing you write is sent anywhere. I cannot promise more than that, because somebody
who uses this machine could see the screen, and what other people do with what they hear is theirs to say.

You can decide how much you write, at any point."""

_WATCHED = """
No. Nobody reads along, nobody is alerted, and I cannot call anyone for you. That also means that nobody will notice
if you are in danger, so the numbers on the help screen matter."""

_YOU = r"(are|r|is|am) (you|u|ya|this|i (talking|speaking|chatting) (to|with))"
_QUESTIONS = (
    (r"(promise|swear|pinky)\b.{0,30}\b(not (to )?tell|won'?t tell|secret|never tell|between us|report)", _SECRET),
    (
        (
            r"^\W*(will|would|do|can|could) (you|u) (tell|report|inform|snitch|call|alert|contact)\b.{0,30}"
            r"\b(anyone|anybody|me|police|my|someone|somebody|them|on me)\b"
        ),
        _WATCHED,
    ),
    (
        (
            r"\b(is|are) (anyone|anybody|someone|somebody|people|a person|humans?) "
            r"(watching|reading|listening|monitoring|there|behind)"
        ),
        _WATCHED,
    ),
    (
        (
            r"(who|can (anyone|someone|people|they|you)) (can |will )?(read|see|sees|reads|hear) "
            r"(this|it\b|what i|my (messages|chats?|words)|these)"
        ),
        _PRIVATE,
    ),
    (
        (
            r"\b(is|are) (this|it|what i (write|type|say)|(our|these) chats?|my (messages|words|data)|everything)\b"
            r".{0,20}\b(private|confidential|anonymous|saved|recorded|stored|secret|secure)\b"
        ),
        _PRIVATE,
    ),
    (
        (
            r"^\W*(do|does|will|did) (you|this|the app|it) (also |ever )?(save|store|keep|record|share|send|log)\b"
            r".{0,20}\b(i (type|write|say|tell)|this|it|chats?|conversations?|messages|anything|data)\b"
        ),
        _PRIVATE,
    ),
    (
        (
            rf"{_YOU}\b.{{0,20}}\b(therapist|doctor|clinician|counsell?or|psychologist|psychiatrist|nurse|medical|qualified"
            r"|licensed)\b"
        ),
        _NOT_CARE,
    ),
    (
        (
            rf"{_YOU}\b.{{0,25}}\b(human|real|a person|people|robot|bot|ai|a\.i\.|machine|a program|computer|alive"
            r"|chatbot|llm)\b"
        ),
        _PROGRAM,
    ),
    (r"\b(what|who) (are|r) (you|u)\W*$", _PROGRAM),
    (
        (
            r"\b(do|can) (you|u) (really |actually |even )?"
            r"(have (feelings|emotions|a (body|soul|heart))|feel (anything|things|emotions?|pain|sad|love)|love me"
            r"|care about me|miss me)\b"
        ),
        _PROGRAM,
    ),
)
_ANSWERS = tuple((re.compile(pattern), _paragraphs(answer)) for pattern, answer in _QUESTIONS)
