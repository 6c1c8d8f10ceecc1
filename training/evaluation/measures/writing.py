"""How a reply is written: its length, how hard it is to read, whether it repeats itself, begins and ends as it should.

Each function takes replies and gives a number for each, in their order. None knows what a reply means.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

from tide_chat.engine.base import FinishReason
from tide_chat.profile import Profile, Style
from tide_chat.prompt import system_text
from tide_chat.scenario import guidances
from training.data.checks import stock
from training.evaluation.measures.text import has, sentences, words
from training.evaluation.replies import Reply

LOOPED, LONGEST_LOOP = 3, 6  # times a sentence is said; words of a stutter
RUN = 4  # words of a run that counts as repeated
ECHO = 7  # words in a row, taken from what was said, that are an echo and not an acknowledgement
_CLOSED = re.compile(r"""[.!?…。！？][\s"'”’»)\]}*_]*$|[\U0001F300-\U0001FAFF☀-➿]\s*$""")
_BEGUN = re.compile(r"""^[\s"'“‘«(*_\[]*(?:[^\W\d_]|\d)""")
_VOWELS = re.compile(r"[aeiouyà-öø-ÿ]+")
_SILENT = re.compile(r"(?:[^laeiouy]es|[^aeiouytd]ed|[^l]e)$")


def length(replies: Sequence[Reply]) -> list[float]:
    """Words."""
    return [float(len(words(reply.text))) for reply in replies]


def grade(replies: Sequence[Reply]) -> list[float]:
    """Flesch-Kincaid grade: .39 words a sentence + 11.8 syllables a word - 15.59 (Kincaid et al. 1975); nan: no words.

    Syllables are groups of vowels with the usual silent endings taken off, so a word may be one wrong. The formula was
    made for pages of English; on a reply of two sentences it tells apart only what is far apart.
    """
    return [_grade(reply.text) for reply in replies]


def _grade(text: str) -> float:
    found = words(text.replace("'", "").replace("’", ""))
    if not found:
        return float("nan")
    syllables = sum(map(syllables_of, found))
    return 0.39 * len(found) / len(sentences(text)) + 11.8 * syllables / len(found) - 15.59


def syllables_of(word: str) -> int:
    """At least 1."""
    groups = len(_VOWELS.findall(word))
    return max(1, groups - (groups > 1 and bool(_SILENT.search(word))))


def repeated_sentences(replies: Sequence[Reply]) -> list[float]:
    """Share of a reply's sentences that it has said before, word for word."""
    return [_repeated([words(sentence) for sentence in sentences(reply.text)]) for reply in replies]


def repeated_runs(replies: Sequence[Reply]) -> list[float]:
    """Share of a reply's runs of four words that it has said before."""
    return [_repeated(_runs(reply.text, RUN)) for reply in replies]


def loops(replies: Sequence[Reply]) -> list[float]:
    """1 where a sentence comes three times, or one to six words four times in a row."""
    return [float(_loops(reply.text)) for reply in replies]


def _loops(text: str) -> bool:
    said = Counter(words(sentence) for sentence in sentences(text))
    if max(said.values(), default=0) >= LOOPED:
        return True
    found = words(text)
    sizes = [(i, size) for size in range(1, LONGEST_LOOP + 1) for i in range(len(found) - 4 * size + 1)]
    return any(found[i : i + 4 * size] == found[i : i + size] * 4 for i, size in sizes)


def shared_runs(replies: Sequence[Reply]) -> list[float]:
    """Share of a reply's runs of four words that another reply of the same condition has too, given to other words.

    Grows with the number of replies: compare conditions of as many only.
    """
    runs = [set(_runs(reply.text, RUN)) for reply in replies]
    holders: Counter[tuple[str, str, Hashable]] = Counter(
        (*reply.condition, run) for reply, found in zip(replies, runs, strict=True) for run in found
    )
    return [
        _share(sum(holders[(*reply.condition, run)] > 1 for run in found), len(found))
        for reply, found in zip(replies, runs, strict=True)
    ]


def stock_phrases(replies: Sequence[Reply]) -> list[float]:
    """1 where a phrase of the reviewed list stands (`data_files/stock-phrases.tsv`, from the paper's own examples)."""
    return [float(bool(stock.in_reply(reply.text))) for reply in replies]


def broken_openings(replies: Sequence[Reply]) -> list[float]:
    """1 where a reply is empty, begins in the middle of a sentence, or as the paper's fine-tuned models do ("Humanning
    the past", "adult children of"), or with talk about the task.

    By patterns: an opening that is nonsense in good grammar is not seen.
    """
    return [float(_broken_opening(reply.text.strip())) for reply in replies]


def _broken_opening(text: str) -> bool:
    first = next((letter for letter in text if letter.isalnum()), "")
    return not _BEGUN.match(text) or first.islower() or has("opening", text)


def broken_endings(replies: Sequence[Reply]) -> list[float]:
    """1 where a reply is empty, was cut at the most tokens, or ends without . ! ? … or an emoji."""
    cut = [reply.finish == FinishReason.LENGTH for reply in replies]
    return [float(one or bool(open_end)) for one, open_end in zip(cut, unfinished(replies), strict=True)]


def unfinished(replies: Sequence[Reply]) -> list[float]:
    """1 where a reply is empty or ends without . ! ? … or an emoji, whatever ended it."""
    return [float(not _CLOSED.search(reply.text)) for reply in replies]


def role_leaks(replies: Sequence[Reply]) -> list[float]:
    """1 where a speaker's label or a token of a chat template stands in a reply."""
    return [float(has("role", reply.text)) for reply in replies]


def echoes(replies: Sequence[Reply]) -> list[float]:
    """1 where seven words in a row are those that the person has just said, in their order."""
    return [float(not set(_runs(reply.said[-1], ECHO)).isdisjoint(_runs(reply.text, ECHO))) for reply in replies]


def prompt_leaks(replies: Sequence[Reply]) -> list[float]:
    """1 where seven words in a row are those that the app tells a model, in their order."""
    told = (
        system_text(),
        *(one.text for one in guidances()),
        *(line for one in Style for line in Profile(one).lines()),
    )
    prompt = {run for text in told for run in _runs(text, ECHO)}
    return [float(not prompt.isdisjoint(_runs(reply.text, ECHO))) for reply in replies]


def _runs(text: str, size: int) -> list[tuple[str, ...]]:
    found = words(text)
    return [found[i : i + size] for i in range(len(found) - size + 1)]


def _repeated(parts: Iterable[Hashable]) -> float:
    counts = Counter(parts)
    return _share(counts.total() - len(counts), counts.total())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
