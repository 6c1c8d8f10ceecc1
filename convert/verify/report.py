"""What a verification found: frozen values, the limits they are held against, and the file that keeps them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tide_chat import atomic
from tide_chat.errors import TideError

KL_LIMITS: Mapping[str, float] = {"F32": 1e-6, "F16": 1e-5, "Q8_0": 1e-2}
"""The most mean KL divergence from HF's model, in nats a token, by file type. Others are reported, not judged.

BF16 is not as near as F16: the runtime rounds what it multiplies with to the type of the weights, here to 8 bits. A
file that is HF's bit by bit still measures 2e-5 (2 layers) to 2e-4 (SmolLM2).
"""

NAME = "verify.json"


@dataclass(frozen=True, slots=True)
class Line:
    """One check. passed: None where nothing is demanded, only reported."""

    what: str
    passed: bool | None
    found: str
    wanted: str = ""

    def __str__(self) -> str:
        mark = {True: "pass", False: "FAIL", None: "    "}[self.passed]
        wanted = f" ({self.wanted})" if self.wanted else ""
        return f"{mark}  {self.what}: {self.found}{wanted}"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The runtime against HF's model, teacher-forced. KL in nats a token, HF's distribution first."""

    tokens: int
    kl_mean: float
    kl_p99: float
    kl_max: float
    top_agreement: float  # share of positions at which both put the same token first
    perplexity: float  # of the runtime
    perplexity_hf: float
    perplexity_error: float  # one standard error of ln(perplexity / perplexity_hf), over tokens, both on the same


@dataclass(frozen=True, slots=True)
class Stops:
    """Whether replies end: the end token where a reference reply ends, and greedy replies that end by themselves."""

    replies: int
    rank_first: int  # of them, how often it is the likeliest token
    probability: float  # of it, in the mean
    greedy: int
    emitted: int  # of the greedy replies, how many ended by themselves


@dataclass(frozen=True, slots=True)
class Report:
    """All about one file. size in bytes."""

    file: str
    folder: str
    sha256: str
    kind: str
    size: int
    bits_per_weight: float
    lines: tuple[Line, ...]
    numbers: Numbers
    stops: Stops | None

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def failures(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.passed is False)

    def __str__(self) -> str:
        numbers = self.numbers
        verdict = "passed" if self.passed else f"FAILED: {', '.join(line.what for line in self.failures)}"
        return (
            f"{self.file}: {verdict}. {self.kind}, {self.size / 1e6:.1f} MB, KL {numbers.kl_mean:.2g} nats a token, "
            f"same top token {100 * numbers.top_agreement:.1f}%, perplexity {numbers.perplexity:.2f} "
            f"({numbers.perplexity_hf:.2f} before)"
        )


def judged(kind: str, numbers: Numbers) -> Line:
    """The line on the KL divergence."""
    limit = KL_LIMITS.get(kind)
    # `not (x < y)`, so that a value that is no number fails.
    return Line(
        "KL divergence, mean",
        None if limit is None else numbers.kl_mean < limit,
        f"{numbers.kl_mean:.2e} nats a token",
        f"below {limit:.0e}" if limit else f"no limit for {kind}",
    )


def write(report: Report, file: Path) -> Path:
    """Put the report into `verify.json` beside the file, which keeps one entry a file. Raises TideError."""
    out = file.with_name(NAME)
    entries = read(out)
    entries[file.name] = asdict(report) | {"passed": report.passed}
    try:
        atomic.write_text(out, json.dumps({"files": entries}, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise TideError("The report cannot be written.", details=f"{out}: {error.strerror or error}") from error
    return out


def read(path: Path) -> dict[str, Any]:
    """The entries of a `verify.json` by file name; none when there is none or it makes no sense."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return entries if isinstance(entries, dict) else {}
