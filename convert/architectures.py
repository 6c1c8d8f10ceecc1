"""What is known of each architecture: how its config and tensors are called in a GGUF. A table, not a class tree.

Names follow llama.cpp's own converter, so that its runtime finds them. Sources: the GGUF specification and the tensor
lists of the `gguf` package.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Config = Mapping[str, Any]
Metadata = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Architecture:
    """One line of the table.

    metadata: keys below `<name>.` from the HF config. tensors: HF name patterns to GGUF names; "" leaves a tensor out.
    full: tensors that stay f32 whatever the file's type is, beside all vectors.
    """

    name: str
    metadata: Callable[[Config], Metadata]
    tensors: tuple[tuple[str, str], ...]
    tokenizer: str  # which function of `tokenizers` writes the vocabulary
    full: tuple[str, ...] = ()


def _bert(config: Config) -> Metadata:
    return {
        "context_length": config["max_position_embeddings"],
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["intermediate_size"],
        "block_count": config["num_hidden_layers"],
        "attention.head_count": config["num_attention_heads"],
        "attention.layer_norm_epsilon": float(config["layer_norm_eps"]),
        "attention.causal": False,
        "pooling_type": 1,  # mean
    }


_BERT_TENSORS = (
    (r"embeddings\.word_embeddings\.weight", "token_embd.weight"),
    (r"embeddings\.token_type_embeddings\.weight", "token_types.weight"),
    (r"embeddings\.position_embeddings\.weight", "position_embd.weight"),
    (r"embeddings\.LayerNorm\.(weight|bias)", r"token_embd_norm.\1"),
    (r"encoder\.layer\.(\d+)\.attention\.self\.query\.(weight|bias)", r"blk.\1.attn_q.\2"),
    (r"encoder\.layer\.(\d+)\.attention\.self\.key\.(weight|bias)", r"blk.\1.attn_k.\2"),
    (r"encoder\.layer\.(\d+)\.attention\.self\.value\.(weight|bias)", r"blk.\1.attn_v.\2"),
    (r"encoder\.layer\.(\d+)\.attention\.output\.dense\.(weight|bias)", r"blk.\1.attn_output.\2"),
    (r"encoder\.layer\.(\d+)\.attention\.output\.LayerNorm\.(weight|bias)", r"blk.\1.attn_output_norm.\2"),
    (r"encoder\.layer\.(\d+)\.intermediate\.dense\.(weight|bias)", r"blk.\1.ffn_up.\2"),
    (r"encoder\.layer\.(\d+)\.output\.dense\.(weight|bias)", r"blk.\1.ffn_down.\2"),
    (r"encoder\.layer\.(\d+)\.output\.LayerNorm\.(weight|bias)", r"blk.\1.layer_output_norm.\2"),
    (r"embeddings\.position_ids|pooler\..*|cls\..*", ""),
)

TABLE: Mapping[str, Architecture] = {
    "bert": Architecture(
        "bert", _bert, _BERT_TENSORS, "wordpiece", full=("token_types.weight", "position_embd.weight")
    ),
}


def gguf_name(architecture: Architecture, name: str) -> str | None:
    """What an HF tensor is called in the GGUF; "" when it is left out, None when it is not known."""
    plain = name.removeprefix("bert.").removeprefix("model.")
    for pattern, wanted in architecture.tensors:
        if match := re.fullmatch(pattern, plain):
            return match.expand(wanted)
    return None
