"""Training for real on tiny models: what is learnt, what moves, and that the same run gives the same bits."""

import json
import signal
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from tests.integration import tiny_models
from tests.integration.training_runs import lines, weights
from tide_chat.errors import DataError, ModelUnusable, TideError, UsageError
from tide_chat.messages import Conversation
from training import card, recipe
from training.hushed import hushed
from training.recipe import Recipe
from training.render import Example
from training.sft import adapter, batches, checkpoint, guards, loop, metrics, plan
from training.sft.loop import train
from training.sft.loss import Loss
from training.sft.prepared import Job, prepare

DIALOGUES = tuple(
    Conversation().user(said).assistant(reply)
    for said, reply in (
        ("I could not sleep.", "That sounds hard."),
        ("The noise came back.", "It makes sense that you froze."),
        ("My hands shake.", "Your body is on guard."),
        ("I hid in the bath.", "You found a place to hide."),
        ("The street was loud.", "Loud streets can be too much."),
        ("He shouted again.", "That was frightening."),
        ("I miss my brother.", "You loved him."),
        ("It is over now.", "And you are still here."),
    )
)
LONGER = (*DIALOGUES, Conversation((*DIALOGUES[0].messages, *DIALOGUES[1].messages)))


def tiny(folder: Path, family: str = "smollm") -> Path:
    return tiny_models.MAKERS[family](folder / tiny_models.FOLDERS[family])


def confident(model: Path) -> Path:
    """The same with a larger last norm: random output weights of this width otherwise allow no loss below 0.2."""
    from safetensors.torch import load_file, save_file

    file = model / "model.safetensors"
    tensors = load_file(str(file))
    tensors["model.norm.weight"] *= 4
    save_file(tensors, str(file), {"format": "pt"})
    return model


def settings(*overrides: str) -> Recipe:
    short = ("data.system=none", "training.precision=float32", "evaluation.samples=1", "evaluation.sample_tokens=4")
    return recipe.load("tide-smollm2-135m", [*short, *overrides])


def nobody(_line: str) -> None:
    """Listens to what a run tells."""


def run(out: Path, model: Path, wanted: Recipe, *, held: Sequence[Conversation] = (), resume: bool = False) -> Any:
    told: list[str] = []
    return train(Job(wanted, model, out, LONGER, held, device="cpu", resume=resume), told.append), told


def test_eight_dialogues_are_learnt_by_heart(tmp_path: Path) -> None:
    model = confident(tiny(tmp_path))
    wanted = settings(
        "training.epochs=60",
        "training.batch=8",
        "training.accumulation=1",
        "optimizer.learning_rate=5e-3",
        "lora.dropout=0",
        "evaluation.every=60",
    )
    job = Job(wanted, model, tmp_path / "run", DIALOGUES, DIALOGUES, {"a.jsonl": "00"}, device="cpu")
    outcome = train(job, nobody)
    found = lines(tmp_path / "run")
    assert found[0]["loss"] > 3
    assert outcome.best is not None
    assert outcome.best < 0.05
    (sample,) = metrics.read(tmp_path / "run" / loop.SAMPLES)
    assert sample["wanted"].startswith(sample["written"])
    assert len(sample["written"]) > 2


@pytest.mark.parametrize("family", tiny_models.MAKERS)
def test_loss_and_gradient_are_those_of_the_model_itself(family: str, tmp_path: Path) -> None:
    model = tiny(tmp_path, family)
    wanted = settings("lora.dropout=0")
    ready = prepare(Job(wanted, model, tmp_path / "run", LONGER), keep=False)
    trained = adapter.load(model, wanted, torch.device("cpu"), torch.float32)
    with torch.no_grad():
        for name, value in adapter.trained(trained).items():
            value.copy_(torch.randn_like(value) * 0.05 if "lora_B" in name else value)
    prefix = batches.common_prefix(ready.examples)
    assert prefix > 1
    whole = _gradients(trained, lambda: _plain(trained, ready.examples))
    for shared in (0, prefix):
        loss = Loss(trained, torch.float32)
        ours = _gradients(trained, lambda: loss(batches.stacked(ready.examples, shared))[0])  # noqa: B023
        assert ours[0] == pytest.approx(whole[0], rel=1e-5)
        assert ours[1].keys() == whole[1].keys()
        for name, value in ours[1].items():
            torch.testing.assert_close(value, whole[1][name], rtol=2e-3, atol=2e-3 * float(whole[1][name].abs().max()))


def _plain(model: Any, examples: list[Example]) -> torch.Tensor:
    total = torch.zeros(())
    for one in examples:
        ids, mask = torch.tensor(one.ids.tolist()), torch.tensor(one.mask.tolist())
        logits = model(input_ids=ids[None]).logits[0]
        total = total + torch.nn.functional.cross_entropy(logits[:-1][mask[1:]], ids[1:][mask[1:]], reduction="sum")
    return total


def _gradients(model: Any, compute: Any) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad(set_to_none=True)
    loss = compute()
    loss.backward()
    named = {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}
    assert named
    assert all("lora_" in name for name in named)
    return float(loss.detach()), named


def test_the_output_in_chunks_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny(tmp_path)
    ready = prepare(Job(settings(), model, tmp_path / "run", LONGER), keep=False)
    loss = Loss(adapter.load(model, settings("lora.dropout=0"), torch.device("cpu"), torch.float32), torch.float32)
    batch = batches.stacked(ready.examples, 3)
    whole = float(loss(batch)[0].detach())
    monkeypatch.setattr("training.sft.loss.CHUNK", 3 * loss.head.weight.shape[0])
    assert float(loss(batch)[0].detach()) == pytest.approx(whole, rel=1e-6)


def test_a_model_whose_output_is_scaled_in_an_unknown_way_is_refused(tmp_path: Path) -> None:
    model = tiny(tmp_path, "granitemoe")
    ready = prepare(Job(settings(), model, tmp_path / "run", LONGER), keep=False)
    loss = Loss(adapter.load(model, settings(), torch.device("cpu"), torch.float32), torch.float32)
    batch = batches.stacked(ready.examples[:1], 0)
    loss.verify(batch)
    loss.scale = 1.0
    with pytest.raises(ModelUnusable, match="not known here"):
        loss.verify(batch)


def test_only_the_adapter_changes_and_it_is_peft_s(tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model, out = tiny(tmp_path), tmp_path / "run"
    before = (model / "model.safetensors").read_bytes()
    run(out, model, settings("training.epochs=2"))
    assert (model / "model.safetensors").read_bytes() == before
    config = json.loads((out / "adapter_config.json").read_text())
    assert (config["r"], config["use_rslora"], config["base_model_name_or_path"]) == (16, True, str(model))
    with hushed():
        base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        loaded = PeftModel.from_pretrained(base, out)
    moved = [value for name, value in loaded.named_parameters() if "lora_B" in name]
    assert all(float(value.abs().max()) > 0 for value in moved)


def test_the_same_run_gives_the_same_bits_and_another_seed_others(tmp_path: Path) -> None:
    model = tiny(tmp_path)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(tmp_path / name, model, settings("training.epochs=2", f"training.seed={seed}"), held=DIALOGUES[:2])
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert weights(tmp_path / "a") != weights(tmp_path / "c")
    assert lines(tmp_path / "a") == lines(tmp_path / "b")


def tensors(run: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    found: dict[str, torch.Tensor] = load_file(str(run / "adapter_model.safetensors"))
    return found


def test_stops_early_and_keeps_the_best(tmp_path: Path) -> None:
    """The held-out replies contradict the ones that are learnt, so they can only get worse."""
    swapped = [
        Conversation().user(one.messages[0].text).assistant(other.messages[1].text[::-1])
        for one, other in pairwise(DIALOGUES)
    ]
    wanted = settings("training.epochs=60", "optimizer.learning_rate=2e-2", "evaluation.patience=2", "saving.keep=1")
    outcome, told = run(tmp_path / "run", tiny(tmp_path), wanted, held=swapped)
    assert outcome.stopped_early
    assert outcome.best_step < outcome.steps
    best = checkpoint.at(tmp_path / "run", outcome.best_step)
    assert weights(tmp_path / "run") == (best / "adapter_model.safetensors").read_bytes()
    held = [line["held_loss"] for line in lines(tmp_path / "run") if "held_loss" in line]
    assert min(held) == outcome.best
    assert len(list((tmp_path / "run" / checkpoint.FOLDER).iterdir())) == 2
    assert any("the best so far" in line for line in told)


def test_run_json_says_where_it_came_from(tmp_path: Path) -> None:
    model = tiny(tmp_path)
    job = Job(settings("training.epochs=1"), model, tmp_path / "run", LONGER, (), {"a.jsonl": "ab"}, device="cpu")
    train(job, nobody)
    found = json.loads((tmp_path / "run" / metrics.RUN).read_text())
    assert found["data"] == {"a.jsonl": "ab"}
    assert found["recipe"]["training"]["seed"] == 42
    assert found["versions"]["torch"] == torch.__version__.partition("+")[0] or found["versions"]["torch"]
    assert found["outcome"]["steps"] == found["plan"]["steps"]
    assert Recipe.model_validate(found["recipe"]) == job.recipe
    assert str(tmp_path) not in json.dumps(found)


def test_a_run_folder_in_the_checkout_is_no_change_of_it(tmp_path: Path) -> None:
    for words in (
        ("init", "-q"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "a"),
    ):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    found = metrics.git_state(tmp_path)
    assert found is not None
    assert not found["changed"]
    subprocess.run(["git", "-C", str(tmp_path), "add", "run"], check=True)  # a file of it from now on
    changed = metrics.git_state(tmp_path)
    assert changed is not None
    assert changed["changed"]


def test_run_json_is_of_the_beginning_also_when_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout and a clock that change while it runs; a plan is made once."""
    asked = iter(range(9))
    monkeypatch.setattr(loop, "environment", lambda: {"started": f"at {next(asked)}", "versions": {}, "git": None})
    monkeypatch.setattr(card, "write", lambda run: None)
    model, out = tiny(tmp_path), tmp_path / "run"
    run(out, model, settings("training.epochs=1"))
    first = metrics.read_run(out)
    assert (first["started"], first["outcome"]["steps"]) == ("at 0", 1)
    monkeypatch.setattr(plan, "make", lambda *_: pytest.fail("planned again"))
    run(out, model, settings("training.epochs=1"), resume=True)
    again = metrics.read_run(out)
    assert (again["started"], again["plan"]) == ("at 0", first["plan"])


def test_a_loss_that_is_not_a_number_ends_with_words(tmp_path: Path) -> None:
    model = tiny(tmp_path)
    wanted = settings("training.epochs=60", "optimizer.learning_rate=1", "optimizer.clip=0", "saving.every=1")
    original = Loss.__call__
    calls = 0

    def broken(self: Loss, batch: batches.Batch) -> tuple[torch.Tensor, int]:
        nonlocal calls
        calls += 1
        loss, count = original(self, batch)
        return loss * (float("nan") if calls > 4 else 1.0), count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loss, "__call__", broken)
        with pytest.raises(TideError, match="is not a number") as caught:
            run(tmp_path / "run", model, wanted)
    last = checkpoint.newest(tmp_path / "run")
    assert last is not None
    assert str(last) in caught.value.details
    assert "optimizer.learning_rate=0.3" in caught.value.help
    for value in tensors(last).values():
        assert bool(value.isfinite().all())


def test_a_full_disk_ends_with_words_and_leaves_no_half_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "_save_optimizer", full)
    with pytest.raises(TideError, match="could not be written") as caught:
        run(tmp_path / "run", tiny(tmp_path), settings("training.epochs=1"))
    assert "No space left" in caught.value.details
    assert list((tmp_path / "run" / checkpoint.FOLDER).iterdir()) == []


def test_no_room_for_checkpoints_is_seen_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "disk_lacking", lambda folder, size: 1234)
    with pytest.raises(DataError, match="not enough room"):
        run(tmp_path / "run", tiny(tmp_path), settings())


def test_no_memory_says_what_to_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nmore")

    monkeypatch.setattr(Loss, "__call__", out_of_memory)
    with pytest.raises(TideError, match="not enough memory") as caught:
        run(tmp_path / "run", tiny(tmp_path), settings())
    assert "training.tokens_per_pass=" in caught.value.help


def test_a_run_goes_on_only_as_it_was_begun(tmp_path: Path) -> None:
    model, out = tiny(tmp_path), tmp_path / "run"
    with pytest.raises(UsageError, match="no run to go on with"):
        run(out, model, settings(), resume=True)
    run(out, model, settings("training.epochs=1"))
    with pytest.raises(UsageError, match="exists already"):
        run(out, model, settings("training.epochs=1"))
    with pytest.raises(UsageError, match="another recipe"):
        run(out, model, settings("training.epochs=2"), resume=True)
    job = Job(settings("training.epochs=1"), model, out, DIALOGUES, device="cpu", resume=True)
    with pytest.raises(UsageError, match="other data"):
        train(job, nobody)
    with pytest.raises(UsageError, match="other data"):  # the best loss so far is of other dialogues
        run(out, model, settings("training.epochs=1"), held=DIALOGUES[:2], resume=True)
    done = weights(out)
    outcome, _ = run(out, model, settings("training.epochs=1"), resume=True)  # it was finished
    assert outcome.steps == 1
    assert weights(out) == done


@pytest.mark.parametrize("family", tiny_models.MAKERS)
def test_every_family_trains(family: str, tmp_path: Path) -> None:
    model = tiny(tmp_path, family)
    more = ["training.epochs=12", "optimizer.learning_rate=5e-3", "lora.r=4", "lora.alpha=32", "lora.dropout=0"]
    if family == "granitemoe":
        more.append('lora.parameters=["experts.gate_up_proj", "experts.down_proj"]')
    outcome, _ = run(tmp_path / "run", model, settings(*more))
    found = lines(tmp_path / "run")
    assert outcome.steps == 12
    assert found[-1]["loss"] < found[0]["loss"] - 0.3


def test_checkpointing_and_separate_passes_change_nothing(tmp_path: Path) -> None:
    model = tiny(tmp_path)
    for name, more in (
        ("a", ()),
        ("b", ("training.checkpointing=true",)),
        ("c", ("training.tokens_per_pass=0", "training.batch=1", "training.accumulation=16")),
        ("d", ("training.share_prefix=false",)),
    ):
        run(tmp_path / name, model, settings("training.epochs=3", "lora.dropout=0", *more))
    first = lines(tmp_path / "a")
    for name in "bcd":
        for left, right in zip(first, lines(tmp_path / name), strict=True):
            assert left == pytest.approx(right, rel=1e-4)


def test_dora_trains(tmp_path: Path) -> None:
    outcome, _ = run(tmp_path / "run", tiny(tmp_path), settings("lora.dora=true", "training.epochs=1"))
    assert outcome.steps == 1
    assert json.loads((tmp_path / "run" / "adapter_config.json").read_text())["use_dora"]


def test_a_dry_run_plans_and_writes_nothing(tmp_path: Path) -> None:
    model, told = tiny(tmp_path), list[str]()
    wanted = settings("training.epochs=3")
    found = loop.dry_run(Job(wanted, model, tmp_path / "run", LONGER, device="cpu"), told.append)
    assert not (tmp_path / "run").exists()
    outcome, _ = run(tmp_path / "real", model, wanted)
    assert (found.steps, found.tokens * 3) == (outcome.steps, outcome.tokens)
    trained = sum(value.numel() for value in tensors(tmp_path / "real").values())
    assert found.trained == trained
    assert "steps" in "\n".join(told)


def test_layers_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not fit") as caught:
        run(tmp_path / "run", tiny(tmp_path), settings('lora.targets=["qkv_proj"]'))
    assert "q_proj" in caught.value.help


def test_weights_that_are_cut_off(tmp_path: Path) -> None:
    model = tiny(tmp_path)
    file = model / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises((DataError, ModelUnusable)):
        run(tmp_path / "run", model, settings())


@pytest.mark.parametrize(("layers", "said"), [(+1, "is missing"), (-1, "has no place")])
def test_weights_of_a_model_with_other_layers(layers: int, said: str, tmp_path: Path) -> None:
    """The library would fill what is missing with noise, or leave layers out, and say nothing."""
    model = tiny(tmp_path)
    file = model / "config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "num_hidden_layers": config["num_hidden_layers"] + layers}))
    with pytest.raises(ModelUnusable, match="do not fit") as caught:
        run(tmp_path / "run", model, settings())
    assert said in caught.value.details


def test_a_model_that_the_library_does_not_know_is_one_line(tmp_path: Path) -> None:
    model = tiny(tmp_path)
    file = model / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "model_type": "none-such"}))
    with pytest.raises(ModelUnusable, match="cannot be loaded") as caught:
        run(tmp_path / "run", model, settings())
    assert "none-such" in caught.value.details
    assert "\n" not in caught.value.details


def test_a_run_that_goes_on_needs_no_room_for_the_checkpoints_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(loop, "disk_lacking", lambda folder, size: asked.append(size))
    model, out = tiny(tmp_path), tmp_path / "run"
    run(out, model, settings("training.epochs=1"))
    run(out, model, settings("training.epochs=1"), resume=True)
    first, then = asked
    assert first - then == checkpoint.occupied(out) > 0


def test_weights_that_are_no_numbers_and_a_second_try_in_the_same_folder(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model, out = tiny(tmp_path), tmp_path / "run"
    file = model / "model.safetensors"
    whole = file.read_bytes()
    tensors = load_file(str(file))
    tensors["model.norm.weight"][0] = float("nan")
    save_file(tensors, str(file), {"format": "pt"})
    with pytest.raises(ModelUnusable, match="not a number before the first step") as caught:
        run(out, model, settings("training.epochs=1"))
    assert caught.value.help == "Its weights are broken."  # float32 as it is
    assert [path.name for path in out.iterdir()] == ["tokens.npz"]
    with pytest.raises(UsageError, match="no run to go on with"):
        run(out, model, settings("training.epochs=1"), resume=True)
    file.write_bytes(whole)
    outcome, _ = run(out, model, settings("training.epochs=1"))
    assert outcome.steps == 1


def test_arrays_of_others_in_the_folder_stay(tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    numpy.savez(out / "tokens.npz", mine=numpy.arange(3))
    before = (out / "tokens.npz").read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        run(out, tiny(tmp_path), settings("training.epochs=1"))
    assert (out / "tokens.npz").read_bytes() == before


def test_before_the_first_step_an_interrupt_acts_at_once(tmp_path: Path) -> None:
    def interrupted(line: str) -> None:
        if "parameters are trained" in line:  # said while it begins
            signal.raise_signal(signal.SIGINT)

    out, model = tmp_path / "run", tiny(tmp_path)
    job = Job(settings("training.epochs=1"), model, out, LONGER, device="cpu")
    with pytest.raises(KeyboardInterrupt):
        train(job, interrupted)
    assert [path.name for path in out.iterdir()] == ["tokens.npz"]
    assert train(job, nobody).steps > 0


def test_a_second_interrupt_acts_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    with guards.interrupts() as wish:
        signal.raise_signal(signal.SIGINT)
        assert wish.is_set()
        assert "Ending after this step" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
