"""The result of a check, for people and for programs. Knows no check."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from training.data.findings import Finding, Measure, Severity
from training.data.sources import SourceFile

_LISTED = 5  # findings of a kind in the text


@dataclass(frozen=True, slots=True)
class Report:
    """What was read and what is wrong with it."""

    files: tuple[SourceFile, ...]
    dialogues: int
    exchanges: int
    personas: int
    scenarios: dict[str, int]
    measures: tuple[Measure, ...]
    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...]

    @property
    def errors(self) -> int:
        return sum(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.findings) - self.errors

    @property
    def passed(self) -> bool:
        return not self.errors

    def to_dict(self) -> dict[str, Any]:
        """JSON of it; every finding, and figures as numbers."""
        return {"passed": self.passed, "errors": self.errors, "warnings": self.warnings, **asdict(self)}

    def to_text(self) -> str:
        return "\n".join(_lines(self)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    for file in report.files:
        yield f"{file.name}: {file.rows} rows, sha256 {file.sha256[:16]}…"
    scenarios = len(report.scenarios.keys() - {""})
    yield (
        f"{report.dialogues} dialogues, {report.exchanges} exchanges, {report.personas} persons, {scenarios} scenarios"
    )
    for measure in report.measures:
        yield f"{measure.name}: {measure.value}"
    for severity in Severity:
        yield from _listed(severity, [finding for finding in report.findings if finding.severity is severity])
    for what in report.not_checked:
        yield f"Not checked: {what}"
    yield f"Result: {_count(report.errors, 'error')}, {_count(report.warnings, 'warning')}."


def _listed(severity: Severity, findings: list[Finding]) -> Iterator[str]:
    for kind, count in Counter(finding.kind for finding in findings).items():
        yield f"\n{severity.upper()} {kind}: {count}"
        yield from (f"  {finding}" for finding in [one for one in findings if one.kind == kind][:_LISTED])
        if count > _LISTED:
            yield f"  … and {count - _LISTED} more; --json lists all"
    if findings:
        yield ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
