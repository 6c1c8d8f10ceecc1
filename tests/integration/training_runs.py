"""What tests of training ask of a run folder, and runs in processes of their own."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from training.sft import loop, metrics


def lines(run: Path, name: str = loop.METRICS) -> list[dict[str, Any]]:
    """Metrics without what a clock says."""
    return [{key: value for key, value in line.items() if key != "seconds"} for line in metrics.read(run / name)]


def weights(run: Path) -> bytes:
    return (run / "adapter_model.safetensors").read_bytes()


def start(script: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": root} | environment,
    )


def two(script: str, *arguments: str) -> list[str]:
    """Two processes that share a run, to their end: what each wrote to its output."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    children = [start(script, *arguments, RANK=str(rank), **shared) for rank in (0, 1)]
    try:
        said = [child.communicate(timeout=300) for child in children]
    finally:
        for child in children:
            child.kill()
    assert [child.returncode for child in children] == [0, 0], said
    return [out for out, _ in said]
