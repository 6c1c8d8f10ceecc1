"""The loss mask, in colour for a terminal and in brackets for a file. Knows no model and prints nothing itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from training.render import ChatEncoder, Example

if TYPE_CHECKING:
    from rich.text import Text

STYLES = {"context": "dim", "reply": "bold green", "end": "black on green", "control": "dim cyan"}
PLAIN_LEGEND = "Between ⟦ and ⟧: learnt"
LEGEND = {"context": "read only", "control": "control token", "reply": "learnt", "end": "learnt: the end of a reply"}


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring tokens of one kind (a key of STYLES). tokens: how many."""

    kind: str
    text: str
    tokens: int


def runs(encoder: ChatEncoder, example: Example) -> Iterator[Run]:
    """The example as text, in its order. Tokens are decoded together, since a letter may be spread over several."""
    control = {encoder.files.tokenizer.token_to_id(text) for text in encoder.files.control}
    pairs = list(zip(example.ids.tolist(), example.mask.tolist(), strict=True))

    def kind(pair: tuple[int, bool]) -> str:
        number, learnt = pair
        if learnt:
            return "end" if number == encoder.end_id else "reply"
        return "control" if number in control else "context"

    for name, group in groupby(pairs, kind):
        ids = [number for number, _ in group]
        yield Run(name, encoder.files.decode(ids), len(ids))


def coloured(encoder: ChatEncoder, example: Example) -> "Text":
    """For rich's console. What people wrote is shown with its control characters made harmless."""
    from rich.text import Text

    from tide_chat.terminal import neutral

    text = Text()
    for run in runs(encoder, example):
        text.append(neutral(run.text), style=STYLES[run.kind])
    return text


def legend() -> "Text":
    """What the colours mean, in one line."""
    from rich.text import Text

    parts = [Text(words, style=STYLES[kind]) for kind, words in LEGEND.items()]
    return Text("  ").join(parts)


def plain(encoder: ChatEncoder, example: Example) -> str:
    """The same without colour, for files and pipes: what is learnt stands between ⟦ and ⟧."""
    from tide_chat.terminal import neutral

    pieces = []
    for learnt, group in groupby(runs(encoder, example), lambda run: run.kind in ("reply", "end")):
        text = neutral("".join(run.text for run in group))
        pieces.append(f"⟦{text}⟧" if learnt else text)
    return "".join(pieces)
