"""`config.json` and `generation_config.json` from a GGUF's metadata.

The keys are those that transformers has read for years: `rope_theta` and `rope_scaling`, which newer versions take too.
"""

from collections.abc import Callable, Mapping
from typing import Any

from convert import rope
from convert.from_gguf.source import Source
from convert.from_gguf.tensors import known
from tide_chat.errors import DataError

Config = dict[str, Any]
DTYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_CLASSES = {
    "llama": "LlamaForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "phi3": "Phi3ForCausalLM",
    "granitemoe": "GraniteMoeForCausalLM",
}
# Metadata holds single precision; a config is written as people write it: 1e-05, not 9.999999747378752e-06.
_DIGITS = 7


def config_of(source: Source) -> Config:
    """All that HF's model needs to be built. Raises DataError for architectures and scalings that are not known."""
    config = without_scaling(source)
    if scaling := _scaling(source, config):
        config["rope_scaling"] = scaling
    return config


def without_scaling(source: Source) -> Config:
    """The same but for `rope_scaling`. Raises DataError."""
    kind = known(source)
    if "token_embd.weight" not in source.tensors:
        raise DataError("The file lacks tensors.", details=f"{source.path.name}: token_embd.weight")
    heads = int(source.need("attention.head_count"))
    width = int(source.need("embedding_length"))
    config: Config = {
        "architectures": [_CLASSES[kind]],
        "model_type": kind,
        "vocab_size": source.tensors["token_embd.weight"].shape[0],
        "hidden_size": width,
        "intermediate_size": int(source.need("feed_forward_length")),
        "num_hidden_layers": int(source.need("block_count")),
        "num_attention_heads": heads,
        "num_key_value_heads": int(source.own("attention.head_count_kv", heads)),
        "head_dim": int(source.own("attention.key_length", source.own("rope.dimension_count", width // heads))),
        "max_position_embeddings": int(source.need("context_length")),
        "rms_norm_eps": plain(source.need("attention.layer_norm_rms_epsilon")),
        "rope_theta": plain(source.own("rope.freq_base", 10000.0)),
        "hidden_act": "silu",
        "tie_word_embeddings": "output.weight" not in source.tensors,
    }
    return config | _OWN[kind](source, config) | _ids(source)


def generation_of(source: Source) -> Config:
    """Where generation begins and ends; every token that ends a turn is in `eos_token_id`."""
    ids, ends = _ids(source), ends_of(source)
    if ends:
        ids["eos_token_id"] = ends[0] if len(ends) == 1 else list(ends)
    return ids


def ends_of(source: Source) -> tuple[int, ...]:
    """The ids that the file itself says end a reply: end of sequence, of turn, of message."""
    found = [source.get(f"tokenizer.ggml.{kind}_token_id") for kind in ("eos", "eot", "eom")]
    return tuple(dict.fromkeys(int(token) for token in found if token is not None))


def plain(value: float) -> float:
    """The shortest decimal number near a single-precision one."""
    return float(f"{float(value):.{_DIGITS}g}")


def _ids(source: Source) -> Config:
    keys = {"bos_token_id": "bos", "eos_token_id": "eos", "pad_token_id": "padding"}
    found = {name: source.get(f"tokenizer.ggml.{key}_token_id") for name, key in keys.items()}
    return {name: int(token) if token is not None else None for name, token in found.items()}


def _llama(source: Source, _config: Config) -> Config:
    if source.own("expert_count", 0):
        raise DataError("This mixture of experts is not known.", details=f"{source.path.name}: llama with experts")
    biased = "blk.0.attn_q.bias" in source.tensors
    return {"attention_bias": biased, "mlp_bias": "blk.0.ffn_up.bias" in source.tensors}


def _qwen2(_source: Source, _config: Config) -> Config:
    return {"use_sliding_window": False}


def _phi3(source: Source, config: Config) -> Config:
    original = int(source.own("rope.scaling.original_context_length", config["max_position_embeddings"]))
    partial = int(source.own("rope.dimension_count", config["head_dim"])) / (
        config["hidden_size"] // config["num_attention_heads"]
    )
    return {
        "original_max_position_embeddings": original,
        "partial_rotary_factor": partial,
        "sliding_window": source.own("attention.sliding_window") or None,
        "head_dim": config["hidden_size"] // config["num_attention_heads"],
    }


def _granitemoe(source: Source, _config: Config) -> Config:
    if "blk.0.ffn_up_shexp.weight" in source.tensors:
        raise DataError("This mixture of experts is not known.", details=f"{source.path.name}: a shared expert")
    return {
        "num_local_experts": int(source.need("expert_count")),
        "num_experts_per_tok": int(source.need("expert_used_count")),
        "attention_multiplier": plain(source.need("attention.scale")),
        "embedding_multiplier": plain(source.need("embedding_scale")),
        "residual_multiplier": plain(source.need("residual_scale")),
        "logits_scaling": plain(source.need("logit_scale")),
        "attention_bias": False,
    }


_OWN: Mapping[str, Callable[[Source, Config], Config]] = {
    "llama": _llama,
    "qwen2": _qwen2,
    "phi3": _phi3,
    "granitemoe": _granitemoe,
}


def _scaling(source: Source, config: Config) -> Config | None:
    """`rope_scaling`. Raises DataError for kinds that are not known."""
    if "rope_freqs.weight" in source.tensors:
        return _llama3(source, config)
    if "rope_factors_long.weight" in source.tensors:
        long, short = (
            [plain(x) for x in source.floats(f"rope_factors_{kind}.weight").ravel()] for kind in ("long", "short")
        )
        return {"type": "longrope", "rope_type": "longrope", "long_factor": long, "short_factor": short}
    kind = source.own("rope.scaling.type", "none")
    if kind in ("none", ""):
        return None
    if kind not in ("linear", "yarn"):
        raise DataError(
            "The rope scaling is not known.", details=str(kind), help="Known: linear, yarn, llama3, longrope."
        )
    scaling = {"rope_type": kind, "factor": plain(source.need("rope.scaling.factor"))}
    if original := source.own("rope.scaling.original_context_length"):
        scaling["original_max_position_embeddings"] = int(original)
    return scaling


def _llama3(source: Source, config: Config) -> Config:
    """The parameters of Llama 3's scaling from the factors it gave. Raises DataError when none gives them."""
    import numpy

    factors = source.floats("rope_freqs.weight").ravel()
    for original in (1 << power for power in range(17, 4, -1)):
        guess = {
            "rope_type": "llama3",
            "factor": plain(factors.max()),
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": original,
        }
        made = rope.llama3_factors(rope.Rope("llama3", config["rope_theta"], guess), config["head_dim"])
        if len(made) == len(factors) and numpy.allclose(made, factors, rtol=1e-5):
            return guess
    raise DataError("The rope scaling is not known.", details=f"rope_freqs.weight in {source.path.name}")
