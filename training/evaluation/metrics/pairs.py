"""What metrics compare, and what a metric is. Knows none of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from tide_chat.progress import Say

Values = dict[str, list[float]]  # name of a metric: one value for each pair, in their order


class Pair(NamedTuple):
    """A reply and the reply that was wanted."""

    text: str
    reference: str

    @property
    def empty(self) -> bool:
        """Then a metric that compares the two is 0."""
        return not (self.text.strip() and self.reference.strip())


class Metric(Protocol):
    """One computation; it may give several values for a pair."""

    @property
    def about(self) -> Mapping[str, str]:
        """The name of each value, as tables have it, and all it was computed with."""

    def measure(self, pairs: Sequence[Pair], say: Say) -> Values:
        """The pairs differ from each other."""
