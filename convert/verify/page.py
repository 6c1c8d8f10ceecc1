"""Reports as Markdown: a table of files, and all checks of one."""

from collections.abc import Sequence

from convert.verify.report import KL_LIMITS, Report

_HEAD = (
    "File", "Type", "MB", "Bits a weight", "KL, mean", "KL, 99%", "Same top token", "Perplexity", "Tokens/s", "Verdict"
)  # fmt: skip


def table(reports: Sequence[Report], picture: str = "") -> str:
    """One row a file, what the columns mean, and the picture."""
    lines = [_row(_HEAD), _row("---" for _ in _HEAD), *(_row(_cells(report)) for report in reports)]
    hf = reports[0].numbers
    limits = ", ".join(f"{kind} {limit:.0e}" for kind, limit in KL_LIMITS.items())
    note = (
        f"KL divergence from the original, nats a token, over {hf.tokens:,} tokens of held-out dialogues; limits: "
        f"{limits}; other types have none. Perplexity of the original: {hf.perplexity_hf:.3f}. "
        "Tokens/s: greedy decoding with single-precision keys and values on this machine."
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


def _cells(report: Report) -> tuple[str, ...]:
    numbers, stops = report.numbers, report.stops
    return (
        report.file.replace("|", r"\|"),
        report.kind,
        f"{report.size / 1e6:.1f}",
        f"{report.bits_per_weight:.2f}",
        f"{numbers.kl_mean:.2g}",
        f"{numbers.kl_p99:.2g}",
        f"{100 * numbers.top_agreement:.1f}%",
        f"{numbers.perplexity:.3f}",
        f"{stops.tokens_per_second:.1f}" if stops and stops.tokens_per_second else "",
        "pass" if report.passed else "FAIL",
    )


def _row(cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"  # type: ignore[call-overload]
