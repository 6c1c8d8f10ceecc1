"""`doctor` tells what works here and what does not, changes nothing and opens no socket."""

import json
import socket
from pathlib import Path

import pytest

from tide_chat import cli
from tide_chat.commands import doctor
from tide_chat.engine import selftest

pytestmark = pytest.mark.usefixtures("embedded_model")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the seconds that the engine's own test takes."""
    monkeypatch.setattr(selftest, "run", lambda *_, **__: [("gpu", True, "none"), ("engine", True, "computes")])


def test_all_is_well_with_the_embedded_model(tide_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    out, err = capsys.readouterr()
    assert out.endswith("All is well.\n")
    assert "smollm2-135m" in out
    assert err == ""
    assert not tide_home.exists()


@pytest.mark.usefixtures("quick")
def test_json_has_a_value_for_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["ok"] is True
    names = [check["name"] for check in value["checks"]]
    assert len(set(names)) == len(names)
    for name in ("python", "platform", "processor", "memory", "disk", "settings", "models", "model in use", "terminal"):
        assert name in names
    for check in value["checks"]:
        assert list(check) == ["name", "status", "text", "help"]
        assert check["status"] in ("ok", "note")


def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("a socket was opened"))
    assert cli.main(["doctor"]) == 0


@pytest.mark.usefixtures("quick")
def test_broken_settings_are_named_and_the_other_checks_go_on(
    tide_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tide_home.mkdir()
    (tide_home / "config.toml").write_text("context = 3\n")
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "broken  settings: " in out
    assert "line 1: context cannot be 3" in out
    assert "ok      model in use" in out
    assert out.endswith("Something is broken; see above.\n")


@pytest.mark.usefixtures("quick")
def test_a_folder_that_cannot_be_written_is_named(tide_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tide_home.write_text("a file where the folder should be")
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert f"broken  models folder: {tide_home / 'models'} cannot be written" in out
    assert "TIDE_CHAT_HOME" in out


@pytest.mark.usefixtures("quick")
def test_a_check_that_fails_is_one_more_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing() -> list[doctor.Check]:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(doctor, "engine_checks", failing)
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "broken  engine: could not be checked: ZeroDivisionError: by zero" in out
    assert "ok      terminal" in out


def test_an_engine_that_does_not_compute_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(selftest, "run", lambda *_, **__: [("engine", False, "It ended.")])
    assert cli.main(["doctor"]) == 1
    assert "broken  engine: It ended." in capsys.readouterr().out


@pytest.mark.usefixtures("quick")
def test_a_card_that_is_off_by_choice_is_not_called_missing(
    tide_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tide_home.mkdir()
    (tide_home / "config.toml").write_text('gpu = "off"\n')
    assert cli.main(["doctor"]) == 0
    assert "gpu: off, as the settings say" in capsys.readouterr().out


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("country", "said"), [("US", "United States"), ("ZZ", "no list for ZZ")])
def test_help_lines_of_the_country(
    country: str, said: str, tide_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tide_home.mkdir()
    (tide_home / "config.toml").write_text(f'country = "{country}"\n')
    assert cli.main(["doctor"]) == 0
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"NO_COLOR": "1"}, "NO_COLOR"),
        ({"TERM": "dumb"}, "no colours"),
        ({"COLORTERM": "truecolor"}, "all colours"),
        ({"TERM": "xterm-256color"}, "256 colours"),
        ({"TERM": "xterm"}, "16 colours"),
    ],
)
def test_colours(environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert said in doctor._colours()
