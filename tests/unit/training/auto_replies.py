"""Replies for the tests of the measures and of `tide-eval auto`."""

from training.evaluation.replies import Reply

SAID = "I could not sleep again after the fireworks next door"


def reply(text: str, *, said: str = SAID, item: str = "d1/0", model: str = "m", finish: str = "stop") -> Reply:
    return Reply(item, model, "zs", (said,), text, "That sounds hard.", finish=finish)
