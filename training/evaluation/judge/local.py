"""The child process of a local judge: a GGUF file by llama.cpp, held to the answer's schema by a grammar.

Run as `python -m training.evaluation.judge.local MODEL CONTEXT THREADS` (0 threads: llama.cpp's own choice). A line of
JSON in, a line out: {messages, schema, seed, temperature, max_tokens} to {text} or {error}. The first line out is
{ready} or {error}. A crash of native code ends this process and not the command.
"""

import json
import os
import sys
from typing import Any, TextIO


def main(model: str, context: int, threads: int) -> None:
    answers = _own_output()
    try:
        llama = _loaded(model, context, threads)
    except (ValueError, OSError, RuntimeError) as error:
        _say(answers, {"error": str(error)})
        return
    _say(answers, {"ready": True})
    for line in sys.stdin:
        try:
            _say(answers, {"text": _answer(llama, json.loads(line))})
        except (ValueError, RuntimeError) as error:
            _say(answers, {"error": str(error)})


def _own_output() -> TextIO:
    """What native code prints goes to standard error; the answers keep the real standard output."""
    mine = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return mine


def _say(answers: TextIO, value: dict[str, Any]) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()


def _loaded(model: str, context: int, threads: int) -> Any:
    import llama_cpp

    return llama_cpp.Llama(model, n_ctx=context, n_threads=threads or None, n_gpu_layers=-1, verbose=False)


def _answer(llama: Any, asked: dict[str, Any]) -> str:
    from llama_cpp import LlamaGrammar

    made = llama.create_chat_completion(
        asked["messages"],
        grammar=LlamaGrammar.from_json_schema(json.dumps(asked["schema"]), verbose=False),
        seed=asked["seed"],
        temperature=asked["temperature"],
        max_tokens=asked["max_tokens"],
    )
    return made["choices"][0]["message"]["content"] or ""


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
