"""Do questions and advice pile up in a long talk? python tools/measure_pace.py [--model M]

Eight messages each, said by nobody, to a model through the whole app: once as the app is, and once with what keeps the
pace switched off (`tide_chat.pace`). Counts replies that end in a question after two that did, and sentences that an
earlier reply of the talk has said nearly word by word.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import pairwise
from unittest.mock import patch

from tide_chat import pace
from tide_chat.compose import sampling, spec
from tide_chat.config import Settings
from tide_chat.engine.supervisor import Supervisor
from tide_chat.events import Done
from tide_chat.registry import Registry
from tide_chat.safety.guard import Gate
from tide_chat.turn import Companion

TALKS = (
    (
        "i woke up at three again and could not get back to sleep",
        "yes, the same dream. i was back on the ward",
        "i got up and made tea, then sat in the kitchen till it was light",
        "my wife thinks i should see somebody about it",
        "i did once, years ago. he looked at his watch a lot",
        "i suppose i am afraid it would be like that again",
        "the nights are worse when i have been on shift",
        "anyway it is morning now and i have to go in",
    ),
    (
        "there were fireworks all evening and i sat in the bathroom",
        "it is the bangs. i know they are only fireworks and my body does not",
        "my daughter asked why i was on the floor",
        "i told her i dropped something",
        "i feel bad for lying to her",
        "she is nine. she drew me a picture after",
        "it has a big sun and no fireworks",
        "it is quiet outside now",
    ),
    (
        "i shouted at my brother on the phone today",
        "he said i should be over it by now",
        "it has been two years since the crash",
        "i hung up on him",
        "my hands were shaking after",
        "part of me misses how we used to be",
        "he was the one who taught me to drive",
        "maybe i will write to him",
    ),
    (
        "i cannot get anything done. the post is in a pile by the door",
        "i lie on the sofa and the day goes by",
        "it is like being behind glass",
        "i used to like cooking. now it is toast",
        "a friend left soup at the door and i did not open",
        "i ate it cold later",
        "it was good soup",
        "i have not thanked her yet",
    ),
)
SEED = 7


def talk(engine: Supervisor, said: tuple[str, ...], settings: Settings, model: str) -> list[str]:
    """The replies."""
    one = Companion(engine, country="US")
    one.sampling = replace(sampling(settings, Registry.load().resolve(model).model), seed=SEED)
    done = [event.result for text in said for event in one.reply(text) if isinstance(event, Done)]
    return [result.reply for result in done]


def counted(replies: list[str]) -> Counter[str]:
    asks = [reply.rstrip().endswith("?") for reply in replies]
    found = Counter({"replies": len(replies), "end in a question": sum(asks)})
    found["end in a question after two that did"] = sum(all(asks[i - 2 : i + 1]) for i in range(2, len(asks)))
    for i, reply in enumerate(replies):
        gate = Gate(said=replies[:i], most=99)
        gate.feed(f"{reply} \n")
        found["sentences said before"] += gate.actions.count("said_before")
    found["empty"] = sum(not reply.strip() for reply in replies)
    found["the same as the one before"] = sum(a == b for a, b in pairwise(replies))
    return found


def sides() -> Iterator[tuple[str, AbstractContextManager[object]]]:
    yield "as the app is", nullcontext()
    yield "pace switched off", patch.multiple(pace, said=lambda _: (), asked_enough=lambda _: False)


def report(name: str, made: list[list[str]], *, show: bool) -> str:
    total = sum(map(counted, made), Counter[str]())
    lines = [f"{name}: {', '.join(f'{what} {total[what]}' for what in counted(made[0]))}"]
    if show:
        lines += [f"  {reply}" for replies in made for reply in (*replies, "")]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2-135m-tide")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="Print the replies too.")
    options = parser.parse_args()
    settings = Settings(threads=options.threads, max_tokens=100)
    engine = Supervisor()
    engine.load(spec(settings, Registry.load().resolve(options.model)))
    try:
        for name, side in sides():
            with side:
                made = [talk(engine, said, settings, options.model) for said in TALKS]
            sys.stdout.write(report(name, made, show=options.show))
            sys.stdout.flush()
    finally:
        engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
