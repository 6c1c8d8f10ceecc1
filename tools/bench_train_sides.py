"""The two sides of bench_train, each run as a process: a task as JSON in, a JSON file with its figures out.

TRL gets our sequences already tokenised and masked, in our order, so that nothing but the training differs; its
documentation allows that. Knows nothing of rounds and ratios.
"""

import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

RECIPE = "tide-smollm2-135m"
DATA = "open:plain"
OVERRIDES = (
    "lora.dropout=0",  # or no two losses would agree
    "optimizer.schedule=constant",
    "optimizer.warmup=0",
    "training.epochs=1",
    "evaluation.samples=0",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """How one side is run. micro: sequences of a forward pass, a divisor of the step's."""

    name: str
    trl: bool = True
    precision: str = "float32"
    micro: int = 16
    attention: str = "sdpa"
    padding_free: bool = False
    workers: int = 0


OURS = Setting("as the recipe says", trl=False)


def settings(device: str, *, thorough: bool) -> tuple[Setting, ...]:
    """What of TRL's documented options may be the fastest: never checkpointing; always its loss without whole logits,
    the fused AdamW, and batches of like length. Packing is its padding-free pass here, as a pack must not change what a
    step reads; bfloat16 is tried where the device multiplies it. thorough: also what lies between these.
    """
    return _on_cpu(thorough) if device == "cpu" else _on_cuda(thorough)


def _on_cpu(thorough: bool) -> tuple[Setting, ...]:
    main = (
        Setting("4 x 4", micro=4),
        Setting("1 x 16", micro=1),
        Setting("4 x 4, padding-free", micro=4, padding_free=True),
    )
    half = (Setting("4 x 4, bf16", micro=4, precision="bfloat16"),) if _multiplies_bfloat16() or thorough else ()
    more = (
        Setting("16 x 1"),
        Setting("8 x 2", micro=8),
        Setting("2 x 8", micro=2),
        Setting("4 x 4, eager attention", micro=4, attention="eager"),
        Setting("4 x 4, 1 worker", micro=4, workers=1),
    )
    return (*main, *half, *(more if thorough else ()))


def _on_cuda(thorough: bool) -> tuple[Setting, ...]:
    main = (
        Setting("16 x 1, bf16", precision="bfloat16"),
        Setting("16 x 1, bf16, padding-free", precision="bfloat16", padding_free=True),
    )
    flash = Setting(
        "16 x 1, bf16, padding-free, flash", precision="bfloat16", attention="flash_attention_2", padding_free=True
    )
    more = (
        Setting("16 x 1, bf16, 2 workers", precision="bfloat16", workers=2),
        Setting("8 x 2, bf16", precision="bfloat16", micro=8),
    )
    return (*main, *((flash,) if importlib.util.find_spec("flash_attn") else ()), *(more if thorough else ()))


def _multiplies_bfloat16() -> bool:
    import torch

    from training.sft import devices

    return bool(devices.dtype_of("auto", torch.device("cpu")) == torch.bfloat16)


@dataclass(frozen=True, slots=True)
class Task:
    """steps: optimizer steps, the first one included. system: prompt, as the recipe's data.system. result: the JSON
    file to write.
    """

    setting: Setting
    model: str
    out: str
    result: str
    steps: int
    device: str
    system: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Task":
        values = json.loads(text)
        return cls(**{**values, "setting": Setting(**values["setting"])})


class Marks:
    """When each step ended, by the clock and by the processor's, and the peak of memory then."""

    def __init__(self, device: Any) -> None:
        self._device, self._times, self.memory = device, list[tuple[float, float]](), 0

    def add(self) -> None:
        from training.sft import devices

        self._times.append((time.perf_counter(), time.process_time()))
        self.memory = devices.peak_memory(self._device) or 0

    def measured(self) -> dict[str, Any]:
        """seconds: of each step but the first. cpu_seconds: of processor time, all threads. memory: bytes."""
        spent = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(self._times)]
        return {"seconds": [one for one, _ in spent], "cpu_seconds": [one for _, one in spent], "memory": self.memory}


def job(task: Task) -> Any:
    """What our loop is asked to do; TRL's side takes its data and adapter from it."""
    from training import recipe
    from training.data.sources import dialogues
    from training.sft.prepared import Job

    wanted = recipe.load(RECIPE, [*OVERRIDES, f"data.system={task.system}"])
    count = task.steps * wanted.training.batch * wanted.training.accumulation
    chosen = [one.conversation for one in dialogues((DATA,))[:count]]
    return Job(wanted, Path(task.model), Path(task.out), chosen, device=task.device)


def ours(task: Task) -> dict[str, Any]:
    from training.sft import devices, loop, metrics

    wanted, device = job(task), devices.device_of(task.device, devices.Group())
    marks = Marks(device)

    def say(what: str, _done: int, _total: int) -> None:
        if what.startswith("loss"):
            marks.add()

    loop.train(wanted, lambda _line: None, say)
    measured = marks.measured()  # before anything else takes memory
    lines = metrics.read(wanted.out / loop.METRICS)
    return {
        "precision": str(devices.dtype_of(wanted.recipe.training.precision, device)).removeprefix("torch."),
        "tokens": [line["tokens"] for line in lines[1:]],
        "learnt": learnt(list(ordered(wanted))),
        "losses": [line["loss"] for line in lines],
        **measured,
    }


def ordered(wanted: Any) -> Iterator[list[Any]]:
    """The sequences of each step, as our loop reads them."""
    from training.sft import batches, prepared

    examples = prepared.prepare(wanted, keep=False).examples
    training = wanted.recipe.training
    for step in batches.steps(
        [len(one) for one in examples],
        training.batch * training.accumulation,
        epoch=0,
        seed=training.seed,
        grouped=training.grouping == "length",
    ):
        yield [examples[i] for i in step]


def learnt(steps: list[list[Any]]) -> list[int]:
    """Tokens that are learnt in each step but the first."""
    return [sum(int(one.mask.sum()) for one in step) for step in steps[1:]]


def theirs(task: Task) -> dict[str, Any]:
    from transformers import TrainerCallback

    from training.sft import devices

    wanted = job(task)
    steps = list(ordered(wanted))
    marks = Marks(devices.device_of(task.device, devices.Group()))

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.add()

    trainer = _trainer(task, wanted, steps)
    trainer.add_callback(Watch())
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {
        "precision": task.setting.precision,
        "tokens": [sum(map(len, step)) for step in steps[1:]],
        "learnt": learnt(steps),
        "losses": losses,
        **marks.measured(),
    }


def _trainer(task: Task, wanted: Any, steps: list[list[Any]]) -> Any:
    """SFTTrainer around the model with the adapter that our loop would begin with."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    from training.sft import adapter

    setting, optimizer = task.setting, wanted.recipe.optimizer
    half = setting.precision == "bfloat16"
    base = AutoModelForCausalLM.from_pretrained(
        task.model, dtype=getattr(torch, setting.precision), attn_implementation=setting.attention
    )
    rows = [one for step in steps for one in step]
    data = Dataset.from_dict(
        {
            "input_ids": [one.ids.tolist() for one in rows],
            "labels": [[int(i) if m else -100 for i, m in zip(one.ids, one.mask, strict=True)] for one in rows],
        }
    )
    settings = SFTConfig(
        output_dir=task.out,
        max_steps=task.steps,
        per_device_train_batch_size=setting.micro,
        gradient_accumulation_steps=len(steps[0]) // setting.micro,
        train_sampling_strategy="sequential",  # the order is ours, steps of like length
        padding_free=setting.padding_free,
        max_length=None,
        gradient_checkpointing=False,
        bf16=half,
        use_cpu=task.device == "cpu",
        dataloader_num_workers=setting.workers,
        dataloader_pin_memory=task.device != "cpu",
        optim="adamw_torch_fused",
        learning_rate=optimizer.learning_rate,
        lr_scheduler_type="constant",
        weight_decay=optimizer.weight_decay,
        adam_beta1=optimizer.beta1,
        adam_beta2=optimizer.beta2,
        max_grad_norm=optimizer.clip,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    model = adapter.attach(base, Path(task.model), wanted.recipe)
    tokenizer = AutoTokenizer.from_pretrained(task.model)
    return SFTTrainer(model=model, args=settings, train_dataset=data, processing_class=tokenizer)


def main() -> int:
    task = Task.from_json(sys.argv[1])
    found = theirs(task) if task.setting.trl else ours(task)
    Path(task.result).write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
