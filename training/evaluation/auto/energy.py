"""Energy that the processor has used, where Linux lets one read it (RAPL): by everything that ran, not by us alone."""

from pathlib import Path

ZONES = Path("/sys/class/powercap")


class Meter:
    """Joules since the last question; None where they cannot be read."""

    def __init__(self, zones: Path = ZONES) -> None:
        self._zones = [path for path in sorted(zones.glob("intel-rapl:[0-9]*")) if path.name.count(":") == 1]
        self._last = self._read()

    def used(self) -> float | None:
        before, self._last = self._last, self._read()
        if not before or not self._last:
            return None
        return sum(
            (now - then if now >= then else now + most - then) / 1e6
            for (then, most), (now, _) in zip(before, self._last, strict=True)
        )

    def _read(self) -> list[tuple[int, int]] | None:
        """(microjoules, where the counter begins anew) of each package."""
        try:
            return [
                (int((zone / "energy_uj").read_text()), int((zone / "max_energy_range_uj").read_text()))
                for zone in self._zones
            ]
        except (OSError, ValueError):  # only for root on most systems
            return None
