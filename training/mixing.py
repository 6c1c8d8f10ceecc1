"""Several adapters of one model as one adapter, by weight. Needs their folders alone, no base model.

What an adapter adds to a matrix is scaling * B A, with scaling = alpha / r, or alpha / sqrt(r) where it is
rank-stabilised. The sum of several, each times its weight, is again a product: of the B side by side, each multiplied
with its weight and scaling, and of the A one below the other. So the mix is exact; its rank is the sum of the ranks
and its own scaling is 1. With experts (3-D parameters) the same holds for each expert. A lower rank is the best one
there is in squared error (singular values), and how much of the change it keeps is said.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tide_chat.errors import DataError, UsageError
from training import folders
from training.recipe import Lora
from training.sft import begun, metrics
from training.sft.begun import CONFIG, TENSORS

if TYPE_CHECKING:
    import torch

A, B = ".lora_A.weight", ".lora_B.weight"


@dataclass(frozen=True, slots=True)
class Weighted:
    folder: Path
    weight: float


@dataclass(frozen=True, slots=True)
class Mixed:
    """rank: of the result. kept: share of the change's squared size, 1 when nothing was reduced."""

    adapters: int
    rank: int
    kept: float

    def __str__(self) -> str:
        kept = "exact" if self.kept == 1 else f"keeps {self.kept:.2%} of the change's squared size"
        return f"{self.adapters} adapters, rank {self.rank}: {kept}."


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """What is added to one matrix, or to each of e experts': b @ a. a (e, rank, in), b (e, out, rank)."""

    a: "torch.Tensor"
    b: "torch.Tensor"


@dataclass(frozen=True, slots=True, eq=False)
class _Adapter:
    """One of those to mix. changes: by module, with its weight and scaling."""

    folder: Path
    weight: float
    base: str
    shape: Lora
    changes: Mapping[str, _Change]


def weighted(given: str) -> Weighted:
    """From `RUN=0.7`. Raises UsageError."""
    folder, sign, number = given.rpartition("=")
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not sign or not folder or not math.isfinite(weight) or not weight:
        raise UsageError(
            "An adapter and its weight cannot be read.", details=given, help="Write RUN=WEIGHT, as runs/a=0.7."
        )
    return Weighted(Path(folder), weight)


def mix(given: Sequence[Weighted], out: Path, rank: int | None = None) -> Mixed:
    """Write the folder `out`, in peft's format, with run.json. rank: of the result; None: exact.

    Raises UsageError, DataError for adapters that cannot be added (DoRA, other bases, whole layers), TideError.
    """
    folders.require_new(out, "Name a new folder.")
    read = [_read(one) for one in given]
    _check_bases(read)
    total = sum(one.shape.r for one in read)
    if rank is not None and rank > total:
        raise UsageError(f"The ranks add up to {total}; there is nothing to reduce to {rank}.")
    changes = {module: _sum(read, module) for module in sorted(set().union(*(one.changes for one in read)))}
    kept = 1.0
    if rank is not None and rank < total:
        changes, kept = _reduced(changes, rank)
    done = Mixed(len(read), rank or total, kept)
    _write(out, read, changes, done)
    return done


# Reading


def _read(one: Weighted) -> _Adapter:
    shape = begun.shape(one.folder, dropout=0.0)
    if shape.dora:
        raise DataError(
            "A DoRA adapter cannot be mixed: what it does is no sum.",
            details=str(one.folder),
            help="Merge it into the model instead: tide-convert merge.",
        )
    tensors = {name: value.float() for name, value in begun.tensors(one.folder).items()}
    modules = {name.removesuffix(A).removesuffix(B) for name in tensors}
    odd = sorted(set(tensors) ^ {f"{module}{part}" for module in modules for part in (A, B)})
    if odd or not modules:
        raise DataError(
            "The adapter holds more than pairs of matrices, or less.", details=f"{one.folder}: {', '.join(odd[:3])}"
        )
    factor = one.weight * shape.alpha / (math.sqrt(shape.r) if shape.rslora else shape.r)
    changes = {}
    for module in modules:
        a, b = tensors[module + A], tensors[module + B]
        if a.shape[0] % shape.r or b.shape[1] != a.shape[0]:
            raise DataError("The adapter's tensors do not belong together.", details=f"{one.folder}: {module}")
        changes[module] = _change(a, b, shape.r, factor)
    return _Adapter(one.folder, one.weight, begun.base(one.folder), shape, changes)


def _change(a: "torch.Tensor", b: "torch.Tensor", rank: int, factor: float) -> _Change:
    """With the factor in b. Experts lie in A one after the other, in B interleaved, as peft keeps them."""
    experts = a.shape[0] // rank
    apart = b.reshape(b.shape[0], rank, experts).permute(2, 0, 1)
    return _Change(a.reshape(experts, rank, a.shape[1]), apart * factor)


def _check_bases(read: Sequence[_Adapter]) -> None:
    """By name as far as they say it, and by the shapes that adapters have in common. Raises DataError."""
    first = read[0]
    for other in read[1:]:
        if first.base and other.base and Path(first.base).name != Path(other.base).name:
            raise DataError(
                "The adapters are of different models.",
                details=f"{first.folder}: {first.base}\n{other.folder}: {other.base}",
                help=f"If they are the same, give both the same base_model_name_or_path in {CONFIG}.",
            )
    outer: dict[str, tuple[int, int, int]] = {}
    for one in read:
        for module, change in one.changes.items():
            found = (change.a.shape[0], change.a.shape[2], change.b.shape[1])
            if outer.setdefault(module, found) != found:
                raise DataError(
                    "The adapters are of different models.",
                    details=f"{one.folder}: {module} is {found[1]} to {found[2]}, elsewhere "
                    f"{outer[module][1]} to {outer[module][2]}",
                )


# Computing


def _sum(read: Sequence[_Adapter], module: str) -> _Change:
    """An adapter that leaves the module alone adds zeros of its rank, so that all modules have the same."""
    import torch

    found = [one.changes.get(module) for one in read]
    like = next(change for change in found if change)
    experts, width, height = like.a.shape[0], like.a.shape[2], like.b.shape[1]
    filled = [
        change or _Change(torch.zeros(experts, one.shape.r, width), torch.zeros(experts, height, one.shape.r))
        for one, change in zip(read, found, strict=True)
    ]
    return _Change(torch.cat([one.a for one in filled], 1), torch.cat([one.b for one in filled], 2))


def _reduced(changes: Mapping[str, _Change], rank: int) -> tuple[dict[str, _Change], float]:
    """Each at the rank, and the share of their squared size that is kept."""
    found, kept, whole = {}, 0.0, 0.0
    for module, change in changes.items():
        found[module], squares = _truncated(change, rank)
        kept, whole = kept + float(squares[:, :rank].sum()), whole + float(squares.sum())
    return found, kept / whole if whole else 1.0


def _truncated(change: _Change, rank: int) -> tuple[_Change, "torch.Tensor"]:
    """(at the rank, squares of all singular values). The large product is never made: both sides are turned first."""
    import torch

    left, small_left = torch.linalg.qr(change.b.double())  # (e, out, k), (e, k, rank)
    right, small_right = torch.linalg.qr(change.a.double().mT)
    u, size, v = torch.linalg.svd(small_left @ small_right.mT, full_matrices=False)
    root = size[:, :rank].sqrt()
    b = (left @ u[:, :, :rank]) * root[:, None, :]
    a = root[:, :, None] * (v[:, :rank] @ right.mT)
    short = rank - a.shape[1]  # a matrix with fewer rows than the rank
    if short > 0:
        a, b = torch.nn.functional.pad(a, (0, 0, 0, short)), torch.nn.functional.pad(b, (0, short))
    return _Change(a.float(), b.float()), size.square()


# Writing


def _write(out: Path, read: Sequence[_Adapter], changes: Mapping[str, _Change], done: Mixed) -> None:
    from safetensors.torch import save

    files = {
        TENSORS: save(dict(_stored(changes)), metadata={"format": "pt"}),
        CONFIG: metrics.as_bytes(_config(read, done.rank)),
        metrics.RUN: metrics.as_bytes(_run(read, done)),
    }
    folders.write(out, files)


def _stored(changes: Mapping[str, _Change]) -> Iterator[tuple[str, "torch.Tensor"]]:
    for module, change in changes.items():
        experts, rank, width = change.a.shape
        yield module + A, change.a.reshape(experts * rank, width).contiguous()
        yield module + B, change.b.permute(1, 2, 0).reshape(-1, rank * experts).contiguous()


def _config(read: Sequence[_Adapter], rank: int) -> dict[str, Any]:
    """The first one's, with the rank and the layers of the mix and a scaling of 1."""
    named = [one.shape.targets for one in read]
    targets = "all-linear" if "all-linear" in named else sorted({name for names in named for name in names})
    parameters = sorted({name for one in read for name in one.shape.parameters})
    changed = {"r": rank, "lora_alpha": rank, "use_rslora": False, "lora_dropout": 0.0, "target_modules": targets}
    return begun.config(read[0].folder) | changed | {"target_parameters": parameters or None, "inference_mode": True}


def _run(read: Sequence[_Adapter], done: Mixed) -> dict[str, Any]:
    mixed = [{"run": one.folder.name, "weight": one.weight, "sha256": begun.digest(one.folder)} for one in read]
    return {
        "mix": mixed,
        "base": Path(read[0].base).name,
        "rank": done.rank,
        "kept": done.kept,
        **metrics.environment(),
    }
