"""Makes `tide_chat/safety/words.txt` from our own CC0 texts and the safety rules: `python tools/word_list.py`.

A line is a word, how often it was seen, and a mark: `r` when the rules look for it, `s` when it is a short spelling
that they write out, `x` when it is a word of another language. Or it is a word, how often others follow it, and which.
Texts that are disguised on purpose are left out: their words are what has to be undone.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

from tide_chat.safety.lexicon import rows
from tide_chat.safety.words import skeleton

ROOT = Path(__file__).parent.parent
RISK = ROOT / "training" / "data_files" / "risk"
DIALOGUES = ROOT / "training" / "data_files" / "dialogues"
LEXICON = ROOT / "tide_chat" / "safety" / "lexicon"
TARGET = ROOT / "tide_chat" / "safety" / "words.txt"

ENGLISH = ("direct", "selfharm", "acts", "flags", "others", "heavy", "cues", "idioms", "context", "macros")
OTHERS = ("es", "fr", "de", "pt", "it")
RARE = 2  # a word of the risk lines counts from here on: once could be a slip
SELDOM = 3  # a word seen no more often may be a slip
COMMON = 50
_NEAR = 0.75
PAIR = 4  # two words count as a pair from here on
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def words(text: str) -> list[str]:
    return _WORD.findall(text.replace("’", "'").lower())


def said(value: object) -> Iterator[str]:
    """Every sentence in a dialogue, wherever it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("user_input", "reference_response") and isinstance(inner, str):
                yield inner
            elif key == "more_turns":
                yield from said(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from said(inner)


def lines(folder: Path, pattern: str) -> Iterator[dict[str, object]]:
    for path in sorted(folder.glob(pattern)):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def texts() -> Iterator[tuple[str, str]]:
    """Our texts, and what they are: written with care for spelling, as people write, or in several languages."""
    for row in lines(DIALOGUES, "*.jsonl"):
        yield from ((text, "careful") for text in said(row))
    for row in lines(RISK, "train-*.jsonl"):
        if row["kind"] not in ("obfuscated", "coded"):
            yield str(row["text"]), "mixed" if row["kind"] == "multilingual" else "plain"


def of_rules() -> Iterator[tuple[str, bool]]:
    """Words that the rules look for, and whether they are English."""
    for table in (*ENGLISH, *OTHERS):
        for row in rows((LEXICON / f"{table}.tsv").read_text(encoding="utf-8")):
            pattern = row.get("pattern") or row.get("words", "")
            for word in words(re.sub(r"\{\w+\}|\S+\*", " ", pattern)):
                yield word, table in ENGLISH


def is_swapped(word: str, counts: Counter[str]) -> bool:
    """A common word with two neighbouring letters swapped, as slips that were made more than once are."""
    swaps = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1))
    return len(word) > 3 and any(other != word and counts[other] >= COMMON for other in swaps)


def is_slip(word: str, seen: str) -> bool:
    """A damaged form of the word that is meant, which can be repaired; else a short spelling of its own."""
    near = SequenceMatcher(None, word, seen, autojunk=False).ratio() > _NEAR
    return skeleton(seen) == word or (near and len(word) > 3 and " " not in seen)


def paired(pairs: Counter[tuple[str, str]], listed: set[str]) -> Iterator[str]:
    """For each word how often others followed it, and which."""
    after: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for (one, two), n in sorted(pairs.items()):
        if n >= PAIR and {one, two} <= listed:
            after[one].append((two, n))
    for word, found in after.items():
        yield f"{word}\t{' '.join(str(n) for _, n in found)}\t{' '.join(two for two, _ in found)}"


def main() -> None:
    counts, pairs, abroad = Counter[str](), Counter[tuple[str, str]](), Counter[str]()
    careful: set[str] = set()
    for text, what in texts():
        found = words(text)
        (abroad if what == "mixed" else counts).update(found)
        pairs.update(pairwise(found))
        careful |= set(found) if what == "careful" else set()
    spellings = list(rows((LEXICON / "spellings.tsv").read_text(encoding="utf-8")))
    slips = {row["written"]: row["seen"] for row in spellings if row["written"].isalpha()}
    kept = {word for word, n in (counts + abroad).items() if (word in careful or n >= RARE) and word not in slips}
    kept -= {word for word in kept - careful if counts[word] <= SELDOM and is_swapped(word, counts)}
    rules = dict(of_rules())
    wanted = {word for word, english in rules.items() if english} | {
        word for row in spellings for word in words(row["seen"])
    }
    listed = (kept | set(rules)) - (slips.keys() - wanted)
    foreign = {word for word in listed - wanted if abroad[word] > counts[word] or word in rules}
    marks = dict.fromkeys(wanted, "\tr") | dict.fromkeys(foreign, "\tx")
    seen = Counter(dict.fromkeys(rules, 5)) | counts | abroad
    out = [f"{word}\t{max(seen[word], 1)}{marks.get(word, '')}" for word in sorted(listed)]
    short = {word for word, seen in slips.items() if len(word) > 1 and not is_slip(word, seen)} - listed
    out += [f"{word}\t{max(counts[word], 1)}\ts" for word in sorted(short)]
    out += list(paired(pairs, listed))
    TARGET.write_text("\n".join(out) + "\n", encoding="utf-8")
    print(f"{len(listed)} words, {len(out)} lines, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
