"""Runs the real app on scripted replies in the terminal it is started in. `busy` keeps the interface stuck for good."""

import subprocess
import sys
import time
from pathlib import Path

from tests.ui.doubles import Doubles, Gate
from tide_chat.ui.app import TideChatApp


class ChildEngine:
    """Adds a real child process to the double, so that a test can see it end."""

    def __init__(self, pid_file: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
        pid_file.write_text(str(self.process.pid))


def main() -> None:
    pid_file, mode = Path(sys.argv[1]), sys.argv[2]
    doubles = Doubles()
    child = ChildEngine(pid_file)
    doubles.engine.kill = child.process.kill  # type: ignore[method-assign]
    doubles.engine.will_say("PRIVATE WORDS. " * 3, Gate())
    app = TideChatApp(doubles.core)

    def start() -> None:
        app.chat.composer.put("SECRET MESSAGE")
        app.chat.composer._enter()
        if mode == "busy":
            app.set_timer(1.0, lambda: time.sleep(3600))

    app.call_later(start)
    app.run()


if __name__ == "__main__":
    main()
