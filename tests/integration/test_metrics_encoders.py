"""Cosine and BERTScore with the real encoder, against the values of their libraries."""

from pathlib import Path

import pytest

from tide_chat.errors import MissingExtra, ModelNotFound, UsageError
from tide_chat.progress import quiet
from training.evaluation import metrics
from training.evaluation.metrics import bertscore, cosine, encoders
from training.evaluation.metrics.floor import wrong_reference
from training.evaluation.metrics.pairs import Pair
from training.evaluation.replies import Reply

pytestmark = pytest.mark.usefixtures("one_thread")
TOLERANCE = 2e-6  # float32 in batches of other sizes
SUBSTITUTE = metrics.Settings(bertscore_model=encoders.MINILM)


@pytest.mark.parametrize("key", ["cosine", "bertscore"])
def test_values_are_those_of_the_reference_libraries(golden: list[dict[str, object]], key: str) -> None:
    metric = cosine.Cosine() if key == "cosine" else bertscore.Bertscore(encoders.MINILM)
    pairs = [Pair(str(one["text"]), str(one["reference"])) for one in golden]
    (values,) = metric.measure(pairs, quiet).values()
    assert values == pytest.approx([one[key] for one in golden], abs=TOLERANCE)


def test_broken_replies_have_defined_values(capfd: pytest.CaptureFixture[str]) -> None:
    texts = ("", " \n", "\U0001f622", "I hear you. " * 2500, "I hear you.")
    replies = [Reply(f"d{place}/0", "m", "zs", ("x",), text, "I hear you.") for place, text in enumerate(texts)]
    found = metrics.score([*replies, Reply("d9/0", "m", "zs", ("x",), "Yes.", "")], settings=SUBSTITUTE)
    name = "BERTScore F1 (all-minilm-l6-v2, layer 5)"
    assert list(found) == ["cosine", name, "METEOR", "ROUGE-L", "Distinct-1", "Distinct-2"]
    for metric in ("cosine", name, "METEOR", "ROUGE-L"):
        empty, space, emoji, long, same, no_reference = found[metric]
        assert (empty, space, no_reference) == (0, 0, 0)
        assert emoji < long < same
    assert [found[metric][4] for metric in ("cosine", name, "ROUGE-L")] == pytest.approx([1, 1, 1], abs=1e-5)
    assert capfd.readouterr().err == ""


def test_equal_pairs_are_computed_once_and_all_have_the_value() -> None:
    one, other = (Reply(item, "m", "zs", ("x",), "That hurts.", "It hurts.") for item in ("a/0", "b/0"))
    values = metrics.score([one, other], ("cosine", "rouge_l"))
    assert all(first == second > 0 for first, second in values.values())


def test_the_floor_is_the_score_of_wrong_references() -> None:
    texts = ("I hear you.", "Rain again today.", "Sleep is hard.")
    replies = [Reply(f"d{place}/0", "m", "zs", ("x",), text, f"{text} Yes.") for place, text in enumerate(texts)]
    scorer = metrics.Scorer(settings=SUBSTITUTE)
    scores, floor = scorer.with_floor(replies, seed=4)
    for name, values in scorer.score(replies).items():
        assert scores[name] == pytest.approx(values, abs=TOLERANCE)
    for name, values in scorer.score(wrong_reference(replies, seed=4)).items():
        if not name.startswith("Distinct"):
            assert floor[name] == pytest.approx(values, abs=TOLERANCE)
    assert set(scores) - set(floor) == {"Distinct-1", "Distinct-2"}
    assert max(floor["cosine"]) < min(scores["cosine"])


def test_what_it_was_computed_with_is_told() -> None:
    about = metrics.Scorer(settings=SUBSTITUTE).about
    assert "sha" not in about["cosine"]
    assert encoders.digest(encoders.minilm("x"))[:12] in about["cosine"]
    assert "all-minilm-l6-v2_L5_no-idf_version=" in about["BERTScore F1 (all-minilm-l6-v2, layer 5)"]
    assert "not rescaled" in about["BERTScore F1 (all-minilm-l6-v2, layer 5)"]
    assert "alpha 0.9, beta 3.0, gamma 0.5" in about["METEOR"]
    assert "METEOR (no WordNet)" in metrics.Scorer(("meteor",), metrics.Settings(wordnet=False)).about


def test_without_roberta_large_bertscore_refuses_before_anything_is_computed(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound) as caught:
        metrics.Scorer()
    assert "--bertscore-model all-minilm-l6-v2" in caught.value.help
    for content in (None, "{", '{"model_type": "roberta", "num_hidden_layers": 12, "hidden_size": 768}'):
        if content:
            (tmp_path / "config.json").write_text(content)
        with pytest.raises(ModelNotFound, match="does not hold roberta-large"):
            metrics.Scorer(("bertscore",), metrics.Settings(bertscore_model=str(tmp_path)))


def test_roberta_large_is_known_by_its_shape_and_has_the_librarys_baseline(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "roberta", "num_hidden_layers": 24, "hidden_size": 1024}')
    found = encoders.for_bertscore(str(tmp_path))
    assert (found.name, found.layer, bertscore.name(found)) == ("roberta-large", 17, "BERTScore F1")
    assert bertscore.baseline(found) == pytest.approx(0.83122575)
    assert bertscore.settings(found, rescaled=True).startswith("roberta-large_L17_no-idf_version=")
    assert bertscore.baseline(encoders.for_bertscore(encoders.MINILM)) is None


def test_roberta_large_is_found_in_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    repo = tmp_path / "models--FacebookAI--roberta-large"
    snapshot = repo / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("a" * 40)
    assert encoders.cached() is None
    (snapshot / "config.json").write_text("{}")
    (snapshot / "model.safetensors").write_bytes(b"")
    assert encoders.cached() == snapshot


def test_a_metric_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="bleu"):
        metrics.Scorer(("cosine", "bleu"))


def test_without_the_encoders_package(monkeypatch: pytest.MonkeyPatch) -> None:
    from training.risk import model

    monkeypatch.setattr(model, "PACKAGE", "not_installed_anywhere")
    with pytest.raises(MissingExtra, match="cosine"):
        metrics.Scorer(("cosine",))


def test_batches_hold_every_text_once_the_longest_first() -> None:
    lengths = [3, 900, 5, 5, 200, 1]
    found = list(cosine.batches(lengths, 1000))
    assert sorted(place for one in found for place in one) == list(range(6))
    assert found[0] == [1]
    assert all(len(one) == 1 or len(one) * max(lengths[place] for place in one) <= 1000 for one in found)
