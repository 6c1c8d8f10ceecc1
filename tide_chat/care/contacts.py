"""People of one's own, written one a line: `Maria, sister: 0171 234`. Knows no phone and calls nobody."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contact:
    """A person and how to reach them."""

    name: str
    reach: str = ""

    @property
    def line(self) -> str:
        return f"{self.name}: {self.reach}" if self.reach else self.name


def parse(text: str) -> tuple[Contact, ...]:
    """A contact a line; what stands after the first colon is how to reach them. Empty lines are no contacts."""
    rows = (line.partition(":") for line in text.splitlines() if line.strip(" :"))
    return tuple(Contact(name.strip(), reach.strip()) for name, _, reach in rows)
