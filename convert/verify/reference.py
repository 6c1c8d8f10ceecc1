"""HF's model, loaded once: token ids to logits, in single precision on the CPU."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convert.verify.hushed import hushed
from tide_chat.errors import DataError, MissingExtra

KEPT = 1 << 30  # bytes of logits that are kept where several files are compared on the same texts


class Reference:
    """keep: whether the same texts will be asked for again. Raises DataError, MissingExtra."""

    def __init__(self, folder: Path, threads: int | None = None, *, keep: bool = False) -> None:
        try:
            import torch
            from transformers import AutoModelForCausalLM
        except ImportError as error:
            raise MissingExtra("Verifying against the original model", "train") from error
        if threads:
            torch.set_num_threads(threads)
        try:
            with hushed():
                self._model = AutoModelForCausalLM.from_pretrained(
                    folder,
                    dtype=torch.float32,
                    attn_implementation="eager",
                    local_files_only=True,
                    use_safetensors=True,
                    trust_remote_code=False,
                ).eval()
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise DataError("The original model cannot be loaded.", details=f"{folder}: {error}") from error
        self._kept: dict[tuple[int, ...], Any] = {}
        self._room = KEPT if keep else 0

    def logits(self, ids: Sequence[int]) -> Any:
        """float32 array of shape (positions, vocabulary)."""
        if (key := tuple(ids)) in self._kept:
            return self._kept[key]
        found = self._computed(ids)
        if found.nbytes <= self._room:
            self._kept[key] = found
            self._room -= found.nbytes
        return found

    def _computed(self, ids: Sequence[int]) -> Any:
        import torch

        with torch.inference_mode():
            return self._model(torch.tensor([list(ids)])).logits[0].float().numpy()
