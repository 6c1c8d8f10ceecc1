"""Preference tuning in two processes, which share out the reference as well, gives the result of one."""

from pathlib import Path

import pytest
import torch

from tests.integration import tiny_models
from tests.integration.test_train_preference import job, run, settings
from tests.integration.training_runs import lines, two

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
    two(SCRIPT, str(model), str(tmp_path / "two"))
    for left, right in zip(lines(tmp_path / "one"), lines(tmp_path / "two"), strict=True):
        assert left == pytest.approx(right, rel=1e-3, abs=1e-4)
