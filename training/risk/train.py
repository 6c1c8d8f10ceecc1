"""Fine-tunes the risk encoder: all heads at once, batches of like length, fixed seed.

What it writes to the run folder is a plain HF folder (`config.json`, `model.safetensors`, tokenizer files), the heads
(`heads.json`), the n-grams (`ngrams.bin`) and `run.json`; `tide-convert risk` makes the files of it that the app loads.
"""

import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import nn

from tide_chat.errors import DataError
from tide_chat.safety import gloss, ngrams
from tide_chat.safety.assessment import Tier
from tide_chat.safety.ngrams import Ngrams
from tide_chat.safety.normalize import readable
from training.risk import data, rounding, sources, teachers
from training.risk.augment import vary
from training.risk.calibrate import Calibration
from training.risk.data import Row
from training.risk.model import HEADS_FILE, SCALE, Head, RiskEncoder, base_folder, load_base

Say = Callable[[str], None]
NGRAMS_FILE = "ngrams.bin"
TIERS = tuple(tier.name for tier in Tier)
MAX_TOKENS = 192  # longer messages are read in windows by the app
CHATTER = (1, 1, 2, 3)  # messages put around one that gets any
SHORT = 160  # letters of such a message


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. Losses are summed with these weights."""

    epochs: int = 4
    batch: int = 64  # messages
    learning_rate: float = 1e-4  # of the encoder, at its peak
    head_learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup: float = 0.06  # share of all steps
    smoothing: float = 0.04  # of the labels of softmax heads
    chatter: float = 0.35  # share of messages that get other talk around them
    heavy: float = 0.5  # share of that talk that is of distress without danger; never around a message that is of none
    flag_weight: float = 1.0
    subject_weight: float = 0.25
    time_weight: float = 0.15
    scenario_weight: float = 0.15
    teachers: float = 0.5  # share of the losses of tier and flags; 0: the labels alone
    rounded: bool = False  # learn with the encoder's matrices as its file will hold them
    bfloat16: bool = False  # multiply the encoder's matrices so
    dropout: float = 0.1  # in the encoder
    frozen: int = 0  # first layers that stay as they are, with the word embeddings
    seed: int = 7
    fold: int = 0  # which tenth of the themes is held out for validation; -1: none


class Rates(Protocol):
    """What an optimizer has to know of a recipe."""

    @property
    def learning_rate(self) -> float: ...
    @property
    def head_learning_rate(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...


class HasIds(Protocol):
    @property
    def ids(self) -> list[int]: ...


Tokens = TypeVar("Tokens", bound=HasIds)


@dataclass(frozen=True, slots=True)
class Item:
    """A row with its token ids."""

    row: Row
    ids: list[int]


def heads_for(scenarios: tuple[str, ...]) -> tuple[Head, ...]:
    return (
        Head("tier", TIERS, one=True),
        Head("flags", data.FLAGS, one=False),
        Head("subject", data.SUBJECTS, one=True),
        Head("time", data.TIMES, one=True),
        Head("scenario", scenarios, one=True),
    )


class Trainer:
    """One run. `say` gets a line for each epoch."""

    def __init__(
        self,
        recipe: Recipe,
        base: Path | None,
        say: Say,
        limit: int | None = None,
        *,
        leave_out: int | None = None,
    ) -> None:
        self.recipe, self.say = recipe, say
        torch.manual_seed(recipe.seed)
        self.checksums = sources.checksums()  # of what is read now; the files may change while it learns
        rows = sources.rows()
        self.scenarios = data.scenarios(rows)
        if limit:
            rows = random.Random(recipe.seed).sample(rows, min(limit, len(rows)))
        self.train_rows, self.held_rows = data.split(rows, recipe.fold)
        quarters = [teachers.quarter_of(row.group) for row in self.train_rows]
        pairs = list(zip(self.train_rows, quarters, strict=True))
        self.left_out = [row for row, quarter in pairs if quarter == leave_out]  # for a teacher to judge afterwards
        self.train_rows = [row for row, quarter in pairs if quarter != leave_out]
        self.chances = teachers.load() if recipe.teachers else None
        folder = base_folder(base)
        encoder, self.tokenizer = load_base(folder)
        self.model = RiskEncoder(encoder, heads_for(self.scenarios))
        self.took_over = self.model.take_over(folder / HEADS_FILE)
        self.ngrams = _ngrams(folder / NGRAMS_FILE) if self.took_over else ngrams.of(())
        earlier = folder / "run.json"
        self.started_from = json.loads(earlier.read_text(encoding="utf-8")) if earlier.is_file() else folder.name
        self.refitted: dict[str, Any] | None = None  # how one head alone was trained, if one was
        if recipe.rounded:
            rounding.apply(self.model.encoder)
        self.model.settle(recipe.dropout, recipe.frozen)
        self.model.bfloat16 = recipe.bfloat16
        self.rng = random.Random(recipe.seed)
        short = [row for row in self.train_rows if len(row.text) < SHORT]
        self.calm = [row.text for row in short if row.tier is Tier.T0]
        self.heavy = [row.text for row in short if row.tier is Tier.T1 and not row.flags and row.kind != "multilingual"]

    # -- batches -----------------------------------------------------------------------------------------------------

    def items(self, rows: Sequence[Row], *, varied: bool) -> list[Item]:
        texts = self.texts(rows, varied=varied)
        if varied:
            texts = [self.rng.choice((text, gloss.english(text) or text)) for text in texts]
        ids = self.tokenizer(texts, truncation=True, max_length=MAX_TOKENS)["input_ids"]
        return [Item(row, each) for row, each in zip(rows, ids, strict=True)]

    def texts(self, rows: Sequence[Row], *, varied: bool) -> list[str]:
        """As the app reads them; each a variant of its own."""
        return [readable(self._variant(row) if varied else row.text) for row in rows]

    def _variant(self, row: Row) -> str:
        some = self.rng.choice(CHATTER) if self.rng.random() < self.recipe.chatter else 0
        return vary(row.text, [self._talk(row) for _ in range(some)], self.rng)

    def _talk(self, row: Row) -> str:
        """A message to put beside that of `row`, which keeps its labels."""
        heavy = row.tier is not Tier.T0 and self.rng.random() < self.recipe.heavy
        return self.rng.choice((self.heavy if heavy else self.calm) or [""])

    # -- the loop ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        recipe = self.recipe
        each = math.ceil(len(self.train_rows) / recipe.batch)
        steps = recipe.epochs * each
        optimizer = optimizer_of(self.model, recipe)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps, recipe.warmup))
        for epoch in range(recipe.epochs):
            began, total, count = time.monotonic(), 0.0, 0
            self.model.train()
            items = self.items(self.train_rows, varied=True)
            self.rng.shuffle(items)
            batches = by_length(items, recipe.batch)
            self.rng.shuffle(batches)
            for batch in batches:
                loss = self.loss(batch)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                total, count = total + loss.item(), count + 1
                if count % max(1, each // 10) == 0:
                    self.say(f"epoch {epoch + 1} of {recipe.epochs}: {count} of {each} steps")
            line = f"epoch {epoch + 1} of {recipe.epochs}: loss {total / count:.4f}, {time.monotonic() - began:.0f} s"
            self.say(f"{line}; {self.brief()}" if self.held_rows else line)

    def loss(self, batch: list[Item]) -> torch.Tensor:
        parts = self.model.parts(self.model(*padded([item.ids for item in batch])))
        recipe, rows = self.recipe, [item.row for item in batch]
        weights = {
            "tier": 1.0,
            "flags": recipe.flag_weight,
            "subject": recipe.subject_weight,
            "time": recipe.time_weight,
            "scenario": recipe.scenario_weight,
        }
        losses = {name: self.head_loss(name, parts[name], rows) for name in weights}
        if self.chances:
            losses |= self._taught(self.chances, losses, parts, rows)
        return torch.stack([weight * losses[name] for name, weight in weights.items()]).sum()

    def _taught(
        self, chances: teachers.Chances, own: dict[str, torch.Tensor], parts: dict[str, torch.Tensor], rows: list[Row]
    ) -> dict[str, torch.Tensor]:
        """The losses of tier and flags with the teachers' share, for the messages that they read."""
        places = chances.places([row.text for row in rows])
        known = [i for i, place in enumerate(places) if place >= 0]
        if not known:
            return {}
        read = [places[i] for i in known]
        tiers = torch.tensor(chances.tiers[read])
        flags = torch.tensor(chances.flags[read])
        soft = {
            "tier": -(tiers * parts["tier"][known].log_softmax(-1)).sum(-1).mean(),
            "flags": _even_flag_loss(parts["flags"][known], flags),
        }
        share = self.recipe.teachers * len(known) / len(rows)
        return {name: (1 - share) * own[name] + share * loss for name, loss in soft.items()}

    def head_loss(self, name: str, logits: torch.Tensor, rows: list[Row]) -> torch.Tensor:
        """Of one head: logits (rows, labels)."""
        if name == "tier":
            return _tier_loss(logits, rows, self.recipe.smoothing)
        if name == "flags":
            return _flag_loss(logits, rows)
        labels = {"subject": data.SUBJECTS, "time": data.TIMES, "scenario": self.scenarios}[name]
        return _one_of(logits, [getattr(row, name) for row in rows], labels)

    # -- looking at it -----------------------------------------------------------------------------------------------

    @torch.no_grad()
    def logits(self, rows: Sequence[Row]) -> torch.Tensor:
        """(rows, outputs), in the order of `rows`."""
        logits: torch.Tensor = self.model.out(self.vectors([row.text for row in rows]) * SCALE)
        return logits

    @torch.no_grad()
    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """(texts, width), in the order of `texts`: as the app has them, with the mean for other languages."""
        own = self._embedded(texts)
        words = {i: english for i, text in enumerate(texts) if (english := gloss.english(readable(text)))}
        if words:
            own[list(words)] = (own[list(words)] + self._embedded(list(words.values()))) / 2
        return own

    def _embedded(self, texts: Sequence[str]) -> torch.Tensor:
        """(texts, width), L2-normalised."""
        self.model.eval()
        items = self.items([Row(text, "", "") for text in texts], varied=False)
        order = sorted(range(len(items)), key=lambda i: len(items[i].ids))
        out = torch.empty(len(items), self.model.out.in_features)
        for i in range(0, len(order), 64):
            part = order[i : i + 64]
            out[part] = self.model.embed(*padded([items[j].ids for j in part]))
        return out

    def brief(self) -> str:
        """A few figures on the held-out themes, at the threshold 0.5."""
        rows = [row for row in self.held_rows if row.tier is not None]
        chance = self.model.parts(self.logits(rows))["tier"].softmax(-1)
        raised = (chance[:, 2:].sum(-1) > 0.5).tolist()
        shares = []
        for name, tiers in (("T3/T4", (3, 4)), ("T2", (2,)), ("T1", (1,)), ("T0", (0,))):
            of = [flag for flag, row in zip(raised, rows, strict=True) if row.tier in tiers]
            shares.append(f"{name} {sum(of) / max(len(of), 1):.3f}")
        return f"as T2 or higher: {', '.join(shares)}"

    def save(self, out: Path, found: Calibration) -> None:
        """Write the run folder."""
        out.mkdir(parents=True, exist_ok=True)
        rounding.keep(self.model.encoder)
        self.model.encoder.save_pretrained(out)
        self.tokenizer.save_pretrained(out)
        heads = {"heads": self.model.heads_as_json({"tier": found.temperature}), "thresholds": found.as_json()}
        (out / HEADS_FILE).write_text(json.dumps(heads))
        (out / NGRAMS_FILE).write_bytes(self.ngrams.times(found.share).to_bytes())
        (out / "run.json").write_text(json.dumps(self.describe(), indent=2) + "\n")

    def describe(self) -> dict[str, Any]:
        return {
            "recipe": self.refitted or asdict(self.recipe),
            "data": self.checksums,
            "rows": {"training": len(self.train_rows), "validation": len(self.held_rows)},
            "torch": torch.__version__,
            "started_from": self.started_from,
        }


def _ngrams(file: Path) -> Ngrams:
    """Those of an earlier run; none where it has none. Raises DataError."""
    try:
        return Ngrams.from_bytes(file.read_bytes()) if file.exists() else ngrams.of(())
    except (OSError, ValueError) as error:
        raise DataError("The n-grams of the run cannot be read.", details=f"{file}: {error}") from error


def by_length(items: Sequence[Tokens], size: int) -> list[list[Tokens]]:
    """Batches of like length: sorted within stretches of many batches. Shuffle before and after."""
    stretch = size * 40
    chunks = [sorted(items[i : i + stretch], key=lambda item: len(item.ids)) for i in range(0, len(items), stretch)]
    return [chunk[i : i + size] for chunk in chunks for i in range(0, len(chunk), size)]


def padded(rows: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids, mask), each of shape (rows, longest)."""
    longest = max(map(len, rows))
    ids = [row + [0] * (longest - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return torch.tensor(ids), torch.tensor(mask)


def optimizer_of(model: RiskEncoder, recipe: Rates) -> torch.optim.Optimizer:
    encoder = [p for p in model.encoder.parameters() if p.requires_grad]
    decayed, plain = [p for p in encoder if p.ndim >= 2], [p for p in encoder if p.ndim < 2]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "lr": recipe.learning_rate, "weight_decay": recipe.weight_decay},
        {"params": plain, "lr": recipe.learning_rate, "weight_decay": 0.0},
        {"params": list(model.out.parameters()), "lr": recipe.head_learning_rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, fused=True)


def rate(step: int, steps: int, warmup: float) -> float:
    rise = max(1, int(warmup * steps))
    return step / rise if step < rise else 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def _tier_loss(logits: torch.Tensor, rows: list[Row], smoothing: float) -> torch.Tensor:
    """Cross entropy where the tier is known; where only `below T2` is, the chance of that."""
    known = [i for i, row in enumerate(rows) if row.tier is not None]
    calm = [i for i, row in enumerate(rows) if row.tier is None]
    total = logits.new_zeros(())
    if known:
        wanted = torch.tensor([int(rows[i].tier or 0) for i in known])
        total = total + nn.functional.cross_entropy(logits[known], wanted, label_smoothing=smoothing, reduction="sum")
    if calm:
        below = logits[calm].log_softmax(-1)[:, :2].logsumexp(-1)
        total = total - 0.5 * below.sum()
    return total / len(rows)


def _flag_loss(logits: torch.Tensor, rows: list[Row]) -> torch.Tensor:
    known = [i for i, row in enumerate(rows) if row.flags is not None]
    if not known:
        return logits.new_zeros(())
    wanted = torch.tensor([[float(flag in (rows[i].flags or ())) for flag in data.FLAGS] for i in known])
    weight = torch.full((len(data.FLAGS),), 3.0)
    return _even_flag_loss(logits[known], wanted, weight)


def _even_flag_loss(logits: torch.Tensor, wanted: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
    """wanted: chances. weight: of a flag that is there."""
    loss = nn.functional.binary_cross_entropy_with_logits(logits, wanted, pos_weight=weight)
    return loss * len(data.FLAGS) / 2


def _one_of(logits: torch.Tensor, wanted: list[str | None], labels: Sequence[str]) -> torch.Tensor:
    known = [i for i, label in enumerate(wanted) if label is not None]
    if not known:
        return logits.new_zeros(())
    target = torch.tensor([labels.index(wanted[i] or "") for i in known])
    return nn.functional.cross_entropy(logits[known], target)
