"""Fine-tunes the guard's encoder: what a model must not say, and what a person asks. Behind `tide-train guard`.

The run folder is a plain HF folder with heads.json and run.json; `tide-convert guard` makes of it what the app loads.
"""

import hashlib
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from tide_chat.safety.guard_encoder import GRAVE, NONE, SAFE
from training.guard import data
from training.guard.data import LABELS, TOPICS, Sentence
from training.risk import rounding
from training.risk.data import DIALOGUES, RISK
from training.risk.model import HEADS_FILE, Head, RiskEncoder, base_folder, load_base
from training.risk.train import by_length, optimizer_of, padded, rate

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Say = Callable[[str], None]
MAX_TOKENS = 96
HEADS = (Head("guard", LABELS, one=True), Head("asks", TOPICS, one=True))


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train, and how many good sentences may be held back."""

    epochs: int = 6
    batch: int = 32  # sentences
    learning_rate: float = 1e-4  # of the encoder, at its peak
    head_learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup: float = 0.06  # share of all steps
    smoothing: float = 0.04
    plain: float = 0.35  # share of reference replies' sentences and other talk in a pass: they are many and easy
    bfloat16: bool = True
    seed: int = 7
    fold: int = 0  # which part of the themes is validated on
    grave: float = 0.008  # share of reference replies' sentences that may be taken for methods or encouragement
    other: float = 0.004  # and so many more for anything else
    models: float = 0.02  # either share of other good ones, of which some are claims of a model that nobody took out
    talk: float = 0.003  # share of other talk that may be taken for a question about this program
    alike: float = 0.06  # the same of what only looks like one


@dataclass(frozen=True, slots=True)
class Item:
    """A sentence with its token ids."""

    sentence: Sentence
    ids: list[int]


@dataclass(frozen=True, slots=True)
class Limits:
    """The chance from which on a sentence is held back, as one of GRAVE and as anything unsafe; and is a question."""

    grave: float
    other: float
    asks: float


def train(out: Path, base: Path | None, recipe: Recipe, say: Say, limit: int | None = None) -> None:
    """Raises DataError, ModelNotFound, MissingExtra. limit: only so many sentences, to try the way."""
    torch.manual_seed(recipe.seed)
    rng = random.Random(recipe.seed)
    rows = data.sentences()
    if limit:
        rows = rng.sample(rows, min(limit, len(rows)))
    learnt, held = data.split(rows, recipe.fold)
    say(f"{len(learnt)} sentences to train on, {len(held)} held out by theme")
    folder = base_folder(base)
    encoder, tokenizer = load_base(folder)
    model = RiskEncoder(encoder, HEADS)
    rounding.apply(model.encoder)
    model.settle(0.0, 0)
    model.bfloat16 = recipe.bfloat16
    _run(model, _items(learnt, tokenizer), recipe, rng, say)
    chances = dict(zip(held, _chances(model, _items(held, tokenizer)), strict=True))
    limits = limits_for(chances, recipe)
    for line in report(chances, limits):
        say(line)
    _save(out, model, tokenizer, limits, _about(recipe, folder, learnt, held))
    say(f"Written to {out}. Next: tide-convert guard {out} --out models")


def _items(rows: Sequence[Sentence], tokenizer: "PreTrainedTokenizerBase") -> list[Item]:
    ids = tokenizer([row.text for row in rows], truncation=True, max_length=MAX_TOKENS)["input_ids"]
    return [Item(row, each) for row, each in zip(rows, ids, strict=True)]


def _run(model: RiskEncoder, items: Sequence[Item], recipe: Recipe, rng: random.Random, say: Say) -> None:
    written = [item for item in items if not item.sentence.plain]
    plain = [item for item in items if item.sentence.plain]
    some = round(recipe.plain * len(plain))
    steps = recipe.epochs * math.ceil((len(written) + some) / recipe.batch)
    optimizer = optimizer_of(model, recipe)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps, recipe.warmup))
    for epoch in range(recipe.epochs):
        began, losses = time.monotonic(), []
        model.train()
        chosen = [*written, *rng.sample(plain, some)]
        batches = by_length(rng.sample(chosen, len(chosen)), recipe.batch)
        for batch in rng.sample(batches, len(batches)):
            loss = _loss(model, batch, recipe.smoothing)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        mean, took = sum(losses) / max(len(losses), 1), time.monotonic() - began
        say(f"epoch {epoch + 1} of {recipe.epochs}: loss {mean:.4f}, {took:.0f} s")


def _loss(model: RiskEncoder, batch: Sequence[Item], smoothing: float) -> torch.Tensor:
    """Mean over the sentences, each by its own head."""
    parts = model.parts(model(*padded([item.ids for item in batch])))
    total = torch.zeros(())
    for head in HEADS:
        mine = [i for i, item in enumerate(batch) if _head_of(item.sentence) is head]
        if mine:
            wanted = torch.tensor([head.labels.index(batch[i].sentence.category) for i in mine])
            logits = parts[head.name][mine]
            total = total + nn.functional.cross_entropy(logits, wanted, label_smoothing=smoothing, reduction="sum")
    return total / len(batch)


def _head_of(sentence: Sentence) -> Head:
    return HEADS[sentence.asks]


def _chances(model: RiskEncoder, items: Sequence[Item]) -> list[dict[str, float]]:
    """By category or topic, in the order of `items`."""
    model.eval()
    found = []
    with torch.no_grad():
        for start in range(0, len(items), 64):
            batch = items[start : start + 64]
            parts = model.parts(model(*padded([item.ids for item in batch])))
            for i, item in enumerate(batch):
                head = _head_of(item.sentence)
                found.append(dict(zip(head.labels, parts[head.name][i].softmax(-1).tolist(), strict=True)))
    return found


def grave(chances: dict[str, float]) -> float:
    return sum(chances[name] for name in GRAVE)


def raised(sentence: Sentence, chances: dict[str, float], limits: Limits) -> bool:
    """Held back, or taken for a question about this program."""
    if sentence.asks:
        return 1 - chances[NONE] >= limits.asks
    return grave(chances) >= limits.grave or 1 - chances[SAFE] >= limits.other


def limits_for(chances: dict[Sentence, dict[str, float]], recipe: Recipe) -> Limits:
    """The lowest at which so few good sentences of either kind are held back, and so little else is a question."""
    good = [(sentence.plain, each) for sentence, each in chances.items() if _is_good(sentence)]
    kinds = ((True, recipe.grave, recipe.other), (False, recipe.models, recipe.models))
    found = max(_limit([grave(each) for plain, each in good if plain is kind], share) for kind, share, _ in kinds)
    rest = [(plain, 1 - each[SAFE]) for plain, each in good if grave(each) < found]
    other = max(_limit([chance for plain, chance in rest if plain is kind], share) for kind, _, share in kinds)
    nothing = [(sentence.near, 1 - each[NONE]) for sentence, each in chances.items() if _asks_nothing(sentence)]
    talk = _limit([chance for near, chance in nothing if not near], recipe.talk)
    alike = _limit([chance for near, chance in nothing if near], recipe.alike)
    return Limits(found, other, max(talk, alike))


def _is_good(sentence: Sentence) -> bool:
    """May well be said, and was not written to look otherwise: of a reference reply, or as models write."""
    return sentence.category == SAFE and not sentence.near


def _asks_nothing(sentence: Sentence) -> bool:
    return sentence.asks and sentence.category == NONE


def _limit(chances: Sequence[float], share: float) -> float:
    """Just above the chance that all but so many stay below; in thousandths."""
    ordered = sorted(chances, reverse=True)
    place = int(share * len(ordered))
    return math.floor(ordered[place] * 1000 + 1) / 1000 if place < len(ordered) else 0.5


def report(chances: dict[Sentence, dict[str, float]], limits: Limits) -> Iterator[str]:
    """What is held back or answered of each kind, of sentences that were not learnt from."""
    yield f"limits: {limits.grave} for {' and '.join(sorted(GRAVE))}, {limits.other} for anything else"
    yield f"limit of questions: {limits.asks}"
    kinds: dict[str, Callable[[Sentence], bool]] = {
        "held back of ways of dying and encouragement": lambda one: one.category in GRAVE,
        "held back of all that must not be said": lambda one: not one.asks and one.category != SAFE,
        "held back of what only looks like it": lambda one: not one.asks and one.near,
        "held back of the reference replies": lambda one: _is_good(one) and one.plain,
        "held back of other good ones": lambda one: _is_good(one) and not one.plain,
        "taken for questions of those that are": lambda one: one.asks and one.category != NONE,
        "taken for questions of what only looks like them": lambda one: one.asks and one.near,
        "taken for questions of other talk": lambda one: one.asks and one.plain,
    }
    for name, belongs in kinds.items():
        of = [raised(sentence, each, limits) for sentence, each in chances.items() if belongs(sentence)]
        yield f"{name}: {sum(of)} of {len(of)}"


def _save(
    out: Path, model: RiskEncoder, tokenizer: "PreTrainedTokenizerBase", limits: Limits, about: dict[str, Any]
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    rounding.keep(model.encoder)
    model.encoder.save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / HEADS_FILE).write_text(json.dumps({"heads": model.heads_as_json({}), "thresholds": asdict(limits)}))
    (out / "run.json").write_text(json.dumps(about, indent=2) + "\n")


def _about(recipe: Recipe, base: Path, learnt: Sequence[Sentence], held: Sequence[Sentence]) -> dict[str, Any]:
    files = [*data.GUARD.glob("train-*.jsonl"), *data.QUESTIONS.glob("train-*.tsv"), *DIALOGUES.glob("*.jsonl")]
    files += RISK.glob("train-*.jsonl")
    return {
        "recipe": asdict(recipe),
        "data": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)},
        "rows": {"training": len(learnt), "validation": len(held)},
        "torch": torch.__version__,
        "started_from": base.name,
    }
