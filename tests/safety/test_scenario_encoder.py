"""The shipped encoder on messages that it did not learn from: where it is sure, it is mostly right."""

import json
from pathlib import Path

from tide_chat.scenario import find, guidances
from training.evaluation.auto import beside

HELD_OUT = "training/data_files/dialogues/plain-more.jsonl"  # `training.risk.data.SCENARIO_FILES` leaves it out


def test_guidance_is_mostly_right_and_often_silent(checkout: Path) -> None:
    rows = [json.loads(line) for line in (checkout / HELD_OUT).read_text(encoding="utf-8").splitlines()]
    of = {label: one.name for one in guidances() for label in one.scenarios}
    *read, nothing = beside.assessments((*(row["user_input"] for row in rows), "what is the capital of France"))
    found = [(find(one.scenarios), of.get(row["scenario"])) for one, row in zip(read, rows, strict=True)]
    spoken = [(one.name, truth) for one, truth in found if one]
    assert 0.3 <= len(spoken) / len(rows) <= 0.7
    assert sum(name == truth for name, truth in spoken) >= 0.7 * len(spoken)
    assert sum(nothing.scenarios.values()) > 0.999
    assert find(nothing.scenarios) is None
