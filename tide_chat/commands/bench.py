"""`tide-chat bench`: measures what the app promises on this machine, as ratios against references in the same run.

`docs/performance.md` is the Markdown that it prints. Takes a few minutes; wants an otherwise idle machine.
"""

import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import click

from tide_chat.bench.result import Measure

Part = Callable[[], list[Measure]]


@click.command("bench", short_help="Measure speed and memory on this machine.")
@click.option("--model", metavar="M", help="Alias of a model, or the path of a .gguf file.")
@click.option(
    "--only",
    metavar="PART",
    help="One part: decode, adapter, threads, first-token, stop, memory, start, keys, check, guard.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(model: str | None, only: str | None, as_json: bool) -> int:
    """Measure speed and memory on this machine. Ends with 1 when a goal is missed.

    Every line is a value beside its reference, measured in turns in the same run; believe the ratios.
    """
    from tide_chat.engine.threads import usable_cores
    from tide_chat.errors import UsageError
    from tide_chat.registry import Registry

    resolved = Registry.load().resolve(model)
    parts = _parts(resolved.path, resolved.adapter)
    if only and only not in parts:
        raise UsageError(f"There is no part '{only}'.", help=f"Parts: {', '.join(parts)}")
    heading = f"{resolved.path.name} on {platform.machine()}, {usable_cores()} cores"
    rows: list[Measure] = []
    for row in _run({only: parts[only]} if only else parts):
        rows.append(row)
        click.echo(_head(heading, row) if len(rows) == 1 else _markdown(row), err=as_json)
    if as_json:
        click.echo(json.dumps({"machine": heading, "rows": [_to_json(row) for row in rows]}, indent=2))
    return int(any(row.met is False for row in rows))


def _parts(model: Path, adapter: Path | None) -> dict[str, Part]:
    from tide_chat.bench import engine, safety, screen
    from tide_chat.engine.threads import usable_cores

    counts = sorted({1, usable_cores()})
    with_adapter: dict[str, Part] = {"adapter": lambda: engine.adapter_cost(model, adapter)} if adapter else {}
    return {
        "decode": lambda: [row for count in counts for row in engine.decode_speed(model, count)],
        **with_adapter,
        "threads": lambda: engine.adaptation(model, usable_cores()),
        "first-token": lambda: engine.first_token(model),
        "stop": lambda: engine.stop(model),
        "memory": lambda: engine.memory(model),
        "start": lambda: screen.start(model),
        "keys": lambda: screen.keys(model),
        "check": safety.check,
        "guard": safety.guard,
    }


def _run(parts: dict[str, Part]) -> Iterator[Measure]:
    for name, part in parts.items():
        click.echo(f"measuring: {name}", err=True)
        yield from part()


def _head(heading: str, row: Measure) -> str:
    columns = "| what | value | reference | ratio | goal | met |\n|---|---|---|---|---|---|"
    return f"{heading}\n\n{columns}\n{_markdown(row)}"


def _markdown(row: Measure) -> str:
    met = {None: "", True: "yes", False: "no"}[row.met]
    goal = f"{row.goal} {row.unit if row.on_value else ''}".strip()
    return (
        f"| {row.name} | {row.value:.4g} {row.unit} | {row.reference:.4g} {row.unit}, {row.reference_name} "
        f"| {row.ratio:.3g} | {goal} | {met} |"
    )


def _to_json(row: Measure) -> dict[str, object]:
    return {**asdict(row), "ratio": row.ratio, "met": row.met}
