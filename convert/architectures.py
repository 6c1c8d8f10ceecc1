"""What is known of each architecture: how its config and tensors are called in a GGUF. A table, not a class tree.

Names follow llama.cpp's own converter, so that its runtime finds them. Sources: the GGUF specification and the tensor
lists of the `gguf` package.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from convert import rope
from tide_chat.errors import DataError

Config = Mapping[str, Any]
Metadata = dict[str, bool | int | float | str]  # keys below the architecture's name
Dimensions = dict[str, int]
Computed = dict[str, list[float]]

LAYER = "model.layers.{n}."
BLOCK = "blk.{n}."


@dataclass(frozen=True, slots=True)
class Tensor:
    """One line of an architecture's list. {n}: the layer's number.

    shape: names of dimensions. part: "" is all of it as it is; "q", "k" put the rows of each head in the order that
    llama.cpp rotates them in; "gate", "up" are the first and second half of each expert's rows.
    """

    hf: str
    gguf: str
    shape: str
    part: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Architecture:
    """One line of the table.

    prefix: what HF names may begin with. left_out: pattern of HF names that a GGUF does not need. computed: tensors
    made from the config alone. vocabularies: kinds that `tokenizers` may find. name_holds: what the runtime looks for
    in the model's name.
    """

    name: str
    metadata: Callable[[Config], Metadata]
    dimensions: Callable[[Config], Dimensions]
    tensors: tuple[Tensor, ...]
    activations: tuple[str, ...] = ("silu",)
    vocabularies: tuple[str, ...] = ("gpt2", "llama")
    prefix: str = ""
    left_out: str = r".*\.rotary_emb\.inv_freq"
    computed: Callable[[Config], Computed] = lambda _config: {}
    name_holds: str = ""


def tied(config: Config) -> bool:
    """Whether the output matrix is the embedding."""
    return bool(config.get("tie_word_embeddings", False))


def _need(config: Config, key: str) -> Any:
    if config.get(key) is None:
        raise DataError("config.json lacks a value.", details=key)
    return config[key]


def _heads(config: Config) -> tuple[int, int, int]:
    """Heads, key-value heads, and the size of one."""
    heads = int(_need(config, "num_attention_heads"))
    size = config.get("head_dim") or int(_need(config, "hidden_size")) // heads
    return heads, int(config.get("num_key_value_heads") or heads), int(size)


def _decoder_dimensions(config: Config) -> Dimensions:
    heads, kv_heads, size = _heads(config)
    inner = int(_need(config, "intermediate_size"))
    return {
        "width": int(_need(config, "hidden_size")),
        "inner": inner,
        "2inner": 2 * inner,
        "q": heads * size,
        "kv": kv_heads * size,
        "qkv": (heads + 2 * kv_heads) * size,
        "vocabulary": int(_need(config, "vocab_size")),
        "experts": int(config.get("num_local_experts") or 0),
        "q heads": heads,
        "k heads": kv_heads,
    }


def _decoder(config: Config, scaling: rope.Rope) -> Metadata:
    heads, kv_heads, _ = _heads(config)
    return {
        "block_count": int(_need(config, "num_hidden_layers")),
        "context_length": int(_need(config, "max_position_embeddings")),
        "embedding_length": int(_need(config, "hidden_size")),
        "feed_forward_length": int(_need(config, "intermediate_size")),
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.layer_norm_rms_epsilon": float(_need(config, "rms_norm_eps")),
        "rope.freq_base": scaling.theta,
    }


def _linear(scaling: rope.Rope) -> Metadata:
    if scaling.kind != "linear":
        return {}
    return {"rope.scaling.type": "linear", "rope.scaling.factor": scaling.number("factor")}


def _head_size(config: Config) -> Metadata:
    size = _heads(config)[2]
    return {"attention.key_length": size, "attention.value_length": size}


_LLAMA_ROPE = ("default", "linear", "llama3")


def _llama(config: Config) -> Metadata:
    scaling = rope.of(config, _LLAMA_ROPE)
    return (
        _decoder(config, scaling)
        | _linear(scaling)
        | _head_size(config)
        | {"vocab_size": int(_need(config, "vocab_size")), "rope.dimension_count": _heads(config)[2]}
    )


def _llama_computed(config: Config) -> Computed:
    scaling = rope.of(config, _LLAMA_ROPE)
    if scaling.kind != "llama3":
        return {}
    return {"rope_freqs.weight": rope.llama3_factors(scaling, _heads(config)[2])}


def _qwen2(config: Config) -> Metadata:
    if config.get("use_sliding_window"):
        raise DataError("The model uses a sliding window.", details="use_sliding_window: GGUF has no such qwen2.")
    scaling = rope.of(config, ("default", "linear"))
    return _decoder(config, scaling) | _linear(scaling) | (_head_size(config) if config.get("head_dim") else {})


def _granitemoe(config: Config) -> Metadata:
    scaling = rope.of(config, ("default", "linear"))
    return (
        _decoder(config, scaling)
        | _linear(scaling)
        | {
            "vocab_size": int(_need(config, "vocab_size")),
            "rope.dimension_count": _heads(config)[2],
            "expert_count": int(_need(config, "num_local_experts")),
            "expert_used_count": int(_need(config, "num_experts_per_tok")),
            "attention.scale": float(_need(config, "attention_multiplier")),
            "embedding_scale": float(_need(config, "embedding_multiplier")),
            "residual_scale": float(_need(config, "residual_multiplier")),
            "logit_scale": float(_need(config, "logits_scaling")),
        }
    )


_PHI3_ROPE = ("default", "longrope")
_PHI3_CONTEXT = 4096  # what its config means when it says nothing


def _phi3_original(scaling: rope.Rope) -> int:
    return int(scaling.settings.get("original_max_position_embeddings") or _PHI3_CONTEXT)


def _phi3_rotated(config: Config, scaling: rope.Rope) -> int:
    return int(_heads(config)[2] * float(scaling.settings.get("partial_rotary_factor", 1.0)))


def _phi3(config: Config) -> Metadata:
    scaling = rope.of(config, _PHI3_ROPE)
    values = _decoder(config, scaling) | {
        "rope.dimension_count": _phi3_rotated(config, scaling),
        "rope.scaling.original_context_length": _phi3_original(scaling),
        "attention.sliding_window": int(config.get("sliding_window") or 0),
    }
    if scaling.kind == "longrope":
        longest = int(_need(config, "max_position_embeddings"))
        values["rope.scaling.attn_factor"] = rope.longrope_attention(scaling, longest, _phi3_original(scaling))
    return values


def _phi3_computed(config: Config) -> Computed:
    scaling = rope.of(config, _PHI3_ROPE)
    if scaling.kind != "longrope":
        return {}
    count = _phi3_rotated(config, scaling) // 2
    return {f"rope_factors_{kind}.weight": scaling.numbers(f"{kind}_factor", count) for kind in ("long", "short")}


def _bert_dimensions(config: Config) -> Dimensions:
    return {
        "width": int(_need(config, "hidden_size")),
        "inner": int(_need(config, "intermediate_size")),
        "vocabulary": int(_need(config, "vocab_size")),
        "positions": int(_need(config, "max_position_embeddings")),
        "types": int(config.get("type_vocab_size", 2)),
    }


def _bert(config: Config) -> Metadata:
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise DataError("The model's positions are not absolute.", details=str(config["position_embedding_type"]))
    return {
        "block_count": int(_need(config, "num_hidden_layers")),
        "context_length": int(_need(config, "max_position_embeddings")),
        "embedding_length": int(_need(config, "hidden_size")),
        "feed_forward_length": int(_need(config, "intermediate_size")),
        "attention.head_count": int(_need(config, "num_attention_heads")),
        "attention.layer_norm_epsilon": float(_need(config, "layer_norm_eps")),
        "attention.causal": False,
        "pooling_type": 1,  # mean, as the encoders are trained that tide-chat runs
    }


_FRAME = (
    Tensor("model.embed_tokens.weight", "token_embd.weight", "vocabulary width"),
    Tensor("model.norm.weight", "output_norm.weight", "width"),
    Tensor("lm_head.weight", "output.weight", "vocabulary width"),
)
_NORMS = (
    Tensor(LAYER + "input_layernorm.weight", BLOCK + "attn_norm.weight", "width"),
    Tensor(LAYER + "post_attention_layernorm.weight", BLOCK + "ffn_norm.weight", "width"),
)
_FEED_FORWARD = (
    Tensor(LAYER + "mlp.gate_proj.weight", BLOCK + "ffn_gate.weight", "inner width"),
    Tensor(LAYER + "mlp.up_proj.weight", BLOCK + "ffn_up.weight", "inner width"),
    Tensor(LAYER + "mlp.down_proj.weight", BLOCK + "ffn_down.weight", "width inner"),
)
_OUTPUT = Tensor(LAYER + "self_attn.o_proj.weight", BLOCK + "attn_output.weight", "width q")


def _attention(*, rotated: bool, biases: tuple[str, ...] = ()) -> tuple[Tensor, ...]:
    """rotated: whether rows of q and k change their order. biases: which parts must have one; others may."""
    lines = [_OUTPUT]
    for part, rows in (("q", "q"), ("k", "kv"), ("v", "kv")):
        order = part if rotated and part != "v" else ""
        hf, gguf = f"{LAYER}self_attn.{part}_proj.", f"{BLOCK}attn_{part}."
        lines.append(Tensor(hf + "weight", gguf + "weight", f"{rows} width", order))
        lines.append(Tensor(hf + "bias", gguf + "bias", rows, order, optional=part not in biases))
    return tuple(lines)


_PHI3_TENSORS = (
    _OUTPUT,
    Tensor(LAYER + "self_attn.qkv_proj.weight", BLOCK + "attn_qkv.weight", "qkv width"),
    Tensor(LAYER + "mlp.gate_up_proj.weight", BLOCK + "ffn_up.weight", "2inner width"),
    Tensor(LAYER + "mlp.down_proj.weight", BLOCK + "ffn_down.weight", "width inner"),
)
_EXPERTS = (
    Tensor(LAYER + "block_sparse_moe.router.layer.weight", BLOCK + "ffn_gate_inp.weight", "experts width"),
    Tensor(
        LAYER + "block_sparse_moe.input_linear.weight", BLOCK + "ffn_gate_exps.weight", "experts 2inner width", "gate"
    ),
    Tensor(LAYER + "block_sparse_moe.input_linear.weight", BLOCK + "ffn_up_exps.weight", "experts 2inner width", "up"),
    Tensor(LAYER + "block_sparse_moe.output_linear.weight", BLOCK + "ffn_down_exps.weight", "experts width inner"),
)


def _with_bias(hf: str, gguf: str, shape: str) -> tuple[Tensor, Tensor]:
    return (
        Tensor(hf + ".weight", gguf + ".weight", shape),
        Tensor(hf + ".bias", gguf + ".bias", shape.split(maxsplit=1)[0]),
    )


_BERT_LAYER = "encoder.layer.{n}."
_BERT_TENSORS = (
    Tensor("embeddings.word_embeddings.weight", "token_embd.weight", "vocabulary width"),
    Tensor("embeddings.token_type_embeddings.weight", "token_types.weight", "types width"),
    Tensor("embeddings.position_embeddings.weight", "position_embd.weight", "positions width"),
    *_with_bias("embeddings.LayerNorm", "token_embd_norm", "width"),
    *_with_bias(_BERT_LAYER + "attention.self.query", BLOCK + "attn_q", "width width"),
    *_with_bias(_BERT_LAYER + "attention.self.key", BLOCK + "attn_k", "width width"),
    *_with_bias(_BERT_LAYER + "attention.self.value", BLOCK + "attn_v", "width width"),
    *_with_bias(_BERT_LAYER + "attention.output.dense", BLOCK + "attn_output", "width width"),
    *_with_bias(_BERT_LAYER + "attention.output.LayerNorm", BLOCK + "attn_output_norm", "width"),
    *_with_bias(_BERT_LAYER + "intermediate.dense", BLOCK + "ffn_up", "inner width"),
    *_with_bias(_BERT_LAYER + "output.dense", BLOCK + "ffn_down", "width inner"),
    *_with_bias(_BERT_LAYER + "output.LayerNorm", BLOCK + "layer_output_norm", "width"),
)

TABLE: Mapping[str, Architecture] = {
    "llama": Architecture(
        "llama",
        _llama,
        _decoder_dimensions,
        (*_FRAME, *_NORMS, *_attention(rotated=True), *_FEED_FORWARD),
        computed=_llama_computed,
    ),
    "qwen2": Architecture(
        "qwen2",
        _qwen2,
        _decoder_dimensions,
        (*_FRAME, *_NORMS, *_attention(rotated=False, biases=("q", "k", "v")), *_FEED_FORWARD),
    ),
    "phi3": Architecture(
        "phi3",
        _phi3,
        _decoder_dimensions,
        (*_FRAME, *_NORMS, *_PHI3_TENSORS),
        computed=_phi3_computed,
        # By this the runtime knows that spaces after special tokens belong to them.
        name_holds="Phi-3",
    ),
    "granitemoe": Architecture(
        "granitemoe",
        _granitemoe,
        _decoder_dimensions,
        (*_FRAME, *_NORMS, *_attention(rotated=True), *_EXPERTS),
    ),
    "bert": Architecture(
        "bert",
        _bert,
        _bert_dimensions,
        _BERT_TENSORS,
        activations=("gelu",),
        vocabularies=("bert",),
        prefix="bert.",
        left_out=r"embeddings\.position_ids|pooler\..*|cls\..*",
    ),
}


def of(config: Config) -> Architecture:
    """Raises DataError for an architecture or an activation that is not known."""
    kind = str(config.get("model_type"))
    if kind not in TABLE:
        raise DataError(f"The architecture '{kind}' is not known.", help=f"Known: {', '.join(sorted(TABLE))}.")
    found = TABLE[kind]
    activation = str(config.get("hidden_act", found.activations[0]))
    if activation not in found.activations:
        raise DataError(
            f"The activation '{activation}' is not known for {kind}.", help=f"Known: {', '.join(found.activations)}."
        )
    return found
