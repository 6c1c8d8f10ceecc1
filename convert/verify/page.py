"""Reports as Markdown: a table of files, and all checks of one."""

from collections.abc import Sequence

from convert.verify.report import KL_LIMITS, Numbers, Report
from convert.verify.speed import ROUNDS, Speed

_HEAD = (
    "File", "Type", "MB", "Bits a weight", "KL, mean", "KL, 99%", "Same top token", "Perplexity", "Above the original",
    "Tokens/s", "To the first", "Verdict",
)  # fmt: skip


def table(reports: Sequence[Report], speeds: Sequence[Speed], picture: str = "") -> str:
    """One row a file, what the columns mean, and the picture. speeds: one a report."""
    rows = [_row(_cells(report, speed)) for report, speed in zip(reports, speeds, strict=True)]
    lines = [_row(_HEAD), _row("---" for _ in _HEAD), *rows]
    hf = reports[0].numbers
    limits = ", ".join(f"{kind} {limit:.0e}" for kind, limit in KL_LIMITS.items())
    note = (
        f"KL divergence from the original, nats a token, over {hf.tokens:,} tokens of held-out dialogues; limits: "
        f"{limits}; other types have none. Perplexity of the original: {hf.perplexity_hf:.3f}; how far each file is "
        "above it, with two standard errors of the differences token by token. Tokens/s: decoding with "
        f"single-precision keys and values, the best of {ROUNDS} rounds in which the files took turns. On a busy "
        "machine only the ratio to the first file says something: the median of the rounds."
    )
    lines += ["", note]
    if picture:
        lines += ["", f"![Size and divergence of each file]({picture})"]
    return "\n".join(lines) + "\n"


def details(report: Report) -> str:
    """Every check of one file as lines of text, the failing ones last."""
    lines = sorted(report.lines, key=lambda line: line.passed is False)
    verdict = "passed" if report.passed else f"FAILED: {len(report.failures)} of {len(lines)} checks"
    return "\n".join([*map(str, lines), f"{report.file}: {verdict}"])


def _cells(report: Report, speed: Speed) -> tuple[str, ...]:
    numbers = report.numbers
    return (
        report.file.replace("|", r"\|"),
        report.kind,
        f"{report.size / 1e6:.1f}",
        f"{report.bits_per_weight:.2f}",
        f"{numbers.kl_mean:.2g}",
        f"{numbers.kl_p99:.2g}",
        f"{100 * numbers.top_agreement:.1f}%",
        f"{numbers.perplexity:.3f}",
        _change(numbers),
        f"{speed.tokens_per_second:.1f}",
        f"{speed.ratio:.2f}",
        "pass" if report.passed else "FAIL",
    )


def _change(numbers: Numbers) -> str:
    """Of perplexity, in percent. Its error is that of a logarithm, times the ratio."""
    ratio = numbers.perplexity / numbers.perplexity_hf
    return f"{100 * (ratio - 1):+.2f}% ± {200 * ratio * numbers.perplexity_error:.2f}%"


def _row(cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"  # type: ignore[call-overload]
