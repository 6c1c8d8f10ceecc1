"""From pairs of replies to what the loop trains on: tokens, a look at them, and the reference's answers.

Knows no rule, no optimizer and no order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import torch

from tide_chat.errors import UsageError
from tide_chat.messages import Conversation
from tide_chat.progress import Say, quiet
from training import preflight
from training.preference.items import PairItems, TokenPair, lengths, reference
from training.preference.pairs import Pair
from training.render import ChatEncoder, Counts, Example
from training.sft import batches, begun, kept, plan
from training.sft.devices import Group
from training.sft.items import Items
from training.sft.loss import Loss
from training.sft.prepared import REFERENCE, TOKENS, Job, Prepared, data_hash, encoder_of
from training.sft.samples import last_reply


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPairs(Prepared):
    """examples: each pair laid end to end, which is what a step costs. held: the better replies, for samples."""

    job: Job
    pairs: Sequence[TokenPair]
    held_pairs: Sequence[TokenPair]
    say: Say

    def items(self, loss: Loss, group: Group) -> tuple[Items, Items]:
        train, held = self._reference(loss, group).split([len(self.pairs), len(self.held_pairs)])
        wanted = self.job.recipe.preference
        return (
            PairItems(self.pairs, loss, self.prefix, train, wanted),
            PairItems(self.held_pairs, loss, self.held_prefix, held, wanted),
        )

    def _reference(self, loss: Loss, group: Group) -> torch.Tensor:
        """(pairs and held pairs, 2), kept in the run folder: a run that goes on compares with the same bits."""
        path, both = self.job.out / REFERENCE, ((self.pairs, self.prefix), (self.held_pairs, self.held_prefix))
        key = batches.key(self.data, str(loss.dtype), *(str(prefix) for _, prefix in both))
        there = kept.read(path, key)
        if not group.any(there is None, loss.device) and there:
            return torch.from_numpy(there["values"])
        found = group.total(torch.cat([self._asked(loss, pairs, prefix, group) for pairs, prefix in both]))
        if group.leads:
            kept.write(path, key, values=found.cpu().numpy())
        return found

    def _asked(self, loss: Loss, pairs: Sequence[TokenPair], prefix: int, group: Group) -> torch.Tensor:
        every, wanted = range(len(pairs)), self.job.recipe.training
        parts = batches.share(every, lengths(pairs, prefix), prefix, wanted, group)
        return reference(loss, pairs, prefix, parts, partial(self.say, "reference"))


def prepare(train: Sequence[Pair], held: Sequence[Pair], job: Job, keep_tokens: bool, say: Say = quiet) -> Prepared:
    """The loop's `Prepare`, once the pairs are given. Raises as `training.sft.prepared.prepare`."""
    if job.recipe.data.cut:
        raise UsageError("Replies that are cut cannot be compared.", help="Leave data.cut out of the recipe.")
    encoder = encoder_of(job)
    start = begun.digest(job.start) if job.start else ""
    hashed = data_hash(job, encoder, start, [pair.model_dump_json() for pair in (*train, *held)])
    limit = job.recipe.data.max_length

    def made() -> tuple[list[Example], Counts]:
        found = list(_tokenised(encoder, train, limit, say))
        return _flat(found), _counts(len(train), found)

    examples, counts = batches.cached(job.out / TOKENS, hashed, made) if keep_tokens else made()
    report = preflight.check(encoder, examples, counts)
    pairs = [
        TokenPair(chosen, rejected, train[chosen.source].rule)
        for chosen, rejected in zip(examples[::2], examples[1::2], strict=True)
    ]
    held_pairs = list(_tokenised(encoder, held, limit, quiet))
    prefix = plan.shared_prefix(job.recipe, examples)
    return PreparedPairs(
        encoder,
        [_end_to_end(pair, prefix) for pair in pairs],
        [pair.chosen for pair in held_pairs],
        report,
        hashed,
        start,
        prefix,
        job,
        pairs,
        held_pairs,
        say,
    )


def _tokenised(encoder: ChatEncoder, pairs: Sequence[Pair], limit: int, say: Say) -> Iterator[TokenPair]:
    """Those whose two replies fit after the same prompt."""
    for number, pair in enumerate(pairs):
        say("tokenising", number + 1, len(pairs))
        chosen, rejected = (_last(encoder, one, limit, number) for one in pair.conversations)
        if chosen and rejected and _prompt(chosen) == _prompt(rejected):
            yield TokenPair(chosen, rejected, pair.rule)


def _last(encoder: ChatEncoder, conversation: Conversation, limit: int, number: int) -> Example | None:
    """The sequence with the last reply, which alone is to learn; None when it does not fit."""
    found, _ = encoder.fitted(conversation, limit, number)
    if not found:
        return None
    mask = found[-1].mask.copy()
    mask[: last_reply(found[-1])] = False
    ended = int((found[-1].ids[mask] == encoder.end_id).sum())
    return replace(found[-1], mask=mask, replies=1, ended=ended)


def _prompt(example: Example) -> list[int]:
    prompt: list[int] = example.ids[: int(example.mask.argmax())].tolist()
    return prompt


def _flat(pairs: Sequence[TokenPair]) -> list[Example]:
    return list(chain.from_iterable((pair.chosen, pair.rejected) for pair in pairs))


def _counts(given: int, found: Sequence[TokenPair]) -> Counts:
    """A dialogue is a pair here."""
    flat = _flat(found)
    return Counts(
        dialogues=given,
        examples=len(flat),
        replies=len(flat),
        ended=sum(one.ended for one in flat),
        dropped=given - len(found),
        tokens=sum(len(one) for one in flat),
        targets=sum(int(one.mask.sum()) for one in flat),
    )


def _end_to_end(pair: TokenPair, prefix: int) -> Example:
    import numpy

    return Example(
        numpy.concatenate([pair.chosen.ids, pair.rejected.ids[prefix:]]),
        numpy.concatenate([pair.chosen.mask, pair.rejected.mask[prefix:]]),
        replies=2,
        ended=pair.chosen.ended + pair.rejected.ended,
        source=pair.chosen.source,
    )
