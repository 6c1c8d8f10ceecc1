"""A run that is killed, and one of several processes: each ends as the run that was left alone."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convert.gguf_file import convert
from tests.integration import tiny_models
from training.evaluation import replies
from training.evaluation.auto.cache import Store

COUNT = 24


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """own.jsonl, tiny.gguf and a run that was left alone."""
    place = tmp_path_factory.mktemp("auto")
    rows = [{"dialogue_id": f"d{n}", "user_input": f"Night {n}.", "reference_response": "Yes."} for n in range(COUNT)]
    (place / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = tiny_models.smollm(place / "tiny-smollm", dtype="float32")
    convert(folder, place / "tiny.gguf", "f32")
    child = start(place, place / "alone")
    finished(child)
    return place


def start(place: Path, out: Path, *options: str, **environment: str) -> "subprocess.Popen[str]":
    root = str(Path(__file__).parents[2])
    code = "import sys; from training.evaluation.cli import main; sys.exit(main(sys.argv[1:]))"
    model = ("--model", f"m={place / 'tiny.gguf'}", "--data", str(place / "own.jsonl"), "--out", str(out))
    fixed = ("--max-tokens", "24", "--threads", "1", "--metrics", "words")
    return subprocess.Popen(
        [sys.executable, "-c", code, "auto", *model, *fixed, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": root} | environment,
    )


def finished(child: "subprocess.Popen[str]") -> None:
    output = child.communicate(timeout=240)
    assert child.returncode == 0, output


def texts(out: Path) -> dict[str, str]:
    return {one.item: one.text for one in replies.read(out / "replies.jsonl")}


def wait_for_replies(out: Path, count: int) -> None:
    store, until = Store(out / "cache"), time.monotonic() + 120
    seen = 0
    while seen < count:
        assert time.monotonic() < until
        seen += store.refresh()
        time.sleep(0.002)


def test_killed_and_started_again_is_the_same_run(place: Path, tmp_path: Path) -> None:
    child = start(place, tmp_path)
    wait_for_replies(tmp_path, 3)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not (tmp_path / "replies.jsonl").exists()
    again = start(place, tmp_path)
    finished(again)
    assert texts(tmp_path) == texts(place / "alone")
    assert 0 < json.loads((tmp_path / "run.json").read_text())["generated"] <= COUNT - 3


def test_an_interrupt_ends_with_130_and_keeps_what_is_there(place: Path, tmp_path: Path) -> None:
    child = start(place, tmp_path)
    wait_for_replies(tmp_path, 2)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Traceback" not in errors
    kept = (tmp_path / "cache" / "replies-1-of-1.jsonl").read_bytes()
    assert kept.endswith(b"\n")
    assert 2 <= kept.count(b"\n") < COUNT
    assert not (tmp_path / "replies.jsonl").exists()


def test_processes_of_torchrun_share_the_items_and_the_leader_puts_them_together(place: Path, tmp_path: Path) -> None:
    children = [start(place, tmp_path, RANK=str(rank), WORLD_SIZE="2") for rank in (1, 0)]
    outputs = [child.communicate(timeout=240) for child in children]
    assert [child.returncode for child in children] == [0, 0], outputs
    assert outputs[0][0] == ""
    assert "| Words |" in outputs[1][0]
    assert texts(tmp_path) == texts(place / "alone")
    parts = sorted(path.name for path in (tmp_path / "cache").glob("*.jsonl"))
    assert parts == ["replies-1-of-2.jsonl", "replies-2-of-2.jsonl"]
    assert all(len(path.read_text().splitlines()) == COUNT // 2 for path in (tmp_path / "cache").glob("*.jsonl"))


def test_parts_made_by_hand_are_put_together_by_the_last(place: Path, tmp_path: Path) -> None:
    first = start(place, tmp_path, "--shard", "2/2")
    assert "Part 2-of-2 is there" in first.communicate(timeout=120)[1]
    assert first.returncode == 0
    assert not (tmp_path / "replies.jsonl").exists()
    second = start(place, tmp_path, "--shard", "1/2")
    finished(second)
    assert texts(tmp_path) == texts(place / "alone")
