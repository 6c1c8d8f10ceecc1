"""`tide-convert`: merge, write GGUF, quantize, verify. Loads nothing that computes until it is asked to."""

import math
from collections.abc import Sequence
from pathlib import Path

import click

from tide_chat import entry
from tide_chat.errors import UsageError
from tide_chat.progress import bar

FILE = click.Path(path_type=Path)
_threads = click.option(
    "--threads", type=click.IntRange(1), help="How many to use. Otherwise as many as there are cores."
)
_download = click.option(
    "--download", is_flag=True, help="Fetch what is named owner/name from the hub. Uses the network."
)
_base = click.option("--base", help="The base model's folder or owner/name. Otherwise what the adapter names.")

app = entry.group("tide-convert", "Turn trained weights into the files that tide-chat runs.")


@app.command("all", short_help="Merge, write, quantize, verify and install, in one go.")
@click.argument("run", type=FILE)
@click.option("--quant", default="q4_k_m,q8_0", show_default=True, help="Types, separated by commas.")
@click.option("--out", type=FILE, help="The folder for the files. Otherwise RUN/gguf, or NAME/gguf for owner/NAME.")
@click.option("--base", help="What the adapter belongs to: a folder or owner/name. Otherwise what it says itself.")
@click.option("--name", default="", help="What the model is called. Otherwise RUN's last part.")
@click.option("--install", is_flag=True, help="Bring what passed the check into the app's models.")
@click.option("--data", type=FILE, help="JSON lines of dialogues to verify with. Otherwise our open dialogues.")
@click.option("--samples", type=click.IntRange(1), default=16, show_default=True, help="Dialogues to verify with.")
@_threads
@_download
def everything(
    run: Path,
    quant: str,
    out: Path | None,
    base: str | None,
    name: str,
    install: bool,
    data: Path | None,
    samples: int,
    threads: int | None,
    download: bool,
) -> int:
    """From RUN to GGUF files that the app loads.

    RUN is a run folder with an adapter, a folder with a whole model, or owner/name of the hub.
    """
    from convert import pipeline, sources

    job = pipeline.Job(
        source=sources.folder(str(run), download=download),
        name=name or run.resolve().name,
        out=out or (run if run.is_dir() else Path(run.name)) / "gguf",  # nothing is written into the hub's cache
        quants=tuple(part.strip() for part in quant.split(",") if part.strip()),
        base=base,
        data=data,
        download=download,
        install=install,
        samples=samples,
        threads=threads,
    )
    reports = pipeline.run(job, click.echo)
    return 0 if all(report.passed for report in reports) else 1


@app.command("merge", short_help="Merge adapters into their base model.")
@click.argument("base")
@click.argument("adapters", nargs=-1, required=True)
@click.option("--out", type=FILE, required=True, help="The folder to write; it must not exist or be empty.")
@click.option("--dtype", type=click.Choice(["f32", "f16", "bf16"]), help="Otherwise that of the base.")
@_download
def merge_command(base: str, adapters: tuple[str, ...], out: Path, dtype: str | None, download: bool) -> int:
    """Merge each of ADAPTERS (a folder, or FOLDER=SCALE) into BASE (a folder or owner/name)."""
    from convert import merge, sources

    scaled = [_scaled(each) for each in adapters]
    with bar() as say:
        found = sources.folder(base, download=download)
        done = merge.merge(found, scaled, out, dtype=dtype and dtype.upper(), say=say)
    click.echo(f"Written: {out}. {done}")
    return 0


def _scaled(given: str) -> tuple[Path, float]:
    """`FOLDER` or `FOLDER=0.5`. Raises UsageError."""
    name, sign, number = given.rpartition("=")
    if not sign or Path(given).exists():
        return Path(given), 1.0
    try:
        scale = float(number)
    except ValueError:
        scale = math.nan
    if not math.isfinite(scale):
        raise UsageError("A scale is no number.", details=given, help="Write FOLDER=0.5, or FOLDER alone for 1.")
    return Path(name), scale


@app.command("gguf", short_help="Write a model as GGUF.")
@click.argument("model")
@click.option("--out", type=FILE, required=True, help="The file to write.")
@click.option("--type", "kind", type=click.Choice(["f32", "f16", "bf16", "q8_0"]), default="f16", show_default=True)
@click.option("--name", default="", help="What the model is called inside the file. Otherwise the folder's name.")
@_download
def gguf_command(model: str, out: Path, kind: str, name: str, download: bool) -> int:
    """Write MODEL (a folder with config.json and safetensors, or owner/name) as one GGUF file."""
    from convert import gguf_file, sources

    with bar() as say:
        gguf_file.convert(sources.folder(model, download=download), out, kind, name=name, say=say)
    click.echo(f"Written: {_sized(out)}")
    return 0


@app.command("lora", short_help="Write an adapter as GGUF.")
@click.argument("adapter", type=FILE)
@click.option("--out", type=FILE, required=True, help="The file to write.")
@_base
@click.option("--type", "kind", type=click.Choice(["f32", "f16"]), default="f32", show_default=True)
@_download
def lora_command(adapter: Path, out: Path, base: str | None, kind: str, download: bool) -> int:
    """Write ADAPTER (a folder of peft's) as a GGUF adapter that the app can put on its base model."""
    from convert import lora, sources

    found = sources.folder(base or sources.base_of(adapter), download=download)
    with bar() as say:
        lora.convert(adapter, out, base=found, kind=kind, say=say)
    click.echo(f"Written: {_sized(out)}")
    return 0


@app.command("ship", short_help="Write the adapter that an entry of the catalogue names.")
@click.argument("adapter", type=FILE)
@click.option("--entry", type=FILE, required=True, help="Such as models/smollm2-135m-tide.toml.")
@_base
@click.option("--type", "kind", type=click.Choice(["f32", "f16"]), default="f16", show_default=True)
@_download
def ship_command(adapter: Path, entry: Path, base: str | None, kind: str, download: bool) -> int:
    """Write ADAPTER (a run folder) as GGUF beside --entry, and its checksum into it."""
    from convert import ship, sources

    found = sources.folder(base or sources.base_of(adapter), download=download)
    with bar() as say:
        out = ship.write(adapter, entry, found, kind, say)
    click.echo(f"Written: {_sized(out)}, and its checksum: {entry}")
    return 0


@app.command("imatrix", short_help="Find out which columns matter, for quantizing.")
@click.argument("file", type=FILE)
@click.option("--out", type=FILE, required=True, help="The file to write.")
@click.option("--data", type=FILE, help="JSON lines of dialogues, or plain text. Otherwise our open dialogues.")
@click.option("--chunks", type=click.IntRange(1), default=16, show_default=True, help="Of 512 tokens, to read.")
@_threads
def imatrix_command(file: Path, out: Path, data: Path | None, chunks: int, threads: int | None) -> int:
    """Run texts through FILE and write how strongly each column of each weight is used."""
    from convert import imatrix, pipeline

    source = data or pipeline.CALIBRATION
    texts, names = imatrix.texts_from(source), [source.name]
    with bar() as say:
        done = imatrix.collect(file, out, texts, threads=threads, most=chunks, datasets=names, say=say)
    click.echo(f"Written: {out}. {done}")
    return 0


@app.command("quantize", short_help="Make a GGUF smaller.")
@click.argument("file", type=FILE)
@click.option("--type", "kind", required=True, help="For example q4_k_m; `types` lists them all.")
@click.option("--out", type=FILE, required=True, help="The file to write.")
@click.option("--imatrix", "matrix", type=FILE, help="What `tide-convert imatrix` wrote.")
@click.option("--allow-requantize", is_flag=True, help="Also from a file that is quantized already; costs quality.")
@_threads
def quantize_command(
    file: Path, kind: str, out: Path, matrix: Path | None, allow_requantize: bool, threads: int | None
) -> int:
    """Write FILE in another type."""
    from convert import quantize

    with bar() as say:
        done = quantize.quantize(
            file, out, kind, imatrix=matrix, threads=threads, allow_requantize=allow_requantize, say=say
        )
    click.echo(f"Written: {out}. {done}")
    return 0


@app.command("types", short_help="List the types that `quantize` knows.")
def types_command() -> int:
    """Each type with its size and what it is for."""
    from convert import quantize

    for each in quantize.TYPES:
        click.echo(str(each))
    return 0


@app.command("verify", short_help="Compare GGUF files with the model they came from.")
@click.argument("model")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--data", type=FILE, help="JSON lines of dialogues. Otherwise our open dialogues.")
@click.option("--samples", type=click.IntRange(1), default=16, show_default=True, help="Dialogues to read.")
@click.option("--table", type=FILE, help="Also write a table (.md) with a plot beside it (.svg).")
@_threads
@_download
def verify_command(
    model: str,
    files: tuple[Path, ...],
    data: Path | None,
    samples: int,
    table: Path | None,
    threads: int | None,
    download: bool,
) -> int:
    """Compare each of FILES with MODEL (a folder or owner/name). Exit code 1 when one does not pass."""
    from convert import pipeline, sources, verify
    from convert.verify import page

    folder = sources.folder(model, download=download)
    dialogues = data or pipeline.HELD_OUT
    with bar() as say:
        if table:
            reports = verify.compare(
                files, folder, table, dialogues=dialogues, samples=samples, threads=threads, say=say
            )
        else:
            reports = verify.verify_all(files, folder, dialogues=dialogues, samples=samples, threads=threads, say=say)
    for report in reports:
        click.echo(page.details(report))
    return 0 if all(report.passed for report in reports) else 1


@app.command("dequantize", short_help="Turn a GGUF back into a folder that can be trained.")
@click.argument("file", type=FILE)
@click.option("--out", type=FILE, required=True, help="The folder to write; it must not exist or be empty.")
@click.option("--dtype", type=click.Choice(["f32", "f16", "bf16"]), default="f32", show_default=True)
def dequantize_command(file: Path, out: Path, dtype: str) -> int:
    """Write FILE as a folder with config.json, safetensors and tokenizer."""
    from convert import dequantize

    with bar() as say:
        dequantize.dequantize(file, out, dtype=dtype.upper(), say=say)
    click.echo(f"Written: {out}")
    return 0


@app.command("risk", short_help="Write a trained risk encoder in the form the app loads.")
@click.argument("run", type=FILE)
@click.option("--out", type=FILE, required=True, help="The folder to write to, such as models.")
@click.option("--type", "kind", type=click.Choice(["f32", "f16", "q8_0", "q4_0"]), default="q4_0", show_default=True)
def risk(run: Path, out: Path, kind: str) -> int:
    """Write risk-encoder.gguf and risk-encoder.json from the run folder of `tide-train risk`."""
    from convert.safety import write

    click.echo(write(run, out, kind))
    return 0


@app.command("guard", short_help="Write a trained guard encoder in the form the app loads.")
@click.argument("run", type=FILE)
@click.option("--out", type=FILE, required=True, help="The folder to write to, such as models.")
@click.option("--type", "kind", type=click.Choice(["f32", "f16", "q8_0", "q4_0"]), default="q4_0", show_default=True)
def guard(run: Path, out: Path, kind: str) -> int:
    """Write guard-encoder.gguf and guard-encoder.json from the run folder of `tide-train guard`."""
    from convert.safety import write_guard

    click.echo(write_guard(run, out, kind))
    return 0


def _sized(file: Path) -> str:
    return f"{file} ({file.stat().st_size / 1e6:.1f} MB)"


def main(arguments: Sequence[str] | None = None) -> int:
    return entry.run(app, arguments)
