"""The reference that decode speed is compared with: `llama_decode` and a greedy pick, nothing else.

Run as `python -m tide_chat.engine.llama_bare MODEL THREADS`. Each line on stdin, a number of tokens, is answered with
the seconds that decoding so many took.
"""

import sys
import time
from pathlib import Path

from tide_chat.engine.base import EngineSpec, SamplingParams
from tide_chat.engine.batch import BATCH
from tide_chat.engine.llama import Llama


def main() -> None:
    model, threads = Path(sys.argv[1]), int(sys.argv[2])
    llama = Llama(EngineSpec(model, context=2048), gpu_layers=0)
    llama.set_threads(threads, threads)
    prompt = llama.tokenize("It was a long day and the night is longer. " * 8)[:BATCH]
    for line in sys.stdin:
        sys.stdout.write(f"{decode(llama, prompt, int(line))}\n")
        sys.stdout.flush()


def decode(llama: Llama, prompt: list[int], tokens: int) -> float:
    """Seconds for `tokens` decoded after `prompt`."""
    llama.clear()
    llama.decode(prompt, 0)
    with llama.sampler(SamplingParams(temperature=0.0, repeat_penalty=1.0), 0) as pick:
        token, began = pick(), time.perf_counter()
        for position in range(len(prompt), len(prompt) + tokens):
            llama.decode([token], position)
            token = pick()
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
