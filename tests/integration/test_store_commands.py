"""`tide-chat history` as it is used: what is printed where, exit codes, terminal prompts, and what lies on the disk."""

import contextlib
import fcntl
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.terminal import Terminal
from tide_chat import cli, config
from tide_chat.errors import StoreError
from tide_chat.messages import Conversation, Message, Role
from tide_chat.store import system_keyring
from tide_chat.store.diary import Diary
from tide_chat.store.keys import Key
from tide_chat.store.vault import Vault

PASSPHRASE, OTHER = "four words of mine", "five other words of mine"
TOO_LARGE = 2**63  # for SQLite
Started = Callable[..., Terminal]


class Run:
    """`tide-chat history ...` in this process, with the lines of its standard input."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: object, lines: tuple[str, ...] = (PASSPHRASE,), code: int = 0) -> Any:
        """What came out; parsed when --json was asked for."""
        self._monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        piped = [] if arguments[0] in ("off", "forget-all") else ["--passphrase-stdin"]
        got = cli.main(["history", *map(str, arguments), *piped])
        self.out, self.err = self._capsys.readouterr()
        assert got == code, self.err
        return json.loads(self.out) if "--json" in arguments and self.out else self.out


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, cheap_keys: None) -> Run:
    return Run(capsys, monkeypatch)


@pytest.fixture
def kept(run: Run) -> Run:
    """A history with two conversations."""
    run("on")
    with Vault().open(Vault().unlock(PASSPHRASE)) as archive:
        said = Conversation().user("I could not sleep, the fireworks again")
        Diary(archive).save(said.assistant("That noise is hard after what you lived through."))
        time.sleep(0.002)  # times are kept to the millisecond, and conversations of one have no order but their numbers
        archive.create(
            [Message(Role.USER, "Dana called from Tucson\x1b[2J"), Message(Role.ASSISTANT, "x", authored=True)]
        )
    return run


class TestChoice:
    def test_nothing_is_made_before_it_is_chosen(self, run: Run, tide_home: Path) -> None:
        for arguments in (["list"], ["search", "x"], ["show", 1], ["passphrase"]):
            run(*arguments, code=2)
            assert run.err == "No history is kept here.\nTo keep one, encrypted: tide-chat history on\n"
        run("forget-all", code=2)
        assert not tide_home.exists()

    def test_on_off_and_on_again(self, run: Run, tide_home: Path) -> None:
        run("on", "--days", 30)
        assert run.out == f"Conversations are kept from now on, encrypted: {tide_home}/history/history.db\n"
        assert "nobody can recover it" in run.err
        assert (config.load().history, config.load().history_days) == (True, 30)
        run("off")
        assert "still there" in run.err
        assert not config.load().history
        run("on", lines=(OTHER,), code=2)
        assert not config.load().history
        run("on")
        assert config.load().history

    def test_a_short_passphrase_is_refused_and_not_repeated(self, run: Run, tide_home: Path) -> None:
        run("on", lines=("tooshrt",), code=2)
        assert "too short" in run.err
        assert "tooshrt" not in run.err
        assert not tide_home.exists()

    def test_retention_is_applied_when_it_is_opened(self, kept: Run) -> None:
        config.save(config.load().model_copy(update={"history_days": 30}))
        with Vault().open(Vault().unlock(PASSPHRASE)) as archive:
            archive._connection.execute("UPDATE conversation SET updated = 1 WHERE id = 1")
        assert kept("list", "--json")["total"] == 1


class TestReading:
    def test_list(self, kept: Run) -> None:
        lines = kept("list").splitlines()
        assert lines[0].split() == ["NUMBER", "LAST", "MESSAGES", "NAME"]
        assert lines[1].endswith("2  Dana called from Tucson")
        assert lines[2].endswith("2  I could not sleep, the fireworks again")
        found = kept("list", "--json", "--limit", 1)
        assert found["total"] == 2
        assert set(found["conversations"][0]) == {"conversation", "title", "opening", "created", "updated", "messages"}
        assert [one["conversation"] for one in found["conversations"]] == [2]

    def test_search_marks_what_matched(self, kept: Run) -> None:
        assert "I could not sleep, the *fireworks* again" in kept("search", "FIREW")
        kept("search", "-", lines=(PASSPHRASE, "hard noise"))
        assert "That *noise* is *hard*" in kept.out
        hit = kept("search", "--json", "sleep")["hits"][0]
        assert hit["conversation"] == 1
        start, end = hit["spans"][0]
        assert hit["snippet"][start:end] == "sleep"
        assert kept("search", '"*(') == ""
        assert kept.err == "Nothing was found.\n"

    def test_show_cannot_drive_the_terminal(self, kept: Run) -> None:
        shown = kept("show", 2)
        assert "Dana called from Tucson" in shown
        assert "\x1b" not in shown
        found = kept("show", 1, "--json")
        assert [one["role"] for one in found["messages"]] == ["user", "assistant"]
        kept("show", 9, code=2)
        assert "no conversation 9" in kept.err

    def test_a_wrong_passphrase_is_wrong_use(self, kept: Run) -> None:
        kept("list", lines=(OTHER,), code=2)
        assert "does not open" in kept.err
        assert "only deletion remains" in kept.err
        kept("list", lines=(), code=2)
        assert "ended before the passphrase" in kept.err

    def test_a_damaged_file_is_a_failure(self, kept: Run) -> None:
        os.truncate(Vault().file, 5000)
        kept("list", code=1)
        assert "damaged" in kept.err


class TestChanging:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["show", TOO_LARGE],
            ["rename", TOO_LARGE, "x"],
            ["delete", TOO_LARGE, "--yes"],
            ["export", "a.md", "--only", TOO_LARGE],
        ],
    )
    def test_a_number_that_nothing_could_have_is_wrong_use(self, kept: Run, arguments: list[object]) -> None:
        kept(*arguments, code=2)
        assert "is not in the range" in kept.err

    def test_rename_and_delete(self, kept: Run) -> None:
        assert kept("rename", 1, "Fireworks") == "1 is now: Fireworks\n"
        assert "\x1b" not in kept("rename", 2, "T\x1b]0;mine\x07\x1b[2J")
        kept("delete", 1, code=2)
        assert "--yes" in kept.err
        assert kept("delete", 1, 2, "--yes") == "1 was deleted.\n2 was deleted.\n"
        kept("list")
        assert kept.err == "No conversation is kept.\n"

    def test_passphrase(self, kept: Run) -> None:
        kept("passphrase", lines=(PASSPHRASE, "short"), code=2)
        kept("passphrase", lines=(PASSPHRASE, OTHER))
        assert kept.out == "The passphrase was changed.\n"
        kept("list", code=2)
        kept("list", lines=(OTHER,))
        assert "fireworks" in kept.out

    def test_forget_all(self, kept: Run, tide_home: Path) -> None:
        kept("forget-all", code=2)
        assert Vault().exists()
        kept("forget-all", "--yes")
        assert "was deleted" in kept.out
        assert not (tide_home / "history").exists()
        assert not config.load().history


class TestKeyring:
    """No keyring of a desktop is here; one in memory stands in its place, and does not answer when it is told so."""

    @pytest.fixture
    def held(self, monkeypatch: pytest.MonkeyPatch) -> dict[Path, Key]:
        held: dict[Path, Key] = {}
        monkeypatch.setattr(system_keyring, "keep", held.__setitem__)
        monkeypatch.setattr(system_keyring, "find", held.get)
        monkeypatch.setattr(system_keyring, "forget", lambda file: held.pop(file, None))
        return held

    def silent(self, patch: pytest.MonkeyPatch) -> None:
        def forget(file: Path) -> None:
            raise StoreError("The system's keyring did not answer.")

        patch.setattr(system_keyring, "forget", forget)

    def test_a_key_that_could_not_be_taken_out_can_be_taken_out_later(self, run: Run, held: dict[Path, Key]) -> None:
        run("on", "--keyring")
        with pytest.MonkeyPatch.context() as patch:
            self.silent(patch)
            run("on", "--no-keyring")
        assert "may still be in it" in run.err
        assert "To try again: tide-chat history on --no-keyring" in run.err
        assert (config.load().history_keyring, len(held)) == (True, 1)
        run("on", "--no-keyring")
        assert (config.load().history_keyring, held) == (False, {})

    def test_forgetting_everything_takes_out_a_key_that_the_settings_do_not_know(
        self, run: Run, held: dict[Path, Key]
    ) -> None:
        run("on", "--keyring")
        config.save(config.load().model_copy(update={"history_keyring": False}))
        run("forget-all", "--yes")
        assert held == {}

    def test_who_never_used_a_keyring_hears_nothing_of_one(self, kept: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        self.silent(monkeypatch)
        kept("forget-all", "--yes")
        assert "keyring" not in kept.err


class TestExport:
    def test_json_goes_out_and_comes_back(self, kept: Run, tmp_path: Path) -> None:
        path = tmp_path / "out.json"
        kept("export", path)
        assert kept.out == f"2 conversations written, not encrypted: {path}\n"
        assert path.stat().st_mode & 0o777 == 0o600
        kept("import", path)
        assert kept.out == "0 added, 2 already here.\n"
        kept("delete", 1, "--yes")
        kept("import", path)
        assert kept.out == "1 added, 1 already here.\n"
        assert kept("search", "fireworks", "--json")["hits"][0]["conversation"] == 3
        kept("export", tmp_path / "again.json")
        first, second = (json.loads((tmp_path / name).read_text()) for name in ("out.json", "again.json"))
        assert first["conversations"] == second["conversations"]

    def test_what_the_retention_time_takes_is_said_when_it_comes_in(self, kept: Run, tmp_path: Path) -> None:
        path = tmp_path / "out.json"
        kept("export", path)
        kept("import", path)
        assert "were not touched" not in kept.err
        values = json.loads(path.read_text())
        values["conversations"].append({"title": "old", "created": "2020-01-01T00:00:00Z", "messages": []})
        path.write_text(json.dumps(values))
        kept("import", path)
        assert "were not touched" not in kept.err
        kept("on", "--days", 30)
        kept("import", path)
        assert "1 of 3 were not touched for 30 days" in kept.err
        kept("on", "--days", 36_500)
        kept("import", path)
        assert "were not touched" not in kept.err
        assert kept("list", "--json")["total"] == 3

    def test_markdown_without_names(self, kept: Run, tmp_path: Path) -> None:
        path, words = tmp_path / "out.md", tmp_path / "words.txt"
        words.write_text("fireworks\n")
        kept("export", path, "--words", words)
        text = path.read_text()
        assert "the [name] again" in text
        assert "[name] called from [name]" in text
        assert "Read it before you pass it on" in kept.err
        words.write_text("")
        kept("export", path, "--words", words, "--force")
        assert "[name] called from [name]" in path.read_text()
        assert "Read it before you pass it on" in kept.err
        kept("export", path, "--only", 2, "--force")
        assert "Dana called from Tucson" in path.read_text()
        assert "sleep" not in path.read_text()

    def test_a_file_is_never_replaced_unasked(self, kept: Run, tmp_path: Path) -> None:
        path = tmp_path / "out.md"
        path.write_text("mine")
        path.chmod(0o644)
        kept("export", path, code=2)
        assert path.read_text() == "mine"
        kept("export", path, "--force")
        assert path.stat().st_mode & 0o777 == 0o600
        kept("export", tmp_path / "out", code=2)
        assert "--format" in kept.err
        kept("export", tmp_path / "none" / "out.md", "--only", 9, code=2)
        assert not (tmp_path / "none").exists()

    def test_what_cannot_be_imported_changes_nothing(self, kept: Run, tmp_path: Path) -> None:
        path = tmp_path / "in.json"
        path.write_text('{"format": "other"}')
        kept("import", path, code=4)
        assert "Nothing was imported" in kept.err
        assert kept("list", "--json")["total"] == 2


def test_no_file_holds_what_was_said_or_the_passphrase(kept: Run, tide_home: Path) -> None:
    """Everything below the home, while it is open and after."""
    with Vault().open(Vault().unlock(PASSPHRASE)) as archive:
        archive.create([Message(Role.USER, "plantedmarker")])
        held = [path.read_bytes() for path in tide_home.rglob("*") if path.is_file()]
    held += [path.read_bytes() for path in tide_home.rglob("*") if path.is_file()]
    assert len(held) > 5
    for secret in ("plantedmarker", "fireworks", PASSPHRASE):
        assert not any(secret.encode() in one for one in held)


ON_A_TERMINAL = """
import sys
from tide_chat import cli
from tide_chat.store import keys
keys.COST = 2**4
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.fixture
def at_terminal() -> Iterator[Started]:
    """The command on a terminal of its own."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(Terminal("-c", ON_A_TERMINAL, *arguments))


@pytest.mark.skipif(not hasattr(fcntl, "ioctl"), reason="no terminals here")
class TestTerminal:
    def test_the_passphrase_is_asked_for_twice_and_not_shown(self, tide_home: Path, at_terminal: Started) -> None:
        terminal = at_terminal("history", "on")
        terminal.answer("New passphrase: ", PASSPHRASE)
        terminal.answer("The same again: ", PASSPHRASE)
        assert terminal.end() == 0, terminal.shown
        assert PASSPHRASE not in terminal.shown
        assert (tide_home / "history" / "history.db").exists()

    def test_two_that_differ_change_nothing(self, tide_home: Path, at_terminal: Started) -> None:
        terminal = at_terminal("history", "on")
        terminal.answer("New passphrase: ", PASSPHRASE)
        terminal.answer("The same again: ", OTHER)
        assert terminal.end() == 2
        assert "were not the same" in terminal.shown
        assert not tide_home.exists()

    def test_one_may_try_three_times(self, kept: Run, at_terminal: Started) -> None:
        terminal = at_terminal("history", "list")
        for _ in range(2):
            terminal.answer("Passphrase of the history: ", OTHER)
        terminal.answer("Passphrase of the history: ", PASSPHRASE)
        assert terminal.end() == 0, terminal.shown
        assert "fireworks" in terminal.shown

    def test_deleting_everything_is_asked(self, kept: Run, at_terminal: Started) -> None:
        terminal = at_terminal("history", "forget-all")
        terminal.answer("Delete the whole history?", "n", hidden=False)
        assert terminal.end() == 0, terminal.shown
        assert Vault().exists()

    def test_a_title_cannot_drive_the_terminal_that_asks(self, kept: Run, at_terminal: Started) -> None:
        with Vault().open(Vault().unlock(PASSPHRASE)) as archive:
            archive.rename(1, "mine\x1b]0;pwned\x07\x1b[2J")
        terminal = at_terminal("history", "delete", "1")
        terminal.answer("Passphrase of the history: ", PASSPHRASE)
        terminal.answer("Delete 1, mine, 2 messages?", "n", hidden=False)
        assert terminal.end() == 0, terminal.shown
        assert "\x1b" not in terminal.shown

    def test_without_a_terminal_it_is_said_how(self, kept: Run) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tide_chat", "history", "list"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            check=False,
        )
        assert done.returncode == 2
        assert "--passphrase-stdin" in done.stderr
