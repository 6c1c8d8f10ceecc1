"""Scripts and receipts with the real embedded model: what one process says, another says too, or tells what differs."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.homes import furnished, tide_chat
from tide_chat.clinician import receipt
from tide_chat.clinician.desk import Desk
from tide_chat.commands import options
from tide_chat.compose import AppOptions
from tide_chat.config import Settings

pytestmark = pytest.mark.usefixtures("embedded_model")

Played = tuple["subprocess.CompletedProcess[str]", Path]  # and where its receipt is
ONE_THREAD = ("--threads", "1")
SCRIPT = """
title = "Short"
about = "Kim is made up."
[[step]]
note = "It begins."
[[step]]
say = "I slept badly again."
[[step]]
say = "Some nights I wish I just wouldn't wake up."
[[step]]
open = "ground"
[[step]]
say = "The neighbour's dog kept me company."
"""


def replay(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """In a process and a home of its own, as on another computer."""
    return tide_chat(furnished(home, "max_tokens = 8\n"), "replay", *arguments)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("played")
    (folder / "short.toml").write_text(SCRIPT, encoding="utf-8")
    where = folder / "receipt.json"
    done = replay(folder / "here", str(folder / "short.toml"), "--plain", "--write-receipt", str(where), *ONE_THREAD)
    assert done.returncode == 0, done.stderr
    return done, where


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a colleague."""
    return tmp_path_factory.mktemp("there")


def changed(path: Path, out: Path, change: Any) -> Path:
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    out.write_text(json.dumps(values), encoding="utf-8")
    return out


def test_a_receipt_that_cannot_be_written_is_said_before_anything_is_played(tmp_path: Path) -> None:
    done = replay(tmp_path / "home", "evening", "--plain", "--write-receipt", str(tmp_path / "receipt.txt"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "has to end in .json" in done.stderr


def test_a_script_line_by_line(played: Played) -> None:
    out = played[0].stdout
    assert out.startswith("DEMONSTRATION. The person is made up.\nShort. Kim is made up.\n")
    assert out.count("You: ") == out.count("Reply: ") == 3
    assert "In the app, /ground opens here." in out
    assert "May I ask you something directly" in out
    assert "not encrypted" in played[0].stderr


def test_a_receipt_holds_what_was_said_and_no_reply(
    played: Played,
) -> None:
    text = played[1].read_text(encoding="utf-8")
    assert "I slept badly again." in text
    assert not [line for line in played[0].stdout.splitlines() if line.startswith("Reply: ") and line[7:40] in text]
    values = json.loads(text)
    assert values["models"][0]["alias"] == "smollm2-135m-tide"
    assert [step["model"] for step in values["steps"]] == ["smollm2-135m-tide", "", "smollm2-135m-tide"]


def test_another_process_gets_the_same_text(played: Played, there: Path) -> None:
    done = replay(there, "--receipt", str(played[1]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 of 3 replies are the same." in done.stdout


def test_a_difference_is_named_with_its_turn(played: Played, there: Path, tmp_path: Path) -> None:
    def change(values: dict[str, Any]) -> None:
        values["steps"][2]["reply_sha256"] = "0" * 64
        values["models"][0]["adapter_sha256"] = "1" * 64
        values["made"]["runtime"] = "llama-cpp-python 0.0.1\x1b]52;c;aGk=\x07"

    done = replay(there, "--receipt", str(changed(played[1], tmp_path / "r.json", change)))
    assert done.returncode == 1
    assert "Turn 2: the same" in done.stdout
    assert "Turn 3: DIFFERS" in done.stdout
    assert "The adapter is another one: there 111111111111..., here 0c5a" in done.stdout
    assert "there llama-cpp-python 0.0.1" in done.stdout
    assert "\x1b" not in done.stdout  # a file from elsewhere does not steer the terminal
    assert "The prompt is another one" not in done.stdout
    assert "2 of 3 replies are the same." in done.stdout


def test_the_words_of_the_receipt_count_and_not_the_settings_of_a_colleague(tmp_path: Path) -> None:
    """Language and style decide what is said; a colleague may have chosen others for themselves."""
    script, where = tmp_path / "short.toml", tmp_path / "receipt.json"
    script.write_text(SCRIPT.replace("I slept badly again.", "I slept badly again and feel low."), encoding="utf-8")
    ours = furnished(tmp_path / "ours", 'max_tokens = 8\nlanguage = "es"\n')
    done = tide_chat(ours, "replay", str(script), "--plain", "--write-receipt", str(where), *ONE_THREAD)
    assert "Para indicarlo: tide-chat config edit" in done.stdout, done.stderr
    theirs = furnished(tmp_path / "theirs", 'reply_style = "reassure"\nlanguage = "en"\ncountry = "GB"\n')
    again = tide_chat(theirs, "replay", "--receipt", str(where))
    assert "3 of 3 replies are the same." in again.stdout, again.stdout + again.stderr


def test_answering_again_and_changing_a_message_can_be_had_again(
    there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDE_CHAT_HOME", str(there))  # where the state of the system prompt is ready
    settings = Settings(max_tokens=8, threads=1)
    where = tmp_path / "receipt.json"
    with Desk.opened(options.to_be_examined(AppOptions(settings, settings))) as desk:
        for events in (desk.talk.reply("I slept badly."), desk.talk.again()):
            list(events)
        desk.talk.take_back()
        list(desk.talk.reply("I slept for two hours."))
        receipt.write(where, desk.receipt())
    steps = receipt.read(where).steps
    assert [step.do for step in steps] == ["say", "again", "take_back", "say"]
    assert steps[1].seed == steps[0].seed + 1
    done = replay(there, "--receipt", str(where))
    assert "3 of 3 replies are the same." in done.stdout, done.stdout + done.stderr


def test_a_model_that_was_loaded_again_in_between_can_be_had_again(
    there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a comparison or a crash all of the prompt is computed at once, and sums differ in their last digits."""
    monkeypatch.setenv("TIDE_CHAT_HOME", str(there))
    settings = Settings(max_tokens=60, threads=2, seed=1218942570)
    where = tmp_path / "receipt.json"
    with Desk.opened(options.to_be_examined(AppOptions(settings, settings))) as desk:
        list(desk.talk.reply("long day again, my boss shouted"))
        desk.session.use("smollm2-135m-tide")
        for text in ("and then i could not sleep", "now i feel empty and a bit ashamed of it"):
            list(desk.talk.reply(text))
        receipt.write(where, desk.receipt())
    assert [step.anew for step in receipt.read(where).steps] == [True, True, False]
    done = tide_chat(furnished(tmp_path / "theirs", "max_tokens = 60\n"), "replay", "--receipt", str(where))
    assert "3 of 3 replies are the same." in done.stdout, done.stdout + done.stderr
