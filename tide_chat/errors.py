"""The one error tree. A user error says what happened, what was got, and what to do.

TideError                      exit 1   ran and failed
├── UsageError                 exit 2   wrong use or configuration
├── ModelError                 exit 3   the model is missing or unusable
│   ├── ModelNotFound                   no such alias or file; nearest names in `help`
│   ├── ModelUnusable                   not a GGUF, truncated, unreadable, unknown architecture
│   └── TemplateMissing                 the file carries no chat template
├── DataError                  exit 4   input data is invalid
├── HubError                   exit 1   a download failed: network, access, space, wrong bytes
├── EngineError                exit 1   generation failed, the engine is still there
│   └── PromptTooLong                   the newest message alone does not fit the context
├── EngineDied                 exit 1   the engine's process ended
├── StoreError                 exit 1   the history cannot be opened, read or written
│   ├── WrongPassphrase        exit 2   it does not open the file
│   ├── NoConversation         exit 2   no such conversation, or not any more
│   ├── StoreLocked                     another tide-chat has it
│   └── StoreDamaged                    the file is not what was written
└── MissingExtra               exit 2   an optional part is not installed
"""

from typing import ClassVar


class TideError(Exception):
    """A failure the user can read, in the language in use where it knows the words; what was got stays as it is.

    message: what happened, one plain sentence. details: what was got. help: what to do next.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, details: str = "", help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.help = help

    def __str__(self) -> str:
        return "\n".join(part for part in (self.said, self.details, _said(self.help)) if part)

    @property
    def said(self) -> str:
        """What happened, in the language in use."""
        return _said(self.message)

    @property
    def line(self) -> str:
        """All of it in one line."""
        return " ".join(part for part in (self.said, self.details, _said(self.help)) if part)

    @property
    def short(self) -> str:
        """What happened and what to do, without what was got, in one line."""
        return " ".join(part for part in (self.said, _said(self.help)) if part)


class UsageError(TideError):
    """Wrong use or configuration."""

    exit_code = 2


class ModelError(TideError):
    """The model is missing or cannot be used."""

    exit_code = 3


class ModelNotFound(ModelError):
    """No such alias or file."""


class ModelUnusable(ModelError):
    """The file is there, but it is not a model that can be loaded."""


class TemplateMissing(ModelError):
    """The file carries no chat template, and guessing one makes a model talk to itself."""


class DataError(TideError):
    """Input data is invalid."""

    exit_code = 4


class HubError(TideError):
    """A download failed."""


class EngineError(TideError):
    """Generation failed; the engine can be used again."""


class PromptTooLong(EngineError):
    """The newest message does not fit the context, even alone."""


class EngineDied(TideError):
    """The engine's process ended (killed, crashed, out of memory)."""


class StoreError(TideError):
    """The history cannot be opened, read or written."""


class WrongPassphrase(StoreError):
    """The passphrase does not open the file. A damaged first page looks the same."""

    exit_code = 2


class NoConversation(StoreError):
    """There is no such conversation, or it was deleted meanwhile."""

    exit_code = 2


class StoreLocked(StoreError):
    """Another process has the history, and this needs it alone or cannot wait longer."""


class StoreDamaged(StoreError):
    """The file is not what was written."""


class MissingExtra(TideError):
    """An optional part is not installed."""

    exit_code = 2

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the '{extra}' extra.", help=f"Install it: pip install 'tide-chat[{extra}]'")


def in_words(error: OSError) -> str:
    """What the system says of a file, and which file it was."""
    where = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or type(error).__name__}{where}"


def _said(text: str) -> str:
    from tide_chat.wording import say  # reads TOML, which --help does not need

    return say(text)
