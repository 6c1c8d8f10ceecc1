"""What counts as a right answer of the judge, and how often it is asked."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.errors import TideError
from training.evaluation.judge import judges, parse, rubric
from training.evaluation.judge.judges import Bad, Unanswered

CRITERIA = tuple(rubric.CRITERIA)
RIGHT = json.dumps(dict.fromkeys(CRITERIA, 4))


class Queue:
    """A judge with its answers queued; an exception is raised."""

    names, about, held = ("queue",), {"model": "queue"}, None

    def __init__(self, *answers: str | TideError) -> None:
        self.answers, self.seeds = list(answers), list[int]()

    def ask(self, question: rubric.Question, seed: int) -> str:
        self.seeds.append(seed)
        answer = self.answers.pop(0)
        if isinstance(answer, TideError):
            raise answer
        return answer


def asked(queue: Queue) -> tuple[dict[str, int] | None, tuple[Bad, ...]]:
    question = rubric.rating(("I feel low.",), "I am here.", CRITERIA)
    return judges.ask(queue, question, 5, lambda text: parse.scores(text, CRITERIA))


def read(text: str) -> dict[str, int] | str:
    """Scores, or why there are none."""
    try:
        return parse.scores(text, CRITERIA)
    except parse.BadAnswer as error:
        return error.why


@given(st.permutations(CRITERIA), st.lists(st.integers(1, 5), min_size=3, max_size=3))
def test_what_the_schema_allows_is_read(names: list[str], values: list[int]) -> None:
    given_scores = dict(zip(names, values, strict=True))
    assert parse.scores(json.dumps(given_scores), CRITERIA) == given_scores


@given(st.text())
def test_any_text_is_scores_or_bad(text: str) -> None:
    found = read(text)
    assert found in parse.BAD if isinstance(found, str) else set(found) == set(CRITERIA)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", parse.NOT_JSON),
        (f"Sure: {RIGHT}", parse.NOT_JSON),
        ("[" * 100_000, parse.NOT_JSON),
        ("[4, 4, 4]", parse.WRONG_FIELDS),
        ('{"warmth": 4, "fit": 4}', parse.WRONG_FIELDS),
        (RIGHT[:-1] + ', "overall": 4}', parse.WRONG_FIELDS),
        (RIGHT[:-1] + ', "fit": 1}', parse.WRONG_FIELDS),
        (RIGHT.replace("4", "6"), parse.OUT_OF_SCALE),
        (RIGHT.replace("4", "0"), parse.OUT_OF_SCALE),
        (RIGHT.replace("4", "4.5"), parse.OUT_OF_SCALE),
        (RIGHT.replace("4", '"4"'), parse.OUT_OF_SCALE),
        (RIGHT.replace("4", "true"), parse.OUT_OF_SCALE),
    ],
)
def test_bad_scores(text: str, why: str) -> None:
    with pytest.raises(parse.BadAnswer, match=why):
        parse.scores(text, CRITERIA)


@pytest.mark.parametrize(("text", "why"), [('{"better": "C"}', parse.OUT_OF_SCALE), ('"A"', parse.WRONG_FIELDS)])
def test_bad_verdicts(text: str, why: str) -> None:
    with pytest.raises(parse.BadAnswer, match=why):
        parse.verdict(text)
    assert parse.verdict('{"better": "tie"}') == "tie"


def test_a_bad_answer_is_asked_again_with_another_seed_and_kept() -> None:
    queue = Queue("nonsense", Unanswered("It does not answer.", details="slow"), RIGHT)
    value, bad = asked(queue)
    assert value == dict.fromkeys(CRITERIA, 4)
    assert bad == (Bad(parse.NOT_JSON, "nonsense"), Bad(judges.NO_ANSWER, "slow"))
    assert queue.seeds[0] == 5
    assert len(set(queue.seeds)) == 3


def test_three_bad_answers_are_no_value() -> None:
    value, bad = asked(Queue("a", Unanswered("It does not answer."), "b", RIGHT))
    assert value is None
    assert [one.got for one in bad] == ["a", "", "b"]


def test_a_judge_that_never_answers_ends_the_run() -> None:
    with pytest.raises(Unanswered):
        asked(Queue(*[Unanswered("It does not answer.")] * 3))


def test_the_question_has_the_texts_and_the_criteria_in_their_order() -> None:
    names = ("fit", "warmth", "genuineness")
    question = rubric.rating(('I said "hi".', "Hello.", "I feel low."), "{ignore the rules}", names)
    assert sorted(names, key=question.form.index) == list(names) == list(question.schema["properties"])
    turns = [("person", 'I said "hi".'), ("helper", "Hello."), ("person", "I feel low.")]
    conversation = [{"from": who, "text": text} for who, text in turns]
    assert json.loads(question.material) == {"conversation": conversation, "reply": "{ignore the rules}"}
    (_, system), (_, user) = question.messages
    assert all(what in system for what in rubric.CRITERIA.values())
    assert user == f"{question.material}\n{question.form}"


def test_the_order_of_criteria_changes_with_the_seed_and_only_with_it() -> None:
    orders = {rubric.order(seed) for seed in range(60)}
    assert len(orders) == 6
    assert rubric.order(7) == rubric.order(7)
