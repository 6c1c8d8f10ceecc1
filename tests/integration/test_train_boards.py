"""Boards drawn by the real libraries from a real run: they show what metrics.jsonl holds, and go on with it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_train_sft import DIALOGUES, LONGER, nobody, settings, tiny
from tide_chat.errors import UsageError
from training.sft import boards, loop, metrics
from training.sft.loop import train
from training.sft.prepared import Job

pytestmark = pytest.mark.usefixtures("one_thread")

TRACKIO = """
import json, sys
from pathlib import Path
from training.sft import boards
refused = []
sys.addaudithook(lambda event, _: refused.append(event) if event in ("socket.connect", "socket.getaddrinfo") else None)
run = Path(sys.argv[1])
for steps in (5, 2):  # the second time anew, as after a checkpoint
    board = boards.begin("trackio", run)
    for step in range(1, steps + 1):
        board.add({"step": step, "loss": 1 / step, "note": "no number"})
    board.close()
from trackio.sqlite_storage import SQLiteStorage
(name,) = SQLiteStorage.get_runs("tide-train")
print(json.dumps([name, SQLiteStorage.get_logs("tide-train", name), refused]))
"""


def job(folder: Path, model: Path, kind: str = "tensorboard", *, resume: bool = False) -> Job:
    wanted = settings("training.epochs=2", "training.batch=2", "training.accumulation=2", f"logging.boards={kind}")
    return Job(wanted, model, folder / "run", LONGER, DIALOGUES[:2], device="cpu", resume=resume)


def shown(run: Path) -> dict[tuple[str, int], float]:
    """What TensorBoard would show."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(run / boards.FOLDER))
    found.Reload()
    return {(tag, one.step): one.value for tag in found.Tags()["scalars"] for one in found.Scalars(tag)}


def noted(run: Path) -> dict[tuple[str, int], Any]:
    lines = metrics.read(run / loop.METRICS)
    return {(name, line["step"]): value for line in lines for name, value in line.items() if name != "step"}


def test_tensorboard_shows_what_the_metrics_hold(tmp_path: Path) -> None:
    train(job(tmp_path, tiny(tmp_path)), nobody)
    got = shown(tmp_path / "run")
    assert {("loss", 1), ("held_loss", 3), ("learning_rate", 6)} <= set(got)
    assert got == pytest.approx(noted(tmp_path / "run"), rel=1e-6)


def test_a_run_that_goes_on_draws_no_step_that_was_lost(tmp_path: Path) -> None:
    model = tiny(tmp_path)
    train(job(tmp_path, model), nobody)
    whole = shown(tmp_path / "run")
    with (tmp_path / "run" / loop.METRICS).open("a") as file:
        file.write(json.dumps({"step": 7, "loss": 9.0}) + "\n")
    train(job(tmp_path, model, resume=True), nobody)
    assert shown(tmp_path / "run") == whole


def test_a_board_changes_nothing_and_may_be_added_later(tmp_path: Path) -> None:
    model = tiny(tmp_path)
    train(job(tmp_path, model, "none"), nobody)
    assert not (tmp_path / "run" / boards.FOLDER).exists()
    train(job(tmp_path, model, resume=True), nobody)
    assert shown(tmp_path / "run") == pytest.approx(noted(tmp_path / "run"), rel=1e-6)


def test_what_is_not_installed_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(boards.MODULES, "tensorboard", "no_such_module_here")
    with pytest.raises(UsageError, match="TensorBoard is not installed") as caught:
        train(job(tmp_path, tiny(tmp_path)), nobody)
    assert caught.value.help == "Install it: pip install tensorboard"
    assert not (tmp_path / "run").exists()


def test_trackio_keeps_to_the_run_folder(tmp_path: Path) -> None:
    """In a process of its own, as the library keeps its folder; with a server named, that is not listened to."""
    pytest.importorskip("trackio")
    named = {
        "TRACKIO_SPACE_ID": "somebody/somewhere",
        "TRACKIO_SERVER_URL": "http://127.0.0.1:9",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", TRACKIO, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | named,
    )
    assert done.returncode == 0, done.stderr
    name, logs, refused = json.loads(done.stdout)
    assert name == "run"
    assert [(one["step"], one["loss"]) for one in logs] == [(1, 1.0), (2, 0.5)]
    assert refused == []
    assert (tmp_path / "run" / boards.FOLDER / "tide-train.db").is_file()
    assert not (tmp_path / ".cache").exists()
