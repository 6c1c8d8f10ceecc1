"""Joules from the counters of the kernel, which begin anew now and then."""

from pathlib import Path

from training.evaluation.auto.energy import Meter


def zone(folder: Path, name: str, value: int) -> Path:
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    (path / "energy_uj").write_text(f"{value}\n")
    (path / "max_energy_range_uj").write_text("10000000\n")
    return path


def test_packages_are_summed_and_their_parts_are_not(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", 1_000_000)
    zone(tmp_path, "intel-rapl:1", 9_000_000)
    zone(tmp_path, "intel-rapl:0:0", 0)
    meter = Meter(tmp_path)
    zone(tmp_path, "intel-rapl:0", 1_500_000)
    zone(tmp_path, "intel-rapl:1", 1_000_000)  # has begun anew after 10 J
    zone(tmp_path, "intel-rapl:0:0", 5_000_000)
    assert meter.used() == 0.5 + 2.0
    assert meter.used() == 0


def test_nothing_where_it_cannot_be_read(tmp_path: Path) -> None:
    assert Meter(tmp_path).used() is None
    broken = zone(tmp_path, "intel-rapl:0", 1)
    (broken / "energy_uj").unlink()
    assert Meter(tmp_path).used() is None
