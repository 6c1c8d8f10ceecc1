"""What a front end calls while people talk: the stored conversation is made equal to the one on the screen.

Before a reply starts:  diary.save(companion.conversation.user(text))
When a turn has ended:  diary.save(companion.conversation)        also after a stop, `again` or taking back

Nothing is stored for an empty conversation. Knows no screen, and not how replies come about.
"""

import contextlib

from tide_chat.errors import NoConversation
from tide_chat.messages import Conversation, Message
from tide_chat.store.archive import Archive


class Diary:
    """One conversation that is being kept. `id` is None until something was said."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.leave()

    def leave(self) -> None:
        """The next `save` begins a new conversation; what was kept stays."""
        self.id: int | None = None
        self._skip = 0  # messages on the screen that are not to be kept
        self._first = 0  # messages of the stored conversation that came before those on the screen
        self._kept: tuple[Message, ...] = ()
        self._revision = 0

    def resume(self, id: int, last: int | None = None) -> Conversation:
        """Go on with a stored conversation; of a long one only the `last` messages. Raises StoreError."""
        summary = self._archive.summary(id)
        first = 0 if last is None else max(0, summary.messages - last)
        kept = self._archive.messages(id, first=first)
        self.leave()
        self.id, self._first, self._revision = id, first, summary.revision
        self._kept = tuple(one.message for one in kept)
        return Conversation(self._kept)

    def save(self, conversation: Conversation) -> None:
        """Durable when it returns. Raises StoreError; the screen is untouched then, and `save` can be tried again.

        When another window has changed the same conversation, this one goes on as a copy: nothing is lost. When it was
        deleted there, NoConversation is raised once; what is said after that is kept as a new one, without what was
        deleted.
        """
        messages = conversation.messages[self._skip :]
        if messages == self._kept:
            return
        try:
            self._write(messages)
        except NoConversation:
            self.leave()
            self._skip = len(conversation)
            raise
        self._kept = messages

    def forget(self) -> None:
        """Delete what was kept of this conversation; the next `save` begins a new one. Raises StoreError."""
        if self.id is not None:
            with contextlib.suppress(NoConversation):  # another window was quicker
                self._archive.delete(self.id)
        self.leave()

    def _write(self, messages: tuple[Message, ...]) -> None:
        if self.id is None:
            self.id, self._revision = self._archive.create(messages), 0
            return
        same = _same(self._kept, messages)
        if not self._archive.rewrite(self.id, self._first + same, messages[same:], self._revision):
            self.id, self._revision = self._archive.branch(self.id, self._first - 1), 0
            self._archive.rewrite(self.id, self._first, messages, self._revision)
        self._revision += 1


def _same(one: tuple[Message, ...], other: tuple[Message, ...]) -> int:
    """How many messages at the beginning are the same."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
