"""Checkpoints: adapter, optimizer and where the run stands, each a folder that is whole or not there.

Random numbers need no state: the loop draws them from the seed and the number of the step. Knows no data.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from tide_chat.errors import DataError, TideError
from training.hushed import hushed
from training.sft.begun import CONFIG, TENSORS

FOLDER, STATE, OPTIMIZER = "checkpoints", "state.json", "optimizer.safetensors"


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands. step: optimizer steps done. best: the lowest held-out loss so far, and its step."""

    step: int = 0
    best: float | None = None
    best_step: int = 0
    worse: int = 0  # evaluations since then
    tokens: int = 0  # read so far
    seconds: float = 0.0  # spent so far
    recipe: str = ""  # a hash: a run goes on with the recipe and the data it began with
    data: str = ""


def write(run: Path, model: Any, optimizer: torch.optim.Optimizer, state: State, keep: int) -> Path:
    """A new checkpoint; older ones beyond `keep` go, the best stays. Raises TideError when the disk is full."""
    folder = run / FOLDER / _name(state.step)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        save_adapter(model, part)
        _save_optimizer(optimizer, part / OPTIMIZER)
        (part / STATE).write_text(json.dumps(asdict(state), indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)
    except Exception as error:
        if isinstance(error, OSError) or type(error).__name__ == "SafetensorError":
            raise _unwritten(folder, error) from error
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    prune(run, keep, state.best_step)
    return folder


def _unwritten(folder: Path, error: Exception) -> TideError:
    last = newest(folder.parent.parent)
    return TideError(
        "The checkpoint could not be written.",
        details=f"{folder}: {getattr(error, 'strerror', None) or error}",
        help=f"Make room and go on with --resume, from {last.name if last else 'the beginning'}.",
    )


def save_adapter(model: Any, folder: Path) -> None:
    """adapter_config.json and adapter_model.safetensors, as peft writes them, and nothing else."""
    with hushed():
        model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # an empty form; the model card is written from run.json


def publish(checkpoint: Path, run: Path) -> None:
    """Put a checkpoint's adapter at the top of the run folder, file by file."""
    for name in (CONFIG, TENSORS):
        part = run / f".{name}.part"
        try:
            shutil.copyfile(checkpoint / name, part)
            part.replace(run / name)
        except OSError as error:
            raise TideError(
                "The adapter could not be written.", details=f"{run / name}: {error.strerror or error}"
            ) from error
        finally:
            part.unlink(missing_ok=True)


def _save_optimizer(optimizer: torch.optim.Optimizer, path: Path) -> None:
    from safetensors.torch import save_file

    tensors = {
        f"{number}.{name}": value.detach().cpu().contiguous()
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }
    save_file(tensors, str(path))


def restore(folder: Path, model: Any, optimizer: torch.optim.Optimizer) -> State:
    """Bring model and optimizer to where a checkpoint was written. Raises DataError."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    try:
        state = read(folder)
        found = set_peft_model_state_dict(model, load_file(str(folder / TENSORS)))
        values: dict[int, dict[str, Any]] = {}
        for name, value in load_file(str(folder / OPTIMIZER)).items():
            number, _, kind = name.partition(".")
            values.setdefault(int(number), {})[kind] = value
        optimizer.load_state_dict({"state": values, "param_groups": optimizer.state_dict()["param_groups"]})
    except DataError:
        raise
    except Exception as error:  # whatever safetensors, peft or torch say of files that do not fit
        raise DataError(
            "The checkpoint cannot be read.",
            details=f"{folder}: {error}",
            help="Delete this one; --resume then takes the one before.",
        ) from error
    if found.unexpected_keys:
        raise DataError("The checkpoint belongs to another adapter.", details=str(found.unexpected_keys[:3]))
    return state


def read(folder: Path) -> State:
    """Raises DataError."""
    try:
        return State(**json.loads((folder / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DataError("The checkpoint cannot be read.", details=f"{folder}: {error}") from error


def newest(run: Path) -> Path | None:
    """The checkpoint with the most steps."""
    found = sorted((run / FOLDER).glob("step-*"))
    return found[-1] if found else None


def occupied(run: Path) -> int:
    """Bytes that its checkpoints take already."""
    return sum(file.stat().st_size for file in (run / FOLDER).rglob("*") if file.is_file())


def at(run: Path, step: int) -> Path:
    return run / FOLDER / _name(step)


def prune(run: Path, keep: int, best_step: int) -> None:
    """Remove all but the newest `keep` and the best."""
    for folder in sorted((run / FOLDER).glob("step-*"))[:-keep]:
        if folder.name != _name(best_step):
            shutil.rmtree(folder, ignore_errors=True)


def _name(step: int) -> str:
    return f"step-{step:07d}"
