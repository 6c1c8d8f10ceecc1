"""Speeds of files that took turns on a machine that was busy for a while."""

from pathlib import Path

import pytest

from convert.verify import speed
from convert.verify.speed import Speed

ROUNDS = {"slow": [10.0, 2.0, 12.0], "fast": [20.0, 4.0, 30.0]}  # tokens a second; something else ran in the second one


def test_ratios_are_of_the_same_round(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = {name: iter(paces) for name, paces in ROUNDS.items()}
    asked: list[str] = []

    def pace(file: Path, _threads: int | None) -> float:
        asked.append(file.name)
        return next(turns[file.name])

    monkeypatch.setattr(speed, "_pace", pace)
    monkeypatch.setattr(speed, "ROUNDS", 3)
    found = speed.measure([Path("slow"), Path("fast")])
    assert found == [Speed(12.0, 1.0), Speed(30.0, 2.0)]
    assert asked == ["slow", "fast"] * 3
