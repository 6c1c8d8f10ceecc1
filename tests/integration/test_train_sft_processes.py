"""A run that is killed, one that is interrupted, and one of two processes: each ends as the run that was left alone."""

import signal
import subprocess
from pathlib import Path

import pytest
import torch

from tests.integration.test_train_sft import DIALOGUES, LONGER, nobody, settings, tensors, tiny
from tests.integration.training_runs import lines, start, two, weights
from tide_chat.progress import Say, quiet
from training.sft import checkpoint, loop
from training.sft.loop import train
from training.sft.prepared import Job

QUICK = ("training.batch=2", "training.accumulation=1", "training.epochs=4", "saving.every=3", "evaluation.every=7")
SCRIPT = """
import sys, time
from pathlib import Path
from tests.integration import test_train_sft_processes as here
def say(what, done, total):
    print(what, done, flush=True)
    time.sleep(0.2 if what.startswith("loss") else 0)
here.go(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:], tell=lambda line: print(line, flush=True), say=say)
"""


pytestmark = pytest.mark.usefixtures("one_thread")


def go(
    model: Path,
    out: Path,
    *overrides: str,
    resume: bool = False,
    tell: loop.Tell = nobody,
    say: Say = quiet,
) -> None:
    torch.set_num_threads(1)
    wanted = settings(*QUICK, *overrides)
    train(Job(wanted, model, out, LONGER, DIALOGUES[:2], device="cpu", resume=resume), tell, say)


def wait_for_step(child: "subprocess.Popen[str]", step: int) -> None:
    assert child.stdout
    assert child.stderr
    if not any(line.startswith("loss") and line.endswith(f" {step}\n") for line in child.stdout):
        raise AssertionError(child.stderr.read())


def same(a: Path, b: Path) -> None:
    assert weights(a) == weights(b)
    assert lines(a) == lines(b)
    assert lines(a, loop.SAMPLES) == lines(b, loop.SAMPLES)


def test_killed_and_resumed_is_the_same_run(tmp_path: Path) -> None:
    model, whole, broken = tiny(tmp_path), tmp_path / "whole", tmp_path / "broken"
    go(model, whole)
    child = start(SCRIPT, str(model), str(broken))
    wait_for_step(child, 8)  # steps 3, 6 and 7 have left checkpoints, 8 is lost
    child.kill()
    child.communicate()
    half = broken / checkpoint.FOLDER / ".step-0000009.part"  # what a kill in mid-write leaves
    half.mkdir()
    told: list[str] = []
    go(model, broken, resume=True, tell=told.append)
    assert "Going on after step 7." in told
    same(whole, broken)


def test_an_interrupt_leaves_a_checkpoint_and_the_run_goes_on_to_the_same_end(tmp_path: Path) -> None:
    model, whole, broken = tiny(tmp_path), tmp_path / "whole", tmp_path / "broken"
    go(model, whole)
    child = start(SCRIPT, str(model), str(broken))
    wait_for_step(child, 4)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=120)
    assert "Go on with --resume." in out
    assert err.rstrip().endswith("KeyboardInterrupt")
    last = checkpoint.newest(broken)
    assert last is not None
    assert last.name in ("step-0000005", "step-0000006")
    go(model, broken, resume=True)
    same(whole, broken)


def test_two_processes_are_one(tmp_path: Path) -> None:
    """With sequences that cannot be shared out evenly."""
    model, alone, shared = tiny(tmp_path), tmp_path / "one", tmp_path / "two"
    odd = ("training.batch=3", "lora.dropout=0")
    go(model, alone, *odd)
    said = two(SCRIPT, str(model), str(shared), *odd)
    assert said[1] == ""
    a, b = lines(alone), lines(shared)
    assert len(a) == len(b) > 10
    for left, right in zip(a, b, strict=True):
        assert left == pytest.approx(right, rel=1e-3)
    for name, value in tensors(alone).items():
        torch.testing.assert_close(value, tensors(shared)[name], rtol=1e-2, atol=1e-4)
