"""How `tide-chat history` shows things: JSON shapes, lists, a conversation as text. Decides nothing.

Times in JSON are ISO 8601 in UTC; on the screen they are local. Text from the file cannot drive the terminal.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from tide_chat.commands.output import print_columns
from tide_chat.messages import Role
from tide_chat.terminal import neutral

if TYPE_CHECKING:
    from tide_chat.store.values import Hit, Kept, Summary

WHO = {Role.USER: "You", Role.ASSISTANT: "Reply"}
_NAME = 60  # characters of a name in a list


def summary(one: "Summary") -> dict[str, Any]:
    return {
        "conversation": one.id,
        "title": one.title,
        "opening": one.opening,
        "created": _iso(one.created),
        "updated": _iso(one.updated),
        "messages": one.messages,
    }


def message(one: "Kept") -> dict[str, Any]:
    said = one.message
    return {
        "position": one.position,
        "role": said.role.value,
        "text": said.text,
        "authored": said.authored,
        "at": _iso(one.at),
    }


def hit(one: "Hit") -> dict[str, Any]:
    return {
        "conversation": one.conversation,
        "name": one.name,
        "position": one.position,
        "role": one.role.value,
        "at": _iso(one.at),
        "snippet": one.snippet.text,
        "spans": one.snippet.spans,
    }


def print_list(rows: Sequence["Summary"]) -> None:
    lines = [("NUMBER", "LAST", "MESSAGES", "NAME")]
    lines += [(str(one.id), _local(one.updated), str(one.messages), _short(one.name)) for one in rows]
    print_columns(lines, right=(0, 2))


def print_hits(hits: Sequence["Hit"]) -> None:
    """Matched words stand between asterisks: colour alone would not reach everybody."""
    for one in hits:
        click.echo(neutral(f"{one.conversation}: {_short(one.name)}"))
        click.echo(neutral(f"   {WHO[one.role]}, {_local(one.at)}: {_marked(one)}"))


def print_conversation(found: "Summary", messages: Sequence["Kept"]) -> None:
    click.echo(neutral(f"{found.id}: {found.name}"))
    for one in messages:
        click.echo(neutral(f"\n{WHO[one.message.role]}, {_local(one.at)}:\n{one.message.text}"))


def _marked(one: "Hit") -> str:
    text = one.snippet.text
    for start, end in reversed(one.snippet.spans):
        text = f"{text[:start]}*{text[start:end]}*{text[end:]}"
    return " ".join(text.split())


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _iso(when: datetime) -> str:
    from tide_chat.store import values

    return values.iso(when)


def _local(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M}"
