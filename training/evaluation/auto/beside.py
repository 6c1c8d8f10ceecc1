"""What the app would tell a model beside each message, where the risk encoder is sure of its situation."""

from collections.abc import Sequence
from functools import cache

from tide_chat.errors import ModelUnusable
from tide_chat.fit import told_beside
from tide_chat.safety.assessment import Assessment
from tide_chat.safety.router import Router
from training.evaluation.auto.items import Item
from training.evaluation.safety.judges import EncoderUnusable, Remembering


def notes(items: Sequence[Item]) -> tuple[str, ...]:
    """One for each item, empty where nothing is told. Raises ModelUnusable where the encoder does not run."""
    read = assessments(tuple(item.said[-1] for item in items))
    return tuple(told_beside(found, item.conversation) for found, item in zip(read, items, strict=True))


@cache  # several conditions ask for the same messages
def assessments(texts: tuple[str, ...]) -> tuple[Assessment, ...]:
    """What rules and encoder make of each. Raises ModelUnusable."""
    encoder = Remembering()
    try:
        return tuple(Router(encoder).assess(text) for text in texts)
    except EncoderUnusable as error:
        raise ModelUnusable(
            "The risk encoder did not read every message.", help="tide-chat doctor says more."
        ) from error
    finally:
        encoder.close()
