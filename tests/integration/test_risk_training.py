"""From labelled lines to the files that the app loads: real training for a moment, real conversion, real runtime."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import torch

from convert.gguf_file import convert
from tide_chat.engine.base import EngineSpec
from tide_chat.engine.process import ProcessEngine
from tide_chat.errors import DataError
from tide_chat.safety.assessment import Tier
from tide_chat.safety.classifier import ENCODER, HEADS, NGRAMS, Classifier
from tide_chat.safety.encoder import default_folder
from training.risk import calibrate, data, ngrams, sources, teachers
from training.risk.data import Row
from training.risk.model import base_folder
from training.risk.train import NGRAMS_FILE, Recipe, Trainer, padded

TOOLS = Path(__file__).resolve().parents[2] / "tools"
TEXTS = (
    "I keep thinking about the fire, and the stairs were full of smoke.",
    "ça ne va pas très bien, naïve café",
    "Don't you see? It's 3am... again!!",
    "日本 and 🙂 and Ωmega",
    "a",
)


def tide(name: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    module = {"tide-train": "training.cli", "tide-convert": "convert.cli"}[name]
    code = f"import sys; from {module} import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=280
    )


def encoder_run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(TOOLS / "encoder_run.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


def test_our_gguf_computes_what_the_original_computes(tmp_path: Path) -> None:
    import torch
    from transformers import AutoTokenizer, BertModel

    folder, file = base_folder(), tmp_path / "encoder.gguf"
    convert(folder, file, "f32", name="all-MiniLM-L6-v2", licence="apache-2.0")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    engine = ProcessEngine()
    try:
        engine.load(EngineSpec(file, embedding=True, threads=1))
        for text in TEXTS:
            with torch.no_grad():
                states = model(**tokenizer([text], return_tensors="pt")).last_hidden_state
            wanted = torch.nn.functional.normalize(states.mean(1), dim=-1)[0]
            assert float(wanted @ torch.tensor(engine.embed(text))) > 0.9999, text
    finally:
        engine.close()


def test_train_convert_and_read(tmp_path: Path) -> None:
    some = ("--limit", "96", "--epochs", "1", "--seed", "3", "--rounded")
    trained = tide("tide-train", "risk", "--out", tmp_path / "run", *some)
    assert trained.returncode == 0, trained.stderr
    assert "held out by theme" in trained.stdout
    assert "1 of 2 steps" in trained.stdout
    converted = tide("tide-convert", "risk", tmp_path / "run", "--out", tmp_path / "models")
    assert converted.returncode == 0, converted.stderr
    assert json.loads((tmp_path / "models" / HEADS).read_text())["trained"]["recipe"]["seed"] == 3
    assert [path.name for path in sorted((tmp_path / "models").iterdir())] == [ENCODER, HEADS, NGRAMS]
    classifier = Classifier(tmp_path / "models", patience=60)
    try:
        (reading,) = classifier.read("hello there")
    finally:
        classifier.close()
    assert sum(reading.tiers) == pytest.approx(1, abs=1e-6)
    same = Trainer(replace(Recipe(), seed=3, teachers=0), tmp_path / "run", lambda _: None, 16)
    assert same.model.parts(same.logits([Row("hello there", "", "")]))["flags"][0].sigmoid().tolist() == pytest.approx(
        list(reading.flags.values()), abs=3e-2
    )
    packed = (tmp_path / "models" / ENCODER).stat().st_size
    assert tide("tide-convert", "risk", tmp_path / "run", "--out", tmp_path / "wide", "--type", "q8_0").returncode == 0
    assert packed < 0.8 * (tmp_path / "wide" / ENCODER).stat().st_size


def test_the_shipped_encoder_can_be_learnt_on_from(tmp_path: Path) -> None:
    shipped = default_folder()
    done = encoder_run(tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert tide("tide-convert", "risk", tmp_path / "run", "--out", tmp_path / "models").returncode == 0
    for name in (ENCODER, HEADS, NGRAMS):
        assert (tmp_path / "models" / name).read_bytes() == (shipped / name).read_bytes(), name
    trainer = Trainer(replace(Recipe(), teachers=0), tmp_path / "run", lambda _: None, 16)
    assert trainer.took_over


@pytest.mark.parametrize("content", [None, b"", b"GGUF and no more"])
def test_what_is_no_shipped_encoder_is_refused(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "models").mkdir()
    if content is not None:
        (tmp_path / "models" / ENCODER).write_bytes(content)
    (tmp_path / "models" / HEADS).write_bytes((default_folder() / HEADS).read_bytes())
    done = encoder_run(tmp_path / "run", "--models", tmp_path / "models")
    assert done.returncode == 1
    assert ENCODER in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_frozen_layers_stay_as_they_are_and_the_others_learn(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    some = ("--limit", "96", "--epochs", "1", "--seed", "3", "--frozen", "2", "--bfloat16", "--dropout", "0")
    done = tide("tide-train", "risk", "--out", tmp_path / "run", *some)
    assert done.returncode == 0, done.stderr
    before, after = (load_file(folder / "model.safetensors") for folder in (base_folder(), tmp_path / "run"))
    changed = {name for name, tensor in after.items() if not tensor.equal(before[name])}
    still = {name for name in after if name.startswith(("embeddings.", "encoder.layer.0.", "encoder.layer.1."))}
    assert changed == after.keys() - still
    recipe = json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]
    assert (recipe["frozen"], recipe["bfloat16"], recipe["dropout"]) == (2, True, 0)


def test_bfloat16_is_for_learning_alone() -> None:
    rows = data.risk_rows()[:8]

    def logits(*, bfloat16: bool, training: bool) -> list[float]:
        trainer = Trainer(Recipe(bfloat16=bfloat16, dropout=0, teachers=0), None, lambda _: None, 16)
        trainer.model.train(training)
        trainer.model.dropout.p = 0
        ids, mask = padded([item.ids for item in trainer.items(rows, varied=False)])
        found: list[float] = trainer.model(ids, mask).flatten().tolist()
        return found

    exact = logits(bfloat16=False, training=True)
    assert logits(bfloat16=True, training=False) == pytest.approx(exact, abs=1e-5)
    learning = logits(bfloat16=True, training=True)
    assert learning != exact
    assert learning == pytest.approx(exact, abs=0.3)


def test_one_head_alone_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    some = ("--limit", "96", "--seed", "3")
    assert tide("tide-train", "risk", "--out", tmp_path / "run", "--epochs", "1", *some).returncode == 0
    _as_before_the_ngrams(tmp_path / "run")
    again = ("--base", tmp_path / "run", "--only-head", "flags", *some)
    done = tide("tide-train", "risk", "--out", tmp_path / "again", *again)
    assert done.returncode == 0, done.stderr
    first, second = (
        {head["name"]: head for head in json.loads((tmp_path / run / "heads.json").read_text())["heads"]}
        for run in ("run", "again")
    )
    weights = {name: (first[name]["weight"], second[name]["weight"]) for name in first}
    assert weights.pop("flags")[0] != second["flags"]["weight"]
    for name, (before, after) in weights.items():
        assert [pytest.approx(row, rel=1e-4, abs=1e-5) for row in before] == after, name
    limits = [
        json.loads((tmp_path / run / "heads.json").read_text())["thresholds"]["tiers"] for run in ("run", "again")
    ]
    assert limits[0] == limits[1]
    encoder = [(tmp_path / run / "model.safetensors").read_bytes() for run in ("run", "again")]
    assert encoder[0] == encoder[1]
    assert json.loads((tmp_path / "again" / "run.json").read_text())["recipe"]["only_head"] == "flags"
    refused = tide("tide-train", "risk", "--out", tmp_path / "no", *again, "--epochs", "2")
    assert refused.returncode == 2
    assert "--epochs" in refused.stderr


def _as_before_the_ngrams(run: Path) -> None:
    heads = json.loads((run / "heads.json").read_text())
    del heads["thresholds"]["alone"]
    (run / "heads.json").write_text(json.dumps(heads))
    (run / NGRAMS_FILE).unlink()


def test_the_ngrams_alone_leave_the_encoder_as_it_was(tmp_path: Path) -> None:
    some = ("--limit", "96", "--out")
    assert tide("tide-train", "risk", *some, tmp_path / "run", "--epochs", "1", "--seed", "3").returncode == 0
    again = ("--base", tmp_path / "run", "--only-head", "ngrams", "--seed", "4")
    done = tide("tide-train", "risk", *some, tmp_path / "again", *again)
    assert done.returncode == 0, done.stderr
    assert "n-grams, epoch 6 of 6" in done.stdout
    heads = [json.loads((tmp_path / run / "heads.json").read_text()) for run in ("run", "again")]
    assert heads[0]["heads"][1:] == heads[1]["heads"][1:]
    assert heads[0]["thresholds"]["flags"] == heads[1]["thresholds"]["flags"]
    encoder, tables = (
        [(tmp_path / run / name).read_bytes() for run in ("run", "again")]
        for name in ("model.safetensors", NGRAMS_FILE)
    )
    assert encoder[0] == encoder[1]
    assert tables[0] != tables[1]
    assert json.loads((tmp_path / "again" / "run.json").read_text())["recipe"]["only_head"] == "ngrams"
    (tmp_path / "run" / NGRAMS_FILE).write_bytes(b"{}\n")
    refused = tide("tide-train", "risk", *some, tmp_path / "no", *again)
    assert (refused.returncode, "n-grams of the run cannot be read" in refused.stderr) == (4, True)


def test_the_table_of_ngrams_says_what_its_messages_say() -> None:
    trainer = Trainer(Recipe(teachers=0, chatter=0), None, lambda _: None, 600)
    table = ngrams.learn(trainer)
    rows = [row for row in trainer.train_rows if row.tier is not None]
    texts = trainer.texts(rows, varied=False)
    likeliest = ngrams.logits(table, texts).argmax(-1).tolist()
    labels = [int(row.tier or 0) for row in rows]
    right = sum(found == label for found, label in zip(likeliest, labels, strict=True)) / len(rows)
    assert right > 0.8
    assert max(map(labels.count, range(5))) < 0.5 * len(rows)  # so that no one answer would be right as often
    assert table.logits(texts[0]) == pytest.approx(ngrams.logits(table, texts[:1])[0].tolist())


def test_a_message_known_only_to_lie_below_t2_is_wanted_there() -> None:
    rows = [Row("a", "", "", tier=Tier.T3), Row("b", "", "")]
    assert ngrams.targets(rows, None, 0.5).tolist() == [[0, 0, 0, 1, 0], [0.5, 0.5, 0, 0, 0]]
    taught = teachers.of(["a"], numpy.array([[0, 0, 0.5, 0.5, 0]], "float32"), numpy.zeros((1, len(data.FLAGS))))
    assert ngrams.targets(rows, taught, 0.5).tolist() == [[0, 0, 0.25, 0.75, 0], [0.5, 0.5, 0, 0, 0]]


def test_one_head_alone_needs_a_trained_encoder(tmp_path: Path) -> None:
    done = tide("tide-train", "risk", "--out", tmp_path / "run", "--only-head", "flags", "--limit", "16")
    assert done.returncode == 2
    assert "--base" in done.stderr
    assert not (tmp_path / "run").exists()


def test_the_flags_of_dialogues_name_messages_that_are_there() -> None:
    texts = {row.text for row in data.scenario_rows()}
    known = data.dialogue_flags()
    assert known
    assert known.keys() <= texts
    assert {flag for flags in known.values() for flag in flags or ()} <= set(data.FLAGS)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    done = tide("tide-convert", "risk", tmp_path, "--out", tmp_path / "out")
    assert done.returncode == 4
    assert "not the run folder" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["gpt2", "pickle", "nothing"])
def test_what_cannot_be_converted_is_refused(tmp_path: Path, kind: str) -> None:
    config = json.loads((base_folder() / "config.json").read_text())
    config["model_type"] = "gpt2" if kind == "gpt2" else "bert"
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "tokenizer.json").write_bytes((base_folder() / "tokenizer.json").read_bytes())
    if kind == "pickle":
        (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(DataError):
        convert(tmp_path, tmp_path / "out" / "x.gguf", name="x", licence="x")
    assert list(tmp_path.rglob("*.gguf*")) == []


def test_splits_share_no_theme_and_no_text() -> None:
    kept, held = data.split(sources.rows())
    assert {row.group for row in kept}.isdisjoint(row.group for row in held)
    assert 0.05 < len(held) / (len(kept) + len(held)) < 0.2
    pairs = data.alike([row.text for row in (*kept, *held)])
    assert not [pair for pair in pairs if (pair[0] < len(kept)) != (pair[1] < len(kept))]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "not an object"),
        ('{"text": "a"}', "not as it should be"),
        ('{"text": "a", "tier": "T9", "flags": [], "subject": "self", "time": "now", "kind": "plain"}', "as it should"),
        ('{"text": "a", "tier": "T1", "flags": ["x"], "subject": "self", "time": "now", "kind": "plain"}', "unknown"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "train-x.jsonl").write_text(f"{line}\n")
    with pytest.raises(DataError, match=said) as caught:
        data.risk_rows(tmp_path)
    assert "train-x.jsonl, line 1" in str(caught.value)


def test_a_teacher_judges_only_what_it_did_not_learn_from(tmp_path: Path) -> None:
    some = ("--limit", "400", "--epochs", "1", "--seed", "3")
    done = tide("tide-train", "risk", "--out", tmp_path / "run", "--leave-out", "2", *some)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]["teachers"] == 0
    judged = teachers.load(tmp_path / "run" / teachers.CHANCES)
    same = Trainer(replace(Recipe(), seed=3, teachers=0), None, lambda _: None, 400, leave_out=2)
    assert {teachers.quarter_of(row.group) for row in same.left_out} == {2}
    assert {teachers.quarter_of(row.group) for row in same.train_rows} == {0, 1, 3}
    assert len(judged.keys) == len(same.left_out)
    assert min(judged.places([row.text for row in same.left_out])) >= 0
    assert judged.tiers.sum(1) == pytest.approx(1, abs=1e-2)


def test_teachers_are_averaged_where_they_read_the_same(tmp_path: Path) -> None:
    def read(texts: list[str], first: float) -> teachers.Chances:
        tiers = numpy.array([[first, 1 - first, 0, 0, 0]] * len(texts))
        return teachers.of(texts, tiers, numpy.zeros((len(texts), len(data.FLAGS))))

    teachers.mean([read(["a", "b"], 1.0), read(["b", "c"], 0.5)]).save(tmp_path / "x.npz")
    found = teachers.load(tmp_path / "x.npz")
    a, b, c, nothing = found.places(["a", "b", "c", "d"])
    assert (found.tiers[[a, b, c], 0] == pytest.approx([1.0, 0.75, 0.5]), nothing) == (True, -1)


UNREAD = {
    *"abcd",
    *(f"train-{name}" for name in "wa wb wd we wg va vb vc vd ve vf vg ua ub uc ud ue uf uh ui".split()),
    *(f"train-t{letter}" for letter in "abcdefghijklmnpqrstuvwxyz"),
    *(f"train-s{letter}" for letter in "abcd"),
}  # newer than the teachers


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 and no more", b"\x93NUMPY"])
def test_chances_that_cannot_be_read_are_said(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(DataError, match="chances cannot be read"):
        teachers.load(tmp_path / "x.npz")


def test_the_shipped_chances_are_of_the_training_messages_alone() -> None:
    kept, held = data.split(sources.rows())
    shipped = teachers.load()
    read = [row.text for row in kept if row.source not in UNREAD]
    assert min(shipped.places(read)) >= 0
    assert len(shipped.keys) == len(set(read))
    assert set(shipped.places([row.text for row in held])) == {-1}


def test_the_teachers_count_as_much_as_the_recipe_says() -> None:
    rows = data.split(sources.rows())[0][:24]

    trainer = Trainer(Recipe(), None, lambda _: None, 64)
    trainer.model.eval()

    def losses(share: float) -> float:
        trainer.recipe = replace(trainer.recipe, teachers=share)
        return float(trainer.loss(trainer.items(rows, varied=False)).item())

    labels, half, alone = (losses(share) for share in (0.0, 0.5, 1.0))
    assert labels != alone
    assert half == pytest.approx((labels + alone) / 2, rel=1e-5)


def test_of_limits_that_find_as_many_grave_ones_the_most_watchful_is_taken() -> None:
    tiers = torch.tensor([4] * 97 + [3] * 3 + [0] * 100)
    chances = torch.tensor([0.8] * 96 + [0.1] * 4 + [0.3] * 100)
    assert calibrate._finding(chances, tiers) == 0.105
    few = torch.where(tiers == 4, 0.05, chances)  # hardly any is found from this chance on
    assert calibrate._finding(few, tiers) == calibrate.STEPS[0]
