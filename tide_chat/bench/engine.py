"""Speed, first token, memory and stop of the engine, through the same path that the app uses."""

import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tide_chat.bench.result import Measure, middle_ratio
from tide_chat.engine.base import Cancel, EngineInfo, EngineSpec, FinishReason, Prompt, SamplingParams, Span
from tide_chat.engine.process import ProcessEngine
from tide_chat.messages import Conversation
from tide_chat.prompt import Renderer, system_text

STORY = "It was a long day and the night is longer. " * 8
ROUNDS, TOKENS = 7, 96
GREEDY = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=TOKENS)


@contextlib.contextmanager
def loaded(spec: EngineSpec) -> Iterator[ProcessEngine]:
    process = ProcessEngine()
    try:
        process.load(spec)
        yield process
    finally:
        process.close()


@contextlib.contextmanager
def bare(model: Path, threads: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", "-m", "tide_chat.engine.llama_bare", str(model), str(threads)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def bare_tps(process: subprocess.Popen[str], tokens: int) -> float:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{tokens}\n")
    process.stdin.flush()
    return tokens / float(process.stdout.readline())


def tps(engine: ProcessEngine, params: SamplingParams = GREEDY) -> float:
    """Tokens decoded a second as the reader of the chunks sees them, from the first token to the end.

    The last token is decoded only when the reply ended by itself: to find that it had ended.
    """
    prompt, first, count, reason = Prompt((Span(STORY, pinned=True),)), 0.0, 0, None
    for chunk in engine.generate(prompt, params, Cancel()):
        if chunk.tokens:
            first, count = first or time.perf_counter(), count + chunk.tokens
        reason = chunk.finish_reason
    return (count - (reason is FinishReason.LENGTH)) / (time.perf_counter() - first)


def decode_speed(model: Path, threads: int) -> list[Measure]:
    """The whole path against a bare loop, same file and threads, runs interleaved."""
    with loaded(EngineSpec(model, context=2048, threads=threads)) as engine, bare(model, threads) as reference:
        tps(engine), bare_tps(reference, TOKENS)
        sampled = SamplingParams(seed=1, max_tokens=TOKENS)
        pairs, warm = [], []
        for _ in range(ROUNDS):
            pairs.append((tps(engine), bare_tps(reference, TOKENS)))
            warm.append((tps(engine, sampled), bare_tps(reference, TOKENS)))
    name = f"decode, {threads} thread{'s' if threads > 1 else ''}"
    return [
        Measure(f"{name}, greedy", *_unit(pairs, "tok/s"), "bare llama_decode loop", ">= 0.97"),
        Measure(f"{name}, sampling as in the app", *_unit(warm, "tok/s"), "bare llama_decode loop"),
    ]


def adapter_cost(model: Path, adapter: Path) -> list[Measure]:
    """Decoding with the adapter that comes with the app against without, runs interleaved."""
    plain = EngineSpec(model, context=2048)
    with loaded(replace(plain, adapter=adapter)) as engine, loaded(plain) as reference:
        tps(engine), tps(reference)
        pairs = [(tps(engine), tps(reference)) for _ in range(ROUNDS)]
    return [Measure("decode with the adapter", *_unit(pairs, "tok/s"), "the model alone")]


def _unit(pairs: list[tuple[float, float]], unit: str) -> tuple[float, str, float]:
    value, reference = middle_ratio(pairs)
    return value, unit, reference


# -- a busy neighbour --------------------------------------------------------------------------------------------------


_BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"  # ends with the bench, however that ends


@contextlib.contextmanager
def neighbour(*, busy: bool) -> Iterator[None]:
    """A program that takes one core."""
    if not busy:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", _BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def adaptation(model: Path, cores: int) -> list[Measure]:
    """Chosen and adapted threads against the best fixed count, quiet and with a busy neighbour."""
    counts = sorted({1, max(1, cores // 2), cores})
    with contextlib.ExitStack() as stack:
        adaptive = stack.enter_context(loaded(EngineSpec(model, context=2048)))
        fixed = [stack.enter_context(loaded(EngineSpec(model, context=2048, threads=count))) for count in counts]
        return [_against_best(adaptive, fixed, counts, busy=busy) for busy in (False, True)]


def _against_best(adaptive: ProcessEngine, fixed: list[ProcessEngine], counts: list[int], *, busy: bool) -> Measure:
    with neighbour(busy=busy):
        for engine in (adaptive, *fixed):
            tps(engine)
        rounds = [(tps(adaptive), [tps(engine) for engine in fixed]) for _ in range(ROUNDS)]
    means = [sum(each[i] for _, each in rounds) / ROUNDS for i in range(len(counts))]
    best = means.index(max(means))
    value, reference = middle_ratio([(own, each[best]) for own, each in rounds])
    name = f"adapted threads, {'one core taken' if busy else 'quiet'}"
    others = ", ".join(f"{count}: {mean:.1f}" for count, mean in zip(counts, means, strict=True))
    return Measure(name, value, "tok/s", reference, f"best fixed count ({others} tok/s)", ">= 0.90")


# -- first token, memory, stop -----------------------------------------------------------------------------------------


def first_token(model: Path) -> list[Measure]:
    """Time to the first token of a first message: nothing prepared, prefix restored from disk, prefix in the cache."""
    cold, restored, warm = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        spec = EngineSpec(model, context=2048, cache_dir=Path(folder))
        for _ in range(3):
            for file in Path(folder).rglob("*.state"):
                file.unlink()
            with loaded(spec) as engine:
                cold.append(_ttft(engine, "The fireworks started again."))
                warm.append(_ttft(engine, "It was a long day at work."))
            with loaded(spec) as engine:
                restored.append(_ttft(engine, "The fireworks started again."))
    reference = min(cold)
    return [
        Measure("first token, prefix in the cache", min(warm), "s", reference, "cold", "<= 0.5"),
        Measure("first token, prefix restored from disk", min(restored), "s", reference, "cold", "<= 0.5"),
    ]


def _ttft(engine: ProcessEngine, text: str) -> float:
    prompt = Renderer.of(engine.info()).render(system_text(), Conversation().user(text))
    began = time.perf_counter()
    for chunk in engine.generate(prompt, SamplingParams(seed=1, max_tokens=1), Cancel()):
        if chunk.tokens:
            return time.perf_counter() - began
    raise AssertionError("no token came")


def memory(model: Path) -> list[Measure]:
    """Resident memory of the engine's process after a reply, with the app's default context, over the file's size."""
    import psutil

    with loaded(EngineSpec(model, context=4096)) as engine:
        tps(engine)
        resident = psutil.Process(engine.pid).memory_info().rss
        size = engine.info().size
    return [Measure("resident memory of the engine", resident / 1e6, "MB", size / 1e6, "model file")]


def stop(model: Path) -> list[Measure]:
    """From the request to the end of the generation, 20 times in prefill and 20 times while writing."""
    with loaded(EngineSpec(model, context=4096)) as engine:
        info = engine.info()
        waits = {moment: [_stop_once(engine, info, moment, i) for i in range(20)] for moment in ("prefill", "writing")}
    return [
        Measure(f"stop in {moment}, slowest of 20", max(each), "s", 0.1, "the promise", "<= 1.0")
        for moment, each in waits.items()
    ]


def _stop_once(engine: ProcessEngine, info: EngineInfo, moment: str, number: int) -> float:
    text = f"{number} " + "the night is long and I walk. " * (250 if moment == "prefill" else 1)
    prompt = Renderer.of(info).render(system_text(), Conversation().user(text))
    cancel, asked = Cancel(), [0.0]

    def request() -> None:
        asked[0] = time.perf_counter()
        cancel.set()

    threading.Timer(0.15 + 0.02 * number, request).start()
    reason = None
    for chunk in engine.generate(prompt, SamplingParams(seed=1, max_tokens=1200), cancel):
        reason = chunk.finish_reason
    ended = time.perf_counter()
    if reason is FinishReason.CANCELLED:
        return ended - asked[0]
    cancel.wait(5)  # it ended by itself before the request: nothing to stop
    return 0.0
