"""What is said without the model, and whether the model goes on from there. Knows authored words and an assessment."""

from tide_chat.messages import Conversation, Message, Role
from tide_chat.safety import cards, questions
from tide_chat.safety.assessment import Assessment, Tier
from tide_chat.safety.state import held_turn

SHORT = 5  # words of an answer at most, if it does not begin with a no
NO = frozenset("no nah nope not".split())
CALLS = ("help", "help me", "help me please", "please help", "please help me", "sos", "ayuda", "ayúdame", "socorro")
BESIDE = 12  # words beside a question about this program, from which the model answers those as well


def calls_for_help(text: str) -> bool:
    """Whether it is a bare cry for help, in which no tier can be heard: what is there can be named beside the reply."""
    return " ".join(text.casefold().strip(".!?¡¿… ").replace(",", "").split()) in CALLS


def words(assessment: Assessment, text: str, topic: questions.Topic | None = None) -> tuple[str, bool]:
    """The authored words, and whether the model goes on from there.

    A question about this program has its true answer also while an earlier grave turn holds the tier up. topic: what an
    encoder takes a text for where no pattern fits; not asked where the message itself is T2: its words matter more.
    """
    grave = cards.needs_authored(assessment)
    held = held_turn(assessment) is not None and not assessment.flags
    sure = assessment.tier >= Tier.T2 and not held
    found = questions.find(text, None if sure else topic) if held or not grave else None
    if grave:
        return (found.text if found else cards.authored_reply(assessment)), False
    if found:
        return found.text, found.beside >= BESIDE
    step = cards.step_for(text)
    return step or "", step is None


def instead_of_small(assessment: Assessment, conversation: Conversation) -> bool:
    """Authored words stand in place of a very small model's: the message is T2, or a short answer to what T2 asks.

    Without the question, which it never sees, it makes anything of a bare "no": reasons why people leave.
    """
    return assessment.tier >= Tier.T2 and (held_turn(assessment) is None or _answers(conversation))


def _answers(conversation: Conversation) -> bool:
    """Whether the newest message is as an answer to the direct question before it would be."""
    *_, before, newest = (Message(Role.USER, ""), *conversation.messages)
    if not before.authored or not before.text.endswith(cards.replies_alone()[0]):
        return False
    said = newest.text.casefold().split()
    return len(said) <= SHORT or said[0].strip(",.") in NO
