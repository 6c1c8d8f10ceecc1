"""Conversations as JSON, which can be read back, and as Markdown, which people read. Knows no file and no database.

JSON, kept stable: {"format": "tide-chat history", "version": 1, "exported": time, "redacted": bool, "conversations":
[{"title", "created": time, "messages": [{"role": "user"|"assistant", "text", "authored": bool, "at": time}]}]}. Times
are ISO 8601 in UTC with milliseconds. `read_json(to_json(records)) == records` for what the history holds.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tide_chat.errors import DataError
from tide_chat.messages import Message, Role
from tide_chat.store import values
from tide_chat.store.redact import Redactor
from tide_chat.store.values import Record

# What a file may say: no time zone and no clock of ours takes it out of what a datetime holds.
_Time = Annotated[AwareDatetime, Field(ge=values.EPOCH, lt=datetime(9000, 1, 1, tzinfo=UTC))]

FORMAT, VERSION = "tide-chat history", 1
MISSES = "Names and numbers were taken out by rules that miss some. Read it before you pass it on."
_WHO = {Role.USER: "You", Role.ASSISTANT: "tide-chat"}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Message(_Model):
    role: Literal["user", "assistant"]
    text: str
    authored: bool = False
    at: _Time


class _Conversation(_Model):
    title: Annotated[str, Field(max_length=values.TITLE)] = ""
    created: _Time
    messages: tuple[_Message, ...]


class _File(_Model):
    format: Literal["tide-chat history"]
    version: Literal[1]
    exported: AwareDatetime
    redacted: bool = False
    conversations: tuple[_Conversation, ...]


def to_text(records: Sequence[Record], suffix: str, now: datetime, *, redacted: bool = False) -> str:
    """What a file of this ending holds: JSON for `.json`, otherwise Markdown."""
    write = to_json if suffix.lower() == ".json" else to_markdown
    return write(records, now, redacted=redacted)


def to_json(records: Sequence[Record], now: datetime, *, redacted: bool = False) -> str:
    file = {
        "format": FORMAT,
        "version": VERSION,
        "exported": values.iso(now),
        "redacted": redacted,
        "conversations": [_plain(record) for record in records],
    }
    return json.dumps(file, ensure_ascii=False, indent=1) + "\n"


def read_json(text: str, source: str) -> tuple[Record, ...]:
    """What `to_json` wrote. `source` names the text in errors. Raises DataError, which repeats no message."""
    try:
        file = _File.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise DataError(
            "This is no export of a tide-chat history.",
            details=f"{source}: {place}: {first['msg']}",
            help="Only files from `tide-chat history export --format json` can be imported. Nothing was imported.",
        ) from error
    return tuple(map(_record, file.conversations))


def to_markdown(records: Sequence[Record], now: datetime, *, redacted: bool = False) -> str:
    """For reading. Times are UTC."""
    count = f"{len(records)} conversation{'' if len(records) == 1 else 's'}"
    head = f"# Conversations with tide-chat\n\n{count}, exported {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
    if redacted:
        head += "\nNames and numbers were taken out by a program, which misses some. Read it before you pass it on."
    return "\n\n".join([head, *map(_section, records)]) + "\n"


def without_names(records: Sequence[Record], words: Sequence[str] = ()) -> tuple[Record, ...]:
    """Titles and messages with names, places, numbers and addresses taken out, and with them all of `words`."""
    texts = [text for record in records for text in (record.title, *(one.text for one, _ in record.messages))]
    redactor = Redactor(texts, words)
    return tuple(
        replace(
            record,
            title=values.as_title(redactor(record.title)),
            messages=tuple((replace(one, text=redactor(one.text)), at) for one, at in record.messages),
        )
        for record in records
    )


def _plain(record: Record) -> dict[str, object]:
    messages = [
        {"role": one.role.value, "text": one.text, "authored": one.authored, "at": values.iso(at)}
        for one, at in record.messages
    ]
    return {"title": record.title, "created": values.iso(record.created), "messages": messages}


def _record(found: _Conversation) -> Record:
    messages = tuple(
        (Message(Role(one.role), values.storable(one.text), one.authored), _utc(one.at)) for one in found.messages
    )
    return Record(values.as_title(found.title), _utc(found.created), messages)


def _section(record: Record) -> str:
    title = record.title or (record.messages[0][0].text if record.messages else "(empty)")
    parts = [f"## {values.opening(title)}", f"{record.created.astimezone(UTC):%Y-%m-%d %H:%M} UTC"]
    for one, at in record.messages:
        quoted = "\n".join(f"> {line}".rstrip() for line in one.text.splitlines() or [""])
        parts.append(f"**{_WHO[one.role]}**, {at.astimezone(UTC):%H:%M}\n\n{quoted}")
    return "\n\n".join(parts)


def _utc(when: datetime) -> datetime:
    return values.moment(values.stamp(when))
