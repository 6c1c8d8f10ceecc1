"""Why the safety check acted, in words for the person who wrote: `/why`. Never a tier, a number or a score.

Knows the names of rules and the sentences for them (`cards_data/why.toml`), and decides nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tide_chat import wording
from tide_chat.safety import join, language
from tide_chat.safety.assessment import Assessment, Flag, Reason, Tier

MOST = 6  # sentences
_LANGUAGES = re.compile(r"[a-z]{2}, T\d")  # rules of one language: `es, T3: wishes to die`


@dataclass(frozen=True, slots=True)
class Sentences:
    """All that can be said."""

    says: Mapping[str, str]
    flags: Mapping[str, str]
    rules: Mapping[str, str]  # by how a rule's name begins, in order


def in_words(assessment: Assessment | None) -> str:
    """What made the check act on the newest message, as paragraphs and a list. None: there is no message yet."""
    said = sentences().says
    if assessment is None:
        return said["none_yet"]
    lines = list(dict.fromkeys(_lines(assessment)))[:MOST]
    listed = "\n".join(f"- {line}" for line in lines)
    if not _acted(assessment):
        return "\n\n".join([said["nothing"], *([f"{said['let_be']}\n{listed}"] if lines else [])])
    return f"{said['acted']}\n{listed or '- ' + said['unknown']}\n\n{said['ending']}"


def _acted(assessment: Assessment) -> bool:
    if assessment.tier >= Tier.T2 or assessment.flags or join.is_reduced(assessment):
        return True
    return any(reason.rule == language.RULE for reason in assessment.reasons)


def _lines(assessment: Assessment) -> Iterator[str]:
    """A sentence for each kind of reason; a flag that no reason speaks of gets its own."""
    known = sentences()
    spoken: set[str] = set()
    for reason in assessment.reasons:
        flags = [str(flag) for flag in Flag if re.search(rf"\b{flag}\b", reason.rule)]
        for name in flags or [_kind(reason)]:
            if name not in spoken:
                yield known.flags.get(name) or _sentence(name, reason)
            spoken.add(name)
    yield from (known.flags[str(flag)] for flag in assessment.flags if str(flag) not in spoken)


def _kind(reason: Reason) -> str:
    rule = f"direct{reason.rule[2:]}" if _LANGUAGES.match(reason.rule) else reason.rule
    return next((begins for begins in sentences().rules if rule.startswith(begins)), "")


def _sentence(kind: str, reason: Reason) -> str:
    known = sentences()
    says, words = known.rules.get(kind, known.says["unknown"]), _quoted(reason)
    return says.replace("{words}", words) if words or "{words}" not in says else known.says["unknown"]


def _quoted(reason: Reason) -> str:
    """The words as the person wrote them; where that is one lump, a code or glued words, what was read in it."""
    written = " ".join(reason.written.split())
    return written if " " in written else reason.words.strip()


@wording.cached
def sentences() -> Sentences:
    """From the file; the barest ones when it cannot be read."""
    try:
        data = wording.read("tide_chat.safety", "cards_data/why.toml")
        return Sentences(data["says"], data["flags"], {row["begins"]: row["says"] for row in data["rules"]})
    except (OSError, ValueError, KeyError, TypeError):
        plain = "Something in your last message made the safety check careful."
        says = dict.fromkeys(("none_yet", "nothing", "let_be", "acted", "ending", "unknown"), plain)
        return Sentences(says, dict.fromkeys(map(str, Flag), plain), {})
