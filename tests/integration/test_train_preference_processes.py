"""Preference tuning in two processes, which share out the reference as well, gives the result of one."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.integration import tiny_models
from tests.integration.test_train_preference import job, lines, run, settings

pytestmark = pytest.mark.usefixtures("one_thread")
SCRIPT = """
import sys
from pathlib import Path
from tests.integration import test_train_preference_processes as here
here.go(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def go(model: Path, out: Path) -> None:
    torch.set_num_threads(1)
    run(job(out, model, settings("training.batch=3", "training.epochs=2")))  # 16 pairs: not shared out evenly


def test_two_processes_are_one(tmp_path: Path) -> None:
    model = tiny_models.smollm(tmp_path / "tiny-smollm2")
    go(model, tmp_path / "one")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    root = str(Path(__file__).parents[2])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(model), str(tmp_path / "two")],
            stderr=subprocess.PIPE,
            text=True,
            cwd=root,
            env=os.environ | shared | {"PYTHONPATH": root, "RANK": str(rank)},
        )
        for rank in range(2)
    ]
    try:
        said = [child.communicate(timeout=300)[1] for child in children]
    finally:
        for child in children:
            child.kill()
    assert [child.returncode for child in children] == [0, 0], said
    for left, right in zip(lines(tmp_path / "one"), lines(tmp_path / "two"), strict=True):
        assert left == pytest.approx(right, rel=1e-3, abs=1e-4)
