"""Puts the report together: data, modes, figures, timings. Prints nothing and writes nothing."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tide_chat.progress import Say
from tide_chat.safety import router
from tide_chat.safety.assessment import Tier
from tide_chat.safety.classifier import ENCODER, Classifier
from tide_chat.safety.encoder import default_folder
from training.evaluation.safety import figures, judges, latency, measure
from training.evaluation.safety.measure import Outcome, Transform
from training.evaluation.safety.rows import Row, Script, labelled, scripts

WRONG = ("missed", "understated", "alarm", "flags", "lost", "hidden", "drawn", "turn")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run measures. `models` None: the encoder that comes with the app."""

    data: Sequence[Path]
    turns: Sequence[Path] = ()
    modes: Sequence[str] = judges.MODES
    seed: int = 0
    models: Path | None = None
    disguised: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """`figures` is safety.json; `misses` one object for each thing that did not come out as labelled."""

    figures: dict[str, Any]
    misses: list[dict[str, Any]]


def make(plan: Plan, say: Say) -> Report:
    """Measure everything. Raises DataError, UsageError, EncoderUnusable."""
    rows, played = labelled(plan.data), scripts(plan.turns)
    texts = latency.texts_of([row.text for row in rows])
    if list(plan.modes) == ["rules"]:
        report = assemble(plan, rows, played, None, say)
    else:
        encoder = judges.Remembering(plan.models)
        try:
            encoder.read("good morning")
            report = assemble(plan, rows, played, encoder, say)
        finally:
            encoder.close()
    report.figures["timings"] = _timings(plan, texts)
    return report


def assemble(plan: Plan, rows: Sequence[Row], played: Sequence[Script], encoder: Classifier | None, say: Say) -> Report:
    """The report without timings: the same for the same data, rules and encoder."""
    ways = measure.transforms() if plan.disguised else {}
    outcomes = {mode: _outcome(mode, rows, played, encoder, ways, plan.seed, say) for mode in plan.modes}
    misses = figures.misses(outcomes)
    modes = {mode: figures.of_mode(outcome) for mode, outcome in outcomes.items()}
    for mode, found in modes.items():
        counts = Counter(one["what"] for one in misses if one["mode"] == mode)
        found["misses"] = {what: counts[what] for what in WRONG}
    described = {
        "data": [_described(path) for path in plan.data],
        "rows": {tier.name: sum(row.tier is tier for row in rows) for tier in Tier},
        "scripts": len(played),
        "seed": plan.seed,
        "encoder": _sha256((plan.models or default_folder()) / ENCODER) if encoder else None,
        "modes": modes,
        "calibration": _calibration(outcomes, encoder) if encoder else {},
        "timings": {},
    }
    return Report(described, misses)


def _outcome(
    mode: str,
    rows: Sequence[Row],
    played: Sequence[Script],
    encoder: Classifier | None,
    ways: Mapping[str, Transform],
    seed: int,
    say: Say,
) -> Outcome:
    assess = judges.judge(mode, encoder)
    plain = measure.verdicts(assess, rows, say, mode)
    disguised = measure.disguises(assess, plain, ways, seed, say, mode)
    around = measure.surrounded(assess, plain, seed, say, mode) if ways else ()
    return Outcome(plain, disguised, around, measure.courses(assess, played))


def _calibration(outcomes: Mapping[str, Outcome], encoder: Classifier) -> dict[str, Any]:
    seen = next(iter(outcomes.values())).verdicts
    return figures.calibration([(verdict, encoder.read(router.excerpt(verdict.row.text))) for verdict in seen])


def _timings(plan: Plan, texts: Sequence[str]) -> dict[str, Any]:
    found = {"rules": latency.rules(texts)}
    if list(plan.modes) != ["rules"]:
        found["both"] = latency.both(texts, plan.models)
    return found


def _described(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    lines = sum(bool(line.strip()) for line in data.split(b"\n"))
    return {"file": path.name, "lines": lines, "sha256": hashlib.sha256(data).hexdigest()}


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
