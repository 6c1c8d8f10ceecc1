"""`tide-chat assess`: what the safety layer sees in a text, as JSON lines. No model is loaded and nothing is stored.

Knows the shape of the lines only; the safety layer decides. Front ends for people never show this.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from tide_chat.errors import DataError, UsageError
from tide_chat.safety.assessment import Assessment
from tide_chat.safety.classifier import Classifier
from tide_chat.safety.encoder import default_folder
from tide_chat.safety.router import Router
from tide_chat.safety.state import RiskState

Assess = Callable[[str, RiskState | None], Assessment]


@click.command("assess", short_help="Show what the safety layer sees in a text.")
@click.option("--jsonl", "as_lines", is_flag=True, help='Read JSON lines {"id", "text"} or {"id", "turns": [...]}.')
@click.option("--rules", is_flag=True, help="Rules alone, without the risk encoder.")
@click.argument("source", default="-", metavar="[FILE|-]")
def command(source: str, as_lines: bool, rules: bool) -> int:
    """Show what the safety layer sees in a text, as one JSON object, or with --jsonl one for each line, in order.

    The text is read from FILE or from standard input; no chat model is loaded. A tier is for routing, no judgement.
    """
    data = _read(source)
    classifier = None if rules else Classifier(default_folder(), patience=_PATIENCE)
    try:
        assess = Router(classifier).assess
        if not as_lines:
            _print(None, assess(data.decode("utf-8", "replace"), None))
            return 0
        for number, line in _lines(data):
            identity, turns = _parsed(number, line)
            _print(identity, over_turns(turns, assess))
        return 0
    finally:
        if classifier:
            classifier.close()


_PATIENCE = 30.0  # seconds: nobody waits at a keyboard here, and the same text has to give the same answer


def over_turns(turns: list[str], assess: Assess) -> Assessment:
    """The newest turn, in the light of those before it (oldest first)."""
    state, assessment = RiskState(), Assessment()
    for turn in turns:
        assessment = assess(turn, state)
        state = state.after(assessment, turn)
    return assessment


def as_json(identity: object, assessment: Assessment) -> dict[str, object]:
    """The contract other programs rely on."""
    return {
        "id": identity,
        "tier": assessment.tier.name,
        "flags": [str(flag) for flag in assessment.flags],
        "subject": assessment.subject,
        "time": assessment.time,
        "reasons": [str(reason) for reason in assessment.reasons],
    }


def _print(identity: object, assessment: Assessment) -> None:
    click.echo(json.dumps(as_json(identity, assessment), ensure_ascii=False))


def _read(source: str) -> bytes:
    if source != "-":
        try:
            return Path(source).read_bytes()
        except OSError as error:
            raise UsageError("The file cannot be read.", details=f"{source}: {error.strerror}") from error
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("Standard input is closed.", help="Name a file: tide-chat assess FILE")
    return sys.stdin.buffer.read()


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not empty. Raises DataError where a line is not UTF-8."""
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            line = raw.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise DataError("A line is not UTF-8 text.", details=f"Line {number}.") from error
        if line:
            yield number, line


def _parsed(number: int, line: str) -> tuple[object, list[str]]:
    """Id and turns of one line. Raises DataError."""
    wanted = 'Each line is an object with "id" and either "text" or "turns", a list of texts.'
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError("A line is not JSON.", details=f"Line {number}: {error}", help=wanted) from error
    row = row if isinstance(row, dict) else {}
    turns = [row["text"]] if "text" in row else row.get("turns")
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, str) for turn in turns):
        raise DataError("A line has no text.", details=f"Line {number}.", help=wanted)
    return row.get("id", number), turns
