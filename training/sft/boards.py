"""Curves to look at while a run goes on: TensorBoard or trackio, in the run folder and nowhere else.

A board is a picture of metrics.jsonl, never the other way round: a run that goes on draws it anew from the lines that
were kept. Opens no connection: what the environment says about servers and accounts is not listened to.
"""

import os
import shutil
from collections.abc import Mapping
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from tide_chat.errors import UsageError

FOLDER = "boards"
MODULES = {"tensorboard": "tensorboard", "trackio": "trackio"}
LABELS = {"tensorboard": "TensorBoard", "trackio": "trackio"}
_ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_BUCKET_ID", "TRACKIO_WEBHOOK_URL")


class Board(Protocol):
    """add: the numbers of a line of metrics, at its `step`. close: nothing is added afterwards."""

    def add(self, values: Mapping[str, Any]) -> None: ...
    def close(self) -> None: ...


def require(kind: str) -> None:
    """Raises UsageError when it is not installed."""
    if kind in MODULES and find_spec(MODULES[kind]) is None:
        raise UsageError(f"{LABELS[kind]} is not installed here.", help=f"Install it: pip install {kind}")


def begin(kind: str, run: Path) -> Board | None:
    """An empty board in the run folder; an older one goes. kind: none, tensorboard or trackio."""
    if kind == "none":
        return None
    folder = run / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    return _TensorBoard(folder) if kind == "tensorboard" else _Trackio(folder, run.name)


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name != "step" and isinstance(value, int | float)}


class _TensorBoard:
    """tensorboard --logdir RUN/boards"""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def add(self, values: Mapping[str, Any]) -> None:
        for name, value in _numbers(values).items():
            self._writer.add_scalar(name, value, values["step"])

    def close(self) -> None:
        self._writer.close()


class _Trackio:
    """TRACKIO_DIR=RUN/boards trackio show. The library reads its folder when it is first loaded: one a process."""

    def __init__(self, folder: Path, name: str) -> None:
        for elsewhere in _ELSEWHERE:
            os.environ.pop(elsewhere, None)
        os.environ["TRACKIO_DIR"] = str(folder.resolve())
        with open(os.devnull, "w") as silence, redirect_stdout(silence):  # noqa: PTH123
            import trackio

            trackio.init(project="tide-train", name=name, embed=False, auto_log_cpu=False, auto_log_gpu=False)
        self._library = trackio

    def add(self, values: Mapping[str, Any]) -> None:
        self._library.log(_numbers(values), step=values["step"])

    def close(self) -> None:
        with open(os.devnull, "w") as silence, redirect_stdout(silence):  # noqa: PTH123
            self._library.finish()
