"""Rows too long for a tokenizer and a limit. Counts the texts alone; a chat template adds some tokens a turn."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tide_chat.errors import DataError, MissingExtra
from tide_chat.progress import Say
from training.data.findings import Check, Checked, Measure, Severity, of_row, percent
from training.data.schema import Row

Count = Callable[[Sequence[str]], list[int]]  # texts -> tokens of each
_BATCH = 512  # texts tokenised at once


def counter(tokenizer: Path) -> Count:
    """Counts with a `tokenizer.json`, or the one in a folder. Raises DataError, MissingExtra."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("Counting tokens", "train") from error
    path = tokenizer / "tokenizer.json" if tokenizer.is_dir() else tokenizer
    if not path.is_file():
        raise DataError("There is no tokenizer.", details=str(path), help="Give a tokenizer.json or a folder with one.")
    try:
        loaded = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise DataError("The tokenizer cannot be read.", details=f"{path}: {error}") from error
    loaded.no_truncation()
    loaded.no_padding()

    def count(texts: Sequence[str]) -> list[int]:
        return [len(one.ids) for one in loaded.encode_batch(list(texts), add_special_tokens=False)]

    return count


def checker(count: Count, limit: int) -> Check:
    """A check whose errors are dialogues of more than `limit` tokens. Measures: half, 95% and the longest."""

    def check(rows: Sequence[Row], say: Say) -> Checked:
        sizes: list[int] = []
        for start in range(0, len(rows), _BATCH):
            say("counting tokens", start, len(rows))
            sizes += _sizes(count, rows[start : start + _BATCH])
        long = [(row, size) for row, size in zip(rows, sizes, strict=True) if size > limit]
        found = (
            of_row("too-long", Severity.ERROR, row, f"has {size} tokens, {size - limit} too many") for row, size in long
        )
        return Checked(tuple(found), (_measured(sizes, len(long), limit),))

    return check


def _sizes(count: Count, rows: Sequence[Row]) -> list[int]:
    numbers = iter(count([message.text for row in rows for message in row.dialogue.turns]))
    return [sum(next(numbers) for _ in row.dialogue.turns) for row in rows]


def _measured(sizes: Sequence[int], long: int, limit: int) -> Measure:
    ordered = sorted(sizes)
    half, most, longest = (ordered[min(len(ordered) - 1, len(ordered) * part // 100)] for part in (50, 95, 100))
    value = (
        f"half up to {half}, 95% up to {most}, longest {longest}; over {limit}: {long} ({percent(long, len(sizes))})"
    )
    return Measure(
        "tokens of a dialogue", value, {"p50": half, "p95": most, "max": longest, "limit": limit, "over": long}
    )
