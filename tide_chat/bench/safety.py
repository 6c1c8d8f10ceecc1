"""The safety layer: how long a message waits for its check, how soon the encoder is there, what a sentence costs."""

import time
from collections.abc import Callable, Sequence

from tide_chat.bench.result import Measure, percentile
from tide_chat.safety import router
from tide_chat.safety.classifier import Classifier
from tide_chat.safety.encoder import default_folder
from tide_chat.safety.guard import default_screen
from tide_chat.safety.guard_encoder import GuardEncoder
from tide_chat.safety.guard_screen import Reading

ROUNDS = 60
MESSAGE = (
    "I keep thinking about the night of the fire and how the stairs were full of smoke and I could not find my "
    "brother, and now every time I hear an alarm my chest goes tight and I have to sit down on the floor of the shop "
    "until somebody comes and asks me whether I am all right, number {number}"
)  # 60 words; the number keeps anything from being remembered
SENTENCES = (
    "It makes sense that the sound of an alarm still reaches your body before you can think. ",
    "You were looking for your brother in all that smoke, and part of you is still looking. ",
    "Would you like to tell me what helps when your chest goes tight? ",
)


def check() -> list[Measure]:
    """Per message of 60 words: rules alone, and rules with the encoder warm; and the encoder's loading."""
    messages = [MESSAGE.format(number=number) for number in range(ROUNDS)]
    router.prepare()
    alone = _times(router.assess, messages)
    classifier = Classifier(default_folder(), patience=30)
    try:
        began = time.perf_counter()
        classifier.read("hello")
        loading = time.perf_counter() - began
        both = _times(router.Router(classifier).assess, messages)
    finally:
        classifier.close()
    return [
        Measure("check of a message, rules alone, p95", alone * 1e3, "ms", 2.0, "the promise", "<= 2", True),
        Measure("check of a message with the encoder, p95", both * 1e3, "ms", 15.0, "the promise", "<= 15", True),
        Measure("encoder: start of its process to first reading", loading * 1e3, "ms", 300.0, "the promise"),
    ]


def guard() -> list[Measure]:
    """Per sentence of a reply: the rules, and the encoder, which reads it alone and with the one before."""
    rules, encoder, doubts = [], [], GuardEncoder(default_folder(), patience=30)
    try:
        doubts.read("hello")
        for number in range(ROUNDS):
            reading, before = Reading(default_screen()), ""
            for sentence in (each.replace("You", f"You, {number},") for each in SENTENCES):
                began = time.perf_counter()
                reading.gravest(sentence)
                read = time.perf_counter()
                for text in (sentence, f"{before} {sentence}" if before else ""):
                    doubts.doubt(text) if text else None
                rules.append(read - began)
                encoder.append(time.perf_counter() - read)
                before = sentence
    finally:
        doubts.close()
    return [
        Measure("guard, a sentence, p95", percentile(rules, 0.95) * 1e3, "ms", 1.0, "the promise", "<= 1", True),
        Measure(
            "guard's encoder, a sentence, p95", percentile(encoder, 0.95) * 1e3, "ms", 50.0, "a token at 20 a second"
        ),
    ]


def _times(assess: Callable[[str], object], messages: Sequence[str]) -> float:
    """p95 in seconds, after a few to warm up."""
    for text in messages[:5]:
        assess(text)
    times = []
    for text in messages:
        began = time.perf_counter()
        assess(text)
        times.append(time.perf_counter() - began)
    return percentile(times, 0.95)
