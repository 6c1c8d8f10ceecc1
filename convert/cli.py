"""`tide-convert`: merge, write GGUF, quantize, verify. Loads nothing that computes until it is asked to."""

from collections.abc import Sequence
from pathlib import Path

import click

from tide_chat import entry

PLANNED = {
    "merge": "Merge an adapter into its base model.",
    "gguf": "Write a model as GGUF.",
    "lora": "Write an adapter as GGUF.",
    "quantize": "Make a GGUF smaller.",
    "verify": "Compare a GGUF with the model it came from.",
}

app = entry.group("tide-convert", "Turn trained weights into the files that tide-chat runs.", PLANNED)


@app.command("risk", short_help="Write a trained risk encoder in the form the app loads.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write to, such as models.")
@click.option("--type", "kind", type=click.Choice(["f32", "f16", "q8_0"]), default="q8_0", show_default=True)
def risk(run: Path, out: Path, kind: str) -> int:
    """Write risk-encoder.gguf and risk-encoder.json from the run folder of `tide-train risk`."""
    from convert.risk import write

    click.echo(write(run, out, kind))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    return entry.run(app, arguments)
