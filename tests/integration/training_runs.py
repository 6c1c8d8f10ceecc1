"""What tests of training ask of a run folder, and runs in processes of their own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training.sft import loop, metrics

HANGS = 150  # seconds after which a process of a test is taken to hang; it takes twenty at most


def lines(run: Path, name: str = loop.METRICS) -> list[dict[str, Any]]:
    """Metrics without what a clock says."""
    return [{key: value for key, value in line.items() if key != "seconds"} for line in metrics.read(run / name)]


def weights(run: Path) -> bytes:
    return (run / "adapter_model.safetensors").read_bytes()


def start(script: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """One that hangs says where, on its error output, and ends."""
    root = str(Path(__file__).parents[2])
    watched = f"import faulthandler; faulthandler.dump_traceback_later({HANGS}, exit=True)\n{script}"
    return subprocess.Popen(
        [sys.executable, "-c", watched, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": root} | environment,
    )


@contextmanager
def meeting() -> Iterator[dict[str, str]]:
    """Where two processes of a run meet, as their environment says it. Nobody else is given the port meanwhile."""
    family, everywhere = (socket.AF_INET6, "::") if socket.has_dualstack_ipv6() else (socket.AF_INET, "0.0.0.0")
    # Bound and not listening, and to every address, as the leader's own will be: they share it. A port that is free at
    # 127.0.0.1 alone may be taken at another address, where the leader listens too.
    with socket.socket(family) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        held.bind((everywhere, 0))
        yield {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(held.getsockname()[1])}


def two(script: str, *arguments: str) -> list[str]:
    """Two processes that share a run, to their end: what each wrote to its output."""
    with meeting() as place:
        children = [start(script, *arguments, RANK=str(rank), **place) for rank in (0, 1)]
        try:
            with ThreadPoolExecutor() as readers:  # both at once: a full pipe would hold up one, and so the other
                said = list(readers.map(lambda child: child.communicate(timeout=HANGS + 30), children))
        finally:
            for child in children:
                child.kill()
    assert [child.returncode for child in children] == [0, 0], "\n".join(part for pair in said for part in pair)
    return [out for out, _ in said]
