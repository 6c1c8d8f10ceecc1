"""`tide-chat models`: list, info, pull, import, verify, remove. Words only; the work is in tide_chat.registry.

Results go to stdout, talk and progress to stderr. With --json, stdout holds one JSON value and nothing else. The shapes
are kept stable:

    model    {"alias", "title", "family", "maker", "quantization", "parameters", "active_parameters", "context",
              "context_limit", "size_bytes", "size_is_approximate", "memory_bytes", "fits_memory", "licence",
              "licence_conditions", "reasoning", "sampling", "notes", "repo", "file", "revision", "installed", "place",
              "path"}. For a file that the catalogue does not know, what is not known is null.
    list     {"models": [model, ...], "best": alias or null, "why": text or null}
    info     model
    pull     model and {"already": bool, "sha256": text or null}
    import   model and {"how": "link"|"copy"|"already", "sha256", "warnings": [text, ...]}
    verify   {"models": [{"alias", "path", "outcome": "ok"|"changed"|"unusable"|"unknown", "sha256", "expected",
              "problem"}, ...], "good": bool}
    remove   {"alias", "path", "removed": bool}
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from tide_chat.commands import model_views as views
from tide_chat.commands import output
from tide_chat.errors import ModelError, ModelUnusable

if TYPE_CHECKING:
    from tide_chat.registry import Registry, Resolved

_quiet = click.option("-q", "--quiet", is_flag=True, help="Show no progress.")


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from tide_chat.registry import Registry

    return [CompletionItem(model.alias) for model in Registry.load().models if model.alias.startswith(incomplete)]


def _complete_installed(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from tide_chat.registry import Registry

    return [CompletionItem(one.alias) for one in Registry.load().installed() if one.alias.startswith(incomplete)]


@click.group("models", short_help="List, download, import, check and remove models.")
def command() -> None:
    """List, download, import, check and remove models.

    Only `pull` uses the network.
    """


models = command


@command.command("list")
@click.option("--installed", "only_installed", is_flag=True, help="Only those on this computer.")
@output.as_json
def list_models(only_installed: bool, as_json: bool) -> None:
    """Show the models: those on this computer, and those that can be downloaded."""
    from tide_chat.registry import Registry

    registry = Registry.load()
    here = {one.alias: one for one in registry.installed()}
    best = _best(registry)
    known = {model.alias for model in registry.models}
    rows = [views.row(model, here.get(model.alias)) for model in registry.models]
    rows += [views.row(None, one) for one in here.values() if one.alias not in known]
    rows = [row for row in rows if row["installed"] or not only_installed]
    if as_json:
        output.print_json({"models": rows, "best": best and best.alias, "why": best and best.why})
        return
    views.print_table(sorted(rows, key=lambda row: not row["installed"]))
    click.echo(f"\nUsed when none is named: {best.why if best else 'none yet'}", err=True)


@command.command("info")
@click.argument("name", shell_complete=_complete)
@output.as_json
def info(name: str, as_json: bool) -> None:
    """Show everything about one model."""
    from tide_chat.registry import Registry

    registry = Registry.load()
    one = registry.installed_as(name)
    row = views.row(one.model, one) if one else views.row(registry.find(name), None)
    if as_json:
        output.print_json(row)
    else:
        views.print_details(row)


@command.command("pull")
@click.argument("name", shell_complete=_complete)
@_quiet
@output.as_json
def pull_model(name: str, quiet: bool, as_json: bool) -> None:
    """Download a model. A download that was cut off goes on where it stopped."""
    from tide_chat.registry import pull

    progress = views.Progress("Downloading", shown=not (quiet or as_json))
    try:
        pulled = pull(name, progress.report, on_note=progress.note)
    except KeyboardInterrupt:
        progress.note("Stopped. What has been downloaded is kept; the same command goes on from there.")
        raise
    finally:
        progress.close()
    one = pulled.installed
    if as_json:
        checksum = one.sidecar.sha256 if one.sidecar else None
        output.print_json({**views.row(one.model, one), "already": pulled.already, "sha256": checksum})
    elif pulled.already:
        click.echo(f"{one.alias} is already on this computer: {one.path}")
    else:
        click.echo(f"{one.alias} is ready. Use it with: tide-chat --model {one.alias}")


@command.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="What to call it. Otherwise the name of the file is used.")
@click.option("--copy", "how", flag_value="copy", help="Copy it, even where a link would do.")
@click.option("--link", "how", flag_value="link", help="Link it; fail where that cannot be done.")
@_quiet
@output.as_json
def import_file(path: Path, name: str | None, how: Any, quiet: bool, as_json: bool) -> None:
    """Add a model file (.gguf) that is on this computer. The file itself is left as it is."""
    from tide_chat.registry import import_model

    progress = views.Progress("Copying", shown=not (quiet or as_json))
    try:
        done = import_model(path, name, how or "auto", progress.report)
    finally:
        progress.close()
    one = done.installed
    for warning in done.warnings:
        click.echo(f"Note: {warning}", err=True)
    verified = views.verification(path, one.sidecar.sha256 if one.sidecar else "")
    if verified:
        click.echo(verified, err=True)
    if as_json:
        checksum = one.sidecar.sha256 if one.sidecar else None
        output.print_json({**views.row(one.model, one), "how": done.how, "sha256": checksum, "warnings": done.warnings})
    elif done.how == "already":
        click.echo(f"{one.alias} is already there: {one.path}")
    else:
        click.echo(f"{one.alias} is ready. Use it with: tide-chat --model {one.alias}")


@command.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=_complete_installed)
@_quiet
@output.as_json
def verify_models(names: tuple[str, ...], quiet: bool, as_json: bool) -> None:
    """Read installed models again and compare their checksums. Without a name: all of them."""
    from tide_chat.registry import Registry, verify

    registry = Registry.load()
    chosen = [registry.require(name) for name in names] or list(registry.installed())
    results = []
    for one in chosen:
        progress = views.Progress(f"Checking {one.alias}", shown=not (quiet or as_json))
        results.append(verify(one, progress.report))
        progress.close()
    bad = [result for result in results if not result.good]
    if as_json:
        output.print_json({"models": [views.verified(result) for result in results], "good": not bad})
    else:
        for result in results:
            click.echo(
                f"{result.installed.alias:24} {views.OUTCOMES[result.outcome]}{result.problem and ': '}{result.problem}"
            )
    if bad:
        raise ModelUnusable(
            f"Not good: {', '.join(result.installed.alias for result in bad)}.",
            help="Remove them and get them again, with: tide-chat models remove, tide-chat models pull",
        )


@command.command("remove")
@click.argument("name", shell_complete=_complete_installed)
@output.yes
@output.as_json
def remove_model(name: str, yes: bool, as_json: bool) -> None:
    """Delete a downloaded or imported model from the models folder."""
    from tide_chat.registry import Registry, human_size, removable, remove

    one = removable(name, Registry.load())
    question = f"Delete {one.alias} ({human_size(one.size)})?"
    yes = output.agreed(question, yes, f"Removing {one.alias}", can_ask=not as_json)
    if yes:
        remove(one)
    if as_json:
        output.print_json({"alias": one.alias, "path": str(one.path), "removed": yes})
    else:
        click.echo(f"{one.alias} was removed." if yes else f"{one.alias} was kept.")


def _best(registry: "Registry") -> "Resolved | None":
    try:
        return registry.resolve(None)
    except ModelError:
        return None
