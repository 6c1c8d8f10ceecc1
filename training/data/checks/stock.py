"""Stock phrases in replies: those of a list that is meant to be reviewed, and word for word repetitions of any kind.

The list (`data_files/stock-phrases.tsv`) began with the failures that the paper names. A phrase now and then is
harmless; a share of all replies is what a model learns. Compares words: a paraphrase is not found.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tide_chat.errors import DataError
from tide_chat.progress import Say
from training.data import near
from training.data.findings import Checked, Finding, Measure, Severity, percent
from training.data.schema import Row

PHRASES = Path(__file__).resolve().parents[2] / "data_files" / "stock-phrases.tsv"
TOO_OFTEN = 0.02  # share of the replies
_LENGTH = 5  # words of a repetition
_LISTED = 5  # repetitions in the report


def check(rows: Sequence[Row], _say: Say) -> Checked:
    """A warning for each phrase in more than one reply of fifty. Measures: the share, and what is repeated most."""
    replies = [near.words(reply) for row in rows for reply in row.dialogue.replies]
    counts = Counter(phrase for reply in replies for phrase in in_reply(" ".join(reply)))
    having = sum(1 for reply in replies if in_reply(" ".join(reply)))
    found = tuple(
        _often(phrase, count, len(replies))
        for phrase, count in counts.most_common()
        if count > TOO_OFTEN * len(replies)
    )
    share = f"{having} of {len(replies)} replies ({percent(having, len(replies))}) have a stock phrase"
    return Checked(found, (Measure("stock phrases", share, {"replies": having, **counts}), _repeated(replies)))


def in_reply(reply: str) -> list[str]:
    """The phrases of the list that stand in a reply."""
    padded = f" {' '.join(near.words(reply))} "
    return [phrase for phrase, words in phrases().items() if f" {words} " in padded]


@cache
def phrases(path: Path = PHRASES) -> dict[str, str]:
    """Each phrase of the list and its words as they are compared. Raises DataError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The list of stock phrases cannot be read.", details=f"{path}: {error}") from error
    listed = (line.partition("\t")[0].strip() for line in lines if line.strip() and not line.startswith("#"))
    return {phrase: " ".join(near.words(phrase)) for phrase in listed}


def _often(phrase: str, count: int, whole: int) -> Finding:
    return Finding(
        "stock-phrase", Severity.WARNING, "replies", f"“{phrase}” stands in {count} ({percent(count, whole)})"
    )


def _repeated(replies: Sequence[tuple[str, ...]]) -> Measure:
    counts: Counter[str] = Counter()
    for reply in replies:
        counts.update({" ".join(reply[i : i + _LENGTH]) for i in range(len(reply) - _LENGTH + 1)})
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_LISTED]
    value = "; ".join(f"“{words}” {percent(count, len(replies))}" for words, count in most) or "nothing"
    return Measure("most repeated in replies", value, dict(most))
