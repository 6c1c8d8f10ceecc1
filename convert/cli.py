"""`tide-convert`: merge, write GGUF, quantize, verify. Loads nothing that computes until it is asked to."""

from collections.abc import Sequence

from tide_chat import entry

PLANNED = {
    "merge": "Merge an adapter into its base model.",
    "gguf": "Write a model as GGUF.",
    "lora": "Write an adapter as GGUF.",
    "quantize": "Make a GGUF smaller.",
    "verify": "Compare a GGUF with the model it came from.",
}

app = entry.group("tide-convert", "Turn trained weights into the files that tide-chat runs.", PLANNED)


def main(arguments: Sequence[str] | None = None) -> int:
    return entry.run(app, arguments)
