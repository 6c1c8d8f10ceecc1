"""What a reply costs. Times are those of the machine in run.json: compare conditions of one run only."""

from collections.abc import Sequence

from training.evaluation.replies import Reply

_NAN = float("nan")


def tokens(replies: Sequence[Reply]) -> list[float]:
    """Tokens written, hidden reasoning included."""
    return [float(reply.tokens) if reply.tokens else _NAN for reply in replies]


def seconds(replies: Sequence[Reply]) -> list[float]:
    """From the request to the last token. In batches, the share of one reply in the time of its batch."""
    return [reply.seconds or _NAN for reply in replies]


def speed(replies: Sequence[Reply]) -> list[float]:
    """Tokens a second, with the reading of the prompt in it."""
    return [reply.tokens / reply.seconds if reply.tokens and reply.seconds else _NAN for reply in replies]
