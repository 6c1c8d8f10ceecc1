"""`config`: what cannot be used is refused, what was written is kept, and a broken file can be mended."""

import shlex
import sys
from pathlib import Path

import pytest

from tide_chat import cli, config
from tide_chat.commands import config as commands
from tide_chat.config import Settings


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An editor that does what the Python file says; `path` is the draft."""
    script = tmp_path / "an editor.py"
    script.write_text("")
    monkeypatch.setenv("VISUAL", shlex.join([sys.executable, str(script)]))
    return script


def does(editor: Path, code: str) -> None:
    editor.write_text(f"import pathlib, sys\npath = pathlib.Path(sys.argv[1])\n{code}\n")


def edit() -> int:
    return cli.main(["config", "edit"])


def test_show_prints_every_setting_and_can_be_read_again(capsys: pytest.CaptureFixture[str]) -> None:
    config.save(Settings(threads=3))
    assert cli.main(["config", "show"]) == 0
    out = capsys.readouterr().out
    assert "\nthreads = 3\n" in out
    assert config.parse(out, "") == Settings(threads=3)


def test_a_new_file_starts_from_the_explained_template(editor: Path) -> None:
    does(editor, "text = path.read_text(); path.write_text(text.replace('# theme =', 'theme ='))")
    assert edit() == 0
    assert "# threads = 4" in config.path().read_text()
    assert "\ntheme = " in config.path().read_text()


def test_what_can_be_used_is_saved_as_written(editor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    does(editor, "path.write_text('# mine\\nthreads = 3\\n')")
    assert edit() == 0
    assert config.path().read_text() == "# mine\nthreads = 3\n"
    assert str(config.path()) in capsys.readouterr().err


def test_no_change_writes_nothing(editor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.save(Settings(threads=3))
    before = config.path().stat()
    assert edit() == 0
    assert config.path().stat() == before
    assert "Nothing was changed." in capsys.readouterr().err


def test_what_cannot_be_used_is_refused_and_kept(editor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.save(Settings(threads=3))
    before = config.path().read_text()
    does(editor, "path.write_text('threads = 0\\n')")
    assert edit() == 2
    err = capsys.readouterr().err
    assert "line 1: threads cannot be 0" in err
    assert "1 to 1024" in err
    kept = config.path().with_name("config.rejected.toml")
    assert str(kept) in err
    assert kept.read_text() == "threads = 0\n"
    assert config.path().read_text() == before


def test_editing_again_starts_from_what_was_written(
    editor: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    does(editor, "text = path.read_text(); path.write_text('threads = 5' if text == 'threads = 0' else 'threads = 0')")
    monkeypatch.setattr(commands, "is_terminal", lambda _: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    assert edit() == 0
    assert config.load() == Settings(threads=5)


def test_a_broken_file_can_be_mended(editor: Path) -> None:
    config.path().parent.mkdir(parents=True)
    config.path().write_bytes(b"threads = \xff\n")
    does(editor, "path.write_bytes(path.read_bytes().replace(b'\\xff', b'4'))")
    assert edit() == 0
    assert config.load() == Settings(threads=4)


def test_what_cannot_be_saved_is_not_lost(
    editor: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIDE_CHAT_HOME", "/proc/tide-chat")  # where not even an administrator can write
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    does(editor, "path.write_text('threads = 3\\n')")
    assert edit() == 1
    (kept,) = tmp_path.glob("tide-chat-*/config.rejected.toml")
    assert kept.read_text() == "threads = 3\n"
    assert str(kept) in capsys.readouterr().err


def test_text_that_is_not_utf8_is_refused(editor: Path) -> None:
    does(editor, "path.write_bytes(b'\\xff')")
    assert edit() == 2
    assert not config.path().exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [("/no/such/editor", "/no/such/editor"), ("'unclosed", "cannot be read as a command"), ("false", "status 1")],
)
def test_an_editor_that_fails_changes_nothing(
    command: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VISUAL", command)
    assert edit() == 2
    assert said in capsys.readouterr().err
    assert not config.path().exists()


def test_editor_is_used_when_there_is_no_visual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "some --wait")
    assert commands._editor() == ["some", "--wait"]


def test_without_any_editor_it_says_how_to_name_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    assert edit() == 2
    assert "EDITOR=nano" in capsys.readouterr().err
