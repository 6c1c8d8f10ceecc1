"""From pairs of replies to what the loop trains on: tokens, a look at them, and the reference's answers.

Knows no rule, no optimizer and no order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path

import torch

from tide_chat.errors import UsageError
from tide_chat.messages import Conversation
from tide_chat.progress import Say, quiet
from training import preflight
from training.preference.items import PairItems, TokenPair, keep, kept, lengths, reference
from training.preference.pairs import Pair
from training.recipe import Recipe
from training.render import ChatEncoder, Counts, Example
from training.sft import batches, plan
from training.sft.devices import Group
from training.sft.items import Items
from training.sft.loop import TOKENS, Job, Prepared, data_hash, encoder_of
from training.sft.loss import Loss
from training.sft.samples import last_reply

REFERENCE = "reference.npz"


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPairs(Prepared):
    """examples: each pair laid end to end, which is what a step costs. held: the better replies, for samples."""

    pairs: Sequence[TokenPair] = ()
    held_pairs: Sequence[TokenPair] = ()
    recipe: Recipe = field(kw_only=True)
    file: Path = field(kw_only=True)
    say: Say = quiet

    def items(self, loss: Loss, prefix: int, group: Group) -> tuple[Items, Items]:
        held_prefix = min(prefix, batches.common_prefix(_flat([*self.held_pairs, self.pairs[0]])))
        found = self._reference(loss, (prefix, held_prefix), group)
        first, second = found.split([len(self.pairs), len(self.held_pairs)])
        wanted = self.recipe.preference
        train = PairItems(self.pairs, loss, prefix, first, wanted)
        return train, PairItems(self.held_pairs, loss, held_prefix, second, wanted)

    def _reference(self, loss: Loss, prefixes: tuple[int, int], group: Group) -> torch.Tensor:
        key = batches.key(self.data, str(loss.dtype), *map(str, prefixes))
        count = len(self.pairs) + len(self.held_pairs)
        found = kept(self.file, key, count)
        if group.any(found is None, loss.device) or found is None:
            asked = [
                reference(loss, pairs, prefix, self._parts(pairs, prefix, group), partial(self.say, "reference"))
                for pairs, prefix in zip((self.pairs, self.held_pairs), prefixes, strict=True)
            ]
            found = group.total(torch.cat(asked))
            if group.leads:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                keep(self.file, key, found)
        return found

    def _parts(self, pairs: Sequence[TokenPair], prefix: int, group: Group) -> list[list[int]]:
        wanted = self.recipe.training
        return batches.passes(
            range(len(pairs)),
            lengths(pairs, prefix),
            batch=wanted.batch,
            tokens=wanted.tokens_per_pass,
            rank=group.rank,
            world=group.world,
            prefix=prefix,
        )


def prepare(train: Sequence[Pair], held: Sequence[Pair], job: Job, keep_tokens: bool, say: Say = quiet) -> Prepared:
    """The loop's `Prepare`, once the pairs are given. Raises DataError and others, as `training.sft.loop.prepare`."""
    if job.recipe.data.cut:
        raise UsageError("Replies that are cut cannot be compared.", help="Leave data.cut out of the recipe.")
    encoder = encoder_of(job)
    hashed = data_hash(job, encoder, [pair.model_dump_json() for pair in (*train, *held)])
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
        pairs,
        held_pairs,
        say,
        recipe=job.recipe,
        file=job.out / REFERENCE,
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
