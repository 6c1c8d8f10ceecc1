"""Keeps questions and advice from piling up: looks at the replies of a conversation, and at nothing else.

Knows no model. What comes of it is a wish to the model (`NO_QUESTION`) and what the gate leaves out (`safety.guard`).
"""

from itertools import islice

from tide_chat.messages import Conversation, Role

ENOUGH = 2  # replies in a row that end in a question; after that the next one asks nothing
NO_QUESTION = "Ask nothing this time."


def said(conversation: Conversation) -> tuple[str, ...]:
    """The replies that a model wrote, oldest first. Authored words may well come again."""
    return tuple(one.text for one in conversation.messages if one.role is Role.ASSISTANT and not one.authored)


def asked_enough(conversation: Conversation) -> bool:
    """Whether the last replies of a model all ended in a question."""
    last = tuple(islice(reversed(said(conversation)), ENOUGH))
    return len(last) == ENOUGH and all(text.rstrip().endswith("?") for text in last)
