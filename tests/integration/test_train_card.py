"""The card that a run leaves behind: from the command, with data of ours, and with what the run came to."""

import json
from pathlib import Path

import pytest

from tests.integration.test_train_sft import tiny
from training import card
from training.cli import main
from training.sft import metrics

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_run_leaves_a_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from training.data import sources

    model, plain = tiny(tmp_path), tmp_path / "plain.jsonl"
    plain.write_bytes((sources.OPEN / "plain.jsonl").read_bytes())
    assert main(["data", "split", str(plain), "--out", str(tmp_path / "split")]) == 0
    folders = {"model": model, "data": tmp_path / "split", "out": tmp_path / "run"}
    given = [part for name, folder in folders.items() for part in (f"--{name}", str(folder))]
    changed = ("data.scenarios=['grief_anger']", "evaluation.samples=0", "training.epochs=1", "data.system=none")
    sets = [part for one in changed for part in ("--set", one)]
    assert main(["sft", "--recipe", "tide-smollm2-135m", "--device", "cpu", *given, *sets]) == 0
    got = (tmp_path / "run" / card.NAME).read_text(encoding="utf-8")
    run = json.loads((tmp_path / "run" / metrics.RUN).read_text(encoding="utf-8"))
    assert got.startswith("---\nlicense: apache-2.0\n")
    assert f"| plain.jsonl | 780 | CC0-1.0 | {card.WROTE['CC0-1.0']} | {sources.digest(plain)} |" in got
    best = run["outcome"]
    assert f"| held-out loss | {best['best']:.4f}, at step {best['best_step']}; lower is better |" in got
    assert 'data.scenarios = ["grief_anger"]' in got
    assert str(tmp_path) not in got
    capsys.readouterr()
