"""How long the app's own screens take with a large history: the list, a search, going on, a page up. No terminal.

    python tools/bench_history.py [--conversations 10000] [--rounds 20] [--pages 400] [--json]

Each figure is what the whole process computed from a key to a screen that stands still: median and worst, in
milliseconds of processor time, so that a busy neighbour does not count; with --json also the 99th percentile where
there are enough rounds for one. A page up has a plain list of Textual's Static, filled with the same entries, as its
reference. A row that misses the goal, 100 ms, says so.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import bench_store  # noqa: E402
from textual._wait import wait_for_idle  # noqa: E402
from textual.app import App, ComposeResult  # noqa: E402
from textual.containers import VerticalScroll  # noqa: E402
from textual.content import Content  # noqa: E402
from textual.widgets import Static  # noqa: E402

from tests.ui.doubles import Doubles  # noqa: E402
from tide_chat.bench.result import percentile  # noqa: E402
from tide_chat.config import Settings  # noqa: E402
from tide_chat.store.book import Book  # noqa: E402
from tide_chat.store.vault import Vault  # noqa: E402
from tide_chat.ui.app import TideChatApp  # noqa: E402
from tide_chat.ui.history import GO_ON, entry  # noqa: E402
from tide_chat.ui.screens.history.lists import PAUSE_S  # noqa: E402
from tide_chat.ui.widgets.transcript import WINDOW  # noqa: E402

SIZE = (100, 30)  # columns, rows
REFERENCE, PAGE_UP = "a page up in a plain list", "a page up in 2,000 turns"
MADE = "behind the first screen: the list"
RULES, RULES_AGAIN = "behind it: rules read it, at first", "behind it: rules read it, again"
ASIDE = (REFERENCE, MADE, RULES, RULES_AGAIN)  # rows without a goal
ENOUGH = 100  # rounds for a 99th percentile
Costs = dict[str, list[float]]  # a round each, in milliseconds of processor time


class PlainList(App[None]):
    """What a page up costs at least: the same entries, nothing else."""

    def __init__(self, contents: list[Content]) -> None:
        super().__init__()
        self._contents = contents

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield from (Static(content, markup=False) for content in self._contents)


async def settled(app: App[Any]) -> None:
    """Until nothing is left to compute. Pilot's own pause asks every widget, which would be measured too."""
    await app.workers.wait_for_complete()
    await wait_for_idle(0)
    app.screen._on_timer_update()
    await wait_for_idle(0)


async def costs(
    app: App[Any], act: Callable[[], object], rounds: int, *, pause: float = 0.0, behind: "Behind | None" = None
) -> list[float]:
    """pause: seconds for a timer of the app. behind: what is not counted."""
    taken = []
    for _ in range(rounds):
        done, began = len(behind.taken) if behind else 0, time.process_time()
        act()
        await asyncio.sleep(pause)
        await settled(app)
        while behind and len(behind.taken) == done:  # it begins when the screen stands
            await settled(app)
        taken.append(1000 * (time.process_time() - began) - (behind.taken[-1] if behind else 0.0))
    return taken


class Behind:
    """What a function takes in its own thread, each time."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self.taken: list[float] = []

    def __call__(self) -> None:
        began = time.thread_time()
        self._work()
        self.taken.append(1000 * (time.thread_time() - began))


def making(app: TideChatApp) -> list[float]:
    """What each making ready of the list takes; all but the first have nothing to do."""
    taken, prepare = list[float](), app.prepare_list

    async def prepared() -> None:
        began = time.thread_time()
        await prepare()
        taken.append(1000 * (time.thread_time() - began))

    app.prepare_list = prepared  # type: ignore[method-assign]
    return taken


async def plain(contents: list[Content], pages: int) -> list[float]:
    """A page up where everything is a widget all the time."""
    app = PlainList(contents)
    async with app.run_test(size=SIZE):
        scroll = app.query_one(VerticalScroll)

        def page() -> None:
            if scroll.scroll_y == 0:
                scroll.scroll_end(animate=False)
            scroll.scroll_page_up(animate=False)

        await settled(app)
        return await costs(app, page, pages)


async def screens(book: Book, long: int, rounds: int, pages: int) -> Costs:
    """The app with an open history."""
    doubles = Doubles(settings=Settings(history=True, reduced_motion=True))
    doubles.book = doubles.talk.keeper = book
    looking = doubles.talk.look_back = Behind(doubles.talk.look_back)  # type: ignore[method-assign]
    app, found = TideChatApp(doubles.core), Costs()
    made = making(app)

    async def press(what: str, key: str, times: int = rounds, *, between: str = "", pause: float = 0.0) -> None:
        """What `key` costs; `between` two of them another key is pressed, which is not counted."""
        found[what] = []
        for _ in range(times):
            found[what] += await costs(app, lambda: app.simulate_key(key), 1, pause=pause)
            if between:
                app.simulate_key(between)
                await settled(app)

    async with app.run_test(size=SIZE):
        await settled(app)
        await settled(app)  # with its first screen behind, the app gets ready what comes next
        found[MADE] = [max(made)]
        await press("open the list, at first", "f11", 1, between="escape")
        await press("open the list", "f11", between="escape")
        app.simulate_key("f11")
        await settled(app)
        await press("to the end of the list", "ctrl+end", between="ctrl+home")
        await press("one row down", "down")
        await press("one page down", "pagedown")
        await press("search: a first letter typed", "a", between="backspace", pause=1.5 * PAUSE_S)
        app.simulate_key("t")
        await settled(app)
        await press("search: a second letter typed", "h", between="backspace", pause=1.5 * PAUSE_S)
        app.simulate_key("escape")
        await settled(app)

        def go_on() -> None:
            app.simulate_key("home")  # somebody chose it: without any key, the app looks for garbage meanwhile
            app.go_on_with(long)

        found["go on with 2,000 turns, at first"] = await costs(app, go_on, 1, behind=looking)
        found[RULES] = looking.taken[:]
        found["go on with 2,000 turns, again"] = await costs(app, go_on, rounds, behind=looking)
        found[RULES_AGAIN] = looking.taken[1:]
        await press(PAGE_UP, "pageup", pages)
        await press("a page down in 2,000 turns", "pagedown", pages)
    return found


@contextmanager
def large(conversations: int) -> Iterator[tuple[Book, int]]:
    """A history with so many conversations, open, and the number of one with 2,000 turns."""
    with tempfile.TemporaryDirectory(prefix="tide-chat-bench-") as folder:
        vault = Vault(Path(folder))
        with vault.open(vault.create(bench_store.PASSPHRASE)) as archive:
            long = bench_store.fill(archive, conversations, 10)
        book = Book(vault, on=True)
        book.unlock(bench_store.PASSPHRASE)
        try:
            yield book, long
        finally:
            book.close()


async def measure(conversations: int, rounds: int, pages: int) -> Costs:
    with large(conversations) as (book, long):
        archive, _ = book.opened()
        newest = archive.messages(long, first=bench_store.LONG - GO_ON, limit=GO_ON)[-WINDOW:]
        reference = await plain([entry(one.message).content() for one in newest], pages)
        found = await screens(book, long, rounds, pages)
    return {**found, REFERENCE: reference}


def figures(taken: list[float]) -> dict[str, float]:
    """In milliseconds."""
    found = {"median": statistics.median(taken), "worst": max(taken)}
    return found | {"p99": percentile(taken, 0.99)} if len(taken) >= ENOUGH else found


def missed(found: dict[str, float]) -> str:
    """What a row says of the goal."""
    if found["worst"] < bench_store.GOAL_MS:
        return ""
    return f"   misses {bench_store.GOAL_MS} ms{'' if found['median'] >= bench_store.GOAL_MS else ' at its worst'}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    taken = asyncio.run(measure(given.conversations, given.rounds, given.pages))
    found = {name: figures(one) for name, one in taken.items()}
    if given.json:
        print(json.dumps({"conversations": given.conversations, "ms": found}, indent=2))
        return 0
    print(f"{'processor time in ms':36}{'median':>9}{'worst':>9}")
    for name, one in found.items():
        print(f"{name:36}{one['median']:9.1f}{one['worst']:9.1f}{missed(one) if name not in ASIDE else ''}")
    for what in ("median", "p99") if given.pages >= ENOUGH else ("median",):
        print(f"a page up against a plain list, {what}: {found[PAGE_UP][what] / found[REFERENCE][what]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
