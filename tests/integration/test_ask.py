"""`ask` with the real embedded model, as another program would call it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.usefixtures("embedded_model")

ASK = [sys.executable, "-m", "tide_chat", "ask", "--model", "smollm2-135m"]
LONG = "Please tell me a very long story about a quiet walk beside the sea, with many sentences."


def ask(*arguments: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*ASK, *arguments], input=text, capture_output=True, text=True, check=False)


def test_the_same_seed_gives_the_same_answer() -> None:
    first, second = (ask("--seed", "7", "--max-tokens", "24", "I slept badly again.") for _ in range(2))
    assert (first.returncode, first.stdout) == (0, second.stdout)
    assert first.stdout.strip()
    assert "smollm2-135m" in first.stderr


def test_nothing_is_imported_from_the_folder_one_is_in(tmp_path: Path) -> None:
    """A download folder may hold anything. `-P` stands for the installed command, which has no such folder either."""
    for name in ("numpy", "random", "llama_cpp", "tide_chat"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w'); raise SystemExit(9)")
    command = [sys.executable, "-P", *ASK[1:], "--max-tokens", "8", "I slept badly again."]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, (tmp_path / "ran").exists()) == (0, False)
    assert done.stdout.strip()
    assert "safety check is not working" not in done.stderr


def test_json_of_a_real_answer_from_a_pipe() -> None:
    done = ask("--json", "--seed", "1", "--max-tokens", "16", "-", text="I slept badly again.\nTwo hours, maybe.\n")
    assert done.returncode == 0
    value = json.loads(done.stdout)
    assert value["reply"].strip()
    assert (value["route"], value["model"], value["adapter"]) == ("model", "smollm2-135m", None)
    assert value["finish_reason"] in ("stop", "length")
    assert value["prompt_tokens"] > value["cached_tokens"] >= 0
    assert 0 < value["completion_tokens"] <= 16
    assert value["ttft_s"] > 0
    assert value["decode_tps"] > 0


def test_ctrl_c_keeps_what_was_written_and_leaves_with_130() -> None:
    # Seeded: the guard ends one reply in forty at its second sentence, and then there is nothing left to interrupt.
    with subprocess.Popen(
        [*ASK, "--seed", "39", "--max-tokens", "2000", LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        begun = os.read(process.stdout.fileno(), 4096)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert begun.strip()
    assert (begun + out).endswith(b"\n")
    assert b"Traceback" not in err


def test_ctrl_c_with_json_is_still_json() -> None:
    command = [*ASK, "--json", "--max-tokens", "4000", LONG]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr
        os.read(process.stderr.fileno(), 4096)  # the model was named: the turn has begun
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(out)["finish_reason"] == "cancelled"


def test_a_reader_that_leaves_ends_the_answer_quietly() -> None:
    with subprocess.Popen(
        [*ASK, "--max-tokens", "2000", LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        os.read(process.stdout.fileno(), 1)
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=20)
    assert process.returncode == 0
    assert b"Traceback" not in err
    assert b"Broken" not in err


def test_an_engine_that_is_killed_leaves_what_was_written_and_says_so() -> None:
    with subprocess.Popen(
        [*ASK, "--max-tokens", "2000", LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        begun = os.read(process.stdout.fileno(), 4096)
        for engine in psutil.Process(process.pid).children():  # the model's, and the risk encoder's
            engine.kill()
        out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert (begun + out).strip()
    assert b"stopped working" in err
    assert b"Traceback" not in err


def test_a_file_that_is_no_model_is_3(tmp_path: Path) -> None:
    path = tmp_path / "nonsense.gguf"
    path.write_bytes(b"not a model" * 100)
    done = ask("--model", str(path), "hello")
    assert (done.returncode, done.stdout.strip()) == (3, "")
    assert "Traceback" not in done.stderr
    assert "nonsense.gguf" in done.stderr


def test_a_chat_template_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    done = ask("--chat-template", str(tmp_path / "none.jinja"), "hello")
    assert done.returncode == 2
    assert "none.jinja" in done.stderr


def test_a_home_that_cannot_be_written_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDE_CHAT_HOME", "/proc/tide-chat")  # where not even an administrator can write
    done = ask("--max-tokens", "8", "I slept badly again.")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
