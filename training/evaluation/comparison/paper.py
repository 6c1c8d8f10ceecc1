"""Table 1 of the paper (arXiv 2505.15065) as data, and what in it can be compared with what is computed here."""

from dataclasses import dataclass

METRICS = ("cosine", "BERTScore F1", "METEOR", "ROUGE-L", "Distinct-1", "Distinct-2")


@dataclass(frozen=True, slots=True)
class Published:
    """One model: its means zero-shot and fine-tuned, in the order of `METRICS`. key: is in every name of the model."""

    model: str
    key: str
    zero_shot: tuple[float, ...]
    fine_tuned: tuple[float, ...]

    def means(self, metric: str) -> tuple[float, float] | None:
        if metric not in METRICS:
            return None
        place = METRICS.index(metric)
        return self.zero_shot[place], self.fine_tuned[place]


def _row(model: str, key: str, *pairs: float) -> Published:
    return Published(model, key, pairs[::2], pairs[1::2])


TABLE_1 = (
    _row("Phi 3.5-mini", "phi-3.5-mini", 0.56, 0.58, 0.88, 0.89, 0.32, 0.33, 0.83, 0.84, 0.19, 0.21, 0.33, 0.35),
    _row("granite 3.1-3b", "granite-3.1-3b", 0.57, 0.58, 0.88, 0.89, 0.33, 0.34, 0.82, 0.83, 0.18, 0.20, 0.32, 0.35),
    _row("Qwen 2.5-3B", "qwen2.5-3b", 0.55, 0.56, 0.89, 0.90, 0.31, 0.33, 0.83, 0.84, 0.20, 0.24, 0.35, 0.37),
    _row("Qwen 2.5-1.5B", "qwen2.5-1.5b", 0.57, 0.59, 0.89, 0.90, 0.33, 0.34, 0.83, 0.84, 0.21, 0.25, 0.35, 0.37),
    _row("Qwen 2.5-0.5B", "qwen2.5-0.5b", 0.50, 0.52, 0.88, 0.88, 0.26, 0.27, 0.80, 0.81, 0.17, 0.21, 0.30, 0.31),
    _row(
        "R1-Distill-Qwen 1.5B", "r1-distill-qwen-1.5b",
        0.60, 0.61, 0.89, 0.90, 0.35, 0.36, 0.80, 0.81, 0.22, 0.23, 0.35, 0.39,
    ),
    _row("Llama 3.2-3B", "llama-3.2-3b", 0.61, 0.63, 0.89, 0.90, 0.35, 0.36, 0.79, 0.79, 0.20, 0.25, 0.33, 0.37),
    _row("Llama 3.2-1B", "llama-3.2-1b", 0.62, 0.64, 0.89, 0.90, 0.37, 0.38, 0.80, 0.80, 0.20, 0.22, 0.32, 0.35),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """short: for a cell of a table."""

    short: str
    why: str


NO = "no"
_PRINTED = "the paper's 96 printed replies, computed anew"
VERDICTS = {
    "cosine": Verdict("on TIDE", f"The same encoder. On {_PRINTED}, it is .56, as in its Table 1."),
    "BERTScore F1": Verdict("on TIDE", "The library's default for English, not rescaled: the paper's values look so."),
    "METEOR": Verdict(
        "roughly", f"NLTK's defaults fit ({_PRINTED}, give .31 without WordNet). Whether it used WordNet is not said."
    ),
    "ROUGE-L": Verdict(
        NO,
        f"The standard gives .26 on {_PRINTED}, not .79 to .84. Counting the padding of both texts gives such values, "
        "also against a wrong reference; that this happened is a guess.",
    ),
    "Distinct-1": Verdict(NO, f"On {_PRINTED}, .88 per reply and .22 pooled; pooled values depend on the amount."),
    "Distinct-2": Verdict(NO, f"On {_PRINTED}, .99 per reply and .56 pooled; pooled values depend on the amount."),
}
OTHER = Verdict(NO, "The paper has no such value.")


def published(model: str) -> Published | None:
    """The paper's row of a model by any usual name: alias, repository or file."""
    name = model.casefold()
    return next((row for row in TABLE_1 if row.key in name), None)


def verdict(metric: str) -> Verdict:
    return VERDICTS.get(metric, OTHER)


def span(metric: str) -> tuple[float, float] | None:
    """The lowest and the highest mean of the paper's models in either state."""
    found = [mean for row in TABLE_1 for mean in row.means(metric) or ()]
    return (min(found), max(found)) if found else None
