"""An HF folder without weights for each family: the real chat template, a small tokenizer with the real one's steps."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.integration import tiny_tokenizers
from tests.integration.tiny_tokenizers import Made

TEMPLATES = Path(__file__).parents[2] / "data" / "templates"
Words = tuple[str | None, str]


def _smollm2() -> Made:
    return tiny_tokenizers.digits(["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>"])


def _granite() -> Made:
    return tiny_tokenizers.digits(["<|end_of_text|>", "<fim_prefix>", "<|start_of_role|>", "<|end_of_role|>"])


def _phi3() -> Made:
    return tiny_tokenizers.phi3()[:2]


# What makes the tokenizer, its begin and end, and the token that ends a reply.
FAMILIES: dict[str, tuple[Callable[[], Made], Words, str]] = {
    "qwen2.5": (tiny_tokenizers.qwen2, (None, "<|im_end|>"), "<|im_end|>"),
    "smollm2": (_smollm2, ("<|im_start|>", "<|im_end|>"), "<|im_end|>"),
    "llama-3.2": (tiny_tokenizers.llama3, ("<|begin_of_text|>", "<|eot_id|>"), "<|eot_id|>"),
    "phi-3.5": (_phi3, ("<s>", "<|endoftext|>"), "<|end|>"),
    "granite-3.1": (_granite, ("<|end_of_text|>", "<|end_of_text|>"), "<|end_of_text|>"),
    "r1-distill": (
        tiny_tokenizers.deepseek,
        ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
        "<｜end▁of▁sentence｜>",
    ),
}


def chat_folder(folder: Path, family: str) -> Path:
    """Write the folder and return it."""
    make, (bos, eos), end = FAMILIES[family]
    tokenizer, special = make()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": bos, "eos_token": eos}))
    (folder / "chat_template.jinja").write_bytes((TEMPLATES / f"{family}.jinja").read_bytes())
    stops = sorted({special[eos], special[end]})
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": stops}))
    (folder / "config.json").write_text(json.dumps({"vocab_size": tokenizer.get_vocab_size()}))
    return folder
