"""Sources by name, files and folders, with their hashes."""

from hashlib import sha256
from pathlib import Path

import pytest

from tests.unit.training.data_rows import dialogue, write
from tide_chat.errors import DataError
from training.data import sources
from training.data.schema import Columns


def test_the_open_dialogues_are_the_default() -> None:
    loaded = sources.load()
    files = {"dialogues.jsonl": 1170, "plain-more.jsonl": 300, "plain.jsonl": 780}
    assert {file.name: file.rows for file in loaded.files} == files
    data = [row.dialogue for row in loaded.rows]
    assert sum(len(one.exchanges) for one in data) == 2629
    assert len({one.persona_id for one in data}) == 101  # 100 and none
    assert len({one.dialogue_id for one in data}) == len(data)
    assert {row.split for row in loaded.rows} == {""}


def test_one_of_the_two() -> None:
    assert len(sources.dialogues(["open:plain"])) == 780
    with pytest.raises(DataError, match="no such source") as caught:
        sources.load(["open:fancy"])
    assert "open:plain" in caught.value.help


def test_files_and_folders_once_each_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    first = write(tmp_path / "data" / "a.jsonl", [dialogue()])
    write(tmp_path / "data" / "b.jsonl", [dialogue(name="d2"), dialogue(name="d3")])
    for other in ("manifest.json", "README.md", ".hidden.jsonl"):
        (tmp_path / "data" / other).write_text("x", encoding="utf-8")
    loaded = sources.load([str(tmp_path / "data"), str(first)])
    assert [str(row.place) for row in loaded.rows] == ["a.jsonl, row 1", "b.jsonl, row 1", "b.jsonl, row 2"]
    assert loaded.files[0].sha256 == sha256(first.read_bytes()).hexdigest()


def test_a_folder_without_dialogues(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no dialogues in this folder"):
        sources.load([str(tmp_path)])


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.jsonl", "train"),
        ("train-00000-of-00001.parquet", "train"),
        ("validation.csv", "validation"),
        ("Dev.json", "validation"),
        ("test_2.tsv", "test"),
        ("training.jsonl", "train"),
        ("trainer.jsonl", ""),
        ("my-test.jsonl", ""),
        ("tide.csv", ""),
    ],
)
def test_files_that_are_splits_by_their_name(name: str, split: str) -> None:
    assert sources.split_of(Path(name)) == split


def test_columns_may_differ_by_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,answer\nHello.,Hi.\n", encoding="utf-8")
    columns = Columns(user="text", reply="answer")
    assert sources.dialogues([str(tmp_path / "a.csv")], columns)[0].exchanges == (("Hello.", "Hi."),)
    with pytest.raises(DataError, match=r"a\.csv: no column is known as user\."):
        sources.dialogues([str(tmp_path / "a.csv")])
