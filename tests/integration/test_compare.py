"""`compare` with the real embedded model as it comes and tuned; its files are read by the real `tide-eval study`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.homes import furnished, tide_chat
from tests.integration.study_files import QUICK, run, table
from tide_chat.clinician.aside import Aside
from tide_chat.clinician.desk import Desk
from tide_chat.clinician.sides import Comparison, sides
from tide_chat.compose import AppOptions
from tide_chat.config import Settings
from tide_chat.engine.base import Cancel
from tide_chat.events import Done
from training.evaluation import replies
from training.evaluation.study import records

pytestmark = pytest.mark.usefixtures("embedded_model")

Compared = tuple["subprocess.CompletedProcess[str]", Path]  # and its folder
COMPARE = [sys.executable, "-m", "tide_chat", "compare", "smollm2-135m", "smollm2-135m-tide", "--plain"]
SAID = "I slept badly again.\n4\nfive\n5\nI want to kill myself.\nThe dog kept me company.\n2\n3\n"


def compare(home: Path, out: Path, *arguments: str, text: str = SAID) -> "subprocess.CompletedProcess[str]":
    furnished(home, "max_tokens = 8\nthreads = 1\n")
    return tide_chat(home, *COMPARE[3:], "--out", str(out), *arguments, text=text)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    folder = tmp_path_factory.mktemp("compared")
    done = compare(folder / "home", folder / "out", "--seed", "3", "--scenario", "panic")
    assert done.returncode == 0, done.stderr
    return done, folder / "out"


def test_names_are_told_after_rating(compared: Compared) -> None:
    out = compared[0].stdout
    first = out.index("A was smollm2-135m")
    assert "smollm2" not in out[:first]
    assert "A whole number from 1 to 5, please." in out[:first]
    assert "(tuned)" in out
    assert "(as it comes)" in out


def test_what_is_grave_gets_the_card_and_no_rating(compared: Compared) -> None:
    out = compared[0].stdout
    assert "There are people to talk with right now" in out
    assert out.count("Both: Thank you for telling me.") == 1
    assert "These are not rated." in out


def test_the_study_reads_ratings_and_replies(compared: Compared) -> None:
    study = records.read(compared[1])
    assert not study.simulated
    assert [one.rating for one in study.ratings] == [4, 5, 2, 3]
    assert {one.key[1:] for one in study.ratings} == {("smollm2-135m", "zs"), ("smollm2-135m", "ft")}
    assert [one.position for one in study.ratings] == [1, 2, 3, 4]
    by_condition = replies.by_condition(replies.read(compared[1] / "replies.jsonl"))
    assert {len(items) for items in by_condition.values()} == {2}
    assert all(reply.text for items in by_condition.values() for reply in items.values())


def test_the_study_analyses_them(compared: Compared, tmp_path: Path) -> None:
    quick = (*QUICK, "--min-minutes", "0", "--min-page-seconds", "0")
    assert run("analyse", compared[1], "--out", tmp_path / "run", *quick) == 0
    assert table(tmp_path / "run", "study-wins")["smollm2-135m"]["panic"] in ("FT", "ZS", "tie")


def test_beside_an_open_conversation_it_leaves_that_and_its_model_as_they_are(tmp_path: Path) -> None:
    settings = Settings(model="smollm2-135m-tide", max_tokens=8, threads=1, seed=3, call_me="Ana")
    with Desk.opened(AppOptions(settings, settings)) as desk:
        list(desk.talk.reply("The dog kept me company."))
        before, aside = desk.talk.conversation, Aside(desk.session)
        comparison = Comparison(aside, sides("smollm2-135m", "smollm2-135m-tide"), seed=1, blind=True)
        pair = comparison.answer("I slept badly again.", Cancel())
        assert {answer.result.adapter is None for answer in pair.answers} == {True, False}
        assert pair.can_be_rated
        comparison.answer("I want to kill myself.", Cancel())
        aside.close()
        assert desk.talk.conversation == before
        assert desk.talk.pinned_cards == ()
        assert desk.session.resolved
        assert desk.session.resolved.alias == "smollm2-135m-tide"
        (done,) = (event for event in desk.talk.reply("And today too.") if isinstance(event, Done))
        assert done.result.model == "smollm2-135m-tide"


@pytest.mark.parametrize(
    ("first", "second", "code", "said"),
    [("smollm2-135m", "smollm2-135m", 2, "same model"), ("smollm2-135m", "nothing", 3, "nothing")],
)
def test_two_sides_have_to_differ_and_to_be_here(first: str, second: str, code: int, said: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMPARE[:4], first, second, "--plain", "--out", str(tmp_path / "out")],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_that_no_alias_names_can_be_compared(tmp_path: Path, embedded_model: Path) -> None:
    one = tmp_path / embedded_model.name  # which the catalogue knows the weights by
    one.symlink_to(embedded_model)
    home = furnished(tmp_path / "home", "max_tokens = 8\nthreads = 1\n")
    names = (str(one), "smollm2-135m-tide", "--plain", "--out", str(tmp_path / "out"))
    done = tide_chat(home, "compare", *names, text="I slept badly again.\n4\n5\n\n")
    assert done.returncode == 0, done.stderr
    assert "1 pair rated." in done.stdout
    models = {one.model for one in records.read(tmp_path / "out").ratings}
    assert models == {"smollm2-135m", "smollm2-135m-instruct.q4_1"}


def test_ratings_that_are_there_stay(compared: Compared, tmp_path: Path) -> None:
    done = compare(tmp_path / "home", compared[1], text="")
    assert done.returncode == 2
    assert "already" in done.stderr
    assert "Name another folder" in done.stderr
