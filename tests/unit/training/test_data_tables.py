"""Files of each format give the same rows; broken rows are told by place and broken files end with a DataError."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tide_chat.errors import DataError, MissingExtra
from training.data.schema import Place, Problem, Record
from training.data.tables import FORMATS, records

ROWS: list[dict[str, Any]] = [
    {"user_input": "Hello,\n“you” \u2028there", "reference_response": 'It is "fine".'},
    {"user_input": "Grüße", "reference_response": "Tea; or, coffee?"},
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A file of the kind its name says."""
    if path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps({"version": 1, "data": rows}), encoding="utf-8")
    elif path.suffix == ".parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
            table.writeheader()
            table.writerows(rows)
    return path


@pytest.mark.parametrize("suffix", FORMATS)
def test_each_format_gives_the_same_rows(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"set{suffix}", ROWS)
    assert list(records(path)) == [Record(Place(path.name, number), row) for number, row in enumerate(ROWS, 1)]


def test_parquet_with_lists_and_nothing(tmp_path: Path) -> None:
    rows = [{"turns": [{"role": "user", "content": "a"}], "persona": None}]
    (found,) = records(write(tmp_path / "set.parquet", rows))
    assert isinstance(found, Record)
    assert found.values == rows[0]


def test_parquet_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "set.parquet", ROWS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match="Reading parquet needs the 'train' extra"):
        list(records(path))


def test_broken_lines_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text('{"a": 1}\n\n{"a": \n[1]\n{"a": NaN}\n' + "[" * 100_000 + '\n{"a": 2}\n', encoding="utf-8")
    found = list(records(path))
    assert [one.place.row for one in found] == [1, 3, 4, 5, 6, 7]
    assert [type(one) for one in found] == [Record, Problem, Problem, Problem, Problem, Record]
    assert str(found[1]) == "set.jsonl, row 3: is not JSON (Expecting value at column 7)"
    assert str(found[2]) == "set.jsonl, row 4: is not an object"


def test_a_row_with_too_many_cells(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text("user,reply\na,b\nc,d,e\nf\n", encoding="utf-8")
    first, second, third = records(path)
    assert str(second) == "set.csv, row 2: has more cells than columns (['e'])"
    assert isinstance(first, Record)
    assert isinstance(third, Record)
    assert third.values == {"user": "f", "reply": None}


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("set.txt", b"a", "kind of file is not known"),
        ("set.jsonl", b'{"a": "\xff"}\n', "not UTF-8"),
        ("set.csv", b"user,reply\n\xff,b\n", "not UTF-8"),
        ("set.json", b"{", "is not JSON"),
        ("set.json", b'{"a": 1}', "holds no list"),
        ("set.json", b"\xff", "not UTF-8"),
        ("set.csv", b"user,user\na,b\n", "Two columns have the same name"),
        ("set.csv", b'user,reply\n"a"b,c\n', "cannot be read"),
        ("set.parquet", b"PAR1 not really", "not readable as parquet"),
    ],
)
def test_broken_files(name: str, data: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=expected) as caught:
        list(records(path))
    assert name in caught.value.details


def test_a_quotation_mark_that_is_never_closed_names_the_row_before(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text('user,reply\na,b\nc,d\n"e,f\ng,h\n', encoding="utf-8")
    with pytest.raises(DataError, match="table cannot be read") as caught:
        list(records(path))
    assert f"{path}, after row 2: " in caught.value.details


@pytest.mark.parametrize("end", [0.5, 0.99])
def test_a_parquet_file_that_is_cut(end: float, tmp_path: Path) -> None:
    path = write(tmp_path / "set.parquet", ROWS)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(end * len(whole))])
    with pytest.raises(DataError, match="not readable as parquet"):
        list(records(path))


def test_a_parquet_page_that_is_broken_is_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "set.parquet", ROWS)
    path.write_bytes(path.read_bytes()[:4] + bytes(range(0x80, 0xC0)) + path.read_bytes()[68:])
    with pytest.raises(DataError, match="not readable as parquet") as caught:
        list(records(path))
    assert "\n" not in caught.value.details


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read") as caught:
        list(records(tmp_path / "none.csv"))
    assert "none.csv: No such file" in caught.value.details
