"""Whose words a message repeats: another's, a page's, a question that was answered, or the writer's own after all."""

import pytest

from tide_chat.safety import join
from tide_chat.safety.assessment import Flag, Tier
from tide_chat.safety.lexicon import load
from tide_chat.safety.router import assess, judge
from tide_chat.safety.speech import others_words

T0, T1, T2, T3, T4 = Tier


@pytest.mark.parametrize(
    ("text", "somebody"),
    [
        ("my aunt always says 'I want to die' when the bins are late", True),
        ("the poster says 'end my life' in big red letters", False),
        ("'i want to die' said the toddler, over a banana", True),
        ("Priya texted “I want to die” and a photo of her tax form", True),
        ("the chorus goes «i want to die» and everybody claps", False),
    ],
)
def test_a_named_speaker_has_the_words(text: str, somebody: bool) -> None:
    (quotation,) = others_words(text)
    assert quotation.somebody is somebody


@pytest.mark.parametrize(
    "text",
    [
        "'I want to die', that is all there is in my head",
        "I keep saying 'I want to die' to the wall",
        "I told my aunt 'I want to die' and she changed the subject",
        "my aunt asked and I said 'yes, I want to die'",
        "my aunt says 'I want to die' sometimes. so do I",
        "the form asked about 'wanting to die' and I ticked yes",
        "my note says 'I want to die, forgive me'",
        "my mum hung up and my head said 'I want to die'",
        "'I want to die' says my brain all day",
        "'I want to die' my therapist said that is only a thought",
        "he asked me how it went and 'I want to die' came out",
        "yesterday said 'I want to die' out loud for the first time",
        "don't they know it's the dogs' bowl",
    ],
)
def test_the_writer_has_them_where_nobody_else_is_named_or_they_are_taken_up(text: str) -> None:
    assert not others_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "my uncle used to say 'I'll be dead by Christmas' every August, and he danced at my wedding",
        "The questionnaire asks about 'thoughts of ending my life'. None of those, thankfully.",
        "In the play she whispers 'I don't want to live' and a phone went off in row C",
        'our toddler shouted "I want to die" because the toast was cut wrong',
        "my cousin texted im gonna kill myself if the wifi drops again",
        "my wife says i'll kill myself on that ladder one day, it wobbles",
        "the crossword: 'commit suicide, or a card game', seven letters",
    ],
)
def test_words_of_others_are_no_statement_of_the_writer(text: str) -> None:
    assert assess(text).tier < T2, assess(text).reasons


@pytest.mark.parametrize(
    "text",
    [
        "'I want to kill myself' is all I hear in my head",
        "I typed 'i want to kill myself' and deleted it and typed it again",
        "my sister said 'I want to kill myself' last night and so do I",
        "he wrote 'I want to kill myself' and honestly me too",
        "she says 'you would be better off dead' and I want to be dead",
        "In the film she says 'goodbye'. I want to kill myself.",
        "my wife says i'll kill myself one day and she's right",
        "my ex said i'd kill myself in the end and maybe I will",
        "they told me i'd feel better by now. i want to kill myself",
        "my letter says 'I am going to end my life on Friday'",
        "he texted me it's over and i want to kill myself",
        "she wrote me off and i want to kill myself",
        "he never texted i want to die",
        "he texted i can't see the kids, i want to kill myself",
        "my mum says i'd be fine but i want to kill myself",
        "Keep saying 'I want to die' out loud",
        'Almost texted my mum "I want to die"',
        'Often said "I want to kill myself" when alone',
        'SOMETHING INSIDE SAYS "I WANT TO DIE"',
        'My OCD says "I want to kill myself"',
        'my inner child says "I want to die"',
        '"I want to die" wrote in my diary last night',
        '"I want to kill myself," said out loud in the car',
        '"I want to die" said the back of my mind',
        'my mum said "just get on with it and I can\'t. I want to kill myself. Then she said "you always do this"',
        "he told me 'bout the pills and im gonna kill myself, nothin' left",
        'Finished the book, wrote "I am going to kill myself" on the last page',
        "the doctor asked, told him 'i want to die'",
        'my brother said "I want to die" and honestly same',
        'my brother said "I want to die" and I get it',
    ],
)
def test_a_statement_beside_or_within_marks_stays_one(text: str) -> None:
    assert assess(text).tier >= T2, assess(text).reasons


@pytest.mark.parametrize(
    "text",
    [
        'Anna said "I want to die" when her train was late',
        '"I want to die" said Anna, and laughed',
        '"I want to die," our toddler said over a banana',
        'my brother said "I want to die" on the same day as the match',
        "my cousin wrote i will kill myself if it rains again",
    ],
)
def test_names_and_people_still_have_theirs(text: str) -> None:
    assert assess(text).tier < T2, assess(text).reasons


def test_a_way_is_asked_for_whoever_is_said_to_ask() -> None:
    assessment = assess('my friend said "how many pills would it take to die"')
    assert Flag.METHOD_SEEKING in assessment.flags
    assert assessment.tier >= T3


def test_what_somebody_else_says_is_a_worry_about_them() -> None:
    assessment = assess("my brother texted 'I am going to kill myself tonight' and turned his phone off")
    assert assessment.tier < T2
    assert Flag.WORRIED_THIRD_PARTY in assessment.flags


@pytest.mark.parametrize(
    "text",
    [
        "the nurse asked whether I was suicidal and I said no, and asked for a biscuit",
        "do I want to kill myself? no. I want to sleep for one whole night",
        "they check every week if I am going to kill myself. No. Never was.",
        "he asked was I thinking about suicide. I told him no and it was true",
        "no i'm not suicidal. i'm a nurse at the end of a double shift",
        "not because I want to die. because the noise will not stop",
        "my file says I denied being suicidal",
    ],
)
def test_a_question_answered_with_no_is_a_denial(text: str) -> None:
    assert assess(text).tier < T2, assess(text).reasons


@pytest.mark.parametrize(
    "text",
    [
        "do I want to kill myself? no idea",
        "do I want to kill myself? no one would notice",
        "the nurse asked was I suicidal and I said no but I lied",
        "he asked if I want to kill myself and I said not yet",
        "am I going to kill myself? no, but I think of little else",
        "they ask if I want to kill myself and nobody waits for the answer",
        "she asked if I want to kill myself and I said no because she would lock me up",
        "they asked if I am suicidal. I said no, they would section me",
        "am I suicidal? yes. no, I'm not okay",
        "do I want to die? sometimes. no, most days",
        "she asked was I suicidal. I laughed. no, I cried",
        "no, I want to die",
        "no i want to kill myself",
        "they asked me to wait but I want to kill myself. no, nobody asked why",
        "she asked was I going to kill myself. No. I will though",
        "asking for a mate who wants to die. the mate is me. no, I am not joking",
    ],
)
def test_no_answer_or_half_an_answer_is_none(text: str) -> None:
    assert assess(text).tier >= T2, assess(text).reasons


@pytest.mark.parametrize(
    "text", ["my villain has to kill himself by page ninety", "writing my thesis on suicide methods in Roman poetry"]
)
def test_my_villain_is_not_me(text: str) -> None:
    assert assess(text).tier < T3


def test_a_past_that_is_not_said_to_be_over_has_to_be_borne_out() -> None:
    assessment, seen = judge("I tried to kill myself in 2010", load())
    assert assessment.tier is T2
    assert seen.borne_out(join.DONE) < T2
    assert seen.borne_out(join.DOUBTFUL) is T2


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("I want to die", T2),
        ("I do not want to be alive any more", T2),
        ("I am going to kill myself", T3),
        ("i w4nt to k1ll mys3lf", T3),
        ("gonna kms tonight", T4),
        ("overdosed. scared", T4),
        ("I took all the pills just now", T4),
        ("three days left, then I'm done living", T2),
    ],
)
def test_the_plainest_statements_need_next_to_nothing_to_bear_them_out(text: str, least: Tier) -> None:
    assessment, seen = judge(text, load())
    assert assessment.tier >= least
    assert seen.borne_out(join.DONE) >= least
