"""What is said without the model, and whether the model goes on from there. Knows authored words and an assessment."""

from tide_chat.safety import cards, questions
from tide_chat.safety.assessment import Assessment, Tier
from tide_chat.safety.state import held_turn

BESIDE = 12  # words beside a question about this program, from which the model answers those as well


def words(assessment: Assessment, text: str) -> tuple[str, bool]:
    """The authored words, and whether the model goes on from there.

    A question about this program has its true answer also while an earlier grave turn holds the tier up.
    """
    grave = cards.needs_authored(assessment)
    held = held_turn(assessment) is not None and not assessment.flags
    found = questions.find(text) if held or not grave else None
    if grave:
        return (found.text if found else cards.authored_reply(assessment)), False
    if found:
        return found.text, found.beside >= BESIDE
    step = cards.step_for(text)
    return step or "", step is None


def said_now(assessment: Assessment) -> bool:
    """This message itself is T2 or higher, and the tier is not only held from earlier."""
    return assessment.tier >= Tier.T2 and held_turn(assessment) is None
