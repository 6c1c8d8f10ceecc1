"""Replies that were cut: in a word, after a comma or a word that never ends a sentence, or inside a quotation.

A model trained on such replies learns not to finish. English; a reply without an end mark is only a warning, since
some people write so on purpose.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from tide_chat.progress import Say
from training.data import near
from training.data.findings import Checked, Finding, Measure, Severity, of_row, percent
from training.data.schema import Row

_CLOSING = "\"'”’»)]}*_ \t\r\n"  # what may follow the end mark
_END = re.compile(r"[.!?…:。！？।؟]$|\W$")  # an emoji ends a sentence too
_OPEN_MARK = re.compile(r"[,;(\[{“«–—-]$")
_NEVER_LAST = frozenset(
    "a an the and or but nor because although while if unless than as of to from with into onto your my our their his "
    "its whose which very such every".split()
)
_BALANCED = (("“", "”"), ("(", ")"), ("[", "]"), ("«", "»"))


def check(rows: Sequence[Row], _say: Say) -> Checked:
    """Errors: replies that are plainly cut. Warnings: no end mark, a quotation or bracket that stays open."""
    known = Counter(word for row in rows for message in row.dialogue.turns for word in set(near.words(message.text)))
    stems = {word[:size] for word, count in known.items() if count > 1 for size in range(2, len(word))}
    found: list[Finding] = []
    unmarked = whole = 0
    for row in rows:
        for number, reply in enumerate(row.dialogue.replies):
            whole += 1
            faults = list(_faults(reply, known, stems))
            unmarked += any(kind != "unbalanced" for kind, _, _ in faults)
            found += [
                of_row(kind, grave, row, what, turn=2 * number + 1, text=_tail(reply)) for kind, grave, what in faults
            ]
    value = f"{unmarked} of {whole} replies ({percent(unmarked, whole)}) end without a mark"
    return Checked(tuple(found), (Measure("endings", value, {"replies": whole, "unmarked": unmarked}),))


def _faults(reply: str, known: Counter[str], stems: set[str]) -> Iterator[tuple[str, Severity, str]]:
    text = reply.rstrip(_CLOSING)
    last = (near.words(text) or ("",))[-1]
    if _OPEN_MARK.search(text):
        yield "cut", Severity.ERROR, f"the reply ends with “{text[-1]}”"
    elif not _END.search(text):
        if last in _NEVER_LAST:
            yield "cut", Severity.ERROR, f"the reply ends with the word “{last}”"
        elif known[last] <= 1 and last in stems:
            yield "cut", Severity.ERROR, f"the reply seems to end inside a word: “{last}”"
        else:
            yield "no-end-mark", Severity.WARNING, "the reply ends without a mark"
    if mark := _open(reply):
        yield "unbalanced", Severity.WARNING, f"the reply has a {mark} without its partner"


def _open(text: str) -> str:
    """The first mark of a pair that stands alone, if any."""
    if text.count('"') % 2:
        return '"'
    return next((first for first, second in _BALANCED if text.count(first) != text.count(second)), "")


def _tail(text: str) -> str:
    return text if len(text) <= 60 else f"…{text[-59:]}"
