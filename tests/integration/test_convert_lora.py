"""GGUF adapters on the real runtime: base file plus adapter file give the logits of transformers plus peft."""

import ctypes
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as native
import numpy
import peft
import pytest
import torch
import transformers

from convert import gguf_file, lora
from tests.integration import tiny_models

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::UserWarning:peft", "ignore::RuntimeWarning:peft", "ignore::FutureWarning"),
]

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
TOKENS = list(range(3, 120, 3))


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny models, each with its GGUF as `f32.gguf`, values in float32."""
    made = {}
    for family in ("llama", "qwen2", "phi3", "granitemoe"):
        folder = tiny_models.MAKERS[family](tmp_path_factory.mktemp(family) / "base", dtype="float32")
        gguf_file.convert(folder, folder / "f32.gguf", "f32", name=tiny_models.FOLDERS[family])
        made[family] = folder
    return made


def trained(base: Path, out: Path, *, seed: int = 0, **settings: Any) -> Path:
    """An adapter as if it had been trained: no tensor of it is where it started."""
    model = peft.get_peft_model(_model(base), peft.LoraConfig(**settings))
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, values in model.named_parameters():
            if "lora_" in name:
                values.copy_(0.15 * torch.randn(values.shape, generator=source))
    model.save_pretrained(out)
    return out


def _model(base: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()


def by_peft(base: Path, adapter: Path) -> Any:
    """Log-probabilities (tokens, vocabulary) in float64."""
    model = peft.PeftModel.from_pretrained(_model(base), adapter).eval()
    with torch.no_grad():
        logits = model(torch.tensor([TOKENS])).logits[0]
    return torch.log_softmax(logits.double(), -1).numpy()


def by_runtime(model_file: Path, adapter_file: Path | None) -> Any:
    """The same from llama.cpp with a float32 KV cache."""
    native.llama_log_set(_silent, ctypes.c_void_p(0))
    model = native.llama_model_load_from_file(str(model_file).encode(), native.llama_model_default_params())
    params = native.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch, params.type_k, params.type_v = 256, 256, 256, 0, 0
    params.n_threads = params.n_threads_batch = 1
    params.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = native.llama_init_from_model(model, params)
    batch = native.llama_batch_init(len(TOKENS), 0, 1)
    try:
        if adapter_file:
            adapter = native.llama_adapter_lora_init(model, str(adapter_file).encode())
            assert adapter, "the runtime refuses the adapter"
            loaded = (native.llama_adapter_lora_p_ctypes * 1)(adapter)
            assert native.llama_set_adapters_lora(context, loaded, 1, (ctypes.c_float * 1)(1.0)) == 0
        batch.n_tokens = len(TOKENS)
        for place, token in enumerate(TOKENS):
            batch.token[place], batch.pos[place], batch.n_seq_id[place], batch.logits[place] = token, place, 1, 1
            batch.seq_id[place][0] = 0
        assert native.llama_decode(context, batch) == 0
        size = native.llama_vocab_n_tokens(native.llama_model_get_vocab(model))
        flat = numpy.ctypeslib.as_array(native.llama_get_logits(context), (len(TOKENS) * size,))
        logits = flat.reshape(len(TOKENS), size).astype(numpy.float64)
    finally:
        native.llama_batch_free(batch)
        native.llama_free(context)
        native.llama_model_free(model)
    highest = logits.max(axis=1, keepdims=True)
    return logits - highest - numpy.log(numpy.exp(logits - highest).sum(axis=1, keepdims=True))


@native.llama_log_callback  # type: ignore[untyped-decorator]
def _silent(_level: int, _text: bytes, _user: object) -> None:
    pass


def divergence(one: Any, other: Any) -> float:
    """Mean KL divergence a token, in nats."""
    width = min(one.shape[1], other.shape[1])
    return float((numpy.exp(one[:, :width]) * (one[:, :width] - other[:, :width])).sum(axis=1).mean())


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {"r": 4, "lora_alpha": 8, "target_modules": LINEAR}),
    "llama-rank-stabilised": ("llama", {"r": 8, "lora_alpha": 8, "use_rslora": True, "target_modules": LINEAR}),
    "qwen2": ("qwen2", {"r": 4, "lora_alpha": 8, "target_modules": LINEAR}),
    "qwen2-rank-stabilised": ("qwen2", {"r": 8, "lora_alpha": 8, "use_rslora": True, "target_modules": LINEAR}),
    "patterns": (
        "llama",
        {
            "r": 4,
            "lora_alpha": 8,
            "use_rslora": True,
            "target_modules": LINEAR,
            "rank_pattern": {"q_proj": 9, "down_proj": 2},
            "alpha_pattern": {"k_proj": 3, r"layers\.0\.mlp\.up_proj": 16},
        },
    ),
    "fused": ("phi3", {"r": 4, "target_modules": ["qkv_proj", "o_proj", "gate_up_proj", "down_proj", "lm_head"]}),
    "moe": ("granitemoe", {"r": 4, "lora_alpha": 64, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}),
}


@pytest.mark.parametrize("case", CASES)
def test_logits_equal_peft(case: str, bases: dict[str, Path], tmp_path: Path) -> None:
    family, settings = CASES[case]
    base = bases[family]
    adapter = trained(base, tmp_path / "adapter", **settings)
    lora.convert(adapter, tmp_path / "adapter.gguf", base=base)
    wanted = by_peft(base, adapter)
    assert divergence(wanted, by_runtime(base / "f32.gguf", None)) > 1e-2, "the adapter changes nothing"
    assert divergence(wanted, by_runtime(base / "f32.gguf", tmp_path / "adapter.gguf")) < 1e-7


def test_half_precision_is_near(bases: dict[str, Path], tmp_path: Path) -> None:
    base = bases["llama"]
    adapter = trained(base, tmp_path / "adapter", **CASES["llama"][1])
    lora.convert(adapter, tmp_path / "full.gguf", base=base)
    lora.convert(adapter, tmp_path / "half.gguf", base=base, kind="f16")
    assert (tmp_path / "half.gguf").stat().st_size < 0.6 * (tmp_path / "full.gguf").stat().st_size
    wanted = by_peft(base, adapter)
    assert 1e-9 < divergence(wanted, by_runtime(base / "f32.gguf", tmp_path / "half.gguf")) < 1e-5
