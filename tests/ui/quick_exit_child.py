"""Runs the real app on scripted replies in the terminal it is started in, with a history that is open.

`busy` keeps the interface stuck for good.
"""

import subprocess
import sys
import time
from pathlib import Path

from tests.ui.doubles import Doubles, Gate
from tests.ui.history_driving import PASSPHRASE, kept_history
from tide_chat.store import keys
from tide_chat.ui import unsent
from tide_chat.ui.app import TideChatApp


class ChildEngine:
    """Adds a real child process to the double, so that a test can see it end."""

    def __init__(self, pid_file: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
        pid_file.write_text(str(self.process.pid))


def main() -> None:
    pid_file, mode = Path(sys.argv[1]), sys.argv[2]
    keys.COST = 2**4  # costs no time
    unsent.WAIT = 3600.0  # nothing is written before it leaves
    doubles = Doubles()
    kept_history(doubles, pid_file.parent / "history")
    doubles.book.unlock(PASSPHRASE)
    child = ChildEngine(pid_file)
    doubles.engine.kill = child.process.kill  # type: ignore[method-assign]
    doubles.engine.will_say("PRIVATE WORDS. " * 3, Gate())
    app = TideChatApp(doubles.core)

    def start() -> None:
        app.chat.composer.put("SECRET MESSAGE")
        app.chat.composer._enter()
        app.set_timer(0.2, lambda: app.chat.composer.put("HALF A WORD"))
        if mode == "busy":
            app.set_timer(1.0, lambda: time.sleep(3600))

    app.call_later(start)
    app.run()


if __name__ == "__main__":
    main()
