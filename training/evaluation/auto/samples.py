"""samples.md: replies of all conditions side by side, for reading. The seed says which items, no hand."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tide_chat.atomic import write_text
from training.evaluation.drawing import drawn
from training.evaluation.replies import Reply

SAMPLES, COUNT = "samples.md", 10


def write(run: Path, replies: Sequence[Reply], seed: int) -> None:
    write_text(run / SAMPLES, page(replies, seed))


def page(replies: Sequence[Reply], seed: int) -> str:
    """Ten items, or all when there are fewer, in the order of the data."""
    items = list(dict.fromkeys(reply.item for reply in replies))
    shown = drawn(items, COUNT, "samples", seed)
    drawing = f"{len(shown)} of {len(items)} items, drawn by seed {seed}. Replies as they came, nothing is mended."
    head = f"# Samples\n\n{drawing}\n"
    return "\n".join([head, *(_item(item, replies) for item in items if item in shown)])


def _item(item: str, replies: Sequence[Reply]) -> str:
    of = [reply for reply in replies if reply.item == item]
    title = f"## {item}" + (f" ({of[0].scenario})" if of[0].scenario else "")
    return "\n\n".join([title, *_said(of[0]), *(_block(*one) for one in _answers(of))]) + "\n"


def _said(reply: Reply) -> Iterator[str]:
    for number, text in enumerate(reply.said):
        yield _block("Assistant (of the data)" if number % 2 else "Person", text)


def _answers(of: Sequence[Reply]) -> Iterator[tuple[str, str]]:
    for reply in of:
        yield f"{reply.model} {reply.state}, {reply.tokens} tokens, {reply.finish}", reply.text
    yield "Reference", of[0].reference


def _block(who: str, text: str) -> str:
    lines = text.replace("<", "\\<").splitlines() or ["*(nothing)*"]
    return f"**{who}**\n\n" + "\n".join(f"> {line}".rstrip() for line in lines)
