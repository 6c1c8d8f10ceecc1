"""Written conversations and the course their tiers should take; `tools/check_turns.py` measures the same.

Only the tuned half is asserted. What a script marks as `known` is a miss that is reported and not asserted.
"""

from collections.abc import Iterator

import pytest
from check_turns import TUNED, Script, course, due, misses, reached, scripts

from tide_chat.safety.assessment import Tier
from tide_chat.safety.classifier import ENCODER, HEADS, Classifier
from tide_chat.safety.encoder import default_folder
from tide_chat.safety.router import Router
from training.risk.conversations import Conversation, Turn

MODELS = default_folder()
SCRIPTS = [script for script in scripts(TUNED) if not script.known]


def name(script: Script) -> str:
    return script.id


@pytest.mark.parametrize("script", [script for script in SCRIPTS if script.plain], ids=name)
def test_rules_alone_follow_plain_words(script: Script) -> None:
    assert not misses(script, course(script.turns, Router().assess))


@pytest.fixture(scope="module")
def encoder() -> Iterator[Router]:
    assert (MODELS / ENCODER).is_file(), "the encoder is shipped"
    assert (MODELS / HEADS).is_file(), "its heads are shipped"
    classifier = Classifier(MODELS, patience=30.0)
    try:
        classifier.start()
        yield Router(classifier)
    finally:
        classifier.close()


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_rules_and_encoder_never_read_too_little(script: Script, encoder: Router) -> None:
    """The encoder may raise sooner than the words ask for; how often is in `docs/safety-protocol.md`."""
    found = course(script.turns, encoder.assess)
    assert [each.tier >= least for each, (least, _) in zip(found, script.expect, strict=True)] == [True] * len(found)


def test_every_script_says_what_it_expects_of_every_turn() -> None:
    for script in scripts(TUNED):
        assert len(script.turns) == len(script.expect)
        assert all(least <= most for least, most in script.expect)


@pytest.mark.parametrize(("danger", "said"), [(1, 1), (1, 0), (0, 2), (2, None), (None, 1)])
def test_danger_in_a_conversation_is_due_and_reached_at_a_turn(danger: int | None, said: int | None) -> None:
    texts = ["i want to die" if number == said else "it rains here" for number in range(3)]
    tiers = [Tier.T2 if danger is not None and number >= danger else Tier.T0 for number in range(3)]
    talk = Conversation(
        "x", tuple(Turn(text, Tier.T0, tier, flagged=False) for text, tier in zip(texts, tiers, strict=True))
    )
    assert (due(talk), reached(talk, Router().assess)) == (danger, said)
