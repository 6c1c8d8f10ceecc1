"""`/profile` in `plain`: how replies should be, by words. Knows the settings and the profile in use, no model."""

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from tide_chat import wording
from tide_chat.commands.output import say, tell
from tide_chat.errors import UsageError
from tide_chat.profile import (
    FIT,
    NAME_LENGTH,
    TOPICS_LENGTH,
    Profile,
    Style,
    described,
    keeps_personal,
    kept,
    topics_in,
)
from tide_chat.terminal import neutral

if TYPE_CHECKING:
    from tide_chat.config import Settings

HELP = """\
/profile reassure, /profile layered, /profile brief or /profile none chooses. It holds from your next message on.
/profile name NAME and /profile topics ONE, ANOTHER say what to call you and what not to bring up; empty takes it away.
Both hold until you leave. /profile keep writes them into the settings file, as plain text, and later changes too.
/profile forget takes them out of it."""


class Chosen(Protocol):
    """What the conversation knows of it."""

    profile: Profile


class ProfileLines:
    """The command. Raises TideError, OSError where the settings cannot be written."""

    def __init__(self, talk: Chosen) -> None:
        self._talk = talk

    def __call__(self, argument: str) -> None:
        word, _, rest = argument.partition(" ")
        rest = " ".join(neutral(rest).split())
        match word:
            case "":
                say(self._shown())
            case "name":
                self._change(replace(self._talk.profile, name=_short(rest, NAME_LENGTH)))
            case "topics":
                self._change(replace(self._talk.profile, topics=topics_in(_short(rest, TOPICS_LENGTH))))
            case "keep" | "forget":
                self._keep(personal=word == "keep")
            case style if style in set(Style):
                self._change(replace(self._talk.profile, style=Style(style)))
            case _:
                tell("There is no /profile {word}.", word=neutral(word))
                tell(HELP)

    def _shown(self) -> str:
        profile = self._talk.profile
        styles = [f"{style}: {'. '.join(map(wording.say, described(style)))}" for style in Style]
        return "\n".join((_said(profile), "", *styles, "", wording.say(HELP), wording.say(FIT)))

    def _change(self, profile: Profile) -> None:
        """Used at once. The style is kept; name and topics are only where they were kept before."""
        from tide_chat import config

        self._talk.profile = profile
        before = config.load()
        self._write(before, personal=keeps_personal(before))
        say(_said(profile))

    def _keep(self, *, personal: bool) -> None:
        from tide_chat import config

        self._write(config.load(), personal=personal)
        if personal:
            tell("Kept in {path}, as plain text.", path=config.path())
        else:
            tell("No longer in the settings file. It holds until you leave.")

    def _write(self, before: "Settings", *, personal: bool) -> None:
        from tide_chat import config

        changed = before.model_copy(update=kept(self._talk.profile, personal=personal))
        if changed != before:
            config.save(changed)


def _said(profile: Profile) -> str:
    style = wording.say(described(profile.style)[0])
    name, topics = profile.name or wording.say("nothing"), ", ".join(profile.topics) or wording.say("nothing named")
    return wording.say(
        "Replies: {style}. Called: {name}. Not to bring up: {topics}.", style=style, name=name, topics=topics
    )


def _short(text: str, most: int) -> str:
    """Raises UsageError."""
    if len(text) > most:
        raise UsageError(wording.say("That is longer than {count} characters.", count=most), details=f"{len(text)}")
    return text
