"""How long conversion takes and how much memory it needs, beside llama.cpp's own converter, in one run.

    python tools/bench_convert.py [--rounds 3] [--copies 4] [--json]      (`make bench-convert`)

The model is the embedded SmolLM2, de-quantized; `--copies` repeats its layers, so that the size resembles a model of
half a billion parameters. Both converters write f16. They take turns, each in a process of its own, and the ratios are
of the best times and of the peaks of resident memory. Quantizing is llama.cpp's own function on both sides: what is
compared is what surrounds it, so its ratio should be close to one. The goals are for the whole way, both steps.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
GOAL_TIME, GOAL_MEMORY = 1.0, 0.6

QUANTIZE_PLAINLY = """
import sys, ctypes, llama_cpp
params = llama_cpp.llama_model_quantize_default_params()
params.ftype, params.nthread = 15, int(sys.argv[3])
sys.exit(llama_cpp.llama_model_quantize(sys.argv[1].encode(), sys.argv[2].encode(), ctypes.byref(params)))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """seconds of wall clock, and the peak of resident memory in bytes, of one process and its children."""

    seconds: float
    memory: int

    def then(self, other: "Cost") -> "Cost":
        """Of one after the other."""
        return Cost(self.seconds + other.seconds, max(self.memory, other.memory))


def measure(command: list[str]) -> Cost:
    """Runs a command to its end. Raises SystemExit with its last words when it fails."""
    began = time.perf_counter()
    child = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, str(LOG), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        ],
    )
    _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"{' '.join(command[:3])} failed:\n{LOG.read_text(errors='replace')[-2000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(time.perf_counter() - began, usage.ru_maxrss * unit)


LOG = Path(tempfile.gettempdir()) / f"bench-convert-{os.getpid()}.log"


def model(folder: Path, copies: int) -> Path:
    """The embedded model as an HF folder in bf16, its layers `copies` times over."""
    from convert import dequantize, weights
    from tide_chat.registry import Registry

    small = folder / "small"
    dequantize.dequantize(Registry.load().require("smollm2-135m").path, small, dtype="BF16")
    if copies == 1:
        return small
    config = json.loads((small / "config.json").read_text(encoding="utf-8"))
    layers = int(config["num_hidden_layers"])
    source = weights.Weights.of_model(small)
    named = dict(_copied(source, layers, copies))
    large = folder / "large"
    shutil.copytree(small, large, ignore=shutil.ignore_patterns("*.safetensors*"))
    (large / "config.json").write_text(json.dumps({**config, "num_hidden_layers": layers * copies}))
    shapes = {name: (source.info(old).dtype, source.info(old).shape) for name, old in named.items()}
    with weights.Writer(large / weights.SINGLE, shapes) as out:
        for name, old in named.items():
            out.write(name, source.raw(old))
    return large


def _copied(names: Any, layers: int, copies: int) -> list[tuple[str, str]]:
    found = []
    for name in names:
        head, _, rest = name.partition("model.layers.")
        if not rest:
            found.append((name, name))
            continue
        number, _, tail = rest.partition(".")
        found += [(f"{head}model.layers.{int(number) + layers * copy}.{tail}", name) for copy in range(copies)]
    return found


def commands(source: Path, folder: Path, scratch: Path) -> dict[str, tuple[list[str], list[str]]]:
    """For each step: ours, and the reference."""
    python, ours, theirs = sys.executable, scratch / "ours-f16.gguf", scratch / "theirs-f16.gguf"
    tide = [python, "-c", "import sys; from convert.cli import main; sys.exit(main())"]
    threads = str(os.cpu_count() or 1)
    return {
        "convert to f16": (
            [*tide, "gguf", str(folder), "--out", str(ours), "--type", "f16"],
            [python, str(source / "convert_hf_to_gguf.py"), str(folder), "--outtype", "f16", "--outfile", str(theirs)],
        ),
        "quantize to q4_k_m": (
            [*tide, "quantize", str(ours), "--type", "q4_k_m", "--out", str(scratch / "ours-q4.gguf")],
            [python, "-c", QUANTIZE_PLAINLY, str(ours), str(scratch / "theirs-q4.gguf"), threads],
        ),
    }


def llama_source() -> Path:
    """llama.cpp's converter. Raises SystemExit when set-up has not left it."""
    found = Path(os.environ.get("TIDE_LLAMA_SOURCE", ROOT / ".venv" / ".tide" / "llama.cpp"))
    if not (found / "convert_hf_to_gguf.py").is_file():
        sys.exit("llama.cpp's converter is not here. Fetch it: python tools/llama_source.py")
    return found


def run(rounds: int, copies: int) -> dict[str, Any]:
    """For each step the best time and the peak of both, and their ratios."""
    with tempfile.TemporaryDirectory(prefix="bench-convert-") as name:
        scratch = Path(name)
        # In a process of its own: what this one holds would count as the peak of every process it starts.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            folder = pool.submit(model, scratch, copies).result()
        steps = commands(llama_source(), folder, scratch)
        costs = {step: [(_once(ours), _once(theirs)) for _ in range(rounds)] for step, (ours, theirs) in steps.items()}
    convert, quantize = costs.values()
    costs["both steps"] = [
        (ours.then(more), theirs.then(theirs_more))
        for (ours, theirs), (more, theirs_more) in zip(convert, quantize, strict=True)
    ]
    return {step: _ratios([one for one, _ in pairs], [other for _, other in pairs]) for step, pairs in costs.items()}


def _once(command: list[str]) -> Cost:
    out = Path(command[command.index("--out") + 1]) if "--out" in command else None
    if out:
        out.unlink(missing_ok=True)
    return measure(command)


def _ratios(ours: list[Cost], theirs: list[Cost]) -> dict[str, float]:
    seconds, reference = min(c.seconds for c in ours), min(c.seconds for c in theirs)
    memory, reference_memory = max(c.memory for c in ours), max(c.memory for c in theirs)
    return {
        "seconds": round(seconds, 2),
        "reference_seconds": round(reference, 2),
        "time_ratio": round(seconds / reference, 3),
        "memory_mib": round(memory / 2**20),
        "reference_memory_mib": round(reference_memory / 2**20),
        "memory_ratio": round(memory / reference_memory, 3),
    }


def table(found: dict[str, Any]) -> str:
    lines = [
        f"| step | seconds | llama.cpp | ratio (goal {GOAL_TIME}) | MiB | llama.cpp | ratio (goal {GOAL_MEMORY}) |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {step} | {r['seconds']} | {r['reference_seconds']} | {r['time_ratio']} | {r['memory_mib']} | "
        f"{r['reference_memory_mib']} | {r['memory_ratio']} |"
        for step, r in found.items()
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=4, help="of the layers; 4 makes 450 million parameters")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        found = run(options.rounds, options.copies)
    finally:
        LOG.unlink(missing_ok=True)
    print(json.dumps(found, indent=2) if options.json else table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
