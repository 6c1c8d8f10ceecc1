"""Preference tuning for real on tiny models: what is learnt, what moves, and that a run goes on to the same bits."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.integration import tiny_models
from tests.integration.training_runs import lines, weights
from tide_chat.errors import DataError, UsageError
from tide_chat.messages import Message, Role
from training import cli, recipe
from training.preference import items, prepare
from training.preference.pairs import Pair
from training.recipe import Recipe
from training.sft import adapter, checkpoint, devices, loop, metrics, plan, prepared
from training.sft.loss import Loss
from training.sft.prepared import Job

pytestmark = pytest.mark.usefixtures("one_thread")
FEELINGS = "tired scared angry numb lonely ashamed restless tense sad worried flat low".split()
WORSE = "Everything happens for a reason."


def pair(feeling: str, number: int, rule: str = "generic") -> Pair:
    """An easy one: the better reply names the feeling, the worse one is the same for all."""
    said = Message(Role.USER, f"I feel {feeling} again, for the {number}th night.")
    chosen = f"It is hard to feel {feeling}."
    return Pair(turn=f"d{number}/1", rule=rule, scenario="s", before=(said,), chosen=chosen, rejected=WORSE)


TRAIN = tuple(pair(feeling, i, rule) for i, feeling in enumerate(FEELINGS[:8]) for rule in ("generic", "other"))
HELD = tuple(pair(feeling, 20 + i) for i, feeling in enumerate(FEELINGS[8:]))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.smollm(tmp_path_factory.mktemp("models") / "tiny-smollm2")


def settings(*overrides: str) -> Recipe:
    short = ("data.system=none", "training.precision=float32", "evaluation.samples=1", "evaluation.sample_tokens=4")
    quick = ("training.batch=4", "training.accumulation=1", "evaluation.every=8", "optimizer.learning_rate=5e-3")
    return recipe.load("dpo-smollm2-135m", [*short, *quick, "lora.r=4", "training.epochs=4", *overrides])


def job(out: Path, model: Path, wanted: Recipe, **more: Any) -> Job:
    return Job(wanted, model, out, device="cpu", **more)


def run(given: Job, held: tuple[Pair, ...] = HELD) -> loop.Outcome:
    return loop.train(given, lambda _line: None, prepare=partial(prepare.prepare, TRAIN, held))


def test_easy_pairs_are_told_apart_also_when_held_out(model: Path, tmp_path: Path) -> None:
    before = (model / "model.safetensors").read_bytes()
    outcome = run(job(tmp_path / "run", model, settings()))
    found = lines(tmp_path / "run")
    first = found[0]
    assert first["margin"] == pytest.approx(0, abs=1e-4)  # the model is its own reference yet
    assert first["loss"] > 0.6931  # undecided, and the usual loss beside it
    held = [line for line in found if "held_loss" in line]
    assert held[-1]["held_accuracy"] == held[-1]["held_accuracy_generic"] == 1
    assert held[-1]["held_margin"] > 0.1
    assert held[-1]["held_chosen_logp"] > first["chosen_logp"] - 5
    assert {"accuracy_generic", "accuracy_other"} <= {key for line in found for key in line}
    assert outcome.best == min(line["held_loss"] for line in held)
    assert (model / "model.safetensors").read_bytes() == before
    samples = metrics.read(tmp_path / "run" / loop.SAMPLES)
    assert samples[0]["wanted"].startswith("It is hard to feel")


def test_only_the_adapter_moves(model: Path, tmp_path: Path) -> None:
    ready = prepare.prepare(TRAIN, HELD, job(tmp_path, model, settings()), False)
    tuned = adapter.load(model, settings(), torch.device("cpu"), torch.float32)
    found, _ = ready.items(Loss(tuned, torch.float32), devices.Group())
    found.sums([0, 1, 2])[0].backward()
    moved = {name for name, value in tuned.named_parameters() if value.grad is not None and bool(value.grad.any())}
    assert moved
    assert all("lora_B" in name for name in moved)  # A has no gradient while B is zero


def test_log_probabilities_are_the_model_s_own(model: Path, tmp_path: Path) -> None:
    """Prefix shared or not, padded or not: those of each reply alone, from the model's logits."""
    ready = prepare.prepare(TRAIN, HELD, job(tmp_path, model, settings()), False)
    assert isinstance(ready, prepare.PreparedPairs)
    tuned = adapter.load(model, settings(), torch.device("cpu"), torch.float32)
    tuned.eval()
    loss = Loss(tuned, torch.float32)
    prefix = plan.shared_prefix(settings(), ready.examples)
    assert prefix > 1
    with torch.no_grad():
        wanted = torch.tensor([[_alone(tuned, one) for one in (two.chosen, two.rejected)] for two in ready.pairs])
        for shared in (0, prefix):
            torch.testing.assert_close(items.asked(loss, ready.pairs, shared), wanted, rtol=1e-4, atol=1e-3)


def _alone(model: Any, example: Any) -> float:
    ids, mask = torch.tensor(example.ids.tolist()), torch.tensor(example.mask.tolist())
    logs = model(input_ids=ids[None]).logits[0].log_softmax(-1)[:-1][mask[1:]]
    return float(logs.gather(1, ids[1:][mask[1:]][:, None]).sum())


def test_the_reference_is_the_adapter_that_it_begins_with(model: Path, tmp_path: Path) -> None:
    run(job(tmp_path / "first", model, settings()))
    outcome = run(job(tmp_path / "second", model, settings(), start=tmp_path / "first"))
    found = lines(tmp_path / "second")
    assert found[0] == {**found[0], "step": 0, "held_margin": 0, "held_accuracy": 0}  # what it has to be better than
    assert found[1]["chosen_logp"] > lines(tmp_path / "first")[0]["chosen_logp"]
    assert outcome.best is not None
    told = json.loads((tmp_path / "second" / metrics.RUN).read_text())
    assert list(told["start"]) == ["first"]
    with pytest.raises(UsageError, match="other data"):
        run(job(tmp_path / "second", model, settings(), resume=True))


def test_a_run_that_was_stopped_ends_with_the_same_bits(model: Path, tmp_path: Path) -> None:
    wanted = settings("lora.dropout=0.1", "saving.every=3", "saving.keep=9")
    run(job(tmp_path / "whole", model, wanted))
    out = tmp_path / "broken"
    run(job(out, model, wanted))
    for folder in sorted((out / checkpoint.FOLDER).iterdir())[2:]:  # as if killed after the second
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    (out / "adapter_model.safetensors").unlink()
    run(job(out, model, wanted, resume=True))
    assert weights(out) == weights(tmp_path / "whole")
    assert lines(out) == lines(tmp_path / "whole")
    (out / prepared.REFERENCE).write_bytes(b"PK broken")  # asked anew, with the same answers
    run(job(out, model, wanted, resume=True))
    assert weights(out) == weights(tmp_path / "whole")


def test_another_beta_is_another_recipe(model: Path, tmp_path: Path) -> None:
    run(job(tmp_path / "run", model, settings("training.epochs=1")))
    other = settings("training.epochs=1", "preference.beta=0.2")
    with pytest.raises(UsageError, match="another recipe"):
        run(job(tmp_path / "run", model, other, resume=True))


def test_passes_and_smoothing(model: Path, tmp_path: Path) -> None:
    """The size of a pass changes nothing; smoothing and the usual loss beside it change the loss as they should."""
    one = settings("training.epochs=1")
    apart = settings("training.epochs=1", "training.batch=1", "training.accumulation=4", "training.tokens_per_pass=0")
    for name, wanted in (("a", one), ("b", apart)):
        run(job(tmp_path / name, model, wanted))
    for left, right in zip(lines(tmp_path / "a"), lines(tmp_path / "b"), strict=True):
        assert left == pytest.approx(right, rel=1e-3, abs=1e-4)
    plain = settings("training.epochs=1", "preference.sft=0", "preference.label_smoothing=0.2")
    run(job(tmp_path / "c", model, plain))
    first, with_usual = lines(tmp_path / "c")[0], lines(tmp_path / "a")[0]
    assert first["loss"] == pytest.approx(0.693147, abs=1e-5)  # undecided, whatever the smoothing
    assert with_usual["loss"] > first["loss"]


def test_a_long_dialogue_loses_old_turns_and_learns_its_last_reply_alone(model: Path, tmp_path: Path) -> None:
    old = (Message(Role.USER, "It was loud. " * 20), Message(Role.ASSISTANT, "That was hard."))
    long = TRAIN[0].model_copy(update={"before": (*old, *TRAIN[0].before)})
    ready = prepare.prepare([long], (), job(tmp_path, model, settings("data.max_length=120")), False)
    whole = prepare.prepare([long], (), job(tmp_path, model, settings()), False)
    alone = prepare.prepare([TRAIN[0]], (), job(tmp_path, model, settings()), False)
    assert ready.examples[0].ids.tolist() == alone.examples[0].ids.tolist()
    assert len(whole.examples[0]) > len(alone.examples[0])
    assert int(whole.examples[0].mask.sum()) == int(alone.examples[0].mask.sum())
    with pytest.raises(DataError, match="No dialogue fits"):
        prepare.prepare([long], (), job(tmp_path, model, settings("data.max_length=16")), False)
    with pytest.raises(UsageError, match="cut"):
        prepare.prepare([long], (), job(tmp_path, model, settings("data.cut=true")), False)


def test_from_a_split_to_a_tuned_adapter(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The commands as their user runs them."""
    rows = ["dialogue_id,scenario,user_input,reference_response"]
    rows += [
        f"d{i},s{i % 3},I felt {word} at the {place} today.,Feeling {word} at the {place} is hard. What helped?"
        for i, (word, place) in enumerate((word, place) for word in FEELINGS for place in ("shop", "bus", "lake"))
    ]
    source, split, made = tmp_path / "mine.csv", tmp_path / "split", tmp_path / "pairs"
    source.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert cli.main(["data", "split", str(source), "--out", str(split), "--shares", "80,20,0"]) == 0
    assert cli.main(["data", "pairs", str(split), "--out", str(made)]) == 0
    assert "misses_message" in capsys.readouterr().out
    short = ["data.system=none", "training.batch=4", "training.accumulation=8", "lora.r=2", "evaluation.samples=0"]
    more = [part for one in short for part in ("--set", one)]
    given = ["dpo", "--recipe", "dpo-smollm2-135m", "--model", str(model), "--data", str(made), *more]
    assert cli.main([*given, "--out", str(tmp_path / "run"), "--dry-run"]) == 0
    assert not (tmp_path / "run").exists()
    assert cli.main([*given, "--out", str(tmp_path / "run")]) == 0
    assert "held-out loss" in capsys.readouterr().out
    told = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert set(told["data"]) == {"train.jsonl", "validation.jsonl"}
    assert [one["name"] for one in told["origins"]] == ["mine.csv"]
    assert cli.main([*given[: -len(more) - 1], str(split), "--out", str(tmp_path / "other")]) == 4
    assert "holds no pairs" in capsys.readouterr().err
