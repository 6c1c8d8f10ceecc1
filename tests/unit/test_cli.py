"""Exit codes, what is said, and that help loads nothing heavy."""

import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from tide_chat import __version__, cli
from tide_chat.errors import DataError, HubError, ModelNotFound, TideError, UsageError


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TIDE_CHAT_HOME", str(tmp_path))
    return tmp_path


HEAVY = ("textual", "rich", "llama_cpp", "pydantic", "huggingface_hub", "numpy", "jinja2", "tomlkit")


def run(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tide_chat", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


class Failing:
    """A stand-in for the command group that raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def main(self, *_: object, **__: object) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TideError("It failed."), 1),
        (HubError("No network."), 1),
        (UsageError("Not like that."), 2),
        (click.UsageError("Not like that."), 2),
        (ModelNotFound("No such model."), 3),
        (DataError("Not text."), 4),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (OSError(28, "No space left on device", "/x/y"), 1),
        (ZeroDivisionError("secret words"), 1),
        (BrokenPipeError(), 0),
    ],
)
def test_every_failure_has_its_code_and_no_traceback(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "app", Failing(error))
    monkeypatch.setattr(cli, "_close_stdout", lambda: None)
    assert cli.main([]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err


def test_a_user_error_says_what_was_got_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "app", Failing(UsageError("It is wrong.", details="got \x1b[31m5", help="Give 6.")))
    cli.main([])
    assert capsys.readouterr().err == "It is wrong.\ngot 5\nGive 6.\n"


def test_an_error_of_a_file_names_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cli, "app", Failing(OSError(28, "No space left on device", "/x/y")))
    cli.main([])
    assert capsys.readouterr().err == "No space left on device: /x/y\n"


def test_a_crash_shows_its_place_and_never_its_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "app", Failing(ZeroDivisionError("what she told me")))
    cli.main([])
    err = capsys.readouterr().err
    assert "ZeroDivisionError in " in err
    assert "TIDE_CHAT_DEBUG=1" in err
    assert "she told" not in err
    monkeypatch.setenv("TIDE_CHAT_DEBUG", "1")
    cli.main([])
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_is_there_and_its_help_is_the_one_listed(name: str) -> None:
    command = cli.app.get_command(click.Context(cli.app), name)
    assert command is not None
    assert command.get_short_help_str(200) == cli.COMMANDS[name]


def test_help_lists_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name, text in cli.COMMANDS.items():
        assert name in done.stdout
        assert text in done.stdout


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"tide-chat {__version__}\n")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in cli.COMMANDS)])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys, io, contextlib\nfrom tide_chat.cli import main\n"
        f"with contextlib.redirect_stdout(io.StringIO()): code = main({arguments!r})\n"
        f"print(code, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "0 []\n"


def test_help_costs_little_more_than_its_option_parser() -> None:
    """Interleaved, the best of several: what the machine does besides is not ours."""
    parser: list[float] = []
    help_text: list[float] = []
    for _ in range(8):
        for seconds, command in ((parser, ["-c", "import click"]), (help_text, ["-m", "tide_chat", "--help"])):
            start = time.perf_counter()
            subprocess.run([sys.executable, *command], capture_output=True, check=True)
            seconds.append(time.perf_counter() - start)
    assert min(help_text) < 2 * min(parser)


def test_the_app_needs_a_terminal() -> None:
    done = run(stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "tide-chat plain" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plian"], "Did you mean: tide-chat plain"),
        (["xyzzy"], "tide-chat --help"),
        (["I feel sad today"], "tide-chat ask TEXT"),
        (["x" * 500], "xxx..."),
        (["--no-such-option"], "No such option"),
        (["--threads", "many"], "Invalid value"),
        (["--model", "x", "ask", "hi"], "tide-chat ask --model"),
    ],
)
def test_wrong_use_says_what_would_be_right(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 400


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--country", "usa", "country cannot be 'USA'"),
        ("--gpu", "some", "gpu cannot be 'some'"),
        ("--gpu", "9" * 5000, "gpu cannot be"),
        ("--context", "12", "context cannot be 12"),
        ("--threads", "0", "threads cannot be 0"),
        ("--seed", "-1", "seed cannot be -1"),
        ("--max-tokens", "0", "max_tokens cannot be 0"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_loaded(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["ask", option, value, "hi"]) == 2
    assert said in capsys.readouterr().err


def test_a_broken_settings_file_is_named_and_path_and_edit_still_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIDE_CHAT_HOME", str(tmp_path))
    (tmp_path / "config.toml").write_text("theme = 5\n")
    for arguments in (["ask", "hi"], ["plain"], ["config", "show"]):
        assert cli.main(arguments) == 2
        assert "config.toml, line 1: theme cannot be 5" in capsys.readouterr().err
    assert cli.main(["config", "path"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'config.toml'}\n"


def in_bash(script: str) -> "subprocess.CompletedProcess[str]":
    command = script.replace("tide-chat", f"{sys.executable} -m tide_chat")
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)


def test_a_reader_that_leaves_early_is_no_failure() -> None:
    done = in_bash(
        '{ while [ ! -e "$TIDE_CHAT_HOME/gone" ]; do :; done; tide-chat config show; echo $? >&2; } '
        '| { exec <&-; touch "$TIDE_CHAT_HOME/gone"; }'
    )
    assert (done.stdout, done.stderr) == ("", "0\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_crash(closed: str) -> None:
    assert in_bash(f"tide-chat config show {closed}").returncode == 0
    done = in_bash(f"tide-chat {closed}")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert in_bash(f"tide-chat ask - {closed} </dev/null").returncode == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_valid_shell(shell: str) -> None:
    done = run("completion", shell)
    assert done.returncode == 0
    assert "_TIDE_CHAT_COMPLETE" in done.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)


def complete(*words: str) -> list[str]:
    environment = {
        **os.environ,
        "_TIDE_CHAT_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("tide-chat", *words)),
        "COMP_CWORD": str(len(words)),
    }
    program = "import sys; sys.argv = ['tide-chat']; from tide_chat.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.splitlines()


def test_commands_options_and_models_are_completed() -> None:
    assert complete("do") == ["plain,doctor"]
    assert "plain,--chat-template" in complete("ask", "--")
    assert complete("ask", "--model", "smol") == ["plain,smollm2-135m", "plain,smollm2-135m-tide"]
    assert "plain,qwen2.5-1.5b-q4" in complete("plain", "--model", "qwen")
    assert complete("ask", "--model", "./my") == ["file,./my"]
    assert complete("--gpu", "o") == ["plain,off"]


def test_the_json_contract_of_errors_is_text_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ask", "--json", "  "]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    with pytest.raises(json.JSONDecodeError):
        json.loads(err)


def test_python_dash_m_is_the_same_program() -> None:
    assert importlib.import_module("tide_chat.__main__").main is cli.main
