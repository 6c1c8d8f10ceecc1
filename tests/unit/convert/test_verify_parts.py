"""Dialogues, frames and the process around the runtime: small parts, without a model."""

import io
import json
import sys
from pathlib import Path

import pytest

from convert.verify import dialogues, frames
from convert.verify.runtime import Runtime
from tide_chat.errors import DataError, EngineDied


def test_our_own_dialogues_are_read_turn_by_turn(tmp_path: Path) -> None:
    line = {
        "user_input": "a",
        "reference_response": "b",
        "more_turns": [{"user_input": "c", "reference_response": "d"}],
    }
    (tmp_path / "d.jsonl").write_text(json.dumps(line) + "\n\n")
    [chat] = dialogues.load(tmp_path / "d.jsonl", 8)
    assert [one["role"] for one in chat] == ["system", "user", "assistant", "user", "assistant"]
    assert [one["content"] for one in chat[1:]] == ["a", "b", "c", "d"]


def test_messages_keep_their_system_prompt_or_get_one(tmp_path: Path) -> None:
    user, reply = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}
    own = [{"role": "system", "content": "s"}, user, reply]
    (tmp_path / "d.jsonl").write_text(json.dumps({"messages": own}) + "\n" + json.dumps({"messages": [user, reply]}))
    first, second = dialogues.load(tmp_path / "d.jsonl", 8)
    assert first == own
    assert second[0]["content"] == dialogues.SYSTEM


def test_samples_are_spread_over_the_file(tmp_path: Path) -> None:
    lines = [json.dumps({"user_input": str(i), "reference_response": "r"}) for i in range(10)]
    (tmp_path / "d.jsonl").write_text("\n".join(lines))
    assert [chat[1]["content"] for chat in dialogues.load(tmp_path / "d.jsonl", 4)] == ["0", "2", "5", "7"]


@pytest.mark.parametrize("line", ["{", "[]", '{"user_input": "a"}', '{"messages": [1]}', "7"])
def test_other_lines_are_refused_with_their_place(tmp_path: Path, line: str) -> None:
    (tmp_path / "d.jsonl").write_text('{"user_input": "a", "reference_response": "b"}\n' + line)
    with pytest.raises(DataError, match="line 2"):
        dialogues.load(tmp_path / "d.jsonl", 8)


def test_no_dialogues_are_refused(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text("\n")
    with pytest.raises(DataError, match="no dialogues"):
        dialogues.load(tmp_path / "d.jsonl", 8)
    with pytest.raises(DataError, match="cannot be read"):
        dialogues.load(tmp_path / "none.jsonl", 8)
    with pytest.raises(DataError, match="no dialogues"):
        dialogues.load(None, 0)


def test_frames_come_back_as_they_were() -> None:
    pipe = io.BytesIO()
    frames.send(pipe, {"a": "é"}, b"\x00\x01")
    frames.send(pipe, {})
    pipe.seek(0)
    assert frames.receive(pipe) == ({"a": "é"}, b"\x00\x01")
    assert frames.receive(pipe) == ({}, b"")
    assert frames.receive(pipe) is None


@pytest.mark.parametrize("cut", [1, 9, 14])
def test_half_a_frame_is_none(cut: int) -> None:
    pipe = io.BytesIO()
    frames.send(pipe, {"a": 1}, b"body")
    assert frames.receive(io.BytesIO(pipe.getvalue()[:-cut])) is None


def test_a_crash_of_the_runtime_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    program = (
        "import os, sys; sys.stdin.buffer.read(8); print('GGML_ASSERT failed', file=sys.stderr, flush=True); os.abort()"
    )
    with pytest.raises(EngineDied, match="GGML_ASSERT failed") as error:
        Runtime(tmp_path / "m.gguf", 1, (sys.executable, "-c", program))
    assert "-6" in error.value.details


def test_a_runtime_that_never_starts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineDied, match="said nothing"):
        Runtime(tmp_path / "m.gguf", 1, (sys.executable, "-c", "raise SystemExit(3)"))
