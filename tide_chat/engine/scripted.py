"""An engine with queued replies, for tests of the interface. Never proof that inference works."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from tide_chat.engine.base import Cancel, Chunk, EngineInfo, EngineSpec, FinishReason, Prompt, SamplingParams, Usage
from tide_chat.errors import ModelError

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class ScriptedEngine:
    """Replays `replies` in order, a word a chunk. A reply may be an exception, raised after the words before it."""

    def __init__(self, replies: Iterable[str | Exception] = (), *, delay: float = 0.0) -> None:
        self.replies: deque[str | Exception] = deque(replies)
        self.delay = delay  # seconds before each word
        self.prompts: list[Prompt] = []
        self._info: EngineInfo | None = EngineInfo(
            name="scripted",
            path="scripted.gguf",
            architecture="scripted",
            chat_template=CHATML,
            eos="<|im_end|>",
            control_tokens=("<|im_start|>", "<|im_end|>"),
            context_size=4096,
        )

    def load(self, spec: EngineSpec, on_progress: Callable[[float], None] | None = None) -> EngineInfo:
        if on_progress:
            on_progress(1.0)
        return self.info()

    def generate(self, prompt: Prompt, params: SamplingParams, cancel: Cancel) -> Iterator[Chunk]:
        self.prompts.append(prompt)
        size = len(prompt.text.split())
        yield Chunk("", usage=Usage(prompt_tokens=size, context_size=4096))
        reply = self.replies.popleft() if self.replies else "I hear you."
        if isinstance(reply, Exception):
            raise reply
        reason, count = FinishReason.STOP, 0
        for word in reply.split(" "):
            if cancel.wait(self.delay) if self.delay else cancel.is_set():
                reason = FinishReason.CANCELLED
                break
            count += 1
            yield Chunk(word if count == 1 else f" {word}", tokens=1)
        usage = Usage(prompt_tokens=size, completion_tokens=count, decode_tps=50.0, context_tokens=size + count)
        yield Chunk("", finish_reason=reason, usage=usage)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def embed(self, text: str) -> list[float]:
        return [1.0]

    def info(self, cancel: Cancel | None = None) -> EngineInfo:
        if self._info is None:
            raise ModelError("No model is loaded.")
        return self._info

    def close(self) -> None:
        self._info = None
