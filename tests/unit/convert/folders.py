"""A base model and adapters made by hand: two layers' worth of names, no model that could run. Needs numpy alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy

from convert.weights import INDEX, Writer, to_stored

WIDTH, INNER, TOKENS, RANK = 8, 12, 16, 2
Values = dict[str, Any]

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
    "torch_dtype": "float32",
    "vocab_size": TOKENS,
}
Q, UP = "model.layers.0.self_attn.q_proj", "model.layers.0.mlp.up_proj"
SHAPES = {
    "model.embed_tokens.weight": (TOKENS, WIDTH),
    f"{Q}.weight": (WIDTH, WIDTH),
    f"{UP}.weight": (INNER, WIDTH),
    "model.norm.weight": (WIDTH,),
    "lm_head.weight": (TOKENS, WIDTH),
}


def noise(*shape: int, seed: int = 0) -> Any:
    return numpy.random.default_rng(seed).standard_normal(shape, dtype=numpy.float32)


def write(file: Path, values: Mapping[str, Any], dtype: str = "F32") -> Path:
    with Writer(file, {name: (dtype, value.shape) for name, value in values.items()}) as writer:
        for name, value in values.items():
            writer.write(name, to_stored(value, dtype))
    return file


def base_values() -> Values:
    return {name: noise(*shape, seed=number) for number, (name, shape) in enumerate(SHAPES.items())}


def base(folder: Path, *, values: Values | None = None, dtype: str = "F32", shards: int = 1, **config: Any) -> Path:
    """A model's folder; config overrides what CONFIG says."""
    folder.mkdir(parents=True)
    values = base_values() if values is None else values
    (folder / "config.json").write_text(json.dumps(CONFIG | config), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    if shards == 1:
        write(folder / "model.safetensors", values, dtype)
        return folder
    where: dict[str, str] = {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        names = list(values)[number::shards]
        write(folder / file, {name: values[name] for name in names}, dtype)
        where |= dict.fromkeys(names, file)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": where}), encoding="utf-8")
    return folder


def pair(module: str, inner: int, outer: int, rank: int = RANK, seed: int = 50) -> Values:
    prefix = f"base_model.model.{module}"
    return {
        f"{prefix}.lora_A.weight": noise(rank, inner, seed=seed),
        f"{prefix}.lora_B.weight": noise(outer, rank, seed=seed + 1),
    }


def q_pair(seed: int = 50) -> Values:
    return pair(Q, WIDTH, WIDTH, seed=seed)


def adapter(folder: Path, values: Values | None = None, **settings: Any) -> Path:
    """An adapter's folder, rank 2 and alpha 4 unless told otherwise."""
    folder.mkdir(parents=True)
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": 4, "base_model_name_or_path": "owner/base"} | settings
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    write(folder / "adapter_model.safetensors", q_pair() if values is None else values)
    return folder
