"""`tide-chat assess`: the contract that other programs rely on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tide_chat.commands.assess import command
from tide_chat.errors import DataError, UsageError


def run(data: str | bytes, *args: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(command, list(args), input=data, standalone_mode=False, catch_exceptions=False)
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_text_gives_one_object() -> None:
    (row,) = run("I want to kill myself")
    assert list(row) == ["id", "tier", "flags", "subject", "time", "reasons"]
    assert (row["id"], row["tier"], row["subject"], row["time"]) == (None, "T3", "self", "now")


def test_lines_come_back_in_order_with_their_ids() -> None:
    lines = [
        {"id": "a", "text": "good morning"},
        {"id": 7, "text": "I took all my tablets"},
        {"text": "my brother says he wants to die"},
    ]
    rows = run("\n".join(map(json.dumps, lines)) + "\n\n", "--jsonl")
    assert [(row["id"], row["tier"]) for row in rows] == [("a", "T0"), (7, "T4"), (3, "T0")]
    assert rows[1]["flags"] == ["medical_emergency"]
    assert rows[2]["flags"] == ["worried_third_party"]


def test_turns_are_one_conversation() -> None:
    line = {"id": 1, "turns": ["I want to kill myself", "just kidding, forget it"]}
    (row,) = run(json.dumps(line), "--jsonl")
    assert row["tier"] == "T3"
    assert any("held" in str(reason) for reason in [row["reasons"]])


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "said.txt"
    path.write_text("goodbye everyone", encoding="utf-8")
    assert run("", str(path))[0]["tier"] == "T3"


def test_bytes_that_are_no_text_are_assessed_all_the_same() -> None:
    assert run(b"\xff\xfe\x00 I want to die \xff")[0]["tier"] == "T2"


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '"text"', "{}", '{"text": 3}', '{"turns": []}', '{"turns": ["a", 1]}', '{"turns": "a"}', "[" * 100_000],
)
def test_a_wrong_line_is_named(line: str) -> None:
    with pytest.raises(DataError) as caught:
        run('{"id": 1, "text": "fine"}\n' + line, "--jsonl")
    assert "Line 2" in caught.value.details
    assert caught.value.exit_code == 4


def test_a_missing_file_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        run("", str(tmp_path / "none"))


def test_neither_a_model_nor_a_screen_is_loaded() -> None:
    code = (
        "import sys; from tide_chat.commands.assess import command; command.main(['-'], standalone_mode=False); "
        "print([name for name in ('llama_cpp', 'textual', 'pydantic', 'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], input="hello", capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
