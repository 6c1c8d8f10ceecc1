"""A dialogue, the columns it may come in, and one row of a file turned into it. Knows no file format.

A fault of a row is a value (`Problem`), so that a check can list all of them; `sources.load` raises the first.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tide_chat.errors import DataError, UsageError
from tide_chat.messages import Conversation, Message, Role

# Names under which a column is known, the surest first. TIDE's own lead; the others are usual in dialogue sets.
VARIANTS: dict[str, tuple[str, ...]] = {
    "user": ("user_input", "user", "user_message", "utterance", "client_utterance", "prompt", "question", "input"),
    "reply": ("reference_response", "response", "reply", "assistant", "answer", "output", "completion", "reference"),
    "more_turns": ("more_turns",),
    "messages": ("messages", "conversations", "conversation", "turns", "dialogue", "dialog"),
    "dialogue_id": ("dialogue_id", "id", "conversation_id", "instance_id"),
    "persona_id": ("persona_id", "persona", "client_id", "profile_id"),
    "scenario": ("scenario", "scenario_id", "scenario_name", "situation", "theme"),
}
# Where no column names the person, these together do: the persona columns that the paper shows.
TRAITS = ("age", "gender", "occupation", "trauma_focus", "trauma_type", "trauma")
_ENOUGH_TRAITS = 3

_ROLES = {
    **dict.fromkeys(("user", "human", "client", "patient", "seeker"), Role.USER),
    **dict.fromkeys(("assistant", "gpt", "bot", "model", "therapist", "counselor", "supporter"), Role.ASSISTANT),
    "system": Role.SYSTEM,
}
_ROLE_KEYS, _TEXT_KEYS = ("role", "from", "speaker"), ("content", "value", "text")
_LOST = re.compile(r"[\ufffd\0\ud800-\udfff]")
_SHOWN = 60  # characters of a value in a message


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a file; the first is 1. In JSON lines it is the line."""

    file: str
    row: int

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row; `column` is empty when it is the row as a whole."""

    place: Place
    column: str
    what: str  # continues the sentence: "is empty"
    got: str = ""

    def __str__(self) -> str:
        subject = f"column {self.column} " if self.column else ""
        return f"{self.place}: {subject}{self.what}{f' ({self.got})' if self.got else ''}"


@dataclass(frozen=True, slots=True)
class Record:
    """A row as the file has it."""

    place: Place
    values: Mapping[str, Any]


class Dialogue(BaseModel):
    """What a person and the assistant said, in turn: the person begins, the assistant ends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dialogue_id: str = Field(min_length=1)
    turns: tuple[Message, ...]  # user, assistant, user, assistant, ...
    scenario: str = ""  # empty: unknown
    persona_id: str | None = None

    @field_validator("turns")
    @classmethod
    def _alternate(cls, turns: tuple[Message, ...]) -> tuple[Message, ...]:
        roles = [message.role for message in turns]
        if not roles or roles != [Role.USER, Role.ASSISTANT] * (len(roles) // 2):
            raise ValueError("must alternate, beginning with the user and ending with the assistant")
        if not all(message.text.strip() for message in turns):
            raise ValueError("must hold no empty message")
        return turns

    @property
    def conversation(self) -> Conversation:
        return Conversation(self.turns)

    @property
    def exchanges(self) -> tuple[tuple[str, str], ...]:
        """(what the person said, what the assistant said), in order."""
        texts = [message.text for message in self.turns]
        return tuple(zip(texts[::2], texts[1::2], strict=True))

    @property
    def user_texts(self) -> tuple[str, ...]:
        return tuple(said for said, _ in self.exchanges)

    @property
    def replies(self) -> tuple[str, ...]:
        return tuple(reply for _, reply in self.exchanges)

    def to_record(self) -> dict[str, Any]:
        """The row in which this project writes it; `parse` reads it back."""
        (said, reply), *more = self.exchanges
        persona = {} if self.persona_id is None else {"persona_id": self.persona_id}
        following = [{"user_input": a, "reference_response": b} for a, b in more]
        return {
            "dialogue_id": self.dialogue_id,
            **persona,
            "scenario": self.scenario,
            "user_input": said,
            "reference_response": reply,
            "more_turns": following,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """A dialogue and where it came from. `split` is empty where the file belongs to none."""

    place: Place
    dialogue: Dialogue
    split: str = ""


class Columns(BaseModel):
    """Which column holds what. None: looked for under the names of `VARIANTS`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str | None = None
    reply: str | None = None
    more_turns: str | None = None
    messages: str | None = None
    dialogue_id: str | None = None
    persona_id: str | None = None
    scenario: str | None = None
    traits: tuple[str, ...] = ()

    @classmethod
    def parse(cls, given: str) -> Self:
        """From `user=text,reply=answer`. Raises UsageError."""
        named: dict[str, str] = {}
        for part in filter(None, (part.strip() for part in given.split(","))):
            field, sign, column = (piece.strip() for piece in part.partition("="))
            if not sign or not column or field not in VARIANTS or field in named:
                raise UsageError(
                    "The columns cannot be read.",
                    details=part,
                    help=f"Write FIELD=COLUMN,... with these fields, each once: {', '.join(VARIANTS)}.",
                )
            named[field] = column
        return cls.model_validate(named)

    def resolve(self, file: str, names: Iterable[str]) -> Self:
        """The same with every column that is there under its real name. Raises DataError for what is missing."""
        names = tuple(names)
        folded = {_fold(name): name for name in reversed(names)}
        found: dict[str, Any] = {}
        for field, variants in VARIANTS.items():
            if (named := getattr(self, field)) is not None:
                if named not in names:
                    raise _no_column(file, names, f"there is no column {named!r}")
                found[field] = named
            else:
                found[field] = next((folded[variant] for variant in variants if variant in folded), None)
        if self.messages is None and found["user"] and found["reply"]:
            found["messages"] = None  # two plain columns say it already
        lacking = [field for field in ("user", "reply") if not found[field]]
        if lacking and not found["messages"]:
            raise _no_column(file, names, f"no column is known as {' or '.join(lacking)}")
        traits = tuple(folded[trait] for trait in TRAITS if trait in folded)
        by_traits = found["persona_id"] is None and len(traits) >= _ENOUGH_TRAITS
        return self.model_copy(update={**found, "traits": traits if by_traits else ()})


def parse(record: Record, columns: Columns) -> Dialogue | tuple[Problem, ...]:
    """The dialogue in a row, or all that is wrong with it. `columns`: resolved for this file."""
    problems: list[Problem] = []
    row = _Row(record, problems)
    turns = list(row.messages(columns.messages)) if columns.messages else list(row.exchanges(columns))
    identity = row.name(columns.dialogue_id) or f"{record.place.file.rpartition('.')[0]}-{record.place.row:05d}"
    persona = row.name(columns.persona_id) if columns.persona_id else row.by_traits(columns.traits)
    scenario = row.name(columns.scenario)
    if problems:
        return tuple(problems)
    try:
        return Dialogue(dialogue_id=identity, turns=tuple(turns), scenario=scenario or "", persona_id=persona)
    except ValidationError as error:
        what = error.errors()[0]["msg"].removeprefix("Value error, ")
        roles = ", ".join(str(message.role) for message in turns)
        return (Problem(record.place, columns.messages or columns.user or "", what, roles),)


class _Row:
    """Reads the values of one row and notes what is wrong with them."""

    def __init__(self, record: Record, problems: list[Problem]) -> None:
        self._values, self._place, self._problems = record.values, record.place, problems

    def wrong(self, column: str, what: str, got: object = None) -> None:
        shown = "" if got is None else _shown(got)
        self._problems.append(Problem(self._place, column, what, shown))

    def exchanges(self, columns: Columns) -> Iterator[Message]:
        """The messages of a row with a column for each side, and of the list of further exchanges."""
        user, reply = columns.user or "", columns.reply or ""
        yield from self._exchange(self._values, user, reply, "")
        for number, more in enumerate(self._list(columns.more_turns)):
            where = f"{columns.more_turns}[{number}]"
            if isinstance(more, Mapping):
                yield from self._exchange(more, user, reply, f"{where}.")
            else:
                self.wrong(where, "is not an object", more)

    def _exchange(self, values: Mapping[str, Any], user: str, reply: str, before: str) -> Iterator[Message]:
        for role, column in ((Role.USER, user), (Role.ASSISTANT, reply)):
            yield Message(role, self._text(values.get(column), before + column))

    def messages(self, column: str) -> Iterator[Message]:
        """A list of messages with roles. A system message at the front is left out: the app brings its own."""
        for number, message in enumerate(self._list(column)):
            where = f"{column}[{number}]"
            if not isinstance(message, Mapping):
                self.wrong(where, "is not an object", message)
                continue
            said = next((message[key] for key in _ROLE_KEYS if key in message), None)
            role = _ROLES.get(str(said).strip().casefold())
            if role is None or (role is Role.SYSTEM and number):
                self.wrong(where, "has a role that is neither user nor assistant", said)
            elif role is not Role.SYSTEM:
                key = next((key for key in _TEXT_KEYS if key in message), _TEXT_KEYS[0])
                yield Message(role, self._text(message.get(key), f"{where}.{key}"))

    def _text(self, value: object, column: str) -> str:
        if value is None:
            self.wrong(column, "is missing")
        elif not isinstance(value, str):
            self.wrong(column, "is not text", value)
        elif not value.strip():
            self.wrong(column, "is empty")
        elif _lost(value):
            self.wrong(column, "holds characters that were lost in a conversion", value)
        else:
            return value.strip()
        return ""

    def _list(self, column: str | None) -> list[Any]:
        """A list, or one written as JSON in a cell of a table; what is not there is an empty one."""
        value = self._values.get(column) if column else None
        if isinstance(value, str):
            with suppress(ValueError, RecursionError):  # then it is reported below as what it is: text
                value = json.loads(value) if value.strip() else None
        if value is not None and not isinstance(value, list):
            self.wrong(column or "", "is not a list", value)
        return value if isinstance(value, list) else []

    def name(self, column: str | None) -> str | None:
        """An identifier: text or a whole number; None when it is not there or empty."""
        value = self._values.get(column) if column else None
        if isinstance(value, float) and value.is_integer():  # a table of whole numbers with gaps holds floats
            value = int(value)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.wrong(column or "", "is neither text nor a whole number", value)
            return None
        if _lost(str(value)):
            self.wrong(column or "", "holds characters that were lost in a conversion", value)
        return str(value).strip()

    def by_traits(self, columns: tuple[str, ...]) -> str | None:
        """A name for the person made from what is told of them: the same traits, the same name."""
        told = [_fold(str(self._values.get(column) or "")) for column in columns]
        if not any(told):
            return None
        return f"traits-{hashlib.sha256(chr(31).join(told).encode(errors='replace')).hexdigest()[:12]}"


def _fold(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def _lost(text: str) -> bool:
    """Whether it holds what a conversion leaves of a character: its sign for one, a zero, or half of a pair."""
    return bool(_LOST.search(text))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _no_column(file: str, names: Iterable[str], what: str) -> DataError:
    return DataError(
        f"{file}: {what}.",
        details=f"The file has: {', '.join(names)}.",
        help="Say which is which: --columns user=COLUMN,reply=COLUMN (or messages=COLUMN).",
    )
