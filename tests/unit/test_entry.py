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


@pytest.mark.parametrize("name", COMMANDS)
def test_version(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert COMMANDS[name].main(["--version"]) == 0
    assert capsys.readouterr().out == f"{name} {__version__}\n"


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


def test_a_command_knows_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    group = entry.group("tide-some", "Does something.")
    told = click.Option(["--to"])
    group.add_command(click.Command("do", callback=lambda **_: heard.append(entry.typed()), params=[told]))
    assert entry.run(group, ["do", "--to", "a b"]) == 0
    monkeypatch.setattr("sys.argv", ["/bin/tide-some", "do", "--to", "c"])
    assert entry.run(group) == 0
    assert heard == ["tide-some do --to 'a b'", "tide-some do --to c"]
