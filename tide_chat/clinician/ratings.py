"""Ratings of compared replies as files: ratings.csv and raters.csv for `tide-eval study analyse`, and replies.jsonl.

The columns are those of `training/evaluation/study/records.py` and `replies.py`, which a test reads them with; the app
cannot import them. All files are written anew after each rating, so that nothing given is lost.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tide_chat import atomic, paths
from tide_chat.clinician.sides import Answer, Pair
from tide_chat.errors import UsageError

RATINGS, RATERS, REPLIES = "ratings.csv", "raters.csv", "replies.jsonl"
SCALE = range(1, 6)
QUESTION = "How empathetic is it? 1 not at all, 5 very"
HOLDS = "It holds the messages and the replies, and is not encrypted: whoever can open the folder can read them."
_RATER = ("rater", "age", "gender", "education", "region", "started", "finished", "attention", "consent")


@dataclass(slots=True)
class Sitting:
    """What one person rates in one go. scenario: of all messages, the name under which they are analysed."""

    folder: Path
    rater: str
    scenario: str
    started: datetime
    ratings: list[dict[str, Any]] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    _named: dict[str, list[int]] = field(default_factory=dict)  # ratings by the name of a side that people read

    @classmethod
    def begin(cls, folder: Path, rater: str, scenario: str) -> "Sitting":
        """Raises UsageError where the folder has ratings already."""
        folder = paths.typed(folder)
        if there := [name for name in (RATINGS, RATERS, REPLIES) if (folder / name).exists()]:
            raise UsageError(
                "There are ratings in this folder already.",
                details=str(folder / there[0]),
                help="Name another folder: nothing is written over.",
            )
        return cls(folder, rater, scenario, datetime.now(UTC))

    def rate(self, pair: Pair, scores: Sequence[int], seconds: float) -> None:
        """scores: of A and B. seconds: on both. Raises ValueError for a score off the scale, OSError."""
        if len(scores) != len(pair.answers) or any(score not in SCALE for score in scores):
            raise ValueError(f"two ratings from 1 to 5 are needed, got {list(scores)}")
        for answer, score in zip(pair.answers, scores, strict=True):
            self.ratings.append(self._rating(pair, answer, score, seconds / len(scores)))
            self.replies.append(self._reply(pair, answer))
            self._named.setdefault(answer.side.shown, []).append(score)
        self._write()

    def _rating(self, pair: Pair, answer: Answer, score: int, seconds: float) -> dict[str, Any]:
        return {
            "rater": self.rater,
            "item": _item(pair),
            "scenario": self.scenario,
            "block": f"{pair.number:03}",
            "model": answer.side.model,
            "state": answer.side.state,
            "position": len(self.ratings) + 1,
            "rating": score,
            "seconds": round(seconds, 1),
        }

    def _reply(self, pair: Pair, answer: Answer) -> dict[str, Any]:
        usage = answer.result.usage
        return {
            "item": _item(pair),
            "model": answer.side.model,
            "state": answer.side.state,
            "said": [pair.text],
            "text": answer.result.reply,
            "reference": "",
            "scenario": self.scenario,
            "finish": str(answer.result.finish_reason),
            "prompt_tokens": usage.prompt_tokens,
            "tokens": usage.completion_tokens,
            "first_token_s": round(usage.ttft_s, 4),
        }

    def _write(self) -> None:
        now = datetime.now(UTC)
        about = dict.fromkeys(_RATER, "") | {"rater": self.rater, "attention": "unseen", "consent": "yes"}
        about |= {"started": _time(self.started), "finished": _time(now)}
        lines = (json.dumps(reply, ensure_ascii=False) + "\n" for reply in self.replies)
        atomic.write_text(self.folder / REPLIES, "".join(lines))
        atomic.write_text(self.folder / RATERS, _csv([about]))
        atomic.write_text(self.folder / RATINGS, _csv(self.ratings))

    def summary(self) -> str:
        """Means by side, for the one who rated."""
        if not self._named:
            return "Nothing was rated."
        parts = (f"{name}: {sum(of) / len(of):.2f}" for name, of in sorted(self._named.items()))
        count = len(self.ratings) // 2
        return f"{count} {'pair' if count == 1 else 'pairs'} rated. {', '.join(parts)}"


def _item(pair: Pair) -> str:
    return f"compare/{pair.number:03}"


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(rows[0])
    lines.writerows(row.values() for row in rows)
    return out.getvalue()
