"""A look at what a model is about to learn, before the first step. Refuses what cannot work, says what is doubtful.

Knows nothing of weights: everything here follows from token ids, masks and the files beside the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tide_chat.errors import DataError
from training import show
from training.render import ChatEncoder, Counts, Example

UNKNOWN_ALLOWED = 0.001  # share of tokens that the vocabulary cannot write
DROPPED_ALLOWED = 0.5  # share of dialogues


@dataclass(frozen=True, slots=True)
class Preflight:
    """Shares are of all replies, from 0 to 1. doubts: what a person should read before going on."""

    counts: Counts
    share_cut: float
    share_ended: float
    longest: int  # tokens
    median: int  # tokens
    sample: str  # the first sequence; what is learnt of it stands between ⟦ and ⟧
    doubts: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """For people, a fact a line."""
        of = self.counts
        facts = (
            f"{of.dialogues} dialogues, {of.examples} sequences, {of.tokens} tokens, {of.targets} of them to learn",
            f"sequences: median {self.median} tokens, longest {self.longest}",
            f"replies cut: {self.share_cut:.1%}; replies whose end is learnt: {self.share_ended:.1%}",
            f"too long: {of.shortened} dialogues lost {of.turns_lost} turns, {of.dropped} were left out",
        )
        notes = (f"Note: {doubt}" for doubt in self.doubts)
        return (*facts, *notes, f"The first sequence. {show.PLAIN_LEGEND}.", self.sample)


def check(encoder: ChatEncoder, examples: Sequence[Example], counts: Counts) -> Preflight:
    """Raises DataError when training on `examples` would teach nothing or the wrong thing."""
    _refuse(encoder, examples, counts)
    lengths = sorted(len(one) for one in examples)
    replies = counts.replies or 1
    ended = counts.ended / replies
    return Preflight(
        counts,
        counts.cut / replies,
        ended,
        lengths[-1],
        lengths[len(lengths) // 2],
        show.plain(encoder, examples[0]),
        tuple(_doubts(encoder, counts, ended)),
    )


def _refuse(encoder: ChatEncoder, examples: Sequence[Example], counts: Counts) -> None:
    _refuse_too_few(examples, counts)
    _refuse_foreign_ids(encoder, examples)
    _refuse_no_end(encoder, examples, counts)


def _refuse_too_few(examples: Sequence[Example], counts: Counts) -> None:
    longer = "Raise data.max_length in the recipe, or take the short system prompt: --set data.system=none."
    if not counts.dialogues:
        raise DataError("There is nothing to train on.", details="The data hold no dialogue.")
    if not examples or not any(one.mask.any() for one in examples):
        raise DataError(
            "No dialogue fits the length of the recipe.",
            details=f"All {counts.dialogues} were left out.",
            help=longer,
        )
    if counts.dropped > DROPPED_ALLOWED * counts.dialogues:
        raise DataError(
            "Most dialogues do not fit the length of the recipe.",
            details=f"{counts.dropped} of {counts.dialogues} were left out.",
            help=longer,
        )


def _refuse_foreign_ids(encoder: ChatEncoder, examples: Sequence[Example]) -> None:
    files = encoder.files
    highest = max(int(one.ids.max()) for one in examples)
    if highest >= files.vocabulary:
        raise DataError(
            "The tokenizer does not belong to this model.",
            details=f"It writes the id {highest}, the model has {files.vocabulary} rows.",
            help="Take tokenizer.json from the model's own folder.",
        )
    tokens = sum(len(one) for one in examples)
    unknown = sum(int((one.ids == files.unknown).sum()) for one in examples) if files.unknown is not None else 0
    if files.unknown != encoder.end_id and unknown > UNKNOWN_ALLOWED * tokens:
        raise DataError(
            "The tokenizer cannot write these dialogues.",
            details=f"{unknown} of {tokens} tokens are the one for unknown text.",
            help="Is it the tokenizer of this model, and are the dialogues in a language it knows?",
        )


def _refuse_no_end(encoder: ChatEncoder, examples: Sequence[Example], counts: Counts) -> None:
    files = encoder.files
    if files.stops and encoder.end_id not in files.stops:
        raise DataError(
            "The chat template ends replies with a token at which this model does not stop.",
            details=f"It writes {encoder.end}; the model's eos_token_id are {sorted(files.stops)}.",
            help="The template and generation_config.json must belong to the same model.",
        )
    if not counts.cut and counts.ended < counts.replies:
        raise DataError(
            "The end of some replies would not be learnt.",
            details=f"{counts.replies - counts.ended} of {counts.replies}, though none was cut.",
            help="Look at the mask: tide-train data show.",
        )
    if any(one.mask.all() for one in examples):
        raise DataError("A sequence has no prompt.", details="Every token of it would be learnt.")


def _doubts(encoder: ChatEncoder, counts: Counts, ended: float) -> list[str]:
    found = []
    if counts.cut:
        found.append(f"{counts.cut} of {counts.replies} replies lose their end at this length.")
    if not ended:
        found.append("No end of a reply is learnt: expect replies that do not stop.")
    if counts.dropped:
        found.append(f"{counts.dropped} of {counts.dialogues} dialogues are left out.")
    if not encoder.files.stops:
        found.append("The model's files do not say at which token it stops.")
    return found
