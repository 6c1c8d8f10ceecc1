"""The gate: whole sentences, no loops, no speaking for the user, no sentence cut in half by a limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.engine.base import FinishReason
from tide_chat.prompt import system_text
from tide_chat.safety.guard import Gate, default_screen, stutters


def run(text: str, cuts: list[int] | None = None, reason: FinishReason = FinishReason.STOP) -> Gate:
    gate, at = Gate(), 0
    for cut in [*sorted(cuts or []), len(text)]:
        gate.feed(text[at:cut]) if cut > at else None
        at = max(at, cut)
    gate.flush(reason)
    return gate


def test_nothing_is_shown_before_its_sentence_is_whole() -> None:
    gate = Gate()
    assert gate.feed("That sounds hard") == ""
    assert gate.feed(". You") == "That sounds hard. "
    assert gate.feed(" are") == ""
    assert gate.flush(FinishReason.STOP) == "You are"


@pytest.mark.parametrize("reason", [FinishReason.STOP, FinishReason.CANCELLED, FinishReason.DIED])
def test_half_a_sentence_stays_where_the_user_stopped(reason: FinishReason) -> None:
    assert run("One. Two and", reason=reason).shown == "One. Two and"


def test_half_a_sentence_leaves_where_a_limit_cut_it() -> None:
    gate = run("One is here. Two and", reason=FinishReason.LENGTH)
    assert (gate.shown, gate.actions) == ("One is here. ", ["cut_sentence"])


def test_half_a_sentence_is_better_than_nothing_and_trails_off() -> None:
    gate = run("Only a beginning ", reason=FinishReason.LENGTH)
    assert (gate.shown, gate.actions) == ("Only a beginning…", ["trailed_off"])


@pytest.mark.parametrize(
    "text", ["It is ok 🙂", "No, no, no, no. It was not your fault.", "No. No. No. It was not your fault."]
)
def test_a_whole_reply_stays_as_it_is(text: str) -> None:
    assert run(text, reason=FinishReason.LENGTH).shown == text


def test_a_reply_without_sentence_ends_trails_off_where_it_is_ended() -> None:
    gate = run(" ".join(f"word{i}" for i in range(900)))
    assert gate.closed is FinishReason.LENGTH
    assert gate.shown.endswith(" …")
    assert gate.actions == ["long_reply", "trailed_off"]


def test_a_repeated_sentence_ends_the_reply_at_the_last_good_one() -> None:
    gate = run("It makes sense to feel this way. You did well. It makes sense to feel this way. More.")
    assert gate.closed is FinishReason.LOOP
    assert gate.shown == "It makes sense to feel this way. You did well. "
    assert gate.actions == ["loop"]


def test_a_stutter_inside_a_sentence_ends_it() -> None:
    gate = run("I hear you and it is hard. You are not and not and not and not and not and not")
    assert gate.closed is FinishReason.LOOP
    assert gate.shown == "I hear you and it is hard. "


def test_a_reply_that_goes_on_ends_after_a_whole_sentence() -> None:
    gate = run(
        "".join(f"This is thought number {word}. " for word in "one two three four five six seven eight".split())
    )
    assert gate.closed is FinishReason.LENGTH
    assert gate.shown.endswith("number six. ")
    assert gate.actions == ["long_reply"]


@pytest.mark.parametrize("cuts", [[], list(range(200))])
@pytest.mark.parametrize(
    "loop", ["No, no, no, no, no, no, no,", "It was loud, so loud, so loud, so loud, so loud, and then. "]
)
def test_a_stutter_is_seen_wherever_it_stands_and_however_it_arrives(loop: str, cuts: list[int]) -> None:
    gate = run(f"You stayed with it. {loop}", cuts)
    assert (gate.shown, gate.closed) == ("You stayed with it. ", FinishReason.LOOP)


def test_short_sentences_may_come_twice_and_no_third_time() -> None:
    assert run("I hear you. It was loud. I hear you.").closed is None
    gate = run("I hear you. It was loud. I hear you. And now? I hear you. More.")
    assert (gate.shown, gate.closed) == ("I hear you. It was loud. I hear you. And now? ", FinishReason.LOOP)


LABELS = [
    "User: I am sad.",
    "\nAssistant: Hello.",
    "Human: and then?",
    'Your response: "Yes."',
    "The person's words: no.",
]


@pytest.mark.parametrize("leak", LABELS)
def test_speaking_for_the_user_ends_the_reply(leak: str) -> None:
    gate = run(f"I am with you. {leak}")
    assert gate.shown.strip() == "I am with you."
    assert gate.actions == ["role_leak"]


def test_a_reply_that_is_spoken_for_somebody_else_only_has_an_authored_line() -> None:
    gate = run("User: I am sad.")
    assert gate.shown == "You can tell me more, if you like."


PIECES = ["That was hard. ", "You stayed with it.\n", "And so? ", "one two ", "no ", "not ", "Yes. ", "User: no. "]


@given(
    st.lists(st.sampled_from(PIECES), max_size=12),
    st.lists(st.integers(0, 150), max_size=30),
)
def test_the_cuts_do_not_matter(pieces: list[str], cuts: list[int]) -> None:
    text = "".join(pieces)
    one, other = run(text), run(text, cuts)
    assert (one.shown, one.closed, one.actions) == (other.shown, other.closed, other.actions)


@given(st.text(max_size=300))
def test_what_is_shown_is_a_prefix(text: str) -> None:
    gate = run(text)
    authored = gate.held or gate.actions == ["role_leak"]
    assert text.startswith(gate.shown.removesuffix("…")) or authored


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no no no no no no no", True),
        ("It was very, very, very, very hard", False),
        ("and I and I and I and I", True),
        ("no no no no no no no, it was loud", True),
        ("no no no no no no", False),
        ("and I and I and I", False),
        ("I walk and I run and I rest", False),
        ("", False),
    ],
)
def test_stutters(text: str, *, expected: bool) -> None:
    assert stutters(text) is expected


def test_what_the_model_was_told_is_not_said() -> None:
    gate = Gate(told=system_text())
    gate.feed("It was a long day. Speak as one would speak to a tired friend late at night. What now?")
    gate.flush(FinishReason.STOP)
    assert gate.shown == f"It was a long day. {default_screen().book.answer('leak').lines[0]} What now?"
    assert [(held.category, held.rule) for held in gate.held] == [("leak", "system prompt")]


@pytest.mark.parametrize(
    "text",
    [
        "You are tired, and I am a program, not a person.",
        "It makes sense after all that you have lived through.",
        "You choose what to tell and when.",
        "A doctor knows more about medicine than I do.",
    ],
)
def test_a_reply_may_have_words_in_common_with_what_the_model_was_told(text: str) -> None:
    gate = Gate(told=system_text())
    gate.feed(text)
    gate.flush(FinishReason.STOP)
    assert gate.shown == text


@pytest.mark.parametrize(
    "text",
    [
        "The person lives with it.",
        "The person's voice is muffled.",
        "The person isn't here.",
        "The person wrote of rain.",
        "The person you are talking to is sad.",
    ],
)
def test_nobody_is_spoken_about_as_a_case(text: str) -> None:
    assert [held.category for held in run(text).held] == ["leak"]


@pytest.mark.parametrize(
    "text",
    [
        "The person who hurt you was wrong.",
        "The person you miss was kind.",
        "You miss her. The person is gone, and you still talk to her.",
        "That hurt. The person is not to blame for what was done to them.",
        "If it helps, call someone. The person you are talking to on the line has time.",
    ],
)
def test_other_people_may_be_spoken_about(text: str) -> None:
    assert run(text).shown == text
