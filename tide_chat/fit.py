"""What makes a reply fit: told before the conversation, told beside the newest message, and left out of the reply.

Joins what the person chose (`profile`), the situation they are in (`scenario`) and what was said so far (`pace`).
Knows no engine.
"""

from collections.abc import Callable

from tide_chat import pace, scenario
from tide_chat.messages import Conversation, Role
from tide_chat.profile import Profile, Style, written_for
from tide_chat.safety.assessment import Assessment, Tier
from tide_chat.safety.guard import Doubt, Gate
from tide_chat.safety.guard_topics import unwanted
from tide_chat.terminal import neutral


def told_first(system: str, profile: Profile, carried: Callable[[], str]) -> tuple[str, bool]:
    """The system prompt with what was chosen, and whether words of the person are in it.

    carried: what the person let be known from earlier conversations. It may fail; that costs its line and no reply.
    """
    try:
        from_before = neutral(carried()).strip()
    except Exception:  # noqa: BLE001 - a locked or damaged history, and whatever else
        from_before = ""
    return "\n".join((system, *profile.lines(from_before))), profile.personal or bool(from_before)


def told_beside(assessment: Assessment, conversation: Conversation, *, guided: bool = True) -> str:
    """What a model is told for the next reply alone. From T2 on only what is written in the system prompt counts."""
    if assessment.tier >= Tier.T2:
        return ""
    found = scenario.find(assessment.scenarios) if guided else None
    told = [found.text] if found else []
    return " ".join([*told, pace.NO_QUESTION] if pace.asked_enough(conversation) else told)


def added(profile: Profile, situation: str, conversation: Conversation) -> tuple[str, str]:
    """Written lines before and after the reply of a very small model, each once in a conversation; "" for none."""
    earlier, closed = "\n".join(message.text for message in conversation.messages), _unwanted(profile, conversation)
    lines = written_for(profile.style, situation)
    line = next((line for line in lines if line not in earlier and not closed(line)), "")
    return (line, "") if profile.style is Style.REASSURE else ("", line)


def gate(
    assessment: Assessment,
    conversation: Conversation,
    profile: Profile,
    system: str,
    doubt: Doubt | None = None,
) -> Gate:
    """For the next reply: it repeats no earlier one and nothing of the system prompt, asks nothing after enough
    questions, is as short as wished, and leaves alone what the person does not want brought up.

    From T2 on a question may be the one that matters most, so none is taken out, nor what it is about.
    """
    said, grave = pace.said(conversation), assessment.tier >= Tier.T2
    questions = grave or not pace.asked_enough(conversation)
    closed = _unwanted(Profile() if grave else profile, conversation)
    return Gate(said=said, told=system, questions=questions, most=profile.most_sentences, unwanted=closed, doubt=doubt)


def _unwanted(profile: Profile, conversation: Conversation) -> Callable[[str], bool]:
    said = (message.text for message in conversation.messages if message.role is Role.USER)
    return unwanted(profile.topics, said)
