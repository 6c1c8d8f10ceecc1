"""The developers' commands: they start, say what is not there yet, and turn errors into exit codes."""

import click
import pytest

import convert.cli
import training.cli
import training.evaluation.cli
from tide_chat import __version__, entry
from tide_chat.errors import DataError, MissingExtra

COMMANDS = {
    "tide-train": training.cli,
    "tide-convert": convert.cli,
    "tide-eval": training.evaluation.cli,
}
PLANNED = [(name, command) for name, module in COMMANDS.items() for command in getattr(module, "PLANNED", ())]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_every_planned_command_as_not_there_yet(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert COMMANDS[name].main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for command in getattr(COMMANDS[name], "PLANNED", ()):
        assert any(line.split()[:1] == [command] and line.endswith("(not there yet)") for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_version(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert COMMANDS[name].main(["--version"]) == 0
    assert capsys.readouterr().out == f"{name} {__version__}\n"


@pytest.mark.parametrize(("name", "command"), PLANNED)
def test_a_planned_command_refuses_in_one_line(name: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert COMMANDS[name].main([command, "--recipe", "x", "y"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"{name} {command} is not there yet in version {__version__}.\n"


def _failing(error: BaseException) -> click.Command:
    def fail() -> None:
        raise error

    return click.Command("fail", callback=fail)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("Row 3 has no reply."), 4, "Row 3 has no reply.\n"),
        (
            MissingExtra("Training", "train"),
            2,
            "Training needs the 'train' extra.\nInstall it: pip install 'tide-chat[train]'\n",
        ),
        (KeyboardInterrupt(), 130, ""),
        (click.ClickException("Not like that."), 1, "Error: Not like that.\n"),
    ],
)
def test_errors_become_exit_codes(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.run(_failing(error), []) == code
    assert capsys.readouterr().err.removeprefix("\n") == said


def test_a_command_may_give_its_own_exit_code() -> None:
    assert entry.run(click.Command("odd", callback=lambda: 3), []) == 3
    assert entry.run(click.Command("none", callback=lambda: None), []) == 0
