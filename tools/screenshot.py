"""Draws docs/screenshot.svg from the real app: the installed model answers, nothing is staged.

    python tools/screenshot.py [--seed N] [--out FILE] [--say TEXT ...]

Uses a folder of its own, so neither your settings nor your day of acceptance are touched. Opens no window.
"""

import argparse
import asyncio
import os
import re
import tempfile
from pathlib import Path

SIZE = (84, 24)  # columns, rows
SAID = ("I had an awful day at work, and nobody even noticed that I was crying in the break room.",)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Draw the README's picture from the real app.")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent / "docs" / "screenshot.svg")
    parser.add_argument("--say", nargs="+", default=SAID, help="What the user writes, a message each.")
    return parser.parse_args()


async def draw(chosen: argparse.Namespace) -> str:
    """The SVG, without the fonts that it would fetch."""
    from tide_chat.compose import AppOptions
    from tide_chat.config import Settings
    from tide_chat.ui.app import TideChatApp
    from tide_chat.ui.wiring import build

    settings = Settings(seed=chosen.seed, reduced_motion=True)
    core = build(AppOptions(settings, settings))
    app = TideChatApp(core)
    try:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            await pilot.press("enter")  # the first screen
            for text in chosen.say:
                app.chat.composer.put(text)
                await pilot.press("enter")
                await app.workers.wait_for_complete()
                await pilot.pause()
            return re.sub(r"@font-face \{.*?\}\s*", "", app.export_screenshot(title="tide-chat"), flags=re.DOTALL)
    finally:
        core.engine.close()


def main() -> None:
    chosen = arguments()
    with tempfile.TemporaryDirectory() as home:
        os.environ["TIDE_CHAT_HOME"] = home
        os.environ.pop("NO_COLOR", None)
        svg = asyncio.run(draw(chosen))
    chosen.out.write_text(svg, encoding="utf-8", newline="\n")
    print(f"{chosen.out}: {len(svg)} characters")


if __name__ == "__main__":
    main()
