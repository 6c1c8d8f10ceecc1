"""`tide-train data` as its user runs it: our dialogues pass, TIDE comes from a hub after licence and token."""

import json
import socket
from pathlib import Path

import pytest

from tests.integration.hub_server import COMMIT, HubServer, Trouble
from tests.unit.training.data_rows import REPLY, SAID
from tide_chat import entry
from tide_chat.errors import DataError
from tide_chat.progress import quiet
from training.data import sources, tide
from training.data.check import CHECKS
from training.data.checks import crisis, leakage
from training.data.command import command

REPO = "datasets/yenopoya/TIDE"
CARD = b"---\nlicense: cc-by-nc-4.0\n---\n# TIDE\n"
TABLE = (
    "Age,Gender,Occupation,Trauma Focus,Scenario,user_input,reference_response\n"
    f'34,woman,nurse,crash,panic,"{SAID}","{REPLY}"\n'
    '34,woman,nurse,crash,sleep,"I wake at three each night.","Waking so often must wear you down."\n'
    '61,man,driver,combat,anger,"I shouted at my son again.","It hurts to shout at someone you love."\n'
).encode()


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = entry.run(command, [str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


@pytest.fixture
def gated_hub(hub_server: HubServer, monkeypatch: pytest.MonkeyPatch) -> HubServer:
    """TIDE on the hub for the token `hf_in`, and that token in the environment."""
    for name, data in (("README.md", CARD), ("data/tide.csv", TABLE), ("run.py", b"print()"), ("x.pkl", b"no")):
        hub_server.add(REPO, name, data)
    hub_server.gated[REPO] = {"hf_in"}
    monkeypatch.setenv("HF_TOKEN", "hf_in")
    return hub_server


def test_our_own_dialogues_have_no_error() -> None:
    """Without the look for crisis, which takes ten seconds and gives warnings only (`test_data_checks.py`)."""
    loaded = sources.read()
    assert (len(loaded.rows), loaded.problems) == (2250, ())
    looks = [look for look in CHECKS if look is not crisis.check]
    assert len(looks) == len(CHECKS) - 1
    assert [finding for look in looks for finding in look(loaded.rows, quiet).findings] == []


def test_check_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text("\n".join((sources.OPEN / "plain.jsonl").read_text(encoding="utf-8").split("\n")[:40]), "utf-8")
    code, out, err = run(capsys, "check", path, "--json")
    report = json.loads(out)
    assert (code, err, report["passed"], report["dialogues"], report["errors"]) == (0, "", True, 40, 0)


def test_split_and_check_of_the_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "split", "--out", tmp_path / "open")
    assert code == 0
    assert "Leakage: none." in out
    rows = sources.load([str(tmp_path / "open")]).rows
    assert len(rows) == 2250
    assert leakage.check(rows, quiet).findings == ()


def test_the_papers_split_leaks_everyone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "split", "open:dialogues", "--paper", "--out", tmp_path / "paper")
    assert code == 0
    assert "702 to train and 468 to evaluate" in out
    assert "Leakage: 100 persons are in several splits" in out
    code, out, err = run(capsys, "split", "open:plain", "--out", tmp_path / "paper")
    assert (code, out) == (2, "")
    assert err.startswith("There is something else in this folder.")


def test_errors_end_with_four_and_wrong_use_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.csv"
    path.write_text('text,answer\nHello.,"You ran, and the"\n', encoding="utf-8")
    code, out, _ = run(capsys, "check", path, "--columns", "user=text,reply=answer")
    assert code == 4
    assert "ERROR cut: 1\n  mine.csv, row 1" in out
    code, _, err = run(capsys, "check", path)
    assert code == 4
    assert "no column is known as user." in err
    assert run(capsys, "check", path, "--columns", "user")[0] == 2
    assert run(capsys, "split", path, "--out", tmp_path / "out", "--shares", "1,2")[0] == 2


def test_tide_after_its_licence_was_accepted(gated_hub: HubServer, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "fetch", "tide")
    assert code == 2
    assert "CC BY-NC 4.0, which has to be accepted once" in err
    assert gated_hub.log == []
    assert run(capsys, "check", "tide")[0] == 2

    code, out, _ = run(capsys, "fetch", "tide", "--accept-licence")
    assert code == 0
    assert COMMIT in out
    asked = {request.path.rpartition("/")[2] for request in gated_hub.log if "/resolve/" in request.path}
    assert asked == {"README.md", "tide.csv"}

    before = len(gated_hub.log)
    loaded = sources.load(["tide"])
    assert len(gated_hub.log) == before
    assert [row.dialogue.scenario for row in loaded.rows] == ["panic", "sleep", "anger"]
    first, second, third = (row.dialogue.persona_id for row in loaded.rows)
    assert first == second != third
    assert run(capsys, "fetch")[0] == 0  # the licence was accepted once


@pytest.mark.parametrize(
    ("token", "expected"), [("hf_other", "not open to the account of this token"), ("", "there is no token here")]
)
def test_a_gate_that_does_not_open(
    token: str,
    expected: str,
    gated_hub: HubServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tide_home: Path,
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    code, _, err = run(capsys, "fetch", "--accept-licence")
    assert code == 1
    assert expected in err
    assert f"{gated_hub.endpoint}/datasets/yenopoya/TIDE" in err
    assert not (tide_home / "licences.json").exists()


def test_no_network(hub_server: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
        code, _, err = run(capsys, "fetch", "--accept-licence")
    assert code == 1
    assert "The hub could not be reached." in err
    assert "give their path in place of `tide`" in err


def test_downloads_that_are_turned_off(
    gated_hub: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # it reads the variable at import only
    code, _, err = run(capsys, "fetch", "--accept-licence")
    assert code == 1
    assert "Downloads are turned off here." in err
    assert gated_hub.log == []


@pytest.mark.parametrize(("status", "expected"), [(503, "answer 503"), (404, "only given to people who accepted")])
def test_a_hub_that_refuses(
    status: int, expected: str, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    hub_server.troubles.append(Trouble(status, {"X-Error-Code": "RepoNotFound"} if status == 404 else {}, on="hub"))
    code, _, err = run(capsys, "fetch", "--accept-licence")
    assert code == 1
    assert expected in err


def test_another_licence_than_was_accepted(gated_hub: HubServer, capsys: pytest.CaptureFixture[str]) -> None:
    gated_hub.add(REPO, "README.md", CARD.replace(b"cc-by-nc-4.0", b"other"))
    code, _, err = run(capsys, "fetch", "--accept-licence")
    assert code == 4
    assert "another licence" in err
    assert run(capsys, "check", "tide")[0] == 2


def test_tide_that_was_removed_again(gated_hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tide.fetch(accept=True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataError, match="not on this computer"):
        sources.load(["tide"])
