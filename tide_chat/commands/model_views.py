"""How `tide-chat models` shows things: the JSON shape of a model, tables, progress. Decides nothing."""

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from tide_chat.commands.output import print_columns
from tide_chat.terminal import is_terminal, neutral

if TYPE_CHECKING:
    from pathlib import Path

    from tide_chat.registry import Installed, Model, Verified

OUTCOMES = {
    "ok": "good",
    "changed": "its bytes have changed",
    "unusable": "cannot be used",
    "unknown": "can be used; there is no checksum to compare with",
}


def row(model: "Model | None", one: "Installed | None") -> dict[str, Any]:
    """A model in the shape that commands.models promises."""
    from tide_chat.registry import machine

    entry, file = (model.entry, model.file) if model else (None, None)
    size = one.size if one else file.size_bytes if file else 0
    needed = machine.memory_needed(size, entry.kv_bytes_per_token if entry else size // 25_000)
    return {
        "alias": one.alias if one else model and model.alias,
        "title": entry and entry.title,
        "family": entry and entry.family,
        "maker": entry and entry.maker,
        "quantization": file and file.quantization,
        "parameters": entry and entry.parameters,
        "active_parameters": entry and entry.active_parameters,
        "context": entry and entry.context,
        "context_limit": model and model.context_limit,
        "size_bytes": size,
        "size_is_approximate": one is None,
        "memory_bytes": needed,
        "fits_memory": machine.fits_memory(needed),
        "licence": entry and entry.licence.name,
        "licence_conditions": entry and entry.licence.conditions,
        "reasoning": entry and entry.reasoning,
        "sampling": entry and entry.sampling.model_dump(),
        "notes": entry.notes if entry else (),
        "repo": file and file.repo,
        "file": file.file if file else one and one.path.name,
        "revision": file and file.revision,
        "installed": one is not None,
        "place": one and one.place,
        "path": one and str(one.path),
    }


def verified(result: "Verified") -> dict[str, Any]:
    return {
        "alias": result.installed.alias,
        "path": str(result.installed.path),
        "outcome": result.outcome,
        "sha256": result.sha256 or None,
        "expected": result.expected or None,
        "problem": result.problem or None,
    }


def verification(source: "Path", sha256: str) -> str:
    """What `tide-convert verify` found of this very file, in one line; "" when it was never asked."""
    try:
        found = json.loads(source.with_name("verify.json").read_text(encoding="utf-8"))["files"][source.name]
        numbers, same = found["numbers"], found["sha256"] == sha256
        verdict = "passed" if found["passed"] else "did NOT pass"
        figures = f"KL {numbers['kl_mean']:.2g} nats a token, same top token {100 * numbers['top_agreement']:.1f}%"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    if not same:
        return "Note: verify.json beside it speaks of another file of that name; verify it anew."
    return f"Verified against {found['folder']}: {verdict}; {figures}."


def print_table(rows: list[dict[str, Any]]) -> None:
    from tide_chat.registry import human_size

    lines = [("NAME", "HERE", "SIZE", "MEMORY", "STORED AS", "LICENCE")]
    for row in rows:
        memory = human_size(row["memory_bytes"]) + ("" if row["fits_memory"] else " (too much here)")
        lines.append(
            (
                row["alias"],
                "yes" if row["installed"] else "-",
                human_size(row["size_bytes"]),
                memory,
                row["quantization"] or "-",
                row["licence"] or "not known",
            )
        )
    print_columns(lines)


def print_details(row: dict[str, Any]) -> None:
    from tide_chat.registry import human_size

    about = "about " if row["size_is_approximate"] else ""
    sampling = row["sampling"] or {}
    facts = {
        "Name": row["alias"],
        "Model": row["title"] and f"{row['title']}, by {row['maker']}",
        "Family": row["family"],
        "Stored as": row["quantization"],
        "Parameters": row["parameters"] and f"{row['parameters'] / 1e6:,.0f} million",
        "Context": row["context_limit"] and f"{row['context_limit']} tokens",
        "Size": about + human_size(row["size_bytes"]),
        "Memory": f"about {human_size(row['memory_bytes'])}" + ("" if row["fits_memory"] else ", too much for here"),
        "Licence": row["licence"] and f"{row['licence']}. {row['licence_conditions']}",
        "Thinks first": None if row["reasoning"] is None else "yes" if row["reasoning"] else "no",
        "Sampling": ", ".join(f"{name} {value}" for name, value in sampling.items()),
        "Comes from": row["repo"] and f"{row['repo']}, {row['file']}",
        "On this computer": row["path"] or "no",
    }
    for label, text in facts.items():
        if text:
            click.echo(neutral(f"{label + ':':18}{text}"))
    for note in row["notes"]:
        click.echo(f"\n{note}")


class Progress:
    """One line that is drawn again on a terminal; elsewhere a plain line for each tenth. Silent when not shown."""

    def __init__(self, what: str, *, shown: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._shown, self._clock = what, shown, clock
        self._drawn = is_terminal(sys.stderr)
        self._began: tuple[float, int] | None = None
        self._tenth = -1
        self._open = False
        self._width = 0  # of what stands there, to be written over

    def report(self, done: int, total: int) -> None:
        if not self._shown or not total:
            return
        self._began = self._began or (self._clock(), done)
        if self._drawn:
            line = self._line(done, total)
            click.echo("\r" + line.ljust(self._width), nl=False, err=True)
            self._open, self._width = True, len(line)
        elif done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            click.echo(self._line(done, total), err=True)

    def note(self, line: str) -> None:
        self.close()
        if self._shown:
            click.echo(line, err=True)

    def close(self) -> None:
        """End the line that is being drawn."""
        if self._open:
            click.echo(err=True)
            self._open = False

    def _line(self, done: int, total: int) -> str:
        from tide_chat.registry import human_size

        since, first = self._began or (self._clock(), done)
        elapsed = self._clock() - since
        rate = (done - first) / elapsed if elapsed >= 1 else 0  # before that it says nothing
        line = f"{self._what}: {done * 100 // total}% of {human_size(total)}"
        if rate and done < total:
            line += f", {human_size(rate)}/s, {_duration((total - done) / rate)} left"
        return line


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
