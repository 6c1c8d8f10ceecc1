"""Cosine of two texts' embeddings by all-MiniLM-L6-v2, as sentence-transformers computes them: mean over the tokens,
then unit length. Needs only transformers; texts are embedded once each, in batches of like length.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tide_chat.progress import Say
from training.evaluation.metrics import encoders
from training.evaluation.metrics.pairs import Pair, Values

if TYPE_CHECKING:
    import numpy as np

NAME = "cosine"
_BATCH = {"cpu": 1536, "cuda": 65536}  # tokens; on a processor larger batches fall out of its cache and are slower


class Cosine:
    def __init__(self) -> None:
        self._folder = encoders.minilm("The cosine")

    @cached_property
    def about(self) -> Mapping[str, str]:
        weights, most = encoders.digest(self._folder), longest(self._folder)
        return {NAME: f"all-MiniLM-L6-v2 ({weights[:12]}), mean over tokens, unit length, the first {most} tokens"}

    def measure(self, pairs: Sequence[Pair], say: Say) -> Values:
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        rows = dict(zip(texts, embed(self._folder, texts, say), strict=True))
        return {NAME: [0.0 if pair.empty else float(rows[pair.text] @ rows[pair.reference]) for pair in pairs]}


def longest(folder: Path) -> int:
    """Tokens of a text that sentence-transformers lets the model see."""
    return int(json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8"))["max_seq_length"])


def embed(folder: Path, texts: Sequence[str], say: Say) -> "np.ndarray[Any, Any]":
    """(texts, width) in float32, each of unit length."""
    import numpy as np
    import torch

    from training.risk.model import pooled

    device = encoders.device()
    model, tokenizer = encoders.load(folder, device)
    ids = tokenizer(list(texts), truncation=True, max_length=longest(folder))["input_ids"]
    found = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
    done = 0
    with torch.inference_mode():
        for places in batches([len(one) for one in ids], _BATCH[device]):
            inputs = tokenizer.pad({"input_ids": [ids[place] for place in places]}, return_tensors="pt").to(device)
            found[places] = pooled(model(**inputs).last_hidden_state, inputs["attention_mask"]).cpu().numpy()
            done += len(places)
            say("embeddings", done, len(texts))
    return found


def batches(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Places of texts, the longest first, and at most so many tokens at once, padding included."""
    waiting = sorted(range(len(lengths)), key=lambda place: (-lengths[place], place))
    while waiting:
        size = max(1, tokens // max(1, lengths[waiting[0]]))
        yield waiting[:size]
        waiting = waiting[size:]
