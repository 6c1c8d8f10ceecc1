"""`tide-train`: data and fine-tuning. The libraries that compute are loaded by the sub-command that needs them."""

from collections.abc import Sequence

from tide_chat import entry

PLANNED = {
    "data": "Check and split the dialogues.",
    "sft": "Fine-tune a model by a recipe.",
}

app = entry.group("tide-train", "Prepare data and fine-tune the models that tide-chat runs.", PLANNED)


def main(arguments: Sequence[str] | None = None) -> int:
    return entry.run(app, arguments)
