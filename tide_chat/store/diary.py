"""What a front end calls while people talk: the stored conversation is made equal to the one on the screen.

Before a reply starts:  diary.save(companion.conversation.user(text))
When a turn has ended:  diary.save(companion.conversation)        also after a stop, `again` or taking back

Nothing is stored for an empty conversation. Knows no screen, and not how replies come about.
"""

import contextlib
from collections.abc import Sequence
from itertools import dropwhile

from tide_chat.errors import NoConversation
from tide_chat.messages import Conversation, Message, Role
from tide_chat.store.archive import Archive


class Diary:
    """One conversation that is being kept. `id` is None until something was said."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.leave()

    def leave(self, unkept: Sequence[Message] = ()) -> None:
        """The next `save` begins a new conversation; what was kept stays.

        unkept: what already stands on the screen and is not to be kept, nor what answers it.
        """
        self.id: int | None = None
        self._unkept = self.seen = tuple(unkept)  # seen: what stood on the screen at the last `save`
        self.first = 0  # messages of the stored conversation that came before those on the screen
        self._kept: tuple[Message, ...] = ()
        self._revision = 0

    def resume(self, id: int, last: int | None = None) -> Conversation:
        """Go on with a stored conversation; of a long one only the `last` messages. Raises StoreError."""
        summary = self._archive.summary(id)
        first = 0 if last is None else max(0, summary.messages - last)
        kept = self._archive.messages(id, first=first)
        self.leave()
        self.id, self.first, self._revision = id, first, summary.revision
        self._kept = self.seen = tuple(one.message for one in kept)
        return Conversation(self._kept)

    def save(self, conversation: Conversation) -> None:
        """Durable when it returns. Raises StoreError; the screen is untouched then, and `save` can be tried again.

        When another window has changed the same conversation, this one goes on as a copy: nothing is lost. When it was
        deleted there, NoConversation is raised once; what is said after that is kept as a new one, without what was
        deleted.
        """
        self.seen = conversation.messages
        messages = self._of_it(conversation)
        if messages == self._kept:
            return
        try:
            self._write(messages)
        except NoConversation:
            self.leave(conversation.messages)
            raise
        self._kept = messages

    def holds(self, conversation: Conversation) -> bool:
        """Whether all of it is in the file."""
        return not self._unkept and conversation.messages == self._kept

    def forget(self) -> None:
        """Delete what was kept of this conversation; the next `save` begins a new one. Raises StoreError."""
        if self.id is not None:
            with contextlib.suppress(NoConversation):  # another window was quicker
                self._archive.delete(self.id)
        self.leave()

    def _of_it(self, conversation: Conversation) -> tuple[Message, ...]:
        """What is to be kept of what stands on the screen."""
        start = _same(self._unkept, conversation.messages)
        left = conversation.messages[start:]
        if start:
            left = tuple(dropwhile(lambda message: message.role is Role.ASSISTANT, left))
        return left

    def _write(self, messages: tuple[Message, ...]) -> None:
        if self.id is None:
            self.id, self._revision = self._archive.create(messages), 0
            return
        same = _same(self._kept, messages)
        if not self._archive.rewrite(self.id, self.first + same, messages[same:], self._revision):
            self.id, self._revision, self._kept = self._archive.branch(self.id, self.first - 1), 0, ()
            self._archive.rewrite(self.id, self.first, messages, self._revision)
        self._revision += 1


def _same(one: tuple[Message, ...], other: tuple[Message, ...]) -> int:
    """How many messages at the beginning are the same."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
