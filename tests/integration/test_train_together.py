"""Of two processes of a run one is killed, hangs or never comes: the other ends with words, and soon."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import tiny_models
from tests.integration.training_runs import meeting, start
from training import cli
from training.data import sources

SCRIPT = """
import sys
from training import cli
from training.sft import together
together.JOIN, together.EXCHANGE = float(sys.argv[1]), float(sys.argv[2])
sys.exit(cli.main(sys.argv[3:]))
"""
QUICK = (
    "data.system=none",
    "training.epochs=1000",
    "training.batch=4",
    "training.accumulation=1",
    "evaluation.every=1",
    "evaluation.samples=0",
)
LONGEST = 60  # seconds, as docs/training.md says


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A command line without --out."""
    folder = tmp_path_factory.mktemp("shared")
    model = tiny_models.smollm(folder / "tiny-smollm2")
    few = folder / "few.jsonl"
    few.write_text("".join((sources.OPEN / "plain.jsonl").read_text("utf-8").splitlines(keepends=True)[:12]), "utf-8")
    assert cli.main(["data", "split", str(few), "--shares", "70,30,0", "--out", str(folder / "split")]) == 0
    given = ["sft", "--recipe", "tide-smollm2-135m", "--model", str(model), "--data", str(folder / "split")]
    return given + [part for one in QUICK for part in ("--set", one)]


@pytest.mark.parametrize(("sharding", "blow"), [("none", signal.SIGKILL), ("full", signal.SIGSTOP)])
def test_one_is_lost_in_mid_run(sharding: str, blow: signal.Signals, wanted: list[str], tmp_path: Path) -> None:
    line = [*wanted, "--set", f"training.sharding={sharding}", "--out", str(tmp_path / "run")]
    waits = "3" if blow == signal.SIGSTOP else "600"
    with meeting() as place:
        leader, other = (start(SCRIPT, "60", waits, *line, RANK=rank, **place) for rank in "01")
        try:
            assert leader.stdout
            assert any(said.startswith("step 2:") for said in leader.stdout)
            other.send_signal(blow)
            began = time.monotonic()
            _, err = leader.communicate(timeout=LONGEST)
        finally:
            leader.kill()
            other.kill()
            other.communicate()
    assert leader.returncode == 1, err
    assert time.monotonic() - began < LONGEST
    assert err.startswith("Another process of this run has ended or does not answer.\n")
    assert err.endswith(
        "Its own output says why. Start all of them again, with --resume if the run folder has a run.json.\n"
    )
    assert len(err.splitlines()) == 3
    assert (tmp_path / "run" / "checkpoints" / "step-0000002").is_dir()


@pytest.fixture
def silent_program() -> Iterator[str]:
    """The port of a program that takes connections and says nothing."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield str(taken.getsockname()[1])


def test_not_all_come(wanted: list[str], silent_program: str, tmp_path: Path) -> None:
    """The leader alone, and each of them where something else listens."""
    line = ["2", "600", *wanted, "--out", str(tmp_path / "run")]
    with meeting() as place:
        taken = place | {"MASTER_PORT": silent_program}
        cases = (("0", place), ("0", taken), ("1", taken))
        children = [start(SCRIPT, *line, RANK=rank, **where) for rank, where in cases]
        try:
            said = [child.communicate(timeout=LONGEST) for child in children]
        finally:
            for child in children:
                child.kill()
                child.communicate()
    assert [child.returncode for child in children] == [1, 1, 1], said
    for (rank, where), (out, err) in zip(cases, said, strict=True):
        what, details, _ = err.splitlines()
        assert (out, what) == ("", "The processes of this run did not find each other.")
        assert details.startswith(f"Process {rank} of 2, at 127.0.0.1:{where['MASTER_PORT']}. ")
    assert "failed to listen" in said[1][1]
    assert not (tmp_path / "run").exists()
