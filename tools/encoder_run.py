"""The run folder of the shipped risk encoder, to learn on from. python tools/encoder_run.py OUT [--models FOLDER]

Nothing is lost on the way: its matrices have four bits in the file, and `--rounded` learnt with those; its word
embeddings have eight. The tokenizer is that of the package which carries all-MiniLM-L6-v2: both know the same words.
Then: tide-train risk --base OUT --rounded --out RUN
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from convert import output
from convert.architectures import TABLE
from convert.from_gguf.source import Source
from convert.from_gguf.tensors import named
from tide_chat.errors import DataError, TideError
from tide_chat.safety.classifier import ENCODER, HEADS, NGRAMS
from tide_chat.safety.encoder import default_folder
from training.risk.model import HEADS_FILE, base_folder
from training.risk.train import NGRAMS_FILE

LINES = {line.gguf: line for line in TABLE["bert"].tensors}
ROOM = 256 << 20  # bytes; a run takes some 130 MB


def write(models: Path, out: Path) -> None:
    """Write the folder `out`, which must be new or empty.

    Raises DataError, MissingExtra, ModelNotFound, ModelUnusable, UsageError, TideError; leaves no half-written folder.
    """
    source = Source(models / ENCODER)
    if source.architecture != "bert":
        raise DataError("This is no risk encoder.", details=f"{source.path}: {source.architecture}")
    shipped = _heads(models / HEADS)
    ngrams = _bytes(models / NGRAMS)
    tokenizer = AutoTokenizer.from_pretrained(base_folder(), local_files_only=True)
    if [_bare(token) for token in source.get("tokenizer.ggml.tokens")] != [
        _bare(token) for token in tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    ]:
        raise DataError("The encoder has other words than the tokenizer.", details=f"{source.path} and {base_folder()}")
    encoder = BertModel(config(source), add_pooling_layer=False)
    encoder.load_state_dict(
        {named(LINES, name, source)[1]: torch.from_numpy(source.floats(name)) for name in source.tensors}
    )
    with output.folder(out, ROOM) as part:
        encoder.save_pretrained(part)
        tokenizer.save_pretrained(part)
        (part / "run.json").write_text(json.dumps(shipped.pop("trained"), indent=2) + "\n")
        (part / HEADS_FILE).write_text(json.dumps(shipped))
        (part / NGRAMS_FILE).write_bytes(ngrams)


def config(source: Source) -> BertConfig:
    """Raises DataError."""
    return BertConfig(
        vocab_size=source.tensors["token_embd.weight"].shape[0],
        type_vocab_size=source.tensors["token_types.weight"].shape[0],
        hidden_size=source.need("embedding_length"),
        intermediate_size=source.need("feed_forward_length"),
        num_hidden_layers=source.need("block_count"),
        num_attention_heads=source.need("attention.head_count"),
        max_position_embeddings=source.need("context_length"),
        layer_norm_eps=float(f"{source.need('attention.layer_norm_epsilon'):.7g}"),
    )


def _heads(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {name: found[name] for name in ("heads", "thresholds", "trained")}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError("The encoder's heads cannot be read.", details=f"{file}: {error}") from error


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError("The encoder's n-grams cannot be read.", details=f"{file}: {error}") from error


def _bare(token: str) -> str:
    return token.removeprefix("##").removeprefix("▁")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--models", type=Path, default=default_folder(), metavar="FOLDER")
    given = parser.parse_args()
    try:
        write(given.models, given.out)
    except TideError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
