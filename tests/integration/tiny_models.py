"""Tiny models with random weights, one a family, in the form in which the hub keeps them: real files in every detail
(config, safetensors, tokenizer, chat template), small enough to make in a test. Needs numpy and tokenizers, no torch.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy
from tokenizers import Tokenizer

from convert.weights import INDEX, Writer, to_stored
from tests.integration import tiny_tokenizers

Shapes = dict[str, tuple[int, ...]]
Values = dict[str, Any]

HEADS, KV_HEADS, LAYERS, EXPERTS = 4, 2, 2, 4
CORPUS, NASTY = tiny_tokenizers.CORPUS, tiny_tokenizers.NASTY
STORED = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA3_CHAT = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] + '<|eot_id|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
PHI3_CHAT = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"
)
GRANITE_CHAT = (
    "{% for message in messages %}{{ '<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content'] "
    "+ '<|end_of_text|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_of_role|>assistant<|end_of_role|>' }}{% endif %}"
)
DEEPSEEK_CHAT = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '<｜User｜>' + message['content'] }}"
    "{% elif message['role'] == 'assistant' %}{{ '<｜Assistant｜>' + message['content'] + eos_token }}"
    "{% else %}{{ message['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<｜Assistant｜>' }}{% endif %}"
)


def llama(
    folder: Path, *, seed: int = 0, width: int = 64, shards: int = 1, dtype: str = "bfloat16", form: str = "old"
) -> Path:
    """Llama 3.2: llama3 rope scaling, tied embeddings, grouped attention, several stop tokens.

    form: "old" is rope_theta and rope_scaling in config.json, "new" is rope_parameters, as transformers 5 writes it.
    """
    scaling = {
        "factor": 32.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192,
        "rope_type": "llama3",
    }
    tokenizer, special = tiny_tokenizers.llama3()
    eos = [special["<|end_of_text|>"], special["<|eom_id|>"], special["<|eot_id|>"]]
    config = _config("llama", "LlamaForCausalLM", tokenizer, width, dtype) | {
        "head_dim": width // HEADS,
        "max_position_embeddings": 131072,
        "mlp_bias": False,
        "attention_bias": False,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
        "bos_token_id": special["<|begin_of_text|>"],
        "eos_token_id": eos,
    }
    return _write(
        folder,
        config | _rope(form, 500000.0, scaling),
        _decoder_shapes(config),
        tokenizer,
        _settings("PreTrainedTokenizerFast", "<|begin_of_text|>", "<|eot_id|>", LLAMA3_CHAT),
        {"bos_token_id": config["bos_token_id"], "eos_token_id": eos, "do_sample": True},
        seed=seed,
        shards=shards,
        dtype=dtype,
    )


def smollm(
    folder: Path, *, seed: int = 0, width: int = 64, shards: int = 1, dtype: str = "bfloat16", form: str = "old"
) -> Path:
    """SmolLM2: the llama architecture with no rope scaling, and a tokenizer that splits digits."""
    tokenizer, special = tiny_tokenizers.digits(["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>"])
    config = _config("llama", "LlamaForCausalLM", tokenizer, width, dtype) | {
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
        "bos_token_id": special["<|im_start|>"],
        "eos_token_id": special["<|im_end|>"],
        "pad_token_id": special["<|im_end|>"],
    }
    return _write(
        folder,
        config | _rope(form, 100000.0, None),
        _decoder_shapes(config),
        tokenizer,
        _settings("GPT2Tokenizer", "<|im_start|>", "<|im_end|>", CHATML, pad="<|im_end|>", unk="<|endoftext|>"),
        {"bos_token_id": special["<|im_start|>"], "eos_token_id": special["<|im_end|>"]},
        seed=seed,
        shards=shards,
        dtype=dtype,
    )


def qwen2(
    folder: Path, *, seed: int = 0, width: int = 64, shards: int = 1, dtype: str = "bfloat16", form: str = "old"
) -> Path:
    """Qwen2.5: biases on q, k and v, tied embeddings, more rows in the embedding than tokens."""
    tokenizer, special = tiny_tokenizers.qwen2()
    config = _config("qwen2", "Qwen2ForCausalLM", tokenizer, width, dtype, spare=13) | {
        "max_position_embeddings": 32768,
        "max_window_layers": LAYERS,
        "rms_norm_eps": 1e-6,
        "sliding_window": 32768,
        "use_sliding_window": False,
        "tie_word_embeddings": True,
        "bos_token_id": special["<|endoftext|>"],
        "eos_token_id": special["<|im_end|>"],
    }
    settings = _settings("Qwen2Tokenizer", None, "<|im_end|>", CHATML, pad="<|endoftext|>")
    return _write(
        folder,
        config | _rope(form, 1000000.0, None),
        _decoder_shapes(config, biases=True),
        tokenizer,
        settings | {"add_bos_token": False, "add_prefix_space": False},
        {
            "bos_token_id": special["<|endoftext|>"],
            "pad_token_id": special["<|endoftext|>"],
            "eos_token_id": [special["<|im_end|>"], special["<|endoftext|>"]],
            "do_sample": True,
            "temperature": 0.7,
            "top_p": 0.8,
            "top_k": 20,
            "repetition_penalty": 1.1,
        },
        seed=seed,
        shards=shards,
        dtype=dtype,
    )


def deepseek(
    folder: Path, *, seed: int = 0, width: int = 64, shards: int = 1, dtype: str = "bfloat16", form: str = "old"
) -> Path:
    """DeepSeek-R1-Distill-Qwen: qwen2 with an output matrix of its own and another tokenizer."""
    tokenizer, special = tiny_tokenizers.deepseek()
    config = _config("qwen2", "Qwen2ForCausalLM", tokenizer, width, dtype, spare=5) | {
        "max_position_embeddings": 131072,
        "rms_norm_eps": 1e-6,
        "use_sliding_window": False,
        "tie_word_embeddings": False,
        "bos_token_id": special["<｜begin▁of▁sentence｜>"],
        "eos_token_id": special["<｜end▁of▁sentence｜>"],
    }
    begin, end = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
    return _write(
        folder,
        config | _rope(form, 10000.0, None),
        _decoder_shapes(config, biases=True),
        tokenizer,
        _settings("LlamaTokenizerFast", begin, end, DEEPSEEK_CHAT, pad=end) | {"add_bos_token": True},
        {"bos_token_id": special[begin], "eos_token_id": special[end]},
        seed=seed,
        shards=shards,
        dtype=dtype,
    )


def phi3(
    folder: Path, *, seed: int = 0, width: int = 64, shards: int = 1, dtype: str = "bfloat16", form: str = "old"
) -> Path:
    """Phi-3.5: fused projections, longrope, a SentencePiece tokenizer. The folder's name should contain "phi-3"."""
    tokenizer, special, pieces = tiny_tokenizers.phi3()
    half = width // HEADS // 2
    scaling = {
        "long_factor": [1.0 + 2.5 * place for place in range(half)],
        "short_factor": [1.0 + 0.05 * place for place in range(half)],
        "type": "longrope",
    }
    config = _config("phi3", "Phi3ForCausalLM", tokenizer, width, dtype, spare=7) | {
        "attention_bias": False,
        "max_position_embeddings": 131072,
        "original_max_position_embeddings": 4096,
        "num_key_value_heads": HEADS,
        "rms_norm_eps": 1e-5,
        "sliding_window": 262144,
        "tie_word_embeddings": False,
        "bos_token_id": special["<s>"],
        "eos_token_id": special["<|endoftext|>"],
        "pad_token_id": special["<|endoftext|>"],
    }
    settings = _settings("LlamaTokenizer", "<s>", "<|endoftext|>", PHI3_CHAT, pad="<|endoftext|>", unk="<unk>")
    made = _write(
        folder,
        config | _rope(form, 10000.0, scaling),
        _phi3_shapes(config),
        tokenizer,
        settings | {"add_bos_token": False, "add_eos_token": False, "legacy": False, "sp_model_kwargs": {}},
        {
            "bos_token_id": special["<s>"],
            "eos_token_id": [special["<|end|>"], special["<|assistant|>"], special["<|endoftext|>"]],
            "pad_token_id": special["<|endoftext|>"],
        },
        seed=seed,
        shards=shards,
        dtype=dtype,
    )
    (folder / "tokenizer.model").write_bytes(tiny_tokenizers.sentencepiece(pieces))
    return made


def granitemoe(
    folder: Path, *, seed: int = 0, width: int = 64, shards: int = 1, dtype: str = "bfloat16", form: str = "old"
) -> Path:
    """Granite 3.1 with experts: four multipliers, fused gate and up of all experts in one tensor, tied embeddings."""
    names = ["<|end_of_text|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<|start_of_role|>", "<|end_of_role|>"]
    tokenizer, special = tiny_tokenizers.digits(names)
    end = special["<|end_of_text|>"]
    config = _config("granitemoe", "GraniteMoeForCausalLM", tokenizer, width, dtype) | {
        "attention_bias": False,
        "attention_multiplier": 1 / (width // HEADS),
        "embedding_multiplier": 12.0,
        "residual_multiplier": 0.22,
        "logits_scaling": 6.0,
        "intermediate_size": width,
        "num_local_experts": EXPERTS,
        "num_experts_per_tok": 2,
        "max_position_embeddings": 131072,
        "output_router_logits": False,
        "router_aux_loss_coef": 0.0,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": True,
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
    }
    return _write(
        folder,
        config | _rope(form, 1500000.0, None),
        _granitemoe_shapes(config),
        tokenizer,
        _settings("GPT2Tokenizer", "<|end_of_text|>", "<|end_of_text|>", GRANITE_CHAT, pad="<|end_of_text|>")
        | {"add_bos_token": False, "add_prefix_space": False},
        {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end},
        seed=seed,
        shards=shards,
        dtype=dtype,
    )


def bert(folder: Path, *, seed: int = 0, width: int = 64, shards: int = 1, dtype: str = "float32") -> Path:
    """MiniLM: a BERT encoder with an uncased WordPiece tokenizer."""
    tokenizer, _ = tiny_tokenizers.bert()
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 128,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "pad_token_id": 0,
        "torch_dtype": dtype,
        "type_vocab_size": 2,
        "vocab_size": tokenizer.get_vocab_size(),
    }
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 128} | {
        f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "unk", "mask")
    }
    return _write(folder, config, _bert_shapes(config), tokenizer, settings, {}, seed=seed, shards=shards, dtype=dtype)


MAKERS: Mapping[str, Callable[..., Path]] = {
    "llama": llama,
    "smollm": smollm,
    "qwen2": qwen2,
    "deepseek": deepseek,
    "phi3": phi3,
    "granitemoe": granitemoe,
}
FOLDERS = {  # names as the hub has them: converters read a model's name, size and version from them
    "llama": "Llama-3.2-1B-Instruct",
    "smollm": "SmolLM2-135M-Instruct",
    "qwen2": "Qwen2.5-0.5B-Instruct",
    "deepseek": "DeepSeek-R1-Distill-Qwen-1.5B",
    "phi3": "Phi-3.5-mini-instruct",
    "granitemoe": "granite-3.1-1b-a400m-instruct",
    "bert": "all-MiniLM-L6-v2",
}


def specials(folder: Path) -> dict[str, int]:
    """The added tokens of a folder's tokenizer and their ids."""
    data = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return {added["content"]: added["id"] for added in data["added_tokens"]}


# Config files


def _config(kind: str, name: str, tokenizer: Tokenizer, width: int, dtype: str, spare: int = 0) -> dict[str, Any]:
    return {
        "architectures": [name],
        "model_type": kind,
        "hidden_act": "silu",
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "num_key_value_heads": KV_HEADS,
        "torch_dtype": dtype,
        "use_cache": True,
        "vocab_size": tokenizer.get_vocab_size() + spare,
    }


def _rope(form: str, theta: float, scaling: dict[str, Any] | None) -> dict[str, Any]:
    if form == "old":
        return {"rope_theta": theta, "rope_scaling": scaling}
    kind = (scaling or {}).get("type", (scaling or {}).get("rope_type", "default"))
    rest = {key: value for key, value in (scaling or {}).items() if key not in ("type", "rope_type")}
    return {"rope_parameters": {"rope_theta": theta, "rope_type": kind, **rest}}


def _settings(
    kind: str, bos: str | None, eos: str, template: str, *, pad: str | None = None, unk: str | None = None
) -> dict[str, Any]:
    return {
        "bos_token": bos,
        "eos_token": eos,
        "pad_token": pad,
        "unk_token": unk,
        "chat_template": template,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 131072,
        "tokenizer_class": kind,
    }


# Tensors


def _decoder_shapes(config: Mapping[str, Any], biases: bool = False) -> Shapes:
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes = _frame(config)
    for layer in _layers(config, shapes):
        shapes |= _attention(config, layer)
        shapes |= {
            f"{layer}.mlp.gate_proj.weight": (inner, width),
            f"{layer}.mlp.up_proj.weight": (inner, width),
            f"{layer}.mlp.down_proj.weight": (width, inner),
        }
        if biases:
            shapes |= {
                f"{layer}.self_attn.{part}_proj.bias": shapes[f"{layer}.self_attn.{part}_proj.weight"][:1]
                for part in "qkv"
            }
    return shapes


def _phi3_shapes(config: Mapping[str, Any]) -> Shapes:
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes = _frame(config)
    for layer in _layers(config, shapes):
        shapes |= {
            f"{layer}.self_attn.qkv_proj.weight": (3 * width, width),
            f"{layer}.self_attn.o_proj.weight": (width, width),
            f"{layer}.mlp.gate_up_proj.weight": (2 * inner, width),
            f"{layer}.mlp.down_proj.weight": (width, inner),
        }
    return shapes


def _granitemoe_shapes(config: Mapping[str, Any]) -> Shapes:
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes = _frame(config)
    for layer in _layers(config, shapes):
        shapes |= _attention(config, layer)
        shapes |= {
            f"{layer}.block_sparse_moe.input_linear.weight": (EXPERTS, 2 * inner, width),
            f"{layer}.block_sparse_moe.output_linear.weight": (EXPERTS, width, inner),
            f"{layer}.block_sparse_moe.router.layer.weight": (EXPERTS, width),
        }
    return shapes


def _frame(config: Mapping[str, Any]) -> Shapes:
    shapes: Shapes = {
        "model.embed_tokens.weight": (config["vocab_size"], config["hidden_size"]),
        "model.norm.weight": (config["hidden_size"],),
    }
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = shapes["model.embed_tokens.weight"]
    return shapes


def _layers(config: Mapping[str, Any], shapes: Shapes) -> Iterator[str]:
    for number in range(config["num_hidden_layers"]):
        layer = f"model.layers.{number}"
        shapes[f"{layer}.input_layernorm.weight"] = (config["hidden_size"],)
        shapes[f"{layer}.post_attention_layernorm.weight"] = (config["hidden_size"],)
        yield layer


def _attention(config: Mapping[str, Any], layer: str) -> Shapes:
    width = config["hidden_size"]
    narrow = width // config["num_attention_heads"] * config["num_key_value_heads"]
    return {
        f"{layer}.self_attn.q_proj.weight": (width, width),
        f"{layer}.self_attn.k_proj.weight": (narrow, width),
        f"{layer}.self_attn.v_proj.weight": (narrow, width),
        f"{layer}.self_attn.o_proj.weight": (width, width),
    }


def _bert_shapes(config: Mapping[str, Any]) -> Shapes:
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes: Shapes = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], width),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], width),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
        "pooler.dense.weight": (width, width),
        "pooler.dense.bias": (width,),
    }
    for number in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        linear = {f"attention.self.{part}": (width, width) for part in ("query", "key", "value")} | {
            "attention.output.dense": (width, width),
            "intermediate.dense": (inner, width),
            "output.dense": (width, inner),
        }
        for name, shape in linear.items():
            shapes |= {f"{layer}.{name}.weight": shape, f"{layer}.{name}.bias": shape[:1]}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{layer}.{name}.weight": (width,), f"{layer}.{name}.bias": (width,)}
    return shapes


def _random(shapes: Shapes, seed: int) -> Values:
    """Values that keep activations near one, so that logits differ: norms around 1, small biases."""
    source = numpy.random.default_rng(seed)
    values: Values = {}
    for name, shape in shapes.items():
        noise = source.standard_normal(shape, dtype=numpy.float32)
        if name.endswith("bias"):
            values[name] = 0.1 * noise
        elif len(shape) == 1:
            values[name] = 1 + 0.1 * noise
        else:
            values[name] = noise / numpy.float32(shape[-1] ** 0.5)
    return values


# Writing


def _write(
    folder: Path,
    config: Mapping[str, Any],
    shapes: Shapes,
    tokenizer: Tokenizer,
    settings: Mapping[str, Any],
    generation: Mapping[str, Any],
    *,
    seed: int,
    shards: int,
    dtype: str,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder, _random(shapes, seed), STORED[dtype], shards)
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(folder / "config.json", config)
    _write_json(folder / "tokenizer_config.json", settings)
    if generation:
        _write_json(folder / "generation_config.json", generation)
    return folder


def write_weights(folder: Path, values: Values, dtype: str = "F32", shards: int = 1) -> None:
    """model.safetensors, or shards with their index."""
    names = list(values)
    parts = [names[number::shards] for number in range(shards)]
    files = [f"model-{number + 1:05}-of-{shards:05}.safetensors" for number in range(shards)]
    if shards == 1:
        files = ["model.safetensors"]
    for file, part in zip(files, parts, strict=True):
        with Writer(folder / file, {name: (dtype, values[name].shape) for name in part}) as writer:
            for name in part:
                writer.write(name, to_stored(values[name], dtype))
    if shards > 1:
        where = {name: file for file, part in zip(files, parts, strict=True) for name in part}
        _write_json(folder / INDEX, {"metadata": {}, "weight_map": where})


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
