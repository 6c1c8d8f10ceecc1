"""What is judged: replies of `replies.jsonl` files, or the items of a study, whose scores then fit its ratings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from tide_chat.errors import DataError
from training.evaluation import replies
from training.evaluation.drawing import drawn
from training.evaluation.study import design


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reply to judge. group: replies of one group answer the same text and can be compared.

    said: user, assistant, ..., user. cluster: whose replies belong together in intervals, a person or a dialogue.
    """

    item: str
    group: str
    model: str
    state: str
    said: tuple[str, ...]
    text: str
    cluster: str

    @property
    def condition(self) -> tuple[str, str]:
        return self.model, self.state

    @property
    def key(self) -> tuple[str, str, str]:
        return self.item, self.model, self.state


Pair = tuple[Candidate, Candidate]


def read(paths: Sequence[Path]) -> tuple[Candidate, ...]:
    """Raises DataError, also when a reply is there twice."""
    found: dict[tuple[str, str, str], Candidate] = {}
    for path in paths:
        for one in _of_study(path) if path.is_dir() or path.name == design.FILE else _of_replies(path):
            if one.key in found:
                raise DataError("A reply is there twice.", details=f"{path}: {', '.join(one.key)}")
            found[one.key] = one
    if not found:
        raise DataError("There is no reply to judge.", details=", ".join(map(str, paths)))
    return tuple(found.values())


def chosen(candidates: Sequence[Candidate], limit: int | None, seed: int) -> tuple[Candidate, ...]:
    """All replies of `limit` groups that the seed draws, in the order of the files."""
    kept = drawn({one.group for one in candidates}, limit, "judge", seed)
    return tuple(one for one in candidates if one.group in kept)


def pairs(candidates: Sequence[Candidate]) -> tuple[Pair, ...]:
    """Every two conditions on every group that has both. Raises DataError when there are none."""
    groups: dict[str, list[Candidate]] = {}
    for one in candidates:
        groups.setdefault(one.group, []).append(one)
    order = {condition: place for place, condition in enumerate(dict.fromkeys(one.condition for one in candidates))}
    sorted_groups = (sorted(group, key=lambda one: order[one.condition]) for group in groups.values())
    found = tuple(pair for group in sorted_groups for pair in combinations(group, 2))
    if not found:
        raise DataError(
            "No two replies answer the same text.",
            details=f"{len(groups)} texts, each answered once.",
            help="Give the replies of two models or states; without --pairwise each reply is rated alone.",
        )
    return found


def _of_replies(path: Path) -> Iterator[Candidate]:
    for one in replies.read(path):
        yield Candidate(one.item, one.item, one.model, one.state, one.said, one.text, one.cluster)


def _of_study(path: Path) -> Iterator[Candidate]:
    study = design.read(path if path.is_dir() else path.parent)
    said = {scenario.name: scenario.said for scenario in study.scenarios}
    for one in study.items:
        group = f"{one.scenario}/{one.block}"
        yield Candidate(one.id, group, one.model, one.state, said[one.scenario], one.text, one.scenario)
