"""A message that is a plain denial and nothing else: `no, i'd never kill myself`.

Such words say all that there is, so what an encoder makes of their sound adds nothing. Whatever else stands in the
message leaves it to the encoder: a day, a place, a `but`; so does `i don't want to die`, which somebody in danger says
as well. It sees folded text and knows no model.
"""

from collections.abc import Sequence

from tide_chat.safety import context
from tide_chat.safety.assessment import Tier
from tide_chat.safety.context import Hit, Text
from tide_chat.safety.lexicon import Lexicon
from tide_chat.safety.normalize import BREAK


def is_only_denial(text: Text, hits: Sequence[Hit], lexicon: Lexicon) -> bool:
    """Whether all that was found is denied, and what stands beside it means nothing by itself."""
    grave = [hit for hit in hits if hit.entry.tier >= Tier.T2]
    said = [(start, hit.end) for hit in grave if (start := _denied_from(text, hit, lexicon)) is not None]
    if not grave or len(said) < len(grave):
        return False
    beside = lexicon.contexts.get("beside", context.NONE).among(text.words)
    said += [span for entry in beside for span in context.occurrences(entry, text.folded)]
    return not "".join(_without(text.folded, said)).replace(BREAK, "").strip()


def _denied_from(text: Text, hit: Hit, lexicon: Lexicon) -> int | None:
    """Where the denial of something that one does or plans begins."""
    is_deed = hit.entry.tier >= Tier.T3 or hit.entry.table == "selfharm"
    return context.negated_from(text, hit, lexicon) if is_deed and hit.tier < Tier.T2 else None


def _without(folded: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """The pieces outside these spans."""
    pieces, position = [], 0
    for start, end in sorted(spans):
        pieces.append(folded[position:start])
        position = max(position, end)
    return [*pieces, folded[position:]]
