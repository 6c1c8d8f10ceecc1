"""What the app would tell a model beside each message, where the risk encoder is sure of its situation."""

import time
from collections.abc import Sequence
from functools import cache

from tide_chat.errors import ModelUnusable
from tide_chat.fit import told_beside
from tide_chat.safety import join
from tide_chat.safety.assessment import Assessment
from tide_chat.safety.classifier import Classifier, Unavailable, default_folder
from tide_chat.safety.router import Router
from training.evaluation.auto.items import Item

PATIENCE = 60.0  # seconds for a message, and tries a second apart until the encoder is there: nobody waits for a reply


def notes(items: Sequence[Item]) -> tuple[str, ...]:
    """One for each item, empty where nothing is told. Raises ModelUnusable where the encoder does not run."""
    read = assessments(tuple(item.said[-1] for item in items))
    return tuple(told_beside(found, item.conversation) for found, item in zip(read, items, strict=True))


@cache  # several conditions ask for the same messages
def assessments(texts: tuple[str, ...]) -> tuple[Assessment, ...]:
    """What rules and encoder make of each. Raises ModelUnusable."""
    classifier = Classifier(default_folder(), patience=PATIENCE)
    try:
        _wait(classifier)
        found = tuple(Router(classifier).assess(text) for text in texts)
    finally:
        classifier.close()
    if any(join.is_reduced(one) for one in found):
        raise ModelUnusable("The risk encoder did not read every message.", help="tide-chat doctor says more.")
    return found


def _wait(classifier: Classifier) -> None:
    """Until the encoder answers, or for good when it does not."""
    for _ in range(int(PATIENCE)):
        try:
            classifier.read("hello")
        except Unavailable:
            time.sleep(1)
        else:
            return
