"""The child process of a local judge: a GGUF file by llama.cpp, asked only for what the answer's form leaves open.

Run as `python -m training.evaluation.judge.local MODEL CONTEXT THREADS` (0 threads: one for each core). A line of JSON
in, a line out: {rubric, material, form, schema, seed, temperature} to {text} or {error}. The first line out is {ready}
or {error}. A crash of native code ends this process and not the command.
"""

import json
import os
import random
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, TextIO

from llama_cpp import llama_cpp as native

from tide_chat.engine import threads
from tide_chat.engine.base import EngineSpec
from tide_chat.engine.llama import ALL_LAYERS, Llama
from tide_chat.errors import PromptTooLong, TideError
from tide_chat.messages import Conversation
from tide_chat.prompt import Renderer
from training.evaluation.judge import forms
from training.evaluation.judge.forms import Tokens

ROOM = 128  # tokens kept for an answer; the longest has about 40


class Model(Llama):
    """Keeps what the next question begins with as well: the rubric, and the material of another call.

    A segment of a prompt is always read whole and behind the same ones, so that no answer depends on earlier questions.
    """

    def __init__(self, file: Path, context: int, count: int) -> None:
        """context: tokens. count: threads, 0 for all cores. Raises ModelError."""
        super().__init__(EngineSpec(file, context=context), ALL_LAYERS)
        count = count or threads.usable_cores()
        self.set_threads(count, count)
        bos, eos = self.bos_eos()
        template = self.metadata("tokenizer.chat_template")
        self._renderer = Renderer(template, bos=bos, eos=eos, control_tokens=self.control_tokens())
        self._segments: list[Tokens] = []  # in the cache, from its beginning
        self._end = 0  # of what is in the cache

    def answer(self, asked: dict[str, Any]) -> str:
        """JSON that fits the schema. Raises EngineError."""
        self._begin(self._prompt(asked["rubric"], asked["material"], asked["form"]))
        draw, text, ahead = random.Random(asked["seed"]), "", Tokens()
        for first, values in forms.parts(asked["schema"]):
            options = [ahead + self.tokenize(first + value) for value in values]
            index, read = forms.chosen(options, self._logits, draw, asked["temperature"])
            text, ahead = text + first + values[index], options[index][read:]
        return text + forms.CLOSE

    def _prompt(self, rubric: str, material: str, form: str) -> list[Tokens]:
        """In segments: the rubric, the material, and the form with the beginning of the answer."""
        *before, last = (span.text for span in self._renderer.render(rubric, _said(material, form)).spans)
        at = max(0, last.rfind(form))
        segments = [self.tokenize(text) for text in (*before, last[:at], last[at:])]
        segments[0] = self._with_bos(segments[0])
        return segments

    def _with_bos(self, tokens: Tokens) -> Tokens:
        bos = self.bos_if_wanted()
        return tokens if tokens[: len(bos)] == bos else bos + tokens

    def _begin(self, segments: list[Tokens]) -> None:
        """Bring the cache to the prompt. The last segment is always read: what follows needs its logits."""
        self._check(sum(map(len, segments)))
        both = zip(self._segments, segments[:-1], strict=False)
        self._segments = [new for _, new in takewhile(lambda one: one[0] == one[1], both)]
        self._end = sum(map(len, self._segments))
        self.forget_from(self._end)
        for tokens in segments[len(self._segments) : -1]:
            self._read(tokens)
            self._segments.append(tokens)
        self._read(segments[-1])

    def _check(self, needed: int) -> None:
        if needed > (room := self.context_size - ROOM):
            details = f"It takes {needed} tokens, and there is room for {room}."
            raise PromptTooLong("A question is longer than the judge can read.", details=details)

    def _logits(self, read: Tokens, tokens: Sequence[int]) -> list[float]:
        """Of each of `tokens` behind what is read now."""
        self._read(read)
        found = native.llama_get_logits_ith(self._context, -1)
        return [found[token] for token in tokens]

    def _read(self, tokens: Tokens) -> None:
        self.decode(tokens, self._end)
        self._end += len(tokens)


def _said(material: str, form: str) -> Conversation:
    return Conversation().user(f"{material}\n{form}")


def main(file: Path, context: int, count: int) -> None:
    answers = _own_output()
    try:
        model = Model(file, context, count)
    except TideError as error:
        _say(answers, {"error": f"{error.message} {error.details}".strip()})
        return
    _say(answers, {"ready": True})
    for line in sys.stdin:
        try:
            _say(answers, {"text": model.answer(json.loads(line))})
        except TideError as error:
            _say(answers, {"error": f"{error.message} {error.details}".strip()})


def _own_output() -> TextIO:
    """What native code prints goes to standard error; the answers keep the real standard output."""
    mine = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return mine


def _say(answers: TextIO, value: dict[str, Any]) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
