"""Does it help the embedded model to see how somebody like this was answered before?

    python tools/exemplars.py [--model FOLDER] [--adapter RUN] [--data SPLIT] [--count 24] [--json]

For held-out plain dialogues: the loss of the reference reply when nothing stands before it, and when another dialogue
does as an earlier turn, once the nearest one (all-MiniLM-L6-v2, cosine of the messages) and once any; and how many
tokens more have to be read before the reply begins. The result is in docs/training.md. Dialogues to show come from the
train part of a split, those held out from its validation part; without a split, from the plain dialogues by seed.
Differences are paired, their 95% intervals bootstrapped. Generates nothing.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from progress import say

from tide_chat.messages import Conversation
from tide_chat.prompt import system_text

SEED = 42
LENGTH = 2048  # tokens; nothing is cut


@dataclass(frozen=True, slots=True)
class Way:
    """What stands before the message."""

    name: str
    shown: int
    nearest: bool = True


WAYS = (
    Way("none", 0),
    Way("1 nearest", 1),
    Way("1 any", 1, nearest=False),
)


@dataclass(frozen=True, slots=True)
class Row:
    """loss: nats a token of the reply. difference: to none, with its interval (None below three dialogues).

    added: tokens more in the prompt.
    """

    way: str
    loss: float
    difference: float
    low: float | None
    high: float | None
    added: float
    better: float  # share of dialogues


def with_shown(shown: Sequence[Conversation], one: Conversation) -> Conversation:
    """The first exchange of each of `shown`, then `one`."""
    return Conversation(tuple(message for each in (*shown, one) for message in each.messages[:2]))


def parts(data: Path | None, count: int) -> tuple[list[Conversation], list[Conversation]]:
    """(to show, held out). Raises DataError."""
    from training.data import sources, split

    source = random.Random(SEED)
    if data is None:
        every = [one.conversation for one in sources.dialogues(("open:plain",))]
        source.shuffle(every)
        return every[count:], every[:count]
    manifest = split.verified(data)
    shown, held = ([one.conversation for one in split.read(data, manifest, part)] for part in ("train", "validation"))
    return shown, source.sample(held, min(count, len(held)))


def chosen(pool: Sequence[Conversation], held: Sequence[Conversation]) -> list[dict[Way, list[Conversation]]]:
    """For each held-out dialogue what each way shows."""
    from training.evaluation.measures.factors import vectors

    texts = [one.messages[0].text for one in (*held, *pool)]
    found = vectors(texts)
    near = (-found[: len(held)] @ found[len(held) :].T).argsort(axis=1).tolist()
    source = random.Random(SEED)
    return [
        {
            way: [pool[i] for i in reversed(order[: way.shown])]
            if way.nearest
            else source.sample(list(pool), way.shown)
            for way in WAYS
        }
        for order in near
    ]


def load(folder: Path, adapter: Path | None) -> Any:
    """The model's loss, without a gradient."""
    import torch
    from transformers import AutoModelForCausalLM

    from training.hushed import hushed
    from training.sft.loss import Loss

    with hushed():
        base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        if adapter:
            from peft import PeftModel

            base = PeftModel.from_pretrained(base, adapter)
    return Loss(base.requires_grad_(requires_grad=False).eval(), torch.float32)


def measure(
    loss: Any, encoder: Any, held: Conversation, ways: dict[Way, list[Conversation]]
) -> list[tuple[float, int]]:
    """For each way the loss of the reply, nats a token, and the tokens before it. One pass for all ways."""
    import numpy
    import torch

    from training.sft import batches
    from training.sft.samples import last_reply

    made = [encoder.examples([with_shown(shown, held)], LENGTH)[0][-1] for shown in ways.values()]
    starts = [last_reply(one) for one in made]
    for one, start in zip(made, starts, strict=True):
        one.mask[:start] = numpy.zeros(start, bool)
    with torch.no_grad():
        losses, where = loss.each(batches.stacked(made, batches.common_prefix(made)))
    counts = where.sum(1).tolist()
    return [(float(part.mean()), start) for part, start in zip(losses.split(counts), starts, strict=True)]


def rows(measured: Sequence[Sequence[tuple[float, int]]]) -> list[Row]:
    """measured: for each dialogue, each way's loss and tokens; the first way is what the others are compared with."""
    from training.evaluation.statistics import bootstrap_mean

    found = []
    for number, way in enumerate(WAYS):
        differences = [one[number][0] - one[0][0] for one in measured]
        between = bootstrap_mean(differences, seed=SEED)
        found.append(
            Row(
                way.name,
                mean(one[number][0] for one in measured),
                between.value,
                between.low,
                between.high,
                mean(one[number][1] - one[0][1] for one in measured),
                mean(value < 0 for value in differences),
            )
        )
    return found


def table(found: Sequence[Row]) -> str:
    lines = [
        "| shown before | loss | difference | 95% interval | better in | tokens added |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row.way} | {row.loss:.3f} | {row.difference:+.3f} | {signed(row.low)} to {signed(row.high)} | "
            f"{row.better:.0%} | {row.added:.0f} |"
            for row in found
        ),
    ]
    return "\n".join(lines)


def signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"


def main() -> int:
    from embedded import embedded_at

    from training import chat_files
    from training.render import ChatEncoder

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="an HF folder of SmolLM2; made of the embedded model when not given")
    parser.add_argument("--adapter", type=Path, help="a run folder, whose adapter is put on the model")
    parser.add_argument("--data", type=Path, help="what `tide-train data split` wrote; the one the adapter learnt from")
    parser.add_argument("--count", type=int, default=24, help="held-out dialogues")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.adapter and not options.data:
        parser.error("--adapter needs --data, or what is held out may have been learnt")
    pool, held = parts(options.data, options.count)
    ways = chosen(pool, held)
    with embedded_at(options.model) as model:
        loss, encoder = load(model, options.adapter), ChatEncoder(chat_files.load(model), system_text())
        measured = []
        for number, (one, shown) in enumerate(zip(held, ways, strict=True)):
            measured.append(measure(loss, encoder, one, shown))
            say(f"{number + 1} of {len(held)}: {measured[-1][0][0]:.3f}")
    found = rows(measured)
    print(json.dumps([asdict(row) for row in found], indent=2) if options.json else table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
