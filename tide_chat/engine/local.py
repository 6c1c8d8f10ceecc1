"""The engine in this process: prompts to tokens, cache reuse, the generation loop, thread tuning.

Knows nothing of processes, terminals or people. The app runs it in a child process (`process`), where `child` feeds it.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from tide_chat.engine import kv, threads
from tide_chat.engine.base import Cancel, Chunk, EngineInfo, EngineSpec, FinishReason, Prompt, SamplingParams, Usage
from tide_chat.engine.llama import ALL_LAYERS, Aborted, Llama, devices, system_info
from tide_chat.engine.prefix_cache import PrefixCache, fingerprint
from tide_chat.engine.text import TextStream
from tide_chat.errors import ModelError, ModelUnusable

PROBE_TOKEN_LIMIT = 64  # a probe never takes more tokens than this
ENCODER_PROBE = 16  # tokens
ENCODER_TRIALS = 0.015  # share of the time: a whole message waits for each


class LocalEngine:
    """An Engine on llama.cpp in this process."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._llama: Llama | None = None
        self._info: EngineInfo | None = None
        self._prefixes = PrefixCache(None)
        self._cached: list[int] = []  # tokens whose state is in the KV cache
        self._tuner = threads.ThreadTuner([1])
        self._batch_threads = 1
        self._encoder = False
        self._tuning = True  # off for a given seed: sums, and so words, depend on the number of threads

    # -- loading -----------------------------------------------------------------------------------------------------

    def load(self, spec: EngineSpec, on_progress: Callable[[float], None] | None = None) -> EngineInfo:
        self.close()
        gpu, notes = _gpu_layers(spec.gpu)
        try:
            llama = Llama(spec, gpu, on_progress)
        except ModelUnusable:
            if gpu == 0 or spec.gpu != "auto":
                raise
            llama, gpu = Llama(spec, 0, on_progress), 0
            notes = ("The GPU could not take this model; it runs on the CPU.",)
        self._llama, self._cached = llama, []
        self._encoder = spec.embedding
        self._set_up_threads(spec, on_gpu=gpu > 0)
        self._info = _describe(llama, spec, gpu, notes)
        identity = (fingerprint(spec.model), fingerprint(spec.adapter) if spec.adapter else "", self._info.build)
        folder = spec.cache_dir / "prefix" if spec.cache_dir else None
        self._prefixes = PrefixCache(folder, *identity, f"{llama.context_size} {gpu} {spec.extra_bufts}")
        self._self_test()
        return self.info()

    def _set_up_threads(self, spec: EngineSpec, *, on_gpu: bool) -> None:
        cores = threads.usable_cores()
        adaptive = [min(4, cores)] if on_gpu else threads.candidates(cores)
        spent = ENCODER_TRIALS if spec.embedding else threads.SPENT_ON_TRIALS
        self._tuner = threads.ThreadTuner([spec.threads] if spec.threads else adaptive, spent=spent)
        self._batch_threads = spec.threads or cores

    def _self_test(self) -> None:
        """Decode a little before anyone waits for it: native code that crashes on this CPU crashes here, and thread
        counts are probed on the way."""
        llama = self._need()
        if self._encoder:
            self._probe_encoder()
            return
        llama.set_threads(self._tuner.pick(), self._batch_threads)
        filler = [self._any_token()] * 32
        llama.decode(filler, 0)
        position = len(filler)
        while self._tuner.probing and position < PROBE_TOKEN_LIMIT:
            self._timed_decode(filler[0], position)
            position += 1
        llama.clear()

    def _probe_encoder(self) -> None:
        """Embed a little, with each thread count in turn."""
        filler = [self._any_token()] * ENCODER_PROBE
        self._timed_embed(filler)
        for _ in range(PROBE_TOKEN_LIMIT):
            if not self._tuner.probing:
                return
            self._timed_embed(filler)

    def _timed_embed(self, tokens: list[int]) -> list[float]:
        """Few tokens tell too little about speed: they are not recorded."""
        llama, tuner = self._need(), self._tuner
        threads = tuner.pick()
        llama.set_threads(threads, threads)
        began = self._clock()
        vector = llama.embed(tokens)
        if len(tokens) >= ENCODER_PROBE:
            tuner.record((self._clock() - began) / len(tokens))
        return vector

    def _any_token(self) -> int:
        return (self._need().tokenize("a") or [0])[0]

    def _timed_decode(self, token: int, position: int) -> None:
        llama, tuner = self._need(), self._tuner
        if not self._tuning:
            llama.decode([token], position)
            return
        llama.set_threads(tuner.pick(), self._batch_threads)
        began = self._clock()
        llama.decode([token], position)
        tuner.record(self._clock() - began)

    # -- generating --------------------------------------------------------------------------------------------------

    def generate(self, prompt: Prompt, params: SamplingParams, cancel: Cancel) -> Iterator[Chunk]:
        llama, began = self._need(), self._clock()
        llama.abort.clear()
        self._tuning = params.seed is None
        llama.set_threads(self._tuner.pick() if self._tuning else self._batch_threads, self._batch_threads)
        forget = cancel.listen(llama.abort.request)
        try:
            yield from self._generate(prompt, params, cancel, began)
        finally:
            forget()
            llama.abort.clear()

    def _generate(self, prompt: Prompt, params: SamplingParams, cancel: Cancel, began: float) -> Iterator[Chunk]:
        tokens, prefix, dropped = self._fit(prompt, params.max_tokens)
        if prompt.anew:
            self._forget_from(prefix)
        reuse = self._reuse(tokens, prefix)
        usage = Usage(
            prompt_tokens=len(tokens),
            cached_tokens=reuse.cached,
            context_tokens=len(tokens),
            context_size=self._need().context_size,
            dropped_messages=dropped,
            seed=secrets.randbelow(1 << 31) if params.seed is None else params.seed,
            prefix_tokens=prefix,
        )
        yield Chunk("", usage=usage)
        try:
            self._read(tokens, prefix, keep=not prompt.spans[0].private)
        except Aborted:
            yield Chunk("", finish_reason=FinishReason.CANCELLED, usage=usage)
            return
        if params.max_tokens == 0:
            yield Chunk("", finish_reason=FinishReason.LENGTH, usage=usage)
            return
        yield from self._write(params, cancel, usage, began)

    def _fit(self, prompt: Prompt, reply: int) -> tuple[list[int], int, int]:
        """(tokens, how many of them are the system prefix, how many messages were left out)."""
        llama = self._need()
        spans = [llama.tokenize(span.text) for span in prompt.spans]
        bos = llama.bos_if_wanted()
        if bos and spans and spans[0][:1] != bos:
            spans[0] = bos + spans[0]
        sizes = [(len(tokens), span.pinned) for tokens, span in zip(spans, prompt.spans, strict=True)]
        stay = kv.fit(sizes, llama.context_size - reply - 1)
        tokens = [token for kept, span in zip(stay, spans, strict=True) if kept for token in span]
        dropped = sum(span.messages for kept, span in zip(stay, prompt.spans, strict=True) if not kept)
        return tokens, len(spans[0]) if len(spans) > 1 else 0, dropped

    def _reuse(self, tokens: list[int], prefix: int) -> kv.Reuse:
        """Bring the cache to a prefix of `tokens`, from memory or from the disk."""
        llama = self._need()
        reuse = kv.plan(self._cached, tokens, can_shift=llama.can_shift())
        if reuse.keep < prefix:
            restored = self._prefixes.restore(tokens[:prefix], llama.restore)
            if not restored:
                llama.clear()
            self._cached = tokens[:prefix] if restored else []
            return kv.Reuse(len(self._cached))
        if reuse.cut and reuse.moved:
            llama.cut(reuse.keep, reuse.keep + reuse.cut)
        llama.forget_from(reuse.cached)
        self._cached = tokens[: reuse.cached]
        return reuse

    def _forget_from(self, position: int) -> None:
        """Drop what another conversation left. What it was computed with would go into the words of this one."""
        self._need().forget_from(position)
        del self._cached[position:]

    def _read(self, tokens: list[int], prefix: int, *, keep: bool) -> None:
        """Prefill what is missing; the system prefix on its own, so that its state can be stored where it may be."""
        llama = self._need()
        if len(self._cached) < prefix:
            self._append(tokens[len(self._cached) : prefix])
            if keep:
                self._prefixes.store(tokens[:prefix], llama.save)
        self._append(tokens[len(self._cached) :])

    def _append(self, tokens: list[int]) -> None:
        self._need().decode(tokens, len(self._cached))
        self._cached += tokens

    def _write(self, params: SamplingParams, cancel: Cancel, usage: Usage, began: float) -> Iterator[Chunk]:
        llama, stream = self._need(), TextStream(params.stop)
        first = last = began
        count, reason = 0, FinishReason.LENGTH
        with llama.sampler(params, usage.seed) as pick:
            while count < params.max_tokens:
                token = pick()
                last = self._clock()
                first = first if count else last
                if llama.ends(token):
                    reason = FinishReason.STOP
                    break
                count += 1
                yield Chunk(stream.feed(llama.piece(token)), tokens=1)
                if stream.stopped or cancel.is_set():
                    reason = FinishReason.STOP if stream.stopped else FinishReason.CANCELLED
                    break
                if count == params.max_tokens:
                    break  # what nobody reads need not be computed
                if not self._advance(token):
                    reason = FinishReason.CANCELLED
                    break
        yield Chunk(stream.flush(), finish_reason=reason, usage=self._final(usage, count, first - began, last - first))

    def _advance(self, token: int) -> bool:
        """Put a picked token into the cache; False when that was interrupted."""
        try:
            self._timed_decode(token, len(self._cached))
        except Aborted:
            return False
        self._cached.append(token)
        return True

    def _final(self, usage: Usage, count: int, ttft: float, writing: float) -> Usage:
        return replace(
            usage,
            completion_tokens=count,
            ttft_s=round(ttft, 4),
            decode_tps=round((count - 1) / writing, 2) if count > 1 and writing > 0 else 0.0,
            context_tokens=len(self._cached),
            threads=self._tuner.current if self._tuning else self._batch_threads,
        )

    # -- the rest ----------------------------------------------------------------------------------------------------

    def count_tokens(self, text: str) -> int:
        return len(self._need().tokenize(text))

    def embed(self, text: str) -> list[float]:
        llama = self._need()
        if self._encoder:
            return self._timed_embed(llama.tokenize(text, add_special=True, parse_special=False))
        return llama.embed(llama.tokenize(text))

    def info(self, cancel: Cancel | None = None) -> EngineInfo:
        if self._info is None:
            raise ModelError("No model is loaded.", help="Choose one with --model; tide-chat models list shows them.")
        return replace(self._info, threads=self._tuner.current)

    def close(self) -> None:
        if self._llama:
            self._llama.close()
        self._llama, self._info = None, None

    def _need(self) -> Llama:
        if self._llama is None:
            raise ModelError("No model is loaded.")
        return self._llama


def _gpu_layers(wish: str) -> tuple[int, tuple[str, ...]]:
    """(layers to offload, notes). Raises nothing: a wish that cannot be met is a note."""
    if wish == "off":
        return 0, ()
    if not devices():
        return 0, () if wish == "auto" else ("This build has no GPU support; the model runs on the CPU.",)
    return (ALL_LAYERS if wish == "auto" else int(wish)), ()


def _describe(llama: Llama, spec: EngineSpec, gpu: int, notes: tuple[str, ...]) -> EngineInfo:
    description, parameters, size = llama.describe()
    bos, eos = llama.bos_eos()
    if not spec.extra_bufts:
        notes += ("Repacked weights are off: the native code for them does not run on this CPU.",)
    return EngineInfo(
        name=spec.name or spec.model.stem,
        path=str(spec.model),
        architecture=llama.metadata("general.architecture"),
        description=description,
        parameters=parameters,
        size=size,
        context_size=llama.context_size,
        train_context=llama.train_context,
        chat_template=_template(llama, spec),
        bos=bos,
        eos=eos,
        control_tokens=llama.control_tokens(),
        adapter=spec.adapter.name if spec.adapter else None,
        device=", ".join(devices()) if gpu else "CPU",
        gpu_layers=gpu,
        build=system_info(),
        notes=notes,
    )


def _template(llama: Llama, spec: EngineSpec) -> str:
    if spec.chat_template is None:
        return llama.metadata("tokenizer.chat_template")
    try:
        return spec.chat_template.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelUnusable(f"The chat template {spec.chat_template} could not be read.", details=str(error)) from error
