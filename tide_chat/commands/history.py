"""`tide-chat history`: on, off, list, search, show, rename, delete, forget-all, export, import, passphrase.

Words only; the work is in tide_chat.store. Results go to stdout, talk to stderr. With --json, stdout holds one JSON
value and nothing else. The shapes are kept stable:

    list     {"conversations": [conversation, ...], "total": int}
    show     conversation and {"messages": [{"position", "role", "text", "authored", "at"}, ...]}
    search   {"hits": [{"conversation", "name", "position", "role", "at", "snippet", "spans": [[from, to], ...]}, ...]}
    conversation  {"conversation": number, "title", "opening", "created", "updated", "messages": int}
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tide_chat import ending
from tide_chat.commands import history_views as views
from tide_chat.commands import output
from tide_chat.commands.history_access import Passphrases, open_archive, piped_line
from tide_chat.errors import TideError, UsageError
from tide_chat.terminal import is_terminal, neutral

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tide_chat.store.keys import Key
    from tide_chat.store.values import Record
    from tide_chat.store.vault import Vault

_piped = click.option(
    "--passphrase-stdin", "piped", is_flag=True, help="Read the passphrase as the first line of standard input."
)
_limit = click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most."
)
_first = click.option("--skip", type=click.IntRange(0), default=0, help="Leave out so many of the newest.")
_keyring = click.option(
    "--keyring/--no-keyring", default=None, help="Whether the system's keyring opens it as well, without asking."
)
_NUMBER = click.IntRange(0, 2**63 - 1)  # what SQLite can hold


def _numbers(ctx: click.Context, param: click.Parameter, given: tuple[int, ...]) -> tuple[int, ...]:
    """An option of the type `_NUMBER` would show its range in the help."""
    return tuple(_NUMBER.convert(number, param, ctx) for number in given)


@click.group("history", short_help="Keep conversations, encrypted; search, export and delete them.")
def command() -> None:
    """Keep conversations, encrypted; search, export and delete them.

    Nothing is kept unless you turn it on. docs/history.md says what is protected and what is not.
    """
    ending.without_dump()


@command.command("on")
@click.option("--days", type=click.IntRange(1, 36_500), help="Delete what was not touched for so many days.")
@_keyring
@_piped
def turn_on(days: int | None, keyring: bool | None, piped: bool) -> None:
    """Keep conversations from now on, in an encrypted file that your passphrase opens."""
    from tide_chat.store.vault import Vault

    vault, passphrases = Vault(), Passphrases(piped=piped)
    vault.check_encryption()
    if vault.exists():
        click.echo("There is a history already; it is used again.", err=True)
        key = passphrases.unlock(vault)
    else:
        click.echo(_BEFORE, err=True)
        key = vault.create(passphrases.new())
    changes: dict[str, Any] = {"history": True} | ({"history_days": days} if days else {})
    _save(changes)
    click.echo(f"Conversations are kept from now on, encrypted: {vault.file}")
    _use_keyring(keyring, vault, key)


@command.command("off")
def turn_off() -> None:
    """Keep nothing from now on. What was kept stays until you delete it."""
    from tide_chat.store.vault import Vault

    _save({"history": False})
    click.echo("Nothing is kept from now on.")
    if Vault().exists():
        click.echo("What was kept is still there. To delete it: tide-chat history forget-all", err=True)


@command.command("list")
@_limit
@_first
@output.as_json
@_piped
def list_conversations(limit: int, skip: int, as_json: bool, piped: bool) -> None:
    """Show conversations, the newest first."""
    with open_archive(Passphrases(piped=piped)) as archive:
        found, total = archive.conversations(limit, skip), archive.count()
    if as_json:
        output.print_json({"conversations": list(map(views.summary, found)), "total": total})
    elif found:
        views.print_list(found)
        if total > len(found):
            click.echo(f"\n{len(found)} of {total}. More: --skip {skip + len(found)}", err=True)
    else:
        click.echo("No conversation is kept.", err=True)


@command.command("search")
@click.argument("text", metavar="TEXT|-")
@_limit
@_first
@output.as_json
@_piped
def search(text: str, limit: int, skip: int, as_json: bool, piped: bool) -> None:
    """Find messages that hold all these words. With -, the words are read from standard input.

    On the command line they stay in your shell's history.
    """
    with open_archive(Passphrases(piped=piped)) as archive:
        hits = archive.search(_asked(text, "Search for: "), limit, skip)
    if as_json:
        output.print_json({"hits": list(map(views.hit, hits))})
    elif hits:
        views.print_hits(hits)
    else:
        click.echo("Nothing was found.", err=True)


@command.command("show")
@click.argument("number", type=_NUMBER)
@output.as_json
@_piped
def show(number: int, as_json: bool, piped: bool) -> None:
    """Print a conversation."""
    with open_archive(Passphrases(piped=piped)) as archive:
        found, messages = archive.summary(number), archive.messages(number)
    if as_json:
        output.print_json({**views.summary(found), "messages": list(map(views.message, messages))})
    else:
        views.print_conversation(found, messages)


@command.command("rename")
@click.argument("number", type=_NUMBER)
@click.argument("title", metavar="TITLE|-")
@_piped
def rename(number: int, title: str, piped: bool) -> None:
    """Give a conversation a title. An empty one shows its first words again."""
    with open_archive(Passphrases(piped=piped)) as archive:
        archive.rename(number, _asked(title, "Title: "))
        click.echo(neutral(f"{number} is now: {archive.summary(number).name}"))


@command.command("delete")
@click.argument("numbers", metavar="NUMBER...", type=_NUMBER, nargs=-1, required=True)
@output.yes
@_piped
def delete(numbers: tuple[int, ...], yes: bool, piped: bool) -> None:
    """Delete conversations for good."""
    with open_archive(Passphrases(piped=piped)) as archive:
        for number in numbers:
            found = archive.summary(number)
            if output.agreed(f"Delete {number}, {found.name}, {found.messages} messages?", yes, "Deleting"):
                archive.delete(number)
                click.echo(f"{number} was deleted.")
            else:
                click.echo(f"{number} was kept.")


@command.command("forget-all")
@output.yes
def forget_all(yes: bool) -> None:
    """Delete the whole history for good and turn it off. Needs no passphrase."""
    from tide_chat.store.vault import Vault

    vault = Vault()
    vault.require()
    if not output.agreed(_FORGET_ALL, yes, "Deleting"):
        click.echo("The history was kept.")
        return
    vault.destroy()
    _forget_key(vault)
    _save({"history": False, "history_keyring": False})
    click.echo("The history was deleted. Nothing is kept from now on.")
    click.echo("Exports and backups that you made are still where you put them.", err=True)


@command.command("export")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "form", type=click.Choice(["md", "json"]), help="Otherwise the ending of FILE decides.")
@click.option(
    "--only",
    "numbers",
    type=int,
    multiple=True,
    metavar="NUMBER",
    callback=_numbers,
    help="This conversation; can be repeated.",
)
@click.option("--redact", is_flag=True, help="Take out names, places, numbers and addresses, as far as they are seen.")
@click.option(
    "--words",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file with more to take out, one word or name a line. Implies --redact.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@_piped
def export(
    path: Path, form: str | None, numbers: tuple[int, ...], redact: bool, words: Path | None, force: bool, piped: bool
) -> None:
    """Write conversations to a file that is NOT encrypted, to read (.md) or to import again (.json)."""
    form = form or _form_of(path)
    if path.exists() and not force:
        raise UsageError(f"There is a file already: {path.absolute()}", help="Choose another name, or add --force.")
    redact = redact or words is not None
    extra = words.read_text(encoding="utf-8", errors="replace").splitlines() if words else []
    with open_archive(Passphrases(piped=piped)) as archive:
        records = [archive.record(number) for number in numbers or archive.ids()]
    _write(path, _written(records, form, redact=redact, words=extra))
    click.echo(f"{len(records)} conversation{'s' * (len(records) != 1)} written, not encrypted: {path.absolute()}")
    if redact:
        from tide_chat.store.exchange import MISSES

        click.echo(MISSES, err=True)
    click.echo("Check-ins, the safety plan and other own texts are not in it.", err=True)


@command.command("import")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_piped
def import_file(path: Path, piped: bool) -> None:
    """Add the conversations of a JSON export. Those that are already here are left as they are."""
    from tide_chat.store import exchange

    records = exchange.read_json(path.read_text(encoding="utf-8", errors="replace"), str(path))
    with open_archive(Passphrases(piped=piped)) as archive:
        added = archive.add(records)
    click.echo(f"{added} added, {len(records) - added} already here.")
    click.echo(f"{path.absolute()} is not encrypted; delete it when you do not need it.", err=True)
    _say_what_retention_takes(records)


def _say_what_retention_takes(records: "Sequence[Record]") -> None:
    """An old conversation keeps its times, so that the next opening would delete it without a word."""
    from tide_chat import config

    if not (days := config.load().history_days):
        return
    limit = datetime.now(UTC) - timedelta(days=days)
    if old := sum(record.touched < limit for record in records):
        click.echo(
            f"{old} of {len(records)} were not touched for {days} days: they are deleted when the history is next "
            "opened. To keep them, first: tide-chat history on --days N, with more days.",
            err=True,
        )


@command.command("passphrase")
@_keyring
@_piped
def passphrase(keyring: bool | None, piped: bool) -> None:
    """Change the passphrase; everything is encrypted anew. With --passphrase-stdin: the old one, then the new one."""
    from tide_chat import config
    from tide_chat.store.vault import Vault

    vault, passphrases = Vault(), Passphrases(piped=piped)
    vault.require()
    old = passphrases.unlock(vault, "Passphrase so far: ")
    key = vault.change_passphrase(old, passphrases.new())
    click.echo("The passphrase was changed.")
    _use_keyring(config.load().history_keyring if keyring is None else keyring, vault, key)


_FORGET_ALL = "Delete the whole history? Check-ins and own texts go with it. It cannot be brought back."
_BEFORE = """\
Choose a passphrase. It is the only key: nobody can recover it, and without it only deletion remains.
Four or five words that have nothing to do with each other are easy to remember and hard to guess."""


def _save(changes: dict[str, Any]) -> None:
    from tide_chat import config

    config.save(config.load().model_copy(update=changes))


def _use_keyring(wanted: bool | None, vault: "Vault", key: "Key") -> None:
    """A keyring that fails takes nothing back: the passphrase opens the history in any case."""
    from tide_chat.store import system_keyring

    if wanted:
        system_keyring.keep(vault.file, key)
        _save({"history_keyring": True})
        click.echo("The system's keyring opens it as well.")
    elif wanted is False:
        if _forget_key(vault):
            _save({"history_keyring": False})
        else:
            click.echo("To try again: tide-chat history on --no-keyring", err=True)


def _forget_key(vault: "Vault") -> bool:
    """Whether no key is left, as far as is known. Tried whatever the settings say: they may not know of a key."""
    from tide_chat import config
    from tide_chat.store import system_keyring

    try:
        system_keyring.forget(vault.file)
    except TideError as error:
        if config.load().history_keyring:
            click.echo(f"{error.message} A key of the history may still be in it.", err=True)
            return False
    return True


def _asked(text: str, prompt: str) -> str:
    if text != "-":
        return text
    return str(click.prompt(prompt.rstrip(": "), err=True)) if is_terminal(sys.stdin) else piped_line("text")


def _form_of(path: Path) -> str:
    form = path.suffix.lower().removeprefix(".")
    if form not in ("md", "json"):
        raise UsageError("The file's name should end in .md or .json.", details=str(path), help="Or say --format.")
    return form


def _written(records: list[Any], form: str, *, redact: bool, words: list[str]) -> str:
    from tide_chat.store import exchange

    found = exchange.without_names(records, words) if redact else tuple(records)
    return exchange.to_text(found, f".{form}", datetime.now(UTC), redacted=redact)


def _write(path: Path, text: str) -> None:
    from tide_chat import atomic

    if path.exists():
        path.chmod(0o600)  # it is replaced by a file of the same rights
    atomic.write_text(path, text)
