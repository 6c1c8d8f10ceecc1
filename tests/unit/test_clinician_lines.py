"""`/inspect` and `/receipt` in `plain`: each asks before it shows or writes anything."""

from pathlib import Path

import pytest

from tests.ui.clinician_doubles import desk_of
from tests.ui.doubles import Doubles
from tests.unit.plain_room import Typed
from tide_chat.clinician import receipt
from tide_chat.clinician.desk import Desk
from tide_chat.commands.clinician_lines import ClinicianLines
from tide_chat.errors import UsageError


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "model.gguf").write_bytes(b"weights")
    return desk_of(Doubles(), tmp_path / "model.gguf")


def test_inspect_asks_and_a_no_shows_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    list(desk.talk.reply("I want to kill myself"))
    commands = ClinicianLines(desk, Typed("n", "y")).commands
    commands["/inspect"]("")
    out = capsys.readouterr().out
    assert "It is for a clinician" in out
    assert "T3" not in out
    commands["/inspect"]("")
    assert "Tier: T3" in capsys.readouterr().out
    commands["/inspect"]("")  # it stays on
    out = capsys.readouterr().out
    assert "kill myself]" in out
    assert "It is for a clinician" not in out


def test_inspect_before_a_turn(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    ClinicianLines(desk, Typed("y")).commands["/inspect"]("")
    assert "There is no answered message yet." in capsys.readouterr().out


def test_a_receipt_says_where_it_goes_and_is_written_after_a_yes(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = ClinicianLines(desk, Typed("n", "y")).commands
    with pytest.raises(UsageError, match="no answered message"):
        commands["/receipt"](str(tmp_path / "r.json"))
    list(desk.talk.reply("A long day."))
    with pytest.raises(UsageError, match="no name"):
        commands["/receipt"]("")
    commands["/receipt"](str(tmp_path / "r.json"))
    assert f"It goes to {tmp_path / 'r.json'}" in capsys.readouterr().out
    assert not (tmp_path / "r.json").exists()
    commands["/receipt"](str(tmp_path / "r.json"))
    assert [step.text for step in receipt.read(tmp_path / "r.json").steps] == ["A long day."]
