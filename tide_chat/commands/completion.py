"""`tide-chat completion`: the script that lets a shell complete commands, options and model names."""

import click

from tide_chat.errors import TideError

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", short_help="Print the script that completes commands in a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, /, shell: str) -> None:
    """Print the script that completes commands in a shell.

    \b
    bash: add to ~/.bashrc      eval "$(tide-chat completion bash)"
    zsh:  add to ~/.zshrc       eval "$(tide-chat completion zsh)"
    fish: tide-chat completion fish > ~/.config/fish/completions/tide-chat.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:  # Choice has made sure of it
        raise click.UsageError(f"No completion for {shell}.")
    click.echo(found(ctx.find_root().command, {}, "tide-chat", "_TIDE_CHAT_COMPLETE").source())


def aliases() -> list[str]:
    """Every model of the registry and on this computer; none when they cannot be read, for a shell cannot say why."""
    from tide_chat.registry import Registry

    try:
        registry = Registry.load()
        installed = [one.alias for one in registry.installed()]
    except (TideError, OSError):
        return []
    return sorted({*(model.alias for model in registry.models), *installed})
