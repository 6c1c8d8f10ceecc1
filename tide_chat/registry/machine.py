"""How much memory and disk there is, and how much a model needs. Knows no model by name."""

import shutil
from pathlib import Path

PLANNED_CONTEXT = 4096  # tokens, as the settings have it unless changed
_BUFFERS = 300_000_000  # bytes for work buffers and the app itself
_SHARE = 0.8  # of all memory that a model may take; the rest is for the system and other programs
_DISK_SPARE = 0.05
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory_needed(file_bytes: int, kv_bytes_per_token: int, context: int = PLANNED_CONTEXT) -> int:
    """Bytes of memory: the weights, the conversation, work buffers."""
    return file_bytes + kv_bytes_per_token * context + _BUFFERS


def fits_memory(needed: int) -> bool:
    """Whether this computer has that much, with room for the rest. True when it cannot be told."""
    total = total_memory()
    return total is None or needed <= total * _SHARE


def total_memory() -> int | None:
    """Bytes this process could use at most, also inside a container; None when the system does not say."""
    import psutil

    amounts = [amount for amount in (psutil.virtual_memory().total, *map(_limit, _CGROUP_LIMITS)) if amount]
    return min(amounts, default=None)


def _limit(path: str) -> int | None:
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such group, or "max"
        return None


def disk_lacking(folder: Path, size: int, already: int = 0) -> int:
    """Bytes missing on the disk of `folder` for a file of `size`, with room to spare; 0 when there is enough."""
    while not folder.exists():
        folder = folder.parent
    return max(0, int(size * (1 + _DISK_SPARE)) - already - shutil.disk_usage(folder).free)


def human_size(count: float) -> str:
    """1.1 GB"""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
