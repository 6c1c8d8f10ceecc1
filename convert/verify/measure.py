"""The runtime against HF's model on the same tokens: divergence, and whether replies end."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from convert.verify.folder import Chat, Folder
from convert.verify.numbers import Tally, rank_and_probability
from convert.verify.reference import Reference
from convert.verify.report import Numbers, Stops
from convert.verify.runtime import Runtime
from convert.verify.tokens import frame
from tide_chat.errors import DataError
from tide_chat.progress import Say, quiet

TEXT = 512  # tokens of a dialogue that are computed at most
GREEDY = 4  # dialogues that are also answered
REPLY = 192  # tokens a greedy reply has at most


@dataclass(frozen=True, slots=True)
class Sample:
    """One dialogue as tokens. prompt: how many come before its last reply; end: where that reply's end token is.

    Both are 0 when there is no chat template, or no reply.
    """

    ids: tuple[int, ...]
    prompt: int = 0
    end: int = 0


def sample(folder: Folder, runtime: Runtime, chat: Chat) -> Sample:
    """Raises DataError when the template does not work."""
    if not folder.template:
        return Sample(tuple(frame(runtime, folder.ids("\n\n".join(one["content"] for one in chat)))))
    ids = frame(runtime, folder.ids(folder.render(chat, reply=False)))
    if chat[-1]["role"] != "assistant":
        return Sample(tuple(ids))
    asked = frame(runtime, folder.ids(folder.render(chat[:-1], reply=True)))
    if ids[: len(asked)] != asked:  # a template that rewrites what came before
        return Sample(tuple(ids))
    ends = [at for at in range(len(asked), len(ids)) if ids[at] in runtime.about.ends]
    return Sample(tuple(ids), len(asked), ends[0] if ends else 0)


def measure(
    folder: Folder, runtime: Runtime, reference: Reference, chats: Sequence[Chat], say: Say = quiet
) -> tuple[Numbers, Stops | None]:
    """What all dialogues begin with is counted once. Raises DataError, EngineError, EngineDied."""
    samples = [sample(folder, runtime, chat) for chat in chats]
    shared = _shared(samples)
    tally, learned = Tally(), []
    for done, one in enumerate(samples, 1):
        ids = one.ids[: min(TEXT, runtime.about.context)]
        if len(ids) > 1:
            known = shared if done > 1 else 0
            learned += _force(one, ids, runtime, reference.logits(ids), tally, known)
        say("comparing logits", done, len(samples))
    try:
        numbers = tally.numbers()
    except ValueError as error:
        raise DataError("There are no dialogues to compare on.", details="All of them are empty.") from error
    return numbers, _stops(samples, learned, runtime, say)


def _shared(samples: Sequence[Sample]) -> int:
    """How many tokens all begin with."""
    return sum(1 for _ in takewhile(lambda ids: len(set(ids)) == 1, zip(*(one.ids for one in samples), strict=False)))


def _force(
    one: Sample, ids: Sequence[int], runtime: Runtime, theirs: Any, tally: Tally, known: int
) -> list[tuple[int, float]]:
    """Adds all positions from `known` on; rank and probability of the end token where the reply ends, if reached."""
    if theirs.shape[-1] < runtime.about.vocabulary:
        raise DataError("The original model's vocabulary is smaller.", details=f"{theirs.shape[-1]}")
    following, first, found = [*ids[1:], -1], 0, []
    for ours in runtime.logits(ids):
        last = first + len(ours)
        new = min(last, max(first, known))
        tally.add(theirs[new:last, : ours.shape[-1]], ours[new - first :], following[new:last])
        if first <= one.end - 1 < last:
            found.append(rank_and_probability(ours[one.end - 1 - first], one.ids[one.end]))
        first = last
    return found


def _stops(samples: Sequence[Sample], learned: list[tuple[int, float]], runtime: Runtime, say: Say) -> Stops | None:
    prompts = [one.ids[: one.prompt] for one in samples if 0 < one.prompt < runtime.about.context - 1][:GREEDY]
    if not learned and not prompts:
        return None
    replies = []
    for done, prompt in enumerate(prompts, 1):
        replies.append(runtime.greedy(prompt, min(REPLY, runtime.about.context - 1 - len(prompt))))
        say("replying", done, len(prompts))
    return Stops(
        replies=len(learned),
        rank_first=sum(rank == 1 for rank, _ in learned),
        probability=sum(p for _, p in learned) / max(1, len(learned)),
        greedy=len(replies),
        emitted=sum(reply.ended for reply in replies),
    )
