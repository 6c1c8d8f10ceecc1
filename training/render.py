"""Dialogues as a model is trained on them: token ids, and which of them the model has to write itself.

The app's own renderer makes the text, reply by reply, exactly as the app asks for one. Text is tokenised where the app
tokenises it: up to the point where the model begins to write, and from there on. So the mask follows from positions
and nothing is searched for. Knows no weights, no optimizer, no files of dialogues.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tide_chat.errors import DataError, ModelUnusable
from tide_chat.messages import Conversation, Message, Role
from tide_chat.progress import Say, quiet
from tide_chat.reasoning import CLOSE, OPEN
from training.chat_files import ChatFiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Where the prompt opens a reasoning block the app shows what comes after its end, so a model that goes straight to the
# reply closes it first. The empty block is as the template itself writes it.
WITHOUT_REASONING = f"{CLOSE}\n\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that is tokenised on its own. trained: how many characters from its start the model has to write."""

    text: str
    trained: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One sequence. ids (n,) int32, mask (n,) bool: true where the token is a target of the loss.

    replies: how many it holds. ended: of how many the end-of-turn token is a target. source: number of the dialogue.
    """

    ids: "NDArray[Any]"
    mask: "NDArray[Any]"
    replies: int
    ended: int
    source: int = 0

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the dialogues.

    shortened: lost turns from the start to fit. dropped: did not fit at all, or kept no token to learn. cut: replies
    that lost their end (only where the recipe asks for the paper's cut).
    """

    dialogues: int = 0
    examples: int = 0
    replies: int = 0
    ended: int = 0
    shortened: int = 0
    turns_lost: int = 0
    dropped: int = 0
    cut: int = 0
    tokens: int = 0
    targets: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


class ChatEncoder:
    """Turns conversations into examples for one model. `system` is the system prompt, "" for an empty one.

    Raises ModelUnusable when the template does not write a reply in a form that can be learnt.
    """

    def __init__(self, files: ChatFiles, system: str) -> None:
        self.files, self.system = files, system
        self.end, self.end_id = self._end_of_turn()

    def _end_of_turn(self) -> tuple[str, int]:
        """The control token that the template writes after a reply, and its id."""
        said = Conversation().user("a").assistant("b")
        asked, after = self._prompt(Conversation().user("a")), self._prompt(said.user("c"))
        written = after[len(_before_reasoning(asked)) :]
        ends = [text for text in self.files.control if written[1:].startswith(text)]
        if not after.startswith(_before_reasoning(asked)) or not written.startswith("b") or not ends:
            raise ModelUnusable(
                "The chat template does not end a reply with a token of its own.",
                details=f"After the prompt it writes {written[:60]!r}.",
                help="Without one a model cannot learn to stop. Give the right template with --chat-template.",
            )
        end = max(ends, key=len)
        return end, self.files.tokenizer.encode(end, add_special_tokens=False).ids[0]

    def _prompt(self, conversation: Conversation) -> str:
        return self.files.renderer.render(self.system, conversation).text

    def sequences(self, conversation: Conversation) -> Iterator[tuple[Piece, ...]]:
        """The texts to train on: one, or one for each reply where the template rewrites what was said before.

        Raises DataError when the conversation cannot be one.
        """
        _check(conversation)
        pieces: list[Piece] = []
        text = ""
        for number, message in enumerate(conversation.messages):
            if message.role is not Role.ASSISTANT:
                continue
            prompt = self._prompt(Conversation(conversation.messages[:number]))
            if pieces and prompt.startswith(text):
                pieces[-1] = replace(pieces[-1], text=pieces[-1].text + prompt[len(text) :])
            else:
                if pieces:
                    yield tuple(pieces)
                pieces = [Piece(prompt)]
            written = self._written(prompt, message)
            pieces.append(Piece(written, len(written)))
            text = prompt + written
        if pieces:
            yield tuple(pieces)

    def _written(self, prompt: str, message: Message) -> str:
        before = WITHOUT_REASONING if prompt != _before_reasoning(prompt) else ""
        return f"{before}{self.files.renderer.defuse(message.text.strip())}{self.end}"

    def encode(self, pieces: tuple[Piece, ...], source: int = 0) -> Example:
        """Tokenise a sequence. A token belongs to the piece's trained part when it begins inside it."""
        import numpy

        ids: list[int] = []
        mask: list[bool] = []
        for piece in pieces:
            encoding = self.files.tokenizer.encode(piece.text, add_special_tokens=False)
            if not ids and tuple(encoding.ids[: len(self.files.first)]) != self.files.first:
                ids, mask = list(self.files.first), [False] * len(self.files.first)
            ids += encoding.ids
            mask += [start < piece.trained for start, _ in encoding.offsets]
        replies = sum(piece.trained > 0 for piece in pieces)
        made = Example(numpy.array(ids, numpy.int32), numpy.array(mask, bool), replies, 0, source)
        return replace(made, ended=self._ended(made))

    def _ended(self, example: Example) -> int:
        return int((example.ids[example.mask] == self.end_id).sum())

    def fitted(self, conversation: Conversation, length: int, source: int = 0) -> tuple[list[Example], Counts]:
        """Examples of at most `length` tokens: the oldest turns are left out as the app leaves them out, no reply is
        cut.
        """
        rest, lost = conversation, 0
        while rest.messages:
            found = [self.encode(pieces, source) for pieces in self.sequences(rest)]
            if found and all(len(one) <= length for one in found):
                return found, _count(found, shortened=int(lost > 0), turns_lost=lost)
            rest, lost = _without_oldest(rest), lost + 1
        return [], Counts(dialogues=1, dropped=1, turns_lost=lost)

    def cut(self, conversation: Conversation, length: int, source: int = 0) -> tuple[list[Example], Counts]:
        """The first `length` tokens of each sequence, whatever they lose: as the paper does."""
        found, lost = [], 0
        for pieces in self.sequences(conversation):
            whole = self.encode(pieces, source)
            part = replace(whole, ids=whole.ids[:length], mask=whole.mask[:length])
            part = replace(part, ended=self._ended(part))
            lost += whole.ended - part.ended
            if part.mask.any():
                found.append(part)
        return found, replace(_count(found), cut=lost, dropped=int(not found))

    def examples(
        self, conversations: Iterable[Conversation], length: int, *, cut: bool = False, say: Say = quiet
    ) -> tuple[list[Example], Counts]:
        """All of them, in their order, and what became of them. length: tokens. cut: as the paper does."""
        given = list(conversations)
        found: list[Example] = []
        counts = Counts()
        for number, conversation in enumerate(given):
            made, count = (self.cut if cut else self.fitted)(conversation, length, number)
            found += made
            counts += count
            say("tokenising", number + 1, len(given))
        return found, counts


def _check(conversation: Conversation) -> None:
    """Raises DataError."""
    roles = [message.role for message in conversation.messages]
    empty = [message for message in conversation.messages if not message.text.strip()]
    twice = any(a is b is Role.ASSISTANT for a, b in pairwise(roles))
    if empty or twice or roles[:1] != [Role.USER] or Role.ASSISTANT not in roles or Role.SYSTEM in roles:
        raise DataError(
            "A dialogue cannot be trained on.",
            details=f"Its roles are {', '.join(roles) or 'none'}; {len(empty)} of its messages are empty.",
            help="It begins with the user, every reply follows a user message, and no message is empty.",
        )


def _without_oldest(conversation: Conversation) -> Conversation:
    """From the second user message that follows a reply; empty when there is none."""
    roles = [message.role for message in conversation.messages]
    begins = [i for i in range(1, len(roles)) if roles[i] is Role.USER and roles[i - 1] is Role.ASSISTANT]
    rest = conversation.messages[begins[0] :] if begins else ()
    return Conversation(rest if any(message.role is Role.ASSISTANT for message in rest) else ())


def _before_reasoning(prompt: str) -> str:
    """The prompt without the reasoning block that its end opens."""
    bare = prompt.rstrip()
    return bare.removesuffix(OPEN) if bare.endswith(OPEN) else prompt


def _count(found: list[Example], *, shortened: int = 0, turns_lost: int = 0) -> Counts:
    return Counts(
        dialogues=1,
        examples=len(found),
        replies=sum(one.replies for one in found),
        ended=sum(one.ended for one in found),
        shortened=shortened,
        turns_lost=turns_lost,
        tokens=sum(len(one) for one in found),
        targets=sum(int(one.mask.sum()) for one in found),
    )
