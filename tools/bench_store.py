"""How long the history takes when it is large: opening, listing, searching, reading a window, keeping a turn.

    python tools/bench_store.py [--conversations 10000] [--messages 10] [--rounds 20] [--json]

Messages are made of the words of our dialogues, seeded. Each figure is the median and the worst of the rounds, in
milliseconds. Deriving the key from the passphrase is meant to be slow and stands apart. Goal: 100 ms.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tide_chat.messages import Message, Role  # noqa: E402
from tide_chat.store.archive import Archive  # noqa: E402
from tide_chat.store.keys import Key  # noqa: E402
from tide_chat.store.vault import Vault  # noqa: E402

GOAL_MS = 100
LONG = 4000  # messages: 2,000 turns
DIALOGUES = ROOT / "training" / "data_files" / "dialogues" / "dialogues.jsonl"
PASSPHRASE = "only for measuring"


def sentences() -> list[str]:
    rows = map(json.loads, DIALOGUES.read_text(encoding="utf-8").splitlines())
    return [text for row in rows for text in (row["user_input"], row["reference_response"])]


def messages(count: int, pool: list[str], dice: random.Random) -> Iterator[Message]:
    """Words of real sentences in a random order: as many different ones as people use, and no two texts alike."""
    for n in range(count):
        words = f"{dice.choice(pool)} {dice.choice(pool)}".split()
        dice.shuffle(words)
        yield Message(Role.ASSISTANT if n % 2 else Role.USER, " ".join(words[: dice.randint(8, 60)]))


def fill(archive: Archive, conversations: int, size: int) -> int:
    """Returns the number of the long conversation."""
    pool, dice = sentences(), random.Random(7)
    archive._connection.execute("PRAGMA synchronous = OFF")
    long = archive.create(tuple(messages(LONG, pool, dice)))
    for _ in range(conversations):
        archive.create(tuple(messages(dice.randint(1, 2 * size - 1), pool, dice)))
    archive._connection.execute("PRAGMA synchronous = FULL")
    return long


def timed(rounds: int, action: Callable[[], object]) -> tuple[float, float]:
    """Median and worst, in milliseconds."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken), max(taken)


def reopen(vault: Vault, key: Key) -> None:
    with vault.open(key, days=36_500) as archive:
        archive.conversations(50)


def measure(vault: Vault, key: Key, archive: Archive, long: int, rounds: int) -> dict[str, tuple[float, float]]:
    middle, total = LONG // 2, archive.count()
    said = Message(Role.USER, "something that was just said, of an ordinary length")
    actions: dict[str, Callable[[], object]] = {
        "open (key at hand) and list 50": lambda: reopen(vault, key),
        "list 50, newest": lambda: archive.conversations(50),
        "list 50, oldest": lambda: archive.conversations(50, total - 50),
        "search: a rare word": lambda: archive.search("sergeant"),
        "search: a common word": lambda: archive.search("the"),
        "search: three common words": lambda: archive.search("the night and"),
        "search: one letter": lambda: archive.search("s"),
        "search: common words, nothing found": lambda: archive.search("the you that xyzzy"),
        "search: page 20 of a common word": lambda: archive.search("you", 50, 1000),
        "read 50 in the middle of 2,000 turns": lambda: archive.messages(long, first=middle, limit=50),
        "read all of 2,000 turns": lambda: archive.messages(long),
        "keep a turn (on the disk)": lambda: archive.append(long, said),
        "delete a conversation": lambda: archive.delete(archive.create([said] * 10)),
    }
    return {name: timed(rounds, action) for name, action in actions.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=10, help="in a conversation, on average")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tide-chat-bench-") as folder:
        vault = Vault(Path(folder))
        key = vault.create(PASSPHRASE)
        with vault.open(key) as archive:
            long = fill(archive, given.conversations, given.messages)
            found = {"derive the key": timed(3, lambda: vault.unlock(PASSPHRASE))}
            found |= measure(vault, key, archive, long, given.rounds)
            held = archive.count()
        size = vault.file.stat().st_size
    if given.json:
        print(json.dumps({"conversations": held, "bytes": size, "ms": found}, indent=2))
        return 0
    print(f"{held} conversations, {size / 2**20:.0f} MiB; milliseconds, median and worst of {given.rounds}")
    for name, (median, worst) in found.items():
        print(
            f"{name:40}{median:10.1f}{worst:10.1f}{'' if median < GOAL_MS or 'derive' in name else '   over the goal'}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
