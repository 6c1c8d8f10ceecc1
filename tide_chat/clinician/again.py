"""Runs a receipt anew and compares, turn by turn. Says what is different where a reply is not the same.

Knows no terminal: what it finds are values.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from tide_chat.clinician import hashes, receipt
from tide_chat.clinician.receipt import Made, ModelFiles, Receipt
from tide_chat.clinician.recorded import Do, Recorded, Step, Turn
from tide_chat.engine.base import Cancel, FinishReason
from tide_chat.events import Event

Filed = Callable[[str], ModelFiles]  # the files here, by alias
Use = Callable[[str], object]  # change to a model, by alias
ENDED_BY: Mapping[str, str] = {  # what the text of a reply depends on, and no receipt can hold
    FinishReason.CANCELLED: "This reply was stopped by hand, so nothing from here on can be compared.",
    FinishReason.DIED: "The model stopped working in this reply, so nothing from here on can be compared.",
    FinishReason.ERROR: "The model failed in this reply, so nothing from here on can be compared.",
}
NOTHING_KNOWN = (
    "Nothing that a receipt knows of is different. Sums on another processor can differ in their last digit, and that "
    "is enough for another word."
)


@dataclass(frozen=True, slots=True)
class Compared:
    """One turn. same None: it cannot be compared. different: in words, the likeliest first."""

    number: int
    text: str
    reply: str
    same: bool | None
    different: tuple[str, ...] = ()


def run(paid: Receipt, talk: Recorded, use: Use, filed: Filed, cancel: Cancel) -> Iterator[Compared]:
    """Each turn, until the first that is not the same: what follows on it cannot be. Raises ModelError."""
    if paid.earlier.messages:
        talk.go_on_with(paid.earlier)
    number, attempt, model = 0, 0, ""
    for step in paid.steps:
        if cancel.is_set():
            return
        if step.do is Do.TAKE_BACK:
            talk.take_back()
            continue
        number, attempt = number + 1, attempt + 1 if step.do is Do.AGAIN else 0
        if step.model and step.model != model:
            model = step.model
            use(model)
        if why := ENDED_BY.get(step.finish):
            yield Compared(number, step.text, "", None, (why,))
            return
        _answer(talk, step, paid, attempt, cancel)
        found = _compared(number, step, talk.newest_turn, paid, filed)
        yield found
        if not found.same:
            return


def _answer(talk: Recorded, step: Step, paid: Receipt, attempt: int, cancel: Cancel) -> None:
    """With the seed that was used; the conversation adds the attempt to it."""
    if step.anew:
        talk.compute_anew()
    talk.sampling = replace(paid.sampling, seed=step.seed - attempt if step.model else paid.sampling.seed)
    events: Iterator[Event] = talk.again(cancel) if step.do is Do.AGAIN else talk.reply(step.text, cancel)
    for _ in events:
        pass


def _compared(number: int, step: Step, turn: Turn | None, paid: Receipt, filed: Filed) -> Compared:
    reply = turn.result.reply if turn else ""
    if hashes.of_text(reply) == step.reply_sha256:
        return Compared(number, step.text, reply, True)
    return Compared(number, step.text, reply, False, tuple(_different(step, turn, paid, filed)) or (NOTHING_KNOWN,))


def _different(step: Step, turn: Turn | None, paid: Receipt, filed: Filed) -> Iterator[str]:
    if turn is None:
        return
    if turn.result.error:
        yield f"Here the turn failed: {turn.result.error.message}"
    if bool(step.model) != turn.asked:
        there, here = ("the model", "prepared words") if step.model else ("prepared words", "the model")
        yield f"There {there} answered, here {here}."
    yield from _other_files(step, paid, filed)
    if step.prompt_sha256 and turn.prompt and hashes.of_text(turn.prompt) != step.prompt_sha256:
        yield "The prompt is another one: other instructions, another profile, or another chat template."
    yield from _other_machine(paid.made, receipt.made(turn))


def _other_files(step: Step, paid: Receipt, filed: Filed) -> Iterator[str]:
    there = next((one for one in paid.models if one.alias == step.model), None)
    if there is None:
        return
    here = filed(step.model)
    for what, one, other in (
        ("model file", there.model_sha256, here.model_sha256),
        ("adapter", there.adapter_sha256, here.adapter_sha256),
    ):
        if one != other:
            yield f"The {what} is another one: there {_short(one)}, here {_short(other)}."


def _short(digest: str) -> str:
    return f"{digest[:12]}..." if digest else "none"


def _other_machine(there: Made, here: Made) -> Iterator[str]:
    names = {
        "tide_chat": "tide-chat",
        "runtime": "The native library or what the processor can do",
        "system": "System",
        "device": "What the model runs on",
        "threads": "Threads",
    }
    for name, label in names.items():
        one, other = getattr(there, name), getattr(here, name)
        if one != other and one and other:
            yield f"{label}: there {one}, here {other}."
