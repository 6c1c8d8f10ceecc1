"""How often is the risk encoder sure of a situation, and right? python tools/measure_scenarios.py

Messages that it did not learn from: the themes that `tide-train risk` held out, and `plain-more.jsonl`. Prints, for
thresholds of a situation's chances, the share of messages that get guidance and how many of those get the right one.
"""

import json
import sys

from tide_chat import scenario
from training.evaluation.auto import beside
from training.risk import data, sources

THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
MORE = data.DIALOGUES / "plain-more.jsonl"


def messages() -> list[tuple[str, str]]:
    """Text and label."""
    _, held = data.split(sources.rows())
    more = map(json.loads, MORE.read_text(encoding="utf-8").splitlines())
    rows = [(row.text, row.scenario) for row in held if row.scenario]
    return rows + [(row["user_input"], row["scenario"]) for row in more]


def main() -> int:
    rows = messages()
    read = beside.assessments(tuple(text for text, _ in rows))
    found = [(*scenario.likeliest(one.scenarios), label) for one, (_, label) in zip(read, rows, strict=True)]
    sys.stdout.write(f"{len(rows)} messages\n\n| from | guidance | right |\n|---|---|---|\n")
    for threshold in THRESHOLDS:
        told = [label in guidance.scenarios for chance, guidance, label in found if chance >= threshold]
        sys.stdout.write(f"| {threshold} | {len(told) / len(rows):.2f} | {sum(told) / max(1, len(told)):.2f} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
