"""Questions and repeated sentences over the turns of a conversation."""

from tide_chat import pace
from tide_chat.messages import Conversation

ASKED = Conversation().user("a").assistant("It hurts. What now?").user("b").assistant("And then? ").user("c")


def test_two_questions_in_a_row_are_enough() -> None:
    assert pace.asked_enough(ASKED)
    assert not pace.asked_enough(Conversation().user("a").assistant("What now?").user("b"))
    assert not pace.asked_enough(ASKED.assistant("Rest a little.").user("d"))
    assert not pace.asked_enough(Conversation())


def test_only_the_end_of_a_reply_counts() -> None:
    assert not pace.asked_enough(
        Conversation().user("a").assistant("Why? I see.").user("b").assistant("How?").user("c")
    )


def test_authored_words_are_no_replies_of_a_model() -> None:
    talk = ASKED.assistant("Are you safe right now?", authored=True).user("yes")
    assert pace.said(talk) == ("It hurts. What now?", "And then? ")
    assert pace.asked_enough(talk)
