"""docs/cli.md says what `--help` says."""

import subprocess
import sys
from pathlib import Path

PRINT = "import cli_docs, sys; sys.stdout.write(cli_docs.page())"


def test_the_page_is_current(checkout: Path) -> None:
    """In a process of its own: click remembers the help option of a command that another test has called by itself."""
    tools = checkout / "tools"
    done = subprocess.run([sys.executable, "-c", PRINT], cwd=tools, capture_output=True, text=True, check=True)
    page = (checkout / "docs" / "cli.md").read_text(encoding="utf-8")
    assert page == done.stdout, "run: python tools/cli_docs.py"
