"""Zero-shot against fine-tuned: which items are compared, in which groups, and what the tables say."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tide_chat.errors import DataError
from training.data import sources
from training.data.families import families
from training.evaluation import comparison, tables
from training.evaluation.comparison import paper, rows
from training.evaluation.metrics.floor import wrong_reference
from training.evaluation.replies import Reply

SCENARIOS = ("flashback", "panic_public", "small_win_recovery")
MODEL = "qwen2.5-1.5b-q4"


def reply(number: int, state: str) -> Reply:
    """Of item `number`; two items a persona, the text longer with each."""
    said = " ".join(["word"] * (number + 1))
    texts = f"I hear you {number}", f"It hurts {number}"
    return Reply(f"d{number}/0", MODEL, state, (said,), *texts, SCENARIOS[number % 3], f"p{number // 2}")


@pytest.fixture
def replies() -> list[Reply]:
    return [reply(number, state) for state in ("zs", "ft") for number in range(12)]


@pytest.fixture
def scores(replies: list[Reply]) -> dict[str, list[float]]:
    """ft is higher by .1 to .2."""
    rng = random.Random(0)
    zs = [rng.random() / 2 for _ in range(12)]
    return {"cosine": zs + [value + 0.1 + rng.random() / 10 for value in zs], "ROUGE-L": [0.2] * 24}


def test_one_row_a_metric_and_model(replies: list[Reply], scores: dict[str, list[float]]) -> None:
    cosine, rouge = rows.overall(rows.Scored.of(replies, scores))
    assert (cosine.metric, cosine.model, cosine.n) == ("cosine", MODEL, 12)
    assert cosine.paired
    assert cosine.paired.difference.units == 6  # personas
    assert cosine.paired.difference.low
    assert 0.1 < cosine.paired.difference.low < cosine.paired.difference.value < 0.2
    assert cosine.paired.test.p == pytest.approx(2 / 2**12)  # all twelve rose
    assert rouge.paired
    assert rouge.paired.test.p == 1


def test_the_order_of_the_replies_does_not_matter(replies: list[Reply], scores: dict[str, list[float]]) -> None:
    mixed = list(zip(replies, scores["cosine"], strict=True))
    random.Random(1).shuffle(mixed)
    (other,) = rows.overall(rows.Scored.of([one for one, _ in mixed], {"cosine": [value for _, value in mixed]}))
    (one, _) = rows.overall(rows.Scored.of(replies, scores))
    assert one.paired
    assert other.paired
    assert other.paired.difference.value == pytest.approx(one.paired.difference.value)
    assert other.paired.test.p == one.paired.test.p


def test_only_items_of_both_states_are_compared(replies: list[Reply], scores: dict[str, list[float]]) -> None:
    kept = replies[:12] + replies[15:]
    values = {"cosine": scores["cosine"][:12] + scores["cosine"][15:]}
    scored = rows.Scored.of(kept, values)
    (row,) = rows.overall(scored)
    assert (row.zero_shot.n, row.fine_tuned.n, scored.left_out()) == (9, 9, 3)


def test_a_model_in_one_state_has_means_and_no_difference(replies: list[Reply], scores: dict[str, list[float]]) -> None:
    row, _ = rows.overall(rows.Scored.of(replies[12:], {name: values[12:] for name, values in scores.items()}))
    assert (row.zero_shot.mean, row.paired, row.holm) == (None, None, None)
    assert row.fine_tuned.mean


def test_holm_is_over_the_models_of_a_metric(replies: list[Reply], scores: dict[str, list[float]]) -> None:
    both = [*replies, *(replace(one, model="other") for one in replies)]
    found = rows.overall(rows.Scored.of(both, {name: values * 2 for name, values in scores.items()}))
    assert [row.metric for row in found] == ["cosine", "cosine", "ROUGE-L", "ROUGE-L"]
    assert found[0].paired
    assert found[0].holm == pytest.approx(2 * found[0].paired.test.p)


def test_families_come_in_the_papers_order(replies: list[Reply], scores: dict[str, list[float]]) -> None:
    found = rows.by_family(rows.Scored.of(replies, {"cosine": scores["cosine"]}))
    assert [(row.group, row.n) for row in found] == [("panic", 4), ("reliving", 4), (rows.NO_FAMILY, 4)]


def test_every_scenario_of_the_data_has_a_place() -> None:
    """Named by a family, or one of the two that are in none of the paper's situations."""
    named = [scenario for family in families() for scenario in family.scenarios]
    there = {dialogue.scenario for dialogue in sources.dialogues()}
    assert there - set(named) == {"small_win_recovery", "help_seeking_ambivalence", "other"}
    assert len(named) == len(set(named))
    assert set(named) <= there


def test_lengths_are_thirds_of_the_items(replies: list[Reply], scores: dict[str, list[float]]) -> None:
    found = rows.by_length(rows.Scored.of(replies, {"cosine": scores["cosine"]}))
    assert [(row.group, row.n) for row in found] == [("up to 4 words", 4), ("5 to 8 words", 4), ("9 words or more", 4)]


def test_texts_of_one_length_are_one_group() -> None:
    some = [replace(reply(number, "zs"), said=("one two",)) for number in range(5)]
    found = rows.by_length(rows.Scored.of(some, {"cosine": [0.5] * 5}))
    assert [(row.group, row.n) for row in found] == [("up to 2 words", 5)]


def test_scores_of_other_replies_are_refused(replies: list[Reply]) -> None:
    with pytest.raises(ValueError, match="3 values for 24 replies"):
        rows.Scored.of(replies, {"cosine": [1, 2, 3]})
    with pytest.raises(DataError):
        rows.Scored.of([replies[0]] * 2, {"cosine": [1, 2]})
    with pytest.raises(DataError):
        comparison.write(Path("nowhere"), [], {})


def test_wrong_references_are_others_and_the_same_for_all(replies: list[Reply]) -> None:
    wrong = wrong_reference(replies, seed=3)
    assert [one.item for one in wrong] == [one.item for one in replies]
    assert all(one.reference != other.reference for one, other in zip(wrong, replies, strict=True))
    by_item = {one.item: one.reference for one in wrong[:12]}
    assert all(by_item[one.item] == one.reference for one in wrong)
    assert sorted(by_item.values()) == sorted({one.reference for one in replies})
    assert wrong_reference(replies[:1]) == []
    assert wrong_reference([replace(one, reference="Same.") for one in replies]) == []


@pytest.mark.parametrize("name", ["qwen2.5-1.5b-q4", "Qwen/Qwen2.5-1.5B-Instruct", "Qwen2.5-1.5B-Instruct-Q4_K_M.gguf"])
def test_a_model_of_the_paper_is_known_by_any_name(name: str) -> None:
    found = paper.published(name)
    assert found
    assert found.model == "Qwen 2.5-1.5B"


def test_distilled_qwen_is_not_qwen() -> None:
    found = paper.published("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B")
    assert found
    assert found.means("cosine") == (0.60, 0.61)
    assert paper.published("smollm2-135m") is None


def test_the_papers_table_is_whole() -> None:
    assert len(paper.TABLE_1) == 8
    assert all(len(one.zero_shot) == len(one.fine_tuned) == 6 for one in paper.TABLE_1)
    assert paper.span("ROUGE-L") == (0.79, 0.84)
    assert paper.span("BERTScore F1 (all-minilm-l6-v2, layer 5)") is None
    assert paper.verdict("BERTScore F1 (all-minilm-l6-v2, layer 5)").short == "no"


def test_a_run_folder(tmp_path: Path, replies: list[Reply], scores: dict[str, list[float]]) -> None:
    floor = {"cosine": [0.05] * 24, "ROUGE-L": [0.1] * 24}
    made = comparison.write(
        tmp_path, replies, scores, floor=floor, about={"cosine": "an encoder"}, command="tide-eval x"
    )
    names = [
        "table1",
        "differences",
        "comparable",
        "by-family",
        "by-length",
        "distinct",
        "floor",
        "rouge-padding",
        "metrics",
    ]
    assert [table.name for table in made] == names
    assert {table.name: table for table in tables.read_all(tmp_path)} == {table.name: table for table in made}
    assert len((tmp_path / comparison.VALUES).read_text(encoding="utf-8").splitlines()) == 24
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        "by-family.svg",
        "by-length.svg",
        "table1.svg",
    ]


def test_table_1_has_the_papers_row_the_floor_and_the_verdict(
    tmp_path: Path, replies: list[Reply], scores: dict[str, list[float]]
) -> None:
    table = comparison.write(tmp_path, replies, scores, floor={"cosine": [0.05] * 24})[0]
    assert table.columns == ("model", "source", "cosine", "ROUGE-L")
    assert [row[:2] for row in table.rows] == [
        (MODEL, "here"),
        ("Qwen 2.5-1.5B", "paper"),
        ("lowest to highest of its models", "paper"),
        ("against a wrong reference", "floor"),
        ("comparable with the paper", ""),
    ]
    assert table.rows[1][2:] == ("0.57 / 0.59", "0.83 / 0.84")
    assert table.rows[3][2:] == ("0.05 (0.00)", None)
    assert table.rows[4][2:] == ("on TIDE", "no")


def test_padding_alone_comes_near_the_papers_level(tmp_path: Path) -> None:
    """The reason that stands in the table, on real replies: also a wrong reference gets there."""
    some = [one for dialogue in sources.dialogues(("open:dialogues",))[:60] for one in dialogue.replies[:1]]
    made = [Reply(f"d{n}/0", "m", "zs", ("x",), text, some[n - 1]) for n, text in enumerate(some)]
    values = {"ROUGE-L": [0.2] * 60}
    table = next(one for one in comparison.write(tmp_path, made, values) if one.name == "rouge-padding")
    found = {(row[0], row[1]): row[2] for row in table.rows}
    standard, padded = found["standard", "wrong reference"], found["padding to 200 tokens counted", "wrong reference"]
    assert isinstance(standard, float)
    assert isinstance(padded, float)
    assert standard < 0.25 < 0.7 < padded


def test_the_same_replies_give_the_same_bytes(
    tmp_path: Path, replies: list[Reply], scores: dict[str, list[float]]
) -> None:
    for name in ("one", "two"):
        comparison.write(tmp_path / name, replies, scores)
    one, two = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert one == two
    assert b"<dc:date>" not in one[Path("figures/table1.svg")]
    assert b"<title>Means of each model" in one[Path("figures/table1.svg")]


def test_a_table_shows_what_is_small_but_not_nothing() -> None:
    table = tables.Table("t", "T", ("p", "q|<"), ((1e-9, -1e-9), (0.0, 0.0004), (None, "50% & \\")))
    assert "| <0.001 | >-0.001 |" in table.markdown()
    assert "| 0.000 | <0.001 |" in table.markdown()
    assert r"q\textbar{}$<$" in table.latex()
    assert r"-- & 50\% \& \textbackslash{} \\" in table.latex()
    assert "1e-09,-1e-09" in table.csv()
