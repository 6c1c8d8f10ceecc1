"""How fast tide-train learns and how much memory it needs, beside TRL's SFTTrainer, in one run.

    make bench-train ARGS="[--rounds 2] [--steps 2] [--thorough] [--model FOLDER] [--device cpu] [--json]"

Both train the embedded SmolLM2 with the same adapter on the same sequences in the same order, step by step the same
sixteen, and no dropout. TRL is first tried in each of its settings that may be the fastest (`sides.settings`), and the
best one runs in turns with ours, each time in a process of its own, which also gives the peak of its memory. Time is
from the end of one step to the end of the next, the first step left out; of each step the best of all rounds counts,
since this is what a noisy machine disturbs least. Where other programs take the cores, OMP_NUM_THREADS=1 and the ratio
of processor time say more. Tokens are those of the sequences, padding left out, whatever was computed for them; learnt
are those of the replies. What is compared has to learn the same: the losses of all steps must agree, or the bench
fails. About ten minutes on two cores that do nothing else. Knows no torch.
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
from embedded import embedded_at
from progress import say

GOAL = {"cpu": 1.6, "cuda": 2.0}
TOLERANCE = {"float32": 1e-2, "bfloat16": 3e-2}  # of a step's loss, in nats a token: what two orders of summing may do
TRIED_STEPS = 1
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}


@dataclass(frozen=True, slots=True)
class Ran:
    """One child. tokens, learnt, seconds and cpu_seconds are a number a step, the first step left out; losses has all.
    memory: the peak, in bytes.
    """

    setting: str
    precision: str
    tokens: list[int]
    learnt: list[int]
    seconds: list[float]
    cpu_seconds: list[float]
    losses: list[float]
    memory: int


@dataclass(frozen=True, slots=True)
class Total:
    """Of all rounds of one side: tokens and learnt tokens a second at each step's best time, and tokens a second of
    processor time; the highest peak; losses of its first run.
    """

    setting: str
    precision: str
    speed: float
    learnt_speed: float
    cpu_speed: float
    memory: int
    losses: list[float]


def total(runs: Sequence[Ran]) -> Total:
    first, tokens = runs[0], sum(runs[0].tokens)
    speed, cpu_speed = (tokens / _best([getattr(one, kind) for one in runs]) for kind in ("seconds", "cpu_seconds"))
    peak = max(one.memory for one in runs)
    learnt = speed * sum(first.learnt) / tokens
    return Total(first.setting, first.precision, speed, learnt, cpu_speed, peak, first.losses)


def _best(times: Sequence[Sequence[float]]) -> float:
    """The sum over steps of the shortest time of each."""
    return float(sum(min(one) for one in zip(*times, strict=True)))


def difference(ours: Total, theirs: Total) -> float:
    """The largest of the differences between the losses of a step."""
    return max(abs(a - b) for a, b in zip(ours.losses, theirs.losses, strict=True))


def tolerance(ours: Total, theirs: Total) -> float:
    return max(TOLERANCE[ours.precision], TOLERANCE[theirs.precision])


@dataclass(frozen=True, slots=True)
class Bench:
    """What is the same for every child. steps: that are measured."""

    model: Path
    device: str
    system: str

    def child(self, setting: sides.Setting, steps: int) -> Ran:
        """Runs one side to its end. Raises SystemExit with its last words when it fails."""
        with tempfile.TemporaryDirectory(prefix="bench-train-") as name:
            out, result = Path(name) / "run", Path(name) / "result.json"
            task = sides.Task(setting, str(self.model), str(out), str(result), steps + 1, self.device, self.system)
            ended = subprocess.run(
                [sys.executable, str(Path(sides.__file__)), task.to_json()],
                env=os.environ | OFFLINE,
                capture_output=True,
                text=True,
                check=False,
            )
            if ended.returncode:
                sys.exit(f"{setting.name} ended with {ended.returncode}:\n{(ended.stderr or ended.stdout)[-2000:]}")
            return Ran(setting.name, **json.loads(result.read_text(encoding="utf-8")))

    def fastest(self, tried: Sequence[sides.Setting], steps: int) -> tuple[sides.Setting, dict[str, float]]:
        """TRL's best setting, and tokens a second of each. One alone is not tried."""
        speeds: dict[str, float] = {}
        for one in tried if len(tried) > 1 else ():
            speeds[one.name] = round(total([self.child(one, steps)]).speed, 1)
            say(f"TRL, {one.name}: {speeds[one.name]:.0f} tokens/s")
        return max(tried, key=lambda one: speeds.get(one.name, 0.0)), speeds

    def rounds(self, setting: sides.Setting, rounds: int, steps: int) -> list[tuple[Ran, Ran]]:
        """Ours and theirs, in turns; who begins changes from round to round."""
        pairs: list[tuple[Ran, Ran]] = []
        for number in range(rounds):
            order = [sides.OURS, setting][:: -1 if number % 2 else 1]
            found = {one.trl: self.child(one, steps) for one in order}
            pairs.append((found[False], found[True]))
            say(f"round {number + 1} of {rounds}: {ratio(*pairs[-1]):.2f} times as fast")
        return pairs


def ratio(ours: Ran, theirs: Ran) -> float:
    return total([ours]).speed / total([theirs]).speed


def report(bench: Bench, pairs: Sequence[tuple[Ran, Ran]], speeds: dict[str, float]) -> dict[str, Any]:
    """Everything that is told."""
    ours, theirs = total([one for one, _ in pairs]), total([other for _, other in pairs])
    return {
        "device": bench.device,
        "system": bench.system,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {os.environ.get('OMP_NUM_THREADS', 'all')} threads",
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "trl")},
        "steps": len(pairs[0][0].tokens),
        "tokens": sum(pairs[0][0].tokens),
        "learnt": sum(pairs[0][0].learnt),
        "ours": asdict(ours),
        "trl": asdict(theirs),
        "trl_settings": speeds,
        "speed_ratio": round(ours.speed / theirs.speed, 3),
        "cpu_ratio": round(ours.cpu_speed / theirs.cpu_speed, 3),
        "speed_ratio_of_rounds": [round(ratio(*pair), 3) for pair in pairs],
        "memory_ratio": round(ours.memory / theirs.memory, 3),
        "loss_difference": difference(ours, theirs),
        "loss_tolerance": tolerance(ours, theirs),
        "goal": GOAL.get(bench.device),
    }


def table(found: dict[str, Any]) -> str:
    goal = f" (goal {found['goal']})" if found["goal"] else ""
    rounds, speed = found["speed_ratio_of_rounds"], found["speed_ratio"]
    lines = [
        "| | tokens/s | learnt tokens/s | per processor second | peak MiB | loss, first and last step | setting |",
        "|---|---|---|---|---|---|---|",
        _row("tide-train", found["ours"]),
        _row("TRL SFTTrainer", found["trl"]),
        f"| ratio{goal} | {speed} | {speed} | {found['cpu_ratio']} | {found['memory_ratio']} | | |",
        "",
        f"{found['steps']} steps of {found['tokens']} tokens, {found['learnt']} learnt; system: {found['system']}.",
        f"Machine: {found['device']}, {found['machine']}; {', '.join(map(' '.join, found['versions'].items()))}.",
        f"Ratios of the rounds: {', '.join(map(str, rounds))}; median {median(rounds):.3f}.",
        f"Losses differ by {found['loss_difference']:.1e} at most (allowed: {found['loss_tolerance']}).",
    ]
    if found["trl_settings"]:
        tried = "; ".join(f"{name}: {speed}" for name, speed in found["trl_settings"].items())
        lines.append(f"TRL's settings, tokens/s: {tried}.")
    return "\n".join(lines)


def _row(name: str, side: dict[str, Any]) -> str:
    losses = f"{side['losses'][0]:.4f}, {side['losses'][-1]:.4f}"
    return (
        f"| {name} | {side['speed']:.0f} | {side['learnt_speed']:.1f} | {side['cpu_speed']:.0f} | "
        f"{side['memory'] / 2**20:.0f} | {losses} | {side['setting']}, {side['precision']} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="of ours and TRL's, in turns")
    parser.add_argument("--steps", type=int, default=2, help="that are measured in each")
    parser.add_argument("--tried-steps", type=int, default=TRIED_STEPS, help="for each of TRL's settings")
    parser.add_argument("--thorough", action="store_true", help="try settings of TRL's that differ little, too")
    parser.add_argument("--setting", help="of TRL's, instead of trying all")
    parser.add_argument("--model", type=Path, help="an HF folder of SmolLM2; made of the embedded model when not given")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--system", choices=("app", "none"), default="app", help="prompt; none: no prefix to share")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    known = sides.settings(options.device, thorough=options.thorough or options.setting is not None)
    tried = [one for one in known if options.setting in (None, one.name)]
    if not tried:
        parser.error(f"--setting is one of: {', '.join(one.name for one in known)}")
    with embedded_at(options.model) as model:
        bench = Bench(model, options.device, options.system)
        setting, speeds = bench.fastest(tried, options.tried_steps)
        found = report(bench, bench.rounds(setting, options.rounds, options.steps), speeds)
    print(json.dumps(found, indent=2) if options.json else table(found))
    same = found["loss_difference"] <= found["loss_tolerance"]
    if not same:
        print("The two did not learn the same: the speeds cannot be compared.", file=sys.stderr)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
