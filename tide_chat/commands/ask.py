"""`tide-chat ask`: one message, one answer. Stdout holds the answer alone, so that other programs can read it.

Which model, notices and cards go to stderr. Knows nothing of how a reply is made.
"""

import json
import sys
from pathlib import Path
from typing import Any

import click

from tide_chat.commands import options, turns
from tide_chat.engine.base import FinishReason
from tide_chat.errors import DataError, UsageError
from tide_chat.events import CardShown, Done, Notice, TextDelta, TurnResult
from tide_chat.terminal import is_terminal

TEXT_LIMIT = 1_000_000  # bytes; more than any model here can read, and little enough to hold
_WHO_ANSWERS = "A program answers, not a person. It does not replace care."
_EXIT_CODES = {
    FinishReason.CANCELLED: 130,
    FinishReason.DIED: 1,
    FinishReason.ERROR: 1,
}  # unless the error knows better


@click.command("ask", short_help="Answer one message and end.")
@click.argument("text", nargs=-1, metavar="TEXT|-")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the answer.")
@click.option("--max-tokens", type=int, metavar="N", help="The longest answer, in tokens.")
@options.with_options
def command(text: tuple[str, ...], as_json: bool, chat_template: Path | None, **given: Any) -> int:
    """Answer one message and end. With - instead of TEXT, the message is read from standard input.

    The answer goes to standard output, everything else to standard error. Ctrl+C keeps what was written so far.
    """
    message = _message(text)
    if is_terminal(sys.stderr):
        _say(_WHO_ANSWERS)
    chosen = options.read(chat_template, **given)
    from tide_chat.compose import Session

    with Session(chosen.settings, chosen.chat_template, on_model=_say) as session:
        return answer(session.companion, message, as_json=as_json)


def _message(words: tuple[str, ...]) -> str:
    """What was asked, from the command line or from standard input. Raises UsageError, DataError."""
    if not words:
        raise UsageError("There is no message.", help="tide-chat ask TEXT, or tide-chat ask - to read it from a pipe.")
    text = _piped() if words == ("-",) else _decoded(" ".join(words).encode("utf-8", "surrogateescape"))
    if not text.strip():
        raise UsageError("The message is empty.", help="tide-chat ask TEXT, or tide-chat ask - to read it from a pipe.")
    return text


def _piped() -> str:
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("Standard input is closed.", help="Give the message on the command line: tide-chat ask TEXT")
    data = sys.stdin.buffer.read(TEXT_LIMIT + 1)
    if len(data) > TEXT_LIMIT:
        raise DataError("The message is too long.", details=f"It has more than {TEXT_LIMIT} bytes.")
    return _decoded(data)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            "The message is not UTF-8 text.",
            details=f"The byte at position {error.start} is 0x{data[error.start]:02x}.",
            help="Convert it first, for example with iconv -t UTF-8.",
        ) from error


def answer(companion: turns.Talk, message: str, *, as_json: bool) -> int:
    """Print the answer as it comes, or as JSON at the end. Returns the exit code."""
    result: TurnResult | None = None
    trimmed = turns.Trimmed()
    for event in turns.read(lambda cancel: companion.reply(message, cancel)):
        match event:
            case TextDelta(text) if not as_json:
                click.echo(trimmed.feed(text), nl=False)
            case Notice(text):
                _say(text)
            case CardShown(card) if not as_json:
                _say(turns.card_text(card))
            case Done(result):
                pass
    if result is None:  # every turn ends with Done or raises
        return 1
    click.echo(_json(result) if as_json else "")
    return result.error.exit_code if result.error else _EXIT_CODES.get(result.finish_reason, 0)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _json(result: TurnResult) -> bytes:
    """The contract. UTF-8 whatever the terminal speaks, as JSON has it."""
    usage = result.usage
    fields = {
        "reply": result.reply,
        "tier": f"T{int(result.assessment.tier)}",
        "flags": [str(flag) for flag in result.assessment.flags],
        "reasons": [str(reason) for reason in result.assessment.reasons],
        "cards": list(result.cards),
        "route": result.route,
        "model": result.model,
        "adapter": result.adapter,
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
        "ttft_s": round(usage.ttft_s, 4),
        "decode_tps": round(usage.decode_tps, 2),
        "finish_reason": str(result.finish_reason),
        "guard": list(result.guard),
    }
    return json.dumps(fields, ensure_ascii=False).encode()
