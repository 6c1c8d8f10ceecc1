"""How the history commands get at the open history: passphrases asked for, keyring, settings. Prints nothing else.

A passphrase comes from the terminal, unseen, or as a line of standard input when --passphrase-stdin says so; never from
the command line or the environment, where others can read it.
"""

import getpass
import warnings
from typing import TYPE_CHECKING

import click

from tide_chat.commands import line_input
from tide_chat.errors import TideError, UsageError, WrongPassphrase
from tide_chat.wording import say

if TYPE_CHECKING:
    from tide_chat.config import Settings
    from tide_chat.store.archive import Archive
    from tide_chat.store.keys import Key
    from tide_chat.store.vault import Vault

_TRIES = 3


class Passphrases:
    """Where passphrases come from in this run."""

    def __init__(self, *, piped: bool) -> None:
        self.piped = piped

    def new(self) -> str:
        """Asked for twice on a terminal. Raises UsageError when it is too short or the two differ."""
        from tide_chat.store import keys

        first = self._one("New passphrase: ")
        keys.check(first)
        if not self.piped and self._one("The same again: ") != first:
            raise UsageError("The two were not the same. Nothing was changed.")
        return first

    def unlock(self, vault: "Vault", prompt: str = "Passphrase of the history: ") -> "Key":
        """A person may try three times. Raises WrongPassphrase, StoreError; UsageError where nothing was typed."""
        for left in reversed(range(1 if self.piped else _TRIES)):
            typed = self._one(prompt)
            if not typed:
                raise UsageError("No passphrase was given.")
            try:
                return vault.unlock(typed)
            except WrongPassphrase as error:
                if not left:
                    raise
                click.echo(error.said, err=True)
        raise AssertionError("unreachable")

    def _one(self, prompt: str) -> str:
        if self.piped:
            return piped_line("passphrase")
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would be seen while it is typed
            try:
                return getpass.getpass(say(prompt))
            except (getpass.GetPassWarning, EOFError) as error:
                raise UsageError(
                    "The passphrase is asked for on a terminal, and there is none.",
                    help="Without a terminal: --passphrase-stdin, and the passphrase as first line of standard input.",
                ) from error


def piped_line(what: str) -> str:
    """The next line of standard input. Raises UsageError at its end."""
    try:
        return line_input.piped_line()
    except EOFError as error:
        raise UsageError(f"Standard input ended before the {what}.") from error


def open_archive(passphrases: Passphrases) -> "Archive":
    """The history, opened by keyring or passphrase; what is too old is deleted. Raises UsageError, StoreError."""
    from tide_chat import config
    from tide_chat.store.vault import Vault

    settings, vault = config.load(), Vault()
    vault.require()
    opened = by_keyring(settings) if settings.history_keyring else None
    return opened or vault.open(passphrases.unlock(vault), settings.history_days)


def by_keyring(settings: "Settings") -> "Archive | None":
    """None when the keyring has no key that opens it; the passphrase always does."""
    from tide_chat.store import system_keyring
    from tide_chat.store.vault import Vault

    vault = Vault()
    try:
        key = system_keyring.find(vault.file)
        return vault.open(key, settings.history_days) if key else None
    except WrongPassphrase:
        return None
    except TideError as error:  # whatever is wrong with it, the passphrase will show
        click.echo(error.said, err=True)
        return None
