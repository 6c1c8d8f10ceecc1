"""From a conversation to model input, through the chat template that the model brings. Knows no engine and no screen.

The same renderer serves the app, training and evaluation. Text that people or models wrote can never become a control
token: every literal of one is broken by an invisible joiner before the template sees it.
"""

import re
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from tide_chat.engine.base import EngineInfo, Prompt, Span
from tide_chat.errors import ModelUnusable, TemplateMissing
from tide_chat.messages import Conversation, Message, Role

if TYPE_CHECKING:
    from jinja2 import Template

WORD_JOINER = "\u2060"
Chat = list[dict[str, str]]


@cache
def system_text() -> str:
    """The system prompt; `prompts/system.toml` says why each line is there."""
    lines = tomllib.loads((files("tide_chat") / "prompts" / "system.toml").read_text(encoding="utf-8"))["line"]
    return "\n".join(line["text"] for line in lines)


class Renderer:
    """Renders chats for one model. Raises TemplateMissing, ModelUnusable."""

    def __init__(self, template: str, *, bos: str = "", eos: str = "", control_tokens: Sequence[str] = ()) -> None:
        if not template.strip():
            raise TemplateMissing(
                "This model file does not say how a chat is written for it.",
                details="It has no tokenizer.chat_template, and a guessed one makes a model talk to itself.",
                help="Give the right one with --chat-template FILE (Jinja; the model's own page has it).",
            )
        self._template = _compile(template)
        self._words = {"bos_token": bos, "eos_token": eos}
        literals = sorted(control_tokens, key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, literals))) if literals else None

    @classmethod
    def of(cls, info: EngineInfo) -> "Renderer":
        return cls(info.chat_template, bos=info.bos, eos=info.eos, control_tokens=info.control_tokens)

    def defuse(self, text: str) -> str:
        """`text` without any control token literal; the same to the eye."""
        while self._control and (broken := self._control.sub(_break, text)) != text:
            text = broken
        return text

    def render(self, system: str, conversation: Conversation, *, note: str = "", private: bool = False) -> Prompt:
        """The prompt for the next reply: the system prefix, one span a past turn, and the newest message (pinned).

        note: what the model is told for this reply alone. It stands behind the newest message, where every template
        takes it and the prefix stays as it is. private: `system` holds words of the person.
        """
        chat = self._chat(system, conversation.messages)
        if note and chat[-1]["role"] == Role.USER:
            chat[-1]["content"] += f"\n\n[{self.defuse(note)}]"
        text = self._apply(chat)
        starts = [i for i, message in enumerate(chat) if message["role"] == Role.USER]
        cuts = [self._cut(text, chat[:i]) for i in starts]
        if not cuts or sorted(set(cuts)) != cuts or not 0 < cuts[0] < len(text) or not _holds(text[: cuts[0]], chat[0]):
            return Prompt((Span(text, pinned=True, messages=len(chat) - 1),))
        prefix = Span(text[: cuts[0]], pinned=True, private=private)
        ends = [*cuts[1:], len(text)]
        sizes = [end - start for start, end in zip(starts, [*starts[1:], len(chat)], strict=True)]
        turns = [Span(text[a:b], b == len(text), size) for a, b, size in zip(cuts, ends, sizes, strict=True)]
        return Prompt((prefix, *turns))

    def prefix(self, system: str, *, private: bool = False) -> Prompt:
        """The system prefix alone, in the form in which `render` will ask for it again."""
        prompt = self.render(system, Conversation().user("a"), private=private)
        return Prompt((prompt.spans[0], Span("", pinned=True))) if len(prompt.spans) > 1 else prompt

    def thinks(self, prompt: Prompt) -> bool:
        """True when the template opens a reasoning block, so that the reply begins inside it."""
        return prompt.text.rstrip().endswith("<think>")

    def _chat(self, system: str, messages: Sequence[Message]) -> Chat:
        """Messages as templates want them: roles that alternate, texts stripped and defused."""
        chat: Chat = [{"role": str(Role.SYSTEM), "content": self.defuse(system.strip())}]
        for message in messages:
            content = self.defuse(message.text.strip())
            if message.role == chat[-1]["role"]:
                chat[-1]["content"] += f"\n\n{content}"
            elif content:
                chat.append({"role": str(message.role), "content": content})
        return chat

    def _apply(self, chat: Chat) -> str:
        try:
            # The date is left out on purpose: it helps nobody here, and a prefix that changes daily is never cached.
            return self._template.render(
                messages=chat, add_generation_prompt=True, enable_thinking=True, raise_exception=_refuse, **self._words
            )
        except Exception as error:  # a template is a foreign program and may fail in any way
            raise ModelUnusable("The model's chat template does not work.", details=str(error)) from error

    def _cut(self, text: str, before: Chat) -> int:
        """Where the turn after `before` begins: at the control token in which both ways of going on part."""
        other = self._apply(before)
        part = next(
            (i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other))
        )
        starts = (
            [match.start() for match in self._control.finditer(text) if match.start() <= part] if self._control else []
        )
        return starts[-1] if starts else 0


def _holds(prefix: str, system: dict[str, str]) -> bool:
    return system["content"] in prefix


def _break(match: re.Match[str]) -> str:
    literal = match.group()
    return f"{literal[0]}{WORD_JOINER}{literal[1:]}"


def _refuse(message: str) -> None:
    from jinja2 import TemplateError

    raise TemplateError(message)


@cache
def _compile(source: str) -> "Template":
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    try:
        return ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(source)
    except TemplateError as error:
        raise ModelUnusable("The model's chat template cannot be read.", details=str(error)) from error


def primer(system: Callable[[], str]) -> Callable[[EngineInfo], Prompt]:
    """What a supervisor needs to prepare the system prefix of whichever model was loaded."""
    return lambda info: Renderer.of(info).prefix(system())
