"""What was said: frozen, standard library only. Identity and time belong to storage."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `authored` marks replies written beforehand and shown without the model."""

    role: Role
    text: str
    authored: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages of user and assistant, oldest first. Two of the user may follow each other (a reply that never came)."""

    messages: tuple[Message, ...] = ()

    def __len__(self) -> int:
        return len(self.messages)

    def user(self, text: str) -> "Conversation":
        return replace(self, messages=(*self.messages, Message(Role.USER, text)))

    def assistant(self, text: str, *, authored: bool = False) -> "Conversation":
        return replace(self, messages=(*self.messages, Message(Role.ASSISTANT, text, authored)))

    def last_user(self) -> int | None:
        """Index of the newest user message, None when nothing was said."""
        users = [i for i, message in enumerate(self.messages) if message.role is Role.USER]
        return users[-1] if users else None

    def without_authored(self) -> "Conversation":
        """Without each authored reply and what it answers. What has no reply yet stays."""
        kept: list[Message] = []
        for message in self.messages:
            if message.authored:
                while kept and kept[-1].role is Role.USER:
                    kept.pop()
            else:
                kept.append(message)
        return replace(self, messages=tuple(kept))

    def before_last_user(self) -> "Conversation":
        """All that was said before the newest user message."""
        index = self.last_user()
        return self if index is None else replace(self, messages=self.messages[:index])
