"""A row becomes a dialogue, or a list of faults that name file, row and column."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tide_chat.errors import DataError, UsageError
from tide_chat.messages import Message, Role
from training.data.schema import Columns, Dialogue, Place, Problem, Record, parse

OURS: dict[str, Any] = {
    "dialogue_id": "p001-01",
    "persona_id": "p001",
    "scenario": "flashback",
    "user_input": "It came back.",
    "reference_response": "That sounds hard.",
    "factors": {"emotion_recognition": "That sounds hard."},
    "more_turns": [{"user_input": "Yes.", "reference_response": "I am with you in this chat."}],
}


def read(values: dict[str, Any], columns: Columns | None = None) -> Dialogue | tuple[Problem, ...]:
    record = Record(Place("set.jsonl", 7), values)
    return parse(record, (columns or Columns()).resolve("set.jsonl", values))


def good(values: dict[str, Any], columns: Columns | None = None) -> Dialogue:
    made = read(values, columns)
    assert isinstance(made, Dialogue), made
    return made


def faults(values: dict[str, Any]) -> list[str]:
    made = read(values)
    assert isinstance(made, tuple)
    return [str(problem) for problem in made]


def test_a_row_of_our_own_with_a_second_exchange() -> None:
    made = good(OURS)
    assert (made.dialogue_id, made.persona_id, made.scenario) == ("p001-01", "p001", "flashback")
    assert [message.role for message in made.turns] == [Role.USER, Role.ASSISTANT] * 2
    assert made.exchanges[1] == ("Yes.", "I am with you in this chat.")
    assert made.conversation.messages == made.turns


def test_further_exchanges_may_be_json_in_a_cell() -> None:
    cell = '[{"user_input": "Yes.", "reference_response": "I am with you in this chat."}]'
    assert good({**OURS, "more_turns": cell}) == good(OURS)
    assert len(good({**OURS, "more_turns": ""}).turns) == 2


@pytest.mark.parametrize(
    ("user", "reply"),
    [("user_input", "reference_response"), ("User Input", "Reference-Response"), ("prompt", "response")],
)
def test_usual_names_of_columns_are_known(user: str, reply: str) -> None:
    made = good({user: " Hello. ", reply: "Hello to you."})
    assert made.exchanges == (("Hello.", "Hello to you."),)
    assert made.dialogue_id == "set-00007"
    assert made.persona_id is None


def test_the_surest_of_two_names_is_taken() -> None:
    row = {"user_input": "a", "prompt": "b", "response": "of some model", "reference_response": "the reference"}
    assert good(row).exchanges == (("a", "the reference"),)


def test_columns_can_be_named() -> None:
    columns = Columns.parse(" user = text , reply=answer")
    assert good({"text": "Hello.", "answer": "Hi.", "user": "no"}, columns).exchanges == (("Hello.", "Hi."),)


@pytest.mark.parametrize("given", ["user", "user=", "nobody=text", "user=a,user=b", "traits=age"])
def test_columns_that_cannot_be_read(given: str) -> None:
    with pytest.raises(UsageError, match="columns cannot be read"):
        Columns.parse(given)


def test_a_named_column_that_is_not_there_and_columns_that_are_not_known() -> None:
    with pytest.raises(DataError, match=r"set\.jsonl: there is no column 'text'") as caught:
        read({"user": "a", "reply": "b"}, Columns(user="text"))
    assert caught.value.details == "The file has: user, reply."
    with pytest.raises(DataError, match=r"set\.jsonl: no column is known as user or reply") as caught:
        read({"frage": "a", "antwort": "b"})
    assert "--columns user=COLUMN" in caught.value.help


def test_messages_with_roles_and_without_their_system_message() -> None:
    made = good(
        {
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "Hello."},
                {"role": "assistant", "content": "Hi."},
            ]
        }
    )
    assert made.turns == (Message(Role.USER, "Hello."), Message(Role.ASSISTANT, "Hi."))
    shared = [{"from": "human", "value": "Hello."}, {"from": "gpt", "value": "Hi."}]
    assert good({"conversations": shared}).turns == made.turns


def test_persons_without_a_name_are_known_by_what_is_told_of_them() -> None:
    row = {"Age": 34, "Gender": "woman", "Occupation": "nurse", "user_input": "a", "reference_response": "b"}
    one, same, other = good(row), good({**row, "Gender": "Woman "}), good({**row, "Age": 35})
    assert one.persona_id is not None
    assert one.persona_id.startswith("traits-")
    assert one.persona_id == same.persona_id != other.persona_id
    assert good({**row, "persona_id": 7.0}).persona_id == "7"
    assert good({"Age": 34, "Gender": "woman", "user_input": "a", "reference_response": "b"}).persona_id is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"user_input": None}, "column user_input is missing"),
        ({"user_input": 3}, "column user_input is not text (3)"),
        ({"reference_response": " \n"}, "column reference_response is empty"),
        ({"reference_response": "a \ufffd b"}, "column reference_response holds characters that were lost"),
        ({"user_input": "half \ud83d of one"}, "column user_input holds characters that were lost"),
        ({"persona_id": "p\ud83d"}, "column persona_id holds characters that were lost"),
        ({"more_turns": "yes"}, "column more_turns is not a list ('yes')"),
        ({"more_turns": ["yes"]}, "column more_turns[0] is not an object ('yes')"),
        ({"more_turns": [{"user_input": "a"}]}, "column more_turns[0].reference_response is missing"),
        ({"persona_id": ["p"]}, "column persona_id is neither text nor a whole number"),
    ],
)
def test_faults_name_file_row_and_column(change: dict[str, Any], expected: str) -> None:
    (fault,) = faults({**OURS, **change})
    assert fault.startswith(f"set.jsonl, row 7: {expected}")


def test_all_faults_of_a_row_are_told() -> None:
    assert len(faults({**OURS, "user_input": "", "reference_response": 1})) == 2


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (["user"], "column messages must alternate"),
        (["assistant", "user"], "column messages must alternate"),
        (["user", "user", "assistant"], "column messages must alternate"),
        ([], "column messages must alternate"),
        (["user", "system"], "column messages[1] has a role that is neither"),
        (["user", "narrator"], "column messages[1] has a role that is neither"),
    ],
)
def test_messages_out_of_order(roles: list[str], expected: str) -> None:
    (fault,) = faults({"messages": [{"role": role, "content": "text"} for role in roles]})
    assert expected in fault


def test_a_dialogue_cannot_be_made_wrong_or_changed() -> None:
    user, reply = Message(Role.USER, "a"), Message(Role.ASSISTANT, "b")
    for turns in ((), (user,), (reply, user), (user, Message(Role.ASSISTANT, " "))):
        with pytest.raises(ValidationError):
            Dialogue(dialogue_id="x", turns=turns)
    with pytest.raises(ValidationError, match="frozen"):
        Dialogue(dialogue_id="x", turns=(user, reply)).scenario = "y"


TEXT = st.text(min_size=1).map(str.strip).filter(lambda text: text and not set(text) & {"\0", "\ufffd"})


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4), TEXT, st.none() | TEXT, st.just("") | TEXT)
def test_what_is_written_is_read_back(
    exchanges: list[tuple[str, str]], name: str, persona: str | None, of: str
) -> None:
    turns = tuple(
        Message(role, text) for pair in exchanges for role, text in zip((Role.USER, Role.ASSISTANT), pair, strict=True)
    )
    made = Dialogue(dialogue_id=name, turns=turns, scenario=of, persona_id=persona)
    assert good(made.to_record()) == made
