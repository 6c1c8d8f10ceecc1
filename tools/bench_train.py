"""How fast tide-train learns and how much memory it needs, beside TRL's SFTTrainer, in one run.

    python tools/bench_train.py [--rounds 2] [--steps 6] [--model FOLDER] [--device cpu] [--json]   (`make bench-train`)

Both train the embedded SmolLM2 with the same adapter on the same sequences in the same order, step by step the same
sixteen, and no dropout. TRL is first tried in each of its settings that may be the fastest (`bench_train_sides.settings`),
and the best one runs in turns with ours, each time in a process of its own. Time is from the end of one step to the end
of the next, the first step left out; of each step the best of all rounds counts, since this is what a noisy machine
disturbs least. Tokens are those of the sequences, padding left out, whatever was computed for them. What is compared
has to learn the same: the losses of all steps must agree, or the bench fails. Knows no torch.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import bench_train_sides as sides
from progress import say

GOAL = {"cpu": 1.6, "cuda": 2.0}
TOLERANCE = {"float32": 1e-2, "bfloat16": 3e-2}  # of a step's loss, in nats a token: what two orders of summing may do
TRIED_STEPS = 2


@dataclass(frozen=True, slots=True)
class Ran:
    """One child. tokens, seconds and losses are a number a step, the first step left out; memory in bytes, the peak."""

    setting: str
    precision: str
    tokens: list[int]
    seconds: list[float]
    losses: list[float]
    memory: int


@dataclass(frozen=True, slots=True)
class Total:
    """Of all rounds of one side: tokens a second at each step's best time; the highest peak; losses of its first run."""

    setting: str
    precision: str
    speed: float
    memory: int
    losses: list[float]


def total(runs: Sequence[Ran]) -> Total:
    best = [min(times) for times in zip(*(one.seconds for one in runs), strict=True)]
    first = runs[0]
    peak = max(one.memory for one in runs)
    return Total(first.setting, first.precision, sum(first.tokens) / sum(best), peak, first.losses)


def difference(ours: Total, theirs: Total) -> float:
    """The largest of the differences between the losses of a step."""
    return max(abs(a - b) for a, b in zip(ours.losses, theirs.losses, strict=True))


def tolerance(ours: Total, theirs: Total) -> float:
    return max(TOLERANCE[ours.precision], TOLERANCE[theirs.precision])


def child(setting: sides.Setting, model: Path, steps: int, device: str) -> Ran:
    """Runs one side to its end. Raises SystemExit with its last words when it fails."""
    with tempfile.TemporaryDirectory(prefix="bench-train-") as name:
        scratch = Path(name)
        task = sides.Task(setting, str(model), str(scratch / "run"), str(scratch / "result.json"), steps + 1, device)
        command = [sys.executable, str(Path(sides.__file__)), task.to_json()]
        quiet = os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
        ended = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
        if ended.returncode:
            sys.exit(f"{setting.name} failed:\n{(ended.stderr or ended.stdout)[-2000:]}")
        return Ran(setting.name, **json.loads(Path(task.result).read_text(encoding="utf-8")))


def fastest(model: Path, device: str, steps: int) -> tuple[sides.Setting, dict[str, float]]:
    """TRL's best setting, and tokens a second of each."""
    speeds: dict[str, float] = {}
    tried = sides.settings(device)
    for one in tried:
        speeds[one.name] = total([child(one, model, steps, device)]).speed
        say(f"TRL, {one.name}: {speeds[one.name]:.0f} tokens/s")
    return max(tried, key=lambda one: speeds[one.name]), {name: round(speed, 1) for name, speed in speeds.items()}


def run(model: Path, device: str, rounds: int, steps: int, tried_steps: int) -> dict[str, Any]:
    """Everything that is reported."""
    setting, speeds = fastest(model, device, tried_steps)
    pairs: list[tuple[Ran, Ran]] = []
    for number in range(rounds):
        pair = child(sides.OURS, model, steps, device), child(setting, model, steps, device)
        ratio = total(pair[:1]).speed / total(pair[1:]).speed
        say(f"round {number + 1} of {rounds}: {ratio:.2f} times as fast")
        pairs.append(pair)
    ours, theirs = total([one for one, _ in pairs]), total([other for _, other in pairs])
    return {
        "device": device,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "trl")},
        "steps": steps,
        "tokens": sum(pairs[0][0].tokens),
        "ours": asdict(ours),
        "trl": asdict(theirs),
        "trl_settings": speeds,
        "speed_ratio": round(ours.speed / theirs.speed, 3),
        "speed_ratio_of_rounds": [round(total([a]).speed / total([b]).speed, 3) for a, b in pairs],
        "memory_ratio": round(ours.memory / theirs.memory, 3),
        "loss_difference": difference(ours, theirs),
        "loss_tolerance": tolerance(ours, theirs),
        "goal": GOAL.get(device),
    }


def table(found: dict[str, Any]) -> str:
    rows = [(name, found[key]) for name, key in (("tide-train", "ours"), ("TRL SFTTrainer", "trl"))]
    goal = f" (goal {found['goal']})" if found["goal"] else ""
    lines = [
        "| | tokens/s | peak MiB | loss, first and last step | setting |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {side['speed']:.0f} | {side['memory'] / 2**20:.0f} | {side['losses'][0]:.4f}, "
            f"{side['losses'][-1]:.4f} | {side['setting']} |"
            for name, side in rows
        ),
        f"| ratio{goal} | {found['speed_ratio']} | {found['memory_ratio']} | | |",
        "",
        f"{found['steps']} steps, {found['tokens']} tokens, {found['device']}, {found['machine']}; ratios of the rounds: "
        f"{', '.join(map(str, found['speed_ratio_of_rounds']))}, median {median(found['speed_ratio_of_rounds'])}.",
        f"Losses differ by {found['loss_difference']:.1e} at most (allowed: {found['loss_tolerance']}).",
        f"TRL's settings, tokens/s: {', '.join(f'{name} {speed}' for name, speed in found['trl_settings'].items())}.",
    ]
    return "\n".join(lines)


def embedded(folder: Path) -> Path:
    """The embedded model as an HF folder, made in another process."""
    script = (
        "import sys; from convert.cli import main; from tide_chat.registry import Registry; "
        "sys.exit(main(['dequantize', str(Registry.load().require('smollm2-135m').path), '--out', sys.argv[1]]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False
    )
    if ended.returncode:
        sys.exit(ended.stderr)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="of ours and TRL's, in turns")
    parser.add_argument("--steps", type=int, default=6, help="that are measured in each")
    parser.add_argument("--tried-steps", type=int, default=TRIED_STEPS, help="for each of TRL's settings")
    parser.add_argument("--model", type=Path, help="an HF folder of SmolLM2; made of the embedded model when not given")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-train-model-") as scratch:
        model = options.model or embedded(Path(scratch) / "base")
        found = run(model, options.device, options.rounds, options.steps, options.tried_steps)
    print(json.dumps(found, indent=2) if options.json else table(found))
    same = found["loss_difference"] <= found["loss_tolerance"]
    if not same:
        print("The two did not learn the same: the speeds cannot be compared.", file=sys.stderr)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
