"""What the app showed beside what the model wrote: counted, and listed for reading."""

import json
from dataclasses import replace
from pathlib import Path

from tests.unit.training.auto_replies import reply
from training.evaluation import tables
from training.evaluation.auto import screen
from training.evaluation.auto.cache import Written
from training.evaluation.replies import FINE_TUNED, Reply

LOOP = "It was loud. It was loud. It was loud. And"


def through(text: str, wrote: str | None, item: str, state: str = "zs") -> tuple[Reply, Written]:
    app = {"wrote": wrote, "wrote_finish": "length" if wrote == LOOP else "stop" if wrote else None}
    made = replace(reply(text, item=item, finish="length"), state=state, seconds=2.0)
    return made, Written(text, "length", app=app)


PAIRS = [
    through("It was loud.", LOOP, "d1/0"),
    through("", "User: no", "d2/0"),
    through("Are you safe right now?", None, "d3/0"),
    through("You stayed.", "You stayed.", "d1/0", FINE_TUNED),
]
REPLIES, WRITTEN = [pair[0] for pair in PAIRS], [pair[1] for pair in PAIRS]


def test_faults_are_counted_before_and_after_the_app(tmp_path: Path) -> None:
    screen.write(tmp_path, REPLIES, WRITTEN, "command").write(tmp_path)
    found = tables.Table.read(tmp_path / "tables" / "screen.json")
    assert found.columns == ("what", "m zs, written", "m zs, screen", "m ft, written", "m ft, screen")
    rows = {row[0]: row[1:] for row in found.rows}
    assert rows["Replies"] == (2, 3, 1, 1)
    assert rows["Loops"] == (1, 0, 0, 0)
    assert rows["Speaker label or control token"] == (1, 0, 0, 0)
    assert rows["Ends in mid-sentence"] == (2, 1, 0, 0)
    assert rows["Empty"] == (0, 1, 0, 0)
    assert rows["Seconds, mean"] == (None, 2.0, None, 2.0)


def test_what_is_wrong_on_the_screen_is_listed_with_what_was_written(tmp_path: Path) -> None:
    screen.write(tmp_path, REPLIES, WRITTEN, "command").write(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / screen.FAULTS).read_text().splitlines()]
    assert {(line["item"], line["fault"]) for line in lines} == {
        ("d2/0", "Ends in mid-sentence"),
        ("d2/0", "Broken opening"),
        ("d2/0", "Empty"),
    }
    assert {(line["shown"], line["wrote"]) for line in lines} == {("", "User: no")}
