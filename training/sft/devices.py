"""Where a run computes: device, precision, and the processes that share the work. Knows no model and no data."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tide_chat.errors import MissingExtra, UsageError
from tide_chat.registry.machine import total_memory
from training.sft import together

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True)
class Group:
    """The processes of a run, as torchrun and accelerate launch say in the environment."""

    rank: int = 0
    world: int = 1
    local: int = 0  # number among the processes of this machine

    @property
    def leads(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    def total(self, tensor: "torch.Tensor") -> "torch.Tensor":
        """The sum over all processes, in place."""
        if self.world > 1:
            import torch.distributed

            torch.distributed.all_reduce(tensor)
        return tensor

    def same(self, tensors: list["torch.Tensor"]) -> None:
        """Every process gets the leader's values."""
        if self.world > 1:
            import torch.distributed

            for tensor in tensors:
                torch.distributed.broadcast(tensor, 0)

    def meet(self) -> None:
        """Nobody goes on before everybody is here."""
        if self.world > 1:
            import torch.distributed

            torch.distributed.barrier()

    def any(self, wish: bool, device: "torch.device") -> bool:
        """Whether any process says so; the same answer for all."""
        if self.world == 1:
            return wish
        import torch

        return bool(self.total(torch.tensor(float(wish), device=device)).item())


def from_environment() -> Group:
    """What torchrun and accelerate launch say of this process. Raises UsageError."""
    values = [os.environ.get(name, default) for name, default in (("RANK", "0"), ("WORLD_SIZE", "1"))]
    try:
        rank, world = map(int, values)
        found = Group(rank, world, int(os.environ.get("LOCAL_RANK", rank)))
    except ValueError as error:
        raise UsageError("RANK and WORLD_SIZE must be numbers.", details=", ".join(values)) from error
    if not 0 <= rank < world:
        raise UsageError("RANK must be below WORLD_SIZE.", details=", ".join(values))
    return found


def group() -> Group:
    """Joins the processes of a run; one process alone joins nothing. Raises UsageError, TideError."""
    found = from_environment()
    if found.world > 1:
        together.join()
    return found


def device_of(name: str, found: Group) -> "torch.device":
    """auto: CUDA, else MPS, else the CPU. Raises UsageError, MissingExtra."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtra("Training", "train") from error
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name not in DEVICES or not there.get(name, True):
        raise UsageError(
            f"There is no device '{name}' here.", help=f"Here: {', '.join(one for one in there if there[one])}."
        )
    kind = name if name != "auto" else next(one for one in ("cuda", "mps", "cpu") if there[one])
    if kind != "cuda":
        return torch.device(kind)
    torch.cuda.set_device(found.local)
    return torch.device(kind, found.local)


def dtype_of(precision: str, device: "torch.device") -> "torch.dtype":
    """auto: bfloat16 where the hardware multiplies it, else float32."""
    import torch

    if precision == "auto":
        precision = "bfloat16" if _has_bfloat16(device) else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]


def _has_bfloat16(device: "torch.device") -> bool:
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.get_device_capability(device) >= (8, 0))
    asked: Any = [getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile")]
    return device.type == "cpu" and any(bool(ask and ask()) for ask in asked)


def memory(device: "torch.device") -> int | None:
    """Bytes of the device; None when it does not say."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return total_memory()


def peak_memory(device: "torch.device") -> int | None:
    """The most bytes that this process has held so far; None when the system does not say."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
        import sys
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def describe(device: "torch.device") -> str:
    import platform

    import torch

    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{device.type}, {platform.machine()}, {torch.get_num_threads()} threads"
