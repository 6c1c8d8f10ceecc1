"""Reads what the guard looks for and what it says instead, from `guard_rules/`: reviewable tables and one TOML file.

It knows the tables' shapes and nothing about sentences; `guard_screen.py` uses it. An entry that cannot be read is left
out and named in `problems`; a category without a line of its own gets the built-in one, and when a whole table cannot
be read, the plainest rules below take its place.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from tide_chat import wording
from tide_chat.safety import lexicon
from tide_chat.safety.guard_words import Words
from tide_chat.safety.phrases import BadPattern, Compiler, Phrase

TABLES = ("grave", "clinical", "person", "self", "leaks")
RAW, ALLOW, MACROS, LINES = "raw", "allow", "macros", "lines.toml"

_TOKEN = re.compile(r"[a-z0-9']+\*?")

_BUILT_IN = (
    ("methods", "(ways|way|how) to (die|kill yourself|end your life|hurt yourself)"),
    ("encouragement", "(you should|just|better) [_] (die|kill yourself|end your life|end it all)"),
    ("diagnosis", "you [_] have [_] [_] (ptsd|depression|disorder)"),
    ("medication", "(mg|milligrams|dose|dosage)"),
    ("outcome", "(i promise|i guarantee|will get better)"),
)
_LINE = (
    "You can go on writing here. The help screen has people to turn to, and a doctor or one person you trust can be "
    "told too."
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a table: what must not be said, and why."""

    category: str
    pattern: str
    phrase: Phrase | None = None  # looked for in folded text
    regex: re.Pattern[str] | None = None  # looked for in the text as written
    why: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a category leads to. `help` brings the help card; `silent` ends without words if something was shown."""

    lines: tuple[str, ...] = (_LINE,)
    ends: bool = False
    help: bool = False
    silent: bool = False
    required: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class RuleBook:
    """Everything the guard knows. The order of `answers` says which category is the gravest."""

    rules: tuple[Rule, ...] = ()
    raw: tuple[Rule, ...] = ()
    allowed: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def answer(self, category: str) -> Answer:
        """What to say instead, in the language in use; the built-in line for a category that the file does not know."""
        found = self.answers.get(category) or Answer(ends=category in _GRAVE, help=category in _GRAVE)
        return replace(found, lines=tuple(map(wording.say, found.lines)))

    def gravity(self, category: str) -> int:
        """Smaller is graver."""
        order = list(self.answers)
        return order.index(category) if category in order else -1


_GRAVE = frozenset({"methods", "encouragement"})


@dataclass(slots=True)
class _Reader:
    """Reads one folder, and collects what is wrong with it."""

    root: Traversable
    spellings: Mapping[str, str]
    problems: list[str] = field(default_factory=list)
    read: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def book(self) -> RuleBook:
        macros = {row["name"]: row["words"] for row in self.rows(MACROS) if row.get("name") and row.get("words")}
        compiler = Compiler(macros, self.spellings, Words(self.spellings).parts(self.tokens()))
        rules = [rule for table in TABLES for rule in self.rules(table, compiler)]
        allowed: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules(ALLOW, compiler):
            allowed[rule.category] = (*allowed.get(rule.category, ()), rule)
        raw = tuple(self.rules(RAW, None))
        answers = self.answers()
        rules += _built_in() if self.problems else ()
        return RuleBook(tuple(rules), raw, allowed, answers, self.spellings, tuple(self.problems))

    def tokens(self) -> set[str]:
        """The words of all patterns, spelled as the compiler will see them."""
        rows = [row for table in (*TABLES, ALLOW, MACROS) for row in self.rows(table)]
        cells = [row.get("pattern") or row.get("words") or "" for row in rows]
        written = {token for cell in cells for token in _TOKEN.findall(cell)}
        return written | {part for seen in self.spellings.values() for part in seen.split()}

    def rows(self, table: str) -> list[dict[str, str]]:
        if table not in self.read:
            try:
                self.read[table] = list(lexicon.rows((self.root / f"{table}.tsv").read_text(encoding="utf-8")))
            except (OSError, UnicodeDecodeError) as error:
                self.read[table] = []
                self.problems.append(f"{table}: {type(error).__name__}")
        return self.read[table]

    def rules(self, table: str, compiler: Compiler | None) -> Iterator[Rule]:
        for row in self.rows(table):
            try:
                yield _rule(row, compiler)
            except (BadPattern, KeyError, re.error) as error:
                self.problems.append(f"{table}: '{row.get('pattern', '')}' ({error})")

    def answers(self) -> dict[str, Answer]:
        try:
            data = tomllib.loads((self.root / LINES).read_text(encoding="utf-8"))
            return {category: _answer(entry) for category, entry in data.items()}
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.problems.append(f"{LINES}: {type(error).__name__}")
            return {}


def _rule(row: Mapping[str, str], compiler: Compiler | None) -> Rule:
    pattern, why, source = row["pattern"], row.get("why", ""), row.get("source", "")
    if compiler is None:
        return Rule(row["category"], pattern, regex=re.compile(pattern), why=why, source=source)
    return Rule(row["category"], pattern, phrase=compiler.phrase(pattern), why=why, source=source)


def _answer(entry: Mapping[str, Any]) -> Answer:
    return Answer(
        tuple(entry["lines"]) or (_LINE,),
        entry["ends"],
        entry["help"],
        entry.get("silent", False),
        tuple(entry["required"]),
    )


def _built_in() -> tuple[Rule, ...]:
    compiler = Compiler({}, {})
    return tuple(
        Rule(category, pattern, phrase=compiler.phrase(pattern), why="plainest statements")
        for category, pattern in _BUILT_IN
    )


def read(root: Traversable, spellings: Mapping[str, str] | None = None) -> RuleBook:
    """Read every table under `root`. Never raises: what is wrong is in `problems`."""
    return _Reader(root, spellings or {}).book()


@lru_cache(maxsize=1)
def load() -> RuleBook:
    """The rules that travel with the app, read once. Spellings are those of the router's lexicon."""
    return read(files("tide_chat.safety") / "guard_rules", lexicon.load().spellings)
