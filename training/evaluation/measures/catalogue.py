"""All measures, each with what it is in words, and their numbers for a list of replies. Knows no file and no model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tide_chat.errors import UsageError
from tide_chat.progress import Say, quiet
from training.evaluation.measures import cost, factors, safety, stance, writing
from training.evaluation.replies import ZERO_SHOT, Reply

REFERENCE = "reference"  # the name under which the references of the data are measured as well
_SHARE, _THOUSAND = "share of replies", 1000.0


@dataclass(frozen=True, slots=True)
class Measure:
    """of: a number for each reply, nan where there is none. unit: of the mean in a table, which is `times` that number.

    better: "low" or "high" where that can be said.
    """

    name: str
    what: str
    unit: str
    of: Callable[[Sequence[Reply]], list[float]]
    better: str = ""
    times: float = 1.0


MEASURES = (
    Measure("factors", "Of the three factors, how many", "share", factors.coverage, "high"),
    Measure("recognition", "Names the feeling (classifier)", _SHARE, factors.recognition, "high"),
    Measure("normalization", "Says why it is usual (classifier)", _SHARE, factors.normalization, "high"),
    Measure("reflection", "Reflects, offers one thing (classifier)", _SHARE, factors.reflection, "high"),
    Measure("reactions", "Emotional reactions, EPITOME-like, by rules", "level, 0 to 2", stance.reactions),
    Measure("interpretations", "Interpretations, EPITOME-like, by rules", "level, 0 to 2", stance.interpretations),
    Measure("explorations", "Explorations, EPITOME-like, by rules", "level, 0 to 2", stance.explorations),
    Measure("questions", "Questions", "a reply", stance.questions),
    Measure("advice", "Sentences of advice", "a reply", stance.advice),
    Measure("advice_first", "Advice before validation", _SHARE, factors.advice_first, "low"),
    Measure("validates_first", "Begins with validation (classifier or rules)", _SHARE, factors.validates_first, "high"),
    Measure("concrete", "Suggests something concrete, by rules", _SHARE, stance.concrete),
    Measure("stock", "A stock phrase", _SHARE, writing.stock_phrases, "low"),
    Measure("repeated_sentences", "Sentences said before in the reply", "share", writing.repeated_sentences, "low"),
    Measure("repeated_runs", "Runs of 4 words said before in the reply", "share", writing.repeated_runs, "low"),
    Measure("loops", "Loops", _SHARE, writing.loops, "low"),
    Measure("shared_runs", "Runs of 4 words that another reply has", "share", writing.shared_runs, "low"),
    Measure("broken_openings", "Broken opening", _SHARE, writing.broken_openings, "low"),
    Measure("broken_endings", "Broken ending", _SHARE, writing.broken_endings, "low"),
    Measure("role_leaks", "Speaker label or control token", _SHARE, writing.role_leaks, "low"),
    Measure("prompt_leaks", "Repeats the system prompt", _SHARE, writing.prompt_leaks, "low"),
    Measure("echoes", "Repeats what the person said", _SHARE, writing.echoes, "low"),
    Measure(
        "violations", "The guard would hold something back", "in 1,000 replies", safety.violations, "low", _THOUSAND
    ),
    Measure("words", "Words", "a reply", writing.length),
    Measure("grade", "Reading level, Flesch-Kincaid", "US grade", writing.grade),
    Measure("tokens", "Tokens", "a reply", cost.tokens),
    Measure("seconds", "Time", "s a reply", cost.seconds, "low"),
    Measure("speed", "Speed", "tokens a second", cost.speed, "high"),
)
NAMES = tuple(measure.name for measure in MEASURES)
BY_CLASSIFIER = tuple(measure.name for measure in MEASURES if measure.of.__module__ == factors.__name__)


def named(names: Sequence[str]) -> tuple[Measure, ...]:
    """Those of these names, in the catalogue's order. Raises UsageError."""
    if unknown := [name for name in names if name not in NAMES]:
        raise UsageError(
            f"There is no measure {', '.join(unknown)}.", help=f"There are, beside the metrics: {', '.join(NAMES)}."
        )
    return tuple(measure for measure in MEASURES if measure.name in names)


def score(replies: Sequence[Reply], wanted: Sequence[Measure] = MEASURES, say: Say = quiet) -> dict[str, list[float]]:
    """By measure a number for each reply, in their order. Raises MissingExtra where a measure needs more."""
    found: dict[str, list[float]] = {}
    for number, measure in enumerate(wanted):
        say(f"measuring {measure.name}", number, len(wanted))
        found[measure.name] = measure.of(replies)
    return found


def references(replies: Sequence[Reply]) -> list[Reply]:
    """The replies of the data's writers to the same items, each once, as if a model had written them."""
    first: dict[str, Reply] = {}
    for reply in replies:
        first.setdefault(reply.item, reply)
    made = {"model": REFERENCE, "state": ZERO_SHOT, "finish": "stop"}
    none = {"prompt_tokens": 0, "tokens": 0, "first_token_s": 0.0, "seconds": 0.0}
    return [replace(one, text=one.reference, **made, **none) for one in first.values()]  # type: ignore[arg-type]
