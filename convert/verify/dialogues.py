"""Held-out dialogues to compare on: from a file of JSON lines, or the few that are built in."""

import json
from pathlib import Path
from typing import Any

from convert.verify.folder import Chat
from tide_chat.errors import DataError

SYSTEM = "You listen closely, answer warmly and briefly, and ask one question at a time."

BUILT_IN: tuple[tuple[str, ...], ...] = (
    (
        "I failed the exam and I can't tell my parents.",
        "That is a heavy thing to carry alone. It makes sense that telling them feels hard. What might they say?",
        "That I was lazy. I wasn't, I studied every night.",
        "You worked hard, and it still went wrong: that hurts twice. Shall we plan the first sentence together?",
    ),
    (
        "My grandmother died in May and everyone is fine again except me.",
        "Grief keeps its own time, and yours is still here because she mattered. What do you miss most about her?",
    ),
    (
        "cant sleep, 3am again :( my head just goes round and round",
        "Lying awake with circling thoughts is exhausting. Try long, slow breaths out. What keeps coming back?",
    ),
    (
        "Started the new job today! Nervous but good nervous.",
        "Congratulations, a first day takes courage. What was the best moment of it?",
    ),
)


def load(path: Path | None, samples: int) -> list[Chat]:
    """At most `samples` chats, spread evenly over the file. Raises DataError.

    A line holds `messages` (role, content), or `user_input` and `reference_response` with their `more_turns`.
    """
    chats = [_chat(list(texts)) for texts in BUILT_IN] if path is None else _read(path)
    if not chats or samples < 1:
        raise DataError("There are no dialogues to compare on.", details=f"{path or 'built in'}, {samples} asked for")
    step = max(1.0, len(chats) / samples)
    return [chats[int(i * step)] for i in range(min(samples, len(chats)))]


def _read(path: Path) -> list[Chat]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The dialogues cannot be read.", details=f"{path}: {error}") from error
    return [_line(line, f"{path.name}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]


def _line(line: str, where: str) -> Chat:
    try:
        data: Any = json.loads(line)
        if "messages" in data:
            chat = [{"role": str(one["role"]), "content": str(one["content"])} for one in data["messages"]]
            return chat if chat and chat[0]["role"] == "system" else [_system(), *chat]
        turns = [data, *data.get("more_turns", ())]
        return _chat([str(turn[key]) for turn in turns for key in ("user_input", "reference_response")])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            "A line holds no dialogue.",
            details=f"{where}: {error}",
            help="Expected messages, or user_input and reference_response.",
        ) from error


def _system() -> dict[str, str]:
    return {"role": "system", "content": SYSTEM}


def _chat(texts: list[str]) -> Chat:
    roles = ("user", "assistant")
    return [_system(), *({"role": roles[i % 2], "content": text.strip()} for i, text in enumerate(texts))]
