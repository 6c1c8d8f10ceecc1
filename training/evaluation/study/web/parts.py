"""What every page works with. Knows no page."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from training.evaluation.study.design import Study
from training.evaluation.study.store import Store
from training.evaluation.study.web.limits import Limits

EXTENSION = "study"


@dataclass(frozen=True, slots=True)
class Parts:
    study: Study
    store: Store
    secret: str
    limits: Limits


def parts() -> Parts:
    return cast(Parts, current_app.extensions[EXTENSION])
