"""Under which key a reply is kept: a hash of all that it follows from."""

from dataclasses import asdict

from training.evaluation.auto import describe
from training.evaluation.auto.cache import key
from training.evaluation.auto.conditions import Condition
from training.evaluation.auto.writers import Ask

MODEL, APP = "model", "app"


def of(condition: Condition, ask: Ask, through: str = MODEL) -> str:
    """through: what a reply went through on its way, the bare model or the app of some version."""
    return key(
        engine=condition.kind,
        through=through,
        model=describe.fingerprint(condition.model),
        adapter=describe.fingerprint(condition.adapter),
        context=condition.context,
        prompt=ask.prompt.text,
        sampling=asdict(ask.params),
    )
