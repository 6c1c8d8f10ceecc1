"""The training loop: from conversations and a recipe to a run folder with an adapter. Behind `tide-train sft`.

Why a loop of our own and not a trainer: the savings are where a trainer cannot reach. Hidden states are picked before
the output matrix, the shared system prompt is computed once a pass, and a step's micro-batches run together while they
fit. Processes exchange nothing but the adapter's gradient, summed once a step, so a run of several is the run of one;
where the base is sharded they also lend each other its layers. Order and dropout follow from seed and step: a killed
run that goes on gives the same bits on the CPU.
"""

import hashlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from tide_chat.errors import DataError, TideError, UsageError
from tide_chat.progress import Say, quiet
from tide_chat.registry.machine import disk_lacking, human_size
from training import card, folders
from training.recipe import Recipe
from training.sft import adapter, batches, boards, checkpoint, devices, guards, kept, plan, sharding, together
from training.sft.boards import Board
from training.sft.checkpoint import State
from training.sft.items import Items, sums_of
from training.sft.loss import Loss
from training.sft.metrics import RUN, Metrics, environment, read_run, write_run
from training.sft.prepared import REFERENCE, TOKENS, Job, Prepare, Prepared, prepare, recipe_hash
from training.sft.samples import sample

Tell = Callable[[str], None]
METRICS, SAMPLES = "metrics.jsonl", "samples.jsonl"


@dataclass(frozen=True, slots=True)
class Outcome:
    """best: the held-out loss of the adapter in the run folder, None without held-out dialogues."""

    steps: int
    best: float | None
    best_step: int
    stopped_early: bool
    tokens: int
    seconds: float
    peak_memory: int | None


def dry_run(job: Job, tell: Tell, prepare: Prepare = prepare) -> plan.Plan:
    """Print the report and the plan; nothing is written and no weight is read. Under torchrun: that of each process."""
    ready = prepare(job, False, quiet)
    group = devices.from_environment()
    device = devices.device_of(job.device, group)
    dtype = devices.dtype_of(job.recipe.training.precision, device)
    found = _plan(job, ready, device, dtype, group.world)
    for line in (*ready.report.lines(), *found.lines()) if group.leads else ():
        tell(line)
    return found


def train(job: Job, tell: Tell, say: Say = quiet, prepare: Prepare = prepare) -> Outcome:
    """Train, or go on with `resume`. The best adapter is in the run folder at the end. prepare: towards what.

    Raises UsageError, ModelError, DataError, TideError; KeyboardInterrupt after a checkpoint when it was interrupted.
    """
    group = devices.group()
    with (
        guards.deterministic(job.device),
        guards.out_of_memory(job.recipe),
        together.exchanges(group.world),
    ):
        boards.require(job.recipe.logging.boards)
        _check_out(job)
        group.meet()  # or the leader's first file would look like an older run to the others
        try:
            told, shown = (tell, say) if group.leads else (silent, quiet)
            return _Run(job, prepare(job, group.leads, shown), group, told, shown).run()
        except OSError as error:
            raise TideError(
                "The run folder could not be written.",
                details=f"{job.out}: {error.strerror or error}",
                help="Make room and give the command again, with --resume if the run folder has a run.json.",
            ) from error


class _Run:
    """One process's part of a run."""

    def __init__(self, job: Job, ready: Prepared, group: devices.Group, tell: Tell, say: Say) -> None:
        self.job, self.group, self.tell, self.say = job, group, tell, say
        self.wish = threading.Event()  # to stop; until the first step Ctrl+C acts at once
        self.recipe = job.recipe
        self.ready = ready
        self.device = devices.device_of(job.device, group)
        dtype = devices.dtype_of(self.recipe.training.precision, self.device)
        self.last = checkpoint.newest(job.out) if job.resume else None  # goes on from it
        if group.leads:
            self.earlier = read_run(job.out) if self.last else {}
            self.plan = plan.read(self.earlier) if self.last else _plan(job, ready, self.device, dtype, group.world)
        self.sharded = self.recipe.training.shared_out(group.world)
        place = torch.device("cpu") if self.sharded else self.device
        self.model = adapter.load(job.model, self.recipe, place, dtype, job.start)
        if self.sharded:
            sharding.shard(self.model, group, self.device)
        self.trained = list(adapter.trained(self.model).values())
        group.same([value.data for value in self.trained])
        self.loss = Loss(self.model, dtype)
        self.optimizer = self._optimizer()
        self.state = State(recipe=recipe_hash(self.recipe), data=self.ready.data)
        self.board: Board | None = None
        wanted = self.recipe.training
        self.size = wanted.batch * wanted.accumulation  # items of a step
        self.per_epoch = math.ceil(len(ready.examples) / self.size)
        self.steps = wanted.epochs * self.per_epoch

    def _optimizer(self) -> torch.optim.Optimizer:
        wanted = self.recipe.optimizer
        return torch.optim.AdamW(
            self.trained,
            lr=wanted.learning_rate,
            betas=(wanted.beta1, wanted.beta2),
            weight_decay=wanted.weight_decay,
            fused=self.device.type in ("cpu", "cuda"),
        )

    # -- the whole ---------------------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        try:
            return self._run()
        finally:
            if self.board:
                self.board.close()

    def _run(self) -> Outcome:
        self._begin()
        with guards.interrupts() as self.wish:
            stopped = self._gained_nothing()  # a run that had stopped and is resumed has nothing left to do
            for step in () if stopped else self._steps():
                self._step(step)
                stopped = self._after_step()
                if stopped:
                    break
            return self._end(stopped)

    def _begin(self) -> None:
        if self.group.leads:
            for line in (*self.ready.report.lines(), *self.plan.lines()):
                self.tell(line)
        self.loss.verify(batches.stacked([min(self.ready.examples, key=len)], self.ready.prefix))
        _check_room(self.job, sum(value.numel() for value in self.trained))
        self.items, self.held = self.ready.items(self.loss, self.group)
        if self.last:
            self._resume(self.last)
        if self.group.leads:
            self.about = self._about()
            write_run(self.job.out, self.about)  # from here on it can be resumed
            after = self.state.step if self.last else None
            self.board = boards.begin(self.recipe.logging.boards, self.job.out)
            self.metrics = Metrics(self.job.out / METRICS, after=after, board=self.board)
            self.samples = Metrics(self.job.out / SAMPLES, after=after)
        if self.job.start and not self.last:
            self._evaluate()  # what training has to be better than
            self._save()

    def _resume(self, folder: Path) -> None:
        state = checkpoint.restore(folder, self.model, self.optimizer)
        if (state.recipe, state.data) != (self.state.recipe, self.state.data):
            what = "other data" if state.recipe == self.state.recipe else "another recipe"
            raise UsageError(
                f"The run was begun with {what}.",
                details=str(folder),
                help="Go on with the same, or begin anew in another folder.",
            )
        self.state = state
        self.tell(f"Going on after step {state.step}.")

    def _steps(self) -> Iterator[list[int]]:
        """The steps that are still to do."""
        wanted, done = self.recipe.training, self.state.step
        for epoch in range(done // self.per_epoch, wanted.epochs):
            grouped = wanted.grouping == "length"
            order = batches.steps(self.items.lengths, self.size, epoch=epoch, seed=wanted.seed, grouped=grouped)
            yield from order[max(0, done - epoch * self.per_epoch) :]

    # -- a step ------------------------------------------------------------------------------------------------------

    def _step(self, step: list[int]) -> None:
        began, number = time.monotonic(), self.state.step
        torch.manual_seed(_seed(self.recipe.training.seed, number, self.group.rank))
        weight = sum(self.items.weights[i] for i in step)
        total = torch.zeros(self.items.width + 1, device=self.device)  # the sums, and whether somebody wants to stop
        for part in self._share(self.items, step):
            sums = sums_of(self.items, part)
            (sums[0] / weight).backward()
            total[:-1] += sums.detach()
        total[-1] = float(self.wish.is_set())
        self.group.total(total)
        self._share_gradients()
        norm, found = self._clip(), self.items.metrics(total[:-1].tolist(), step)
        self._refuse_nonsense(found["loss"], norm)
        rate = rate_at(number, self.steps, self.recipe)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._note(step, found, norm, rate, time.monotonic() - began)
        if float(total[-1]):
            self._interrupted()

    def _share(self, items: Items, step: Sequence[int]) -> list[list[int]]:
        return batches.share(step, items.lengths, items.prefix, self.recipe.training, self.group)

    def _share_gradients(self) -> None:
        """The sum over all processes, in one exchange. A process that read nothing gives zeros."""
        if self.group.world == 1:
            return
        for value in self.trained:
            if value.grad is None:
                value.grad = torch.zeros_like(value)
        flat = torch.cat([value.grad.flatten() for value in self.trained])
        self.group.total(flat)
        for value, part in zip(self.trained, flat.split([value.numel() for value in self.trained]), strict=True):
            value.grad.copy_(part.view_as(value))

    def _clip(self) -> float:
        limit = self.recipe.optimizer.clip
        return float(torch.nn.utils.clip_grad_norm_(self.trained, limit or math.inf))

    def _refuse_nonsense(self, loss: float, norm: float) -> None:
        """Before the step is taken, so that the adapter stays good. Raises TideError."""
        if math.isfinite(loss) and math.isfinite(norm):
            return
        last = checkpoint.newest(self.job.out)
        rate = self.recipe.optimizer.learning_rate
        raise TideError(
            f"The {'gradient' if math.isfinite(loss) else 'loss'} of step {self.state.step + 1} is not a number.",
            details=f"The last good checkpoint is {last}." if last else "There was no checkpoint yet.",
            help=f"Begin anew with --set optimizer.learning_rate={rate / 3:.1g} or --set training.precision=float32.",
        )

    def _note(self, step: list[int], found: Mapping[str, float], norm: float, rate: float, seconds: float) -> None:
        tokens = sum(self.items.lengths[i] for i in step)
        self.state = replace(
            self.state,
            step=self.state.step + 1,
            tokens=self.state.tokens + tokens,
            seconds=self.state.seconds + seconds,
        )
        speed = tokens / seconds if seconds else 0.0
        if self.group.leads:
            self.metrics.add(
                step=self.state.step,
                epoch=round(self.state.step / self.per_epoch, 4),
                **found,
                gradient_norm=norm,
                learning_rate=rate,
                tokens=tokens,
                seconds=round(seconds, 4),
            )
        self.say(f"loss {found['loss']:.3f}, {speed:.0f} tokens/s", self.state.step, self.steps)

    # -- between steps -----------------------------------------------------------------------------------------------

    def _after_step(self) -> bool:
        """Evaluate and save where it is due; whether to stop."""
        step, every = self.state.step, self.recipe.evaluation.every or self.per_epoch
        last = step == self.steps
        if step % every == 0 or last:
            self._evaluate()
            self._save()
            return self._gained_nothing()
        if self.recipe.saving.every and step % self.recipe.saving.every == 0:
            self._save()
        return False

    def _gained_nothing(self) -> bool:
        """Whether the held-out loss has not fallen for as long as the recipe waits."""
        patience = self.recipe.evaluation.patience
        return bool(patience and self.state.worse >= patience)

    def _save(self) -> None:
        if self.group.leads:
            checkpoint.write(self.job.out, self.model, self.optimizer, self.state, self.recipe.saving.keep)

    def _evaluate(self) -> None:
        if not self.ready.held:
            return
        self.model.eval()
        found = self._held()
        loss = found["loss"]
        best = self.state.best
        better = math.isfinite(loss) and (best is None or loss < best)
        self.state = replace(
            self.state,
            best=loss if better else best,
            best_step=self.state.step if better else self.state.best_step,
            worse=0 if better else self.state.worse + 1,
        )
        if self.group.leads:
            self.metrics.add(step=self.state.step, **{f"held_{name}": value for name, value in found.items()})
        if self.group.leads or self.sharded:
            self._write_samples()
        self.model.train()
        self.tell(f"step {self.state.step}: held-out loss {loss:.4f}{', the best so far' if better else ''}")

    def _held(self) -> Mapping[str, float]:
        """Means over everything held out."""
        everything = range(len(self.held.lengths))
        total = torch.zeros(self.held.width, dtype=torch.float64)
        for part in self._share(self.held, everything):
            with torch.no_grad():
                total += sums_of(self.held, part).double().cpu()
        total = self.group.total(total.to(self.device, torch.float32))
        return self.held.metrics(total.tolist(), everything)

    def _write_samples(self) -> None:
        wanted = self.recipe.evaluation
        for number, example in enumerate(self.ready.held[: wanted.samples]):
            found = sample(self.loss, self.ready.encoder, example, wanted.sample_tokens)
            if self.group.leads:
                self.samples.add(step=self.state.step, number=number, **asdict(found))

    def _interrupted(self) -> None:
        """Leave a checkpoint behind and go."""
        self._save()
        self.tell(f"Stopped after step {self.state.step}. Go on with --resume.")
        raise KeyboardInterrupt

    # -- the end -----------------------------------------------------------------------------------------------------

    def _end(self, stopped: bool) -> Outcome:
        state = self.state
        found = Outcome(
            state.step,
            state.best,
            state.step if state.best is None else state.best_step,
            stopped,
            state.tokens,
            round(state.seconds, 2),
            devices.peak_memory(self.device),
        )
        if self.group.leads:
            checkpoint.publish(checkpoint.at(self.job.out, found.best_step), self.job.out)
            write_run(self.job.out, {**self.about, "outcome": asdict(found)})
            card.write(self.job.out)
            took, memory = plan.duration(found.seconds), human_size(found.peak_memory or 0)
            self.tell(
                f"{found.steps} steps in {took} (estimated {plan.duration(self.plan.seconds)}); "
                f"peak memory {memory} (estimated {human_size(self.plan.memory)})"
            )
        return found

    def _about(self) -> dict[str, Any]:
        """What run.json says from the beginning; the outcome follows at the end."""
        found: dict[str, Any] = {
            "recipe": self.recipe.model_dump(mode="json"),
            "base": self.job.model.name,
            "start": {self.job.start.name: self.ready.start} if self.job.start else None,
            "data": dict(self.job.sources),
            "origins": [asdict(one) for one in self.job.origins],
            "tokens_hash": self.ready.data,
            "counts": {"train": asdict(self.ready.report.counts), "held": len(self.ready.held)},
            "device": devices.describe(self.device),
            "processes": self.group.world,
            "precision": str(self.loss.dtype).removeprefix("torch."),
            "plan": self.plan.as_json(),
            "outcome": None,
            **environment(),
        }
        return found | {"started": self.earlier.get("started", found["started"])}


# Parts that need no run


def _plan(job: Job, ready: Prepared, device: torch.device, dtype: torch.dtype, world: int) -> plan.Plan:
    """Without weights, so that what the trial takes of the memory is free again before they are loaded."""
    model = adapter.skeleton(job.model, job.recipe)
    return plan.make(job.recipe, model, ready.examples, ready.prefix, device, dtype, world)


def rate_at(step: int, steps: int, recipe: Recipe) -> float:
    """The learning rate of a step, counted from 0."""
    wanted = recipe.optimizer
    rise = round(wanted.warmup * steps)
    if step < rise:
        return wanted.learning_rate * (step + 1) / rise
    done = (step - rise) / max(1, steps - rise)
    left = {"constant": 1.0, "linear": 1 - done, "cosine": 0.5 * (1 + math.cos(math.pi * done))}[wanted.schedule]
    return wanted.learning_rate * (wanted.floor + (1 - wanted.floor) * left)


def _seed(seed: int, step: int, rank: int) -> int:
    """Of the dropout of a step."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{step}/{rank}".encode()).digest()[:8], "big") >> 1


def _check_out(job: Job) -> None:
    if job.resume and not (job.out / RUN).is_file():
        raise UsageError("There is no run to go on with.", details=str(job.out), help="Leave --resume out.")
    if not job.resume and not kept.alone(job.out, (TOKENS, REFERENCE)):
        folders.require_new(job.out, "Name a new folder, or go on with --resume.")


def _check_room(job: Job, trained: int) -> None:
    size = trained * 4 * 3 * (job.recipe.saving.keep + 2)  # adapter and two moments, in float32
    size = max(0, size - checkpoint.occupied(job.out))
    if lacking := disk_lacking(job.out, size):
        raise DataError(
            "There is not enough room on the disk for the checkpoints.",
            details=f"{human_size(size)} are needed, {human_size(lacking)} too many.",
            help="Make room, or keep fewer: --set saving.keep=1.",
        )


def silent(_line: str) -> None:
    """For processes that do not lead."""
