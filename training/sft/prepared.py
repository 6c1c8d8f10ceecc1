"""What is asked of a run, and all of it that is known before a weight is read: tokens, a look at them, hashes.

Knows no model's weights, no optimizer and no order.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tide_chat.messages import Conversation
from tide_chat.progress import Say, quiet
from tide_chat.prompt import system_text
from training import chat_files, preflight
from training.data.origins import Origin
from training.recipe import Preference, Recipe
from training.render import ChatEncoder, Counts, Example
from training.sft import batches, begun, devices, plan
from training.sft.items import Items, Sequences
from training.sft.loss import Loss

TOKENS, REFERENCE = "tokens.npz", "reference.npz"  # what is kept in the run folder; the latter in preference tuning


@dataclass(frozen=True, slots=True)
class Job:
    """model: an HF folder. sources: the data files and their SHA-256, for run.json; origins: what these were made of.
    device: auto, cpu, cuda or mps.
    """

    recipe: Recipe
    model: Path
    out: Path
    train: Sequence[Conversation] = ()
    held: Sequence[Conversation] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    template: Path | None = None
    device: str = "auto"
    resume: bool = False
    start: Path | None = None  # the folder of an adapter to begin with
    origins: Sequence[Origin] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that is known before a weight is read."""

    encoder: ChatEncoder
    examples: list[Example]
    held: list[Example]
    report: preflight.Preflight
    data: str  # a hash of what is trained on and how it was tokenised
    start: str  # SHA-256 of the adapter that training begins with, "" without one
    prefix: int  # tokens that all examples begin with, computed once a pass

    @property
    def held_prefix(self) -> int:
        """The same of what is held out."""
        return min(self.prefix, batches.common_prefix([*self.held, self.examples[0]]))

    def items(self, loss: Loss, group: devices.Group) -> tuple[Items, Items]:
        """What is trained on and what is held out; called before the first step and before a checkpoint is read."""
        return Sequences(self.examples, loss, self.prefix), Sequences(self.held, loss, self.held_prefix)


Prepare = Callable[[Job, bool, Say], Prepared]


def prepare(job: Job, keep: bool, say: Say = quiet) -> Prepared:
    """Tokenise and look at it. keep: whether the tokens may be kept in the run folder. Raises DataError and others."""
    recipe = job.recipe.data
    encoder = encoder_of(job)
    start = begun.digest(job.start) if job.start else ""
    hashed = data_hash(job, encoder, start, [*map(_text, job.train), "held out", *map(_text, job.held)])

    def made() -> tuple[list[Example], Counts]:
        return encoder.examples(job.train, recipe.max_length, cut=recipe.cut, say=say)

    examples, counts = batches.cached(job.out / TOKENS, hashed, made) if keep else made()
    report = preflight.check(encoder, examples, counts)
    held, _ = encoder.examples(job.held, recipe.max_length, cut=recipe.cut, say=say)
    return Prepared(encoder, examples, held, report, hashed, start, plan.shared_prefix(job.recipe, examples))


def encoder_of(job: Job) -> ChatEncoder:
    """Raises as `chat_files.load`."""
    system = system_text() if job.recipe.data.system == "app" else ""
    return ChatEncoder(chat_files.load(job.model, job.template), system)


def _text(conversation: Conversation) -> str:
    return repr([(str(message.role), message.text) for message in conversation.messages])


def data_hash(job: Job, encoder: ChatEncoder, start: str, texts: Sequence[str]) -> str:
    """Of the texts, of how they are tokenised and of the adapter that training begins with (`Prepared.start`)."""
    wanted = job.recipe.data
    prompt = encoder.files.renderer.render(encoder.system, Conversation().user("a")).text
    made = (encoder.files.tokenizer.to_str(), prompt, encoder.end, f"{wanted.max_length}/{wanted.cut}", *texts)
    return batches.key(*made, start) if start else batches.key(*made)


def recipe_hash(recipe: Recipe) -> str:
    """Of the parts that the result follows from."""
    hashed = {"model", "data", "lora", "optimizer", "training"}
    if recipe.preference != Preference():
        hashed.add("preference")
    # Which scenarios were chosen shows in the hash of the data.
    parts = recipe.model_dump_json(include=hashed, exclude={"data": {"scenarios"}, "training": {"sharding"}})
    return hashlib.sha256(parts.encode()).hexdigest()
