"""Reads the rules of the first route from `lexicon/`: reviewable tables, one entry a line.

It knows the tables' shapes and nothing about texts; `context.py` and `router.py` use it. An entry that cannot be read
is left out and named in `problems`; when a whole table cannot be read, the built-in statements below take its place,
so that the route never works with nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from tide_chat.safety.assessment import Flag, Tier
from tide_chat.safety.index import Index
from tide_chat.safety.phrases import BadPattern, Compiler, Phrase

STATEMENTS = ("direct", "selfharm", "acts", "flags", "others", "heavy", "es", "fr", "de", "pt", "it")
CONTEXTS = ("idioms", "context")
AROUND_NEGATION = frozenset({"idiom", "negation", "doubted", "strained", "beside"})  # kinds that are no frame of a text
CUES = "cues"

# What is left when the tables are gone: the plainest statements only.
_BUILT_IN = (
    ("(kill|killing|hang|shoot) myself", Tier.T3),
    ("(suicide|suicidal|end my life|ending my life|take my own life)", Tier.T3),
    ("(want to|wanna) (die|be dead)", Tier.T2),
    ("(better off without me|dont want to live|dont want to be here|wish i was dead)", Tier.T2),
    ("(took|swallowed) (all|them all|the whole|every)", Tier.T4),
    ("(overdosed|overdose)", Tier.T3),
    ("(cut|cutting|hurt|hurting|harm|harming) myself", Tier.T2),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a table: what is looked for, what it means, and where that comes from."""

    table: str
    pattern: str
    phrase: Phrase
    tier: Tier = Tier.T0
    flags: tuple[Flag, ...] = ()
    kind: str = ""  # what sort of cue or context; for statements: `firm`, which only a negation may
    # lower, or `doubtful`, which the encoder has to bear out where there is one
    weight: int = 1  # of a cue: how much it says by itself
    why: str = ""
    source: str = ""


class Table(tuple[Entry, ...]):  # noqa: SLOT001 - the index is kept beside the entries
    """Entries in the order of their tables, and which of them a text's words can match at all."""

    @cached_property
    def _index(self) -> Index:
        return Index([entry.phrase.ways for entry in self])

    def among(self, words: Iterable[str]) -> Iterator[Entry]:
        """The entries that a text of these words can match."""
        return map(self.__getitem__, self._index.among(words))

    def prepare(self) -> None:
        """Do now what would be done when a text first needs it."""
        _ = self._index
        for entry in self:
            _ = entry.phrase.regex


@dataclass(frozen=True)
class Lexicon:
    """All rules, and what went wrong while reading them."""

    statements: Table = field(default_factory=Table)
    cues: Table = field(default_factory=Table)
    contexts: Mapping[str, Table] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @cached_property
    def frames(self) -> Table:
        """All contexts that can frame a text."""
        return Table(entry for kind, table in self.contexts.items() if kind not in AROUND_NEGATION for entry in table)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Beginnings of the words that rules look for; helps to undo stretched letters."""
        return frozenset(word for entry in (*self.statements, *self.cues) for word in entry.phrase.anchors)


def rows(text: str) -> Iterator[dict[str, str]]:
    """Lines of a tab-separated table with a header; `#` starts a comment line."""
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    header = next(lines, "").split("\t")
    for line in lines:
        cells = line.split("\t")
        yield dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=False))


def _entry(table: str, row: Mapping[str, str], compiler: Compiler) -> Entry:
    flags = tuple(Flag(name) for name in row.get("flags", "").split(",") if name)
    return Entry(
        table=table,
        pattern=row["pattern"],
        phrase=compiler.phrase(row["pattern"]),
        tier=Tier[row.get("tier") or "T0"],
        flags=flags,
        kind=row.get("kind", ""),
        weight=int(row.get("weight") or 1),
        why=row.get("why", ""),
        source=row.get("source", ""),
    )


@dataclass(slots=True)
class _Tables:
    """Reads the tables of one folder, and collects what is wrong with them."""

    root: Traversable
    problems: list[str] = field(default_factory=list)

    def lexicon(self) -> Lexicon:
        compiler = Compiler(self.pairs("macros", "name", "words"), self.pairs("spellings", "written", "seen"))
        statements = [entry for table in STATEMENTS for entry in self.entries(table, compiler)]
        contexts: dict[str, list[Entry]] = {}
        for entry in (entry for table in CONTEXTS for entry in self.entries(table, compiler)):
            contexts.setdefault(entry.kind, []).append(entry)
        cues = Table(self.entries(CUES, compiler))
        statements += _built_in() if self.problems else ()
        by_kind = {kind: Table(entries) for kind, entries in contexts.items()}
        return Lexicon(Table(statements), cues, by_kind, compiler.spellings, tuple(self.problems))

    def rows(self, table: str) -> list[dict[str, str]]:
        try:
            return list(rows((self.root / f"{table}.tsv").read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{table}: {type(error).__name__}")
            return []

    def pairs(self, table: str, name: str, value: str) -> dict[str, str]:
        """A table of two columns."""
        return {row[name]: row[value] for row in self.rows(table) if row.get(name) and row.get(value)}

    def entries(self, table: str, compiler: Compiler) -> Iterator[Entry]:
        for row in self.rows(table):
            try:
                yield _entry(table, row, compiler)
            except (BadPattern, KeyError, ValueError) as error:
                self.problems.append(f"{table}: '{row.get('pattern', '')}' ({error})")


def read(root: Traversable) -> Lexicon:
    """Read every table under `root`. Never raises: what is wrong is in `problems`."""
    return _Tables(root).lexicon()


def _built_in() -> tuple[Entry, ...]:
    compiler = Compiler({}, {})
    return tuple(
        Entry("built-in", pattern, compiler.phrase(pattern), tier, why="plainest statements")
        for pattern, tier in _BUILT_IN
    )


@lru_cache(maxsize=1)
def load() -> Lexicon:
    """The lexicon that travels with the app, read once."""
    return read(files("tide_chat.safety") / "lexicon")
