"""`tide-eval study new`: dialogues drawn by seed, every cell filled or named, bad use told in a line."""

import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.study_server import MODELS, some_replies
from tide_chat.errors import DataError, UsageError
from training.evaluation import cli, replies
from training.evaluation.study import design, draw, make
from training.evaluation.study.records import REFERENCE

PAIR = MODELS[:2]
PAIRS = (PAIR,)


def wanted(**given: object) -> draw.Wanted:
    return replace(draw.Wanted(PAIRS, seed=3), **given)  # type: ignore[arg-type]


def test_every_cell_of_the_design_has_its_reply() -> None:
    answered = some_replies(3, 4)
    made = draw.draw(answered, wanted(blocks=(PAIR, MODELS[2:])))
    assert len(made.items) == len({item.id for item in made.items}) == 3 * 2 * 5
    texts = {(one.item, one.model, one.state): one.text for one in answered}
    dialogue = {one.name: one.item for one in made.scenarios}
    for item in made.items:
        if item.state == REFERENCE:
            assert item.text == next(one.reference for one in answered if one.item == dialogue[item.scenario])
        else:
            assert item.text == texts[dialogue[item.scenario], item.model, item.state]


def test_the_seed_draws_and_the_order_of_the_files_does_not_matter() -> None:
    answered = some_replies(2, 2, dialogues=20)
    drawn = {seed: draw.draw(answered, wanted(seed=seed)).scenarios for seed in range(6)}
    assert len(set(drawn.values())) > 3
    assert draw.draw(answered[::-1], wanted(seed=4)).scenarios == drawn[4]


def test_other_models_in_the_files_change_nothing() -> None:
    assert draw.draw(some_replies(2, 4), wanted()) == draw.draw(some_replies(2, 2), wanted())


def test_a_block_of_one_model_and_few_scenarios() -> None:
    made = draw.draw(some_replies(4, 2), wanted(blocks=((PAIR[0],),), scenarios=("grief",)))
    assert [(item.model, item.state) for item in made.items] == [
        (PAIR[0], "zs"),
        (PAIR[0], "ft"),
        (REFERENCE, REFERENCE),
    ]


@pytest.mark.parametrize("text", [None, "  \n"])
def test_a_missing_cell_is_named(text: str | None) -> None:
    hole = ("grief", PAIR[1], "ft")
    answered = [
        replace(one, text=text) if text and (one.scenario, *one.condition) == hole else one
        for one in some_replies(2, 2)
        if text or (one.scenario, *one.condition) != hole
    ]
    with pytest.raises(DataError) as caught:
        draw.draw(answered, wanted())
    assert re.search(rf"grief: {PAIR[1]} ft has (no|an empty) reply to grief-0/0", caught.value.details)


def test_a_dialogue_that_all_answered_is_taken_where_another_has_a_hole() -> None:
    answered = [one for one in some_replies(1, 2) if not (one.item == "panic-0/0" and one.state == "ft")]
    for seed in range(5):
        assert draw.draw(answered, wanted(seed=seed)).scenarios[0].item == "panic-1/0"


def test_only_openings_are_drawn_but_any_dialogue_can_be_chosen() -> None:
    later = [replace(one, item="panic-9/1", said=("a", "b", "c")) for one in some_replies(1, 2, dialogues=1)]
    answered = [*some_replies(1, 2), *later]
    assert {draw.draw(answered, wanted(seed=seed)).scenarios[0].item for seed in range(20)} == {
        "panic-0/0",
        "panic-1/0",
    }
    made = draw.draw(answered, wanted(chosen={"panic": "panic-9/1"}))
    assert made.scenarios[0].said == ("a", "b", "c")


def test_files_that_do_not_agree_are_refused() -> None:
    first, *others = some_replies(1, 2, dialogues=1)
    with pytest.raises(DataError, match="do not agree"):
        draw.draw([replace(first, reference="Another."), *others], wanted())


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"blocks": (("nobody", PAIR[0]),)}, DataError, "nobody"),
        ({"blocks": (PAIR, (PAIR[0],))}, UsageError, PAIR[0]),
        ({"scenarios": ("weather",)}, DataError, "weather"),
        ({"chosen": {"panic": "grief-7/0"}}, DataError, "grief-7/0"),
        ({"scenarios": ("panic",), "chosen": {"grief": "grief-0/0"}}, DataError, "grief"),
    ],
)
def test_what_is_not_there_is_named(given: dict[str, object], error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        draw.draw(some_replies(2, 2), wanted(**given))
    assert says in str(caught.value)


def test_a_reply_that_names_its_maker_is_told() -> None:
    made = draw.draw(some_replies(1, 2, dialogues=1), wanted())
    spoken = replace(made.items[0], text="As Zebrafinch I hear you.")
    assert draw.telltales([spoken, *made.items[1:]]) == [spoken]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    replies.write(file, some_replies(2, 2))
    made = make.make([file], wanted(), make.Shown("A study", "Robin", "US"), tmp_path / "study")
    assert design.read(tmp_path / "study") == made
    assert stat.S_IMODE((tmp_path / "study").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "study" / design.FILE).stat().st_mode) == 0o600


def test_the_command_says_what_a_rater_has_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "r.jsonl", tmp_path / "study"
    replies.write(file, some_replies(4, 4))
    pairs = f"{MODELS[0]}+{MODELS[1]},{MODELS[2]}+{MODELS[3]}"
    arguments = ["study", "new", str(file), "--pairs", pairs, "--scenarios", "panic, noise", "--out", str(out)]
    assert cli.main(arguments) == 0
    said = capsys.readouterr().out
    assert "2 scenarios, 2 blocks: 4 pages and an attention check, 20 ratings a rater, about 4 minutes" in said
    assert "panic: panic-" in said
    values = json.loads((out / "study.json").read_text(encoding="utf-8"))
    assert values["seed"] == 42
    assert str(tmp_path) not in (out / "study.json").read_text(encoding="utf-8")
    assert cli.main(arguments) == 2  # it is not overwritten
    assert "not empty" in capsys.readouterr().err


def test_dialogues_from_a_file(tmp_path: Path) -> None:
    file, dialogues = tmp_path / "r.jsonl", tmp_path / "d.csv"
    replies.write(file, some_replies(2, 2))
    dialogues.write_text("panic,panic-1/0\ngrief,grief-0/0\n", encoding="utf-8")
    out = tmp_path / "study"
    given = ["--pairs", "+".join(PAIR), "--dialogues", str(dialogues), "--out", str(out)]
    assert cli.main(["study", "new", str(file), *given]) == 0
    assert {one.name: one.item for one in design.read(out).scenarios} == {"panic": "panic-1/0", "grief": "grief-0/0"}


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (["--pairs", "a+b+c"], 2, "one or two models"),
        (["--pairs", "+".join(PAIR), "--scenarios", "panic,panic"], 2, "named twice"),
        (["--pairs", "+".join(PAIR), "--country", "QQ"], 2, "QQ"),
        (["--pairs", "nobody"], 4, "nobody"),
    ],
)
def test_bad_use_is_a_line_and_nothing_is_written(
    more: list[str], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "r.jsonl"
    replies.write(file, some_replies(1, 2))
    assert cli.main(["study", "new", str(file), *more, "--out", str(tmp_path / "study")]) == code
    assert says in capsys.readouterr().err
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"title": 1}', '{"scenarios": [], "blocks": [["a"]], "items": []}'])
def test_a_damaged_study_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / design.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        design.read(tmp_path)
