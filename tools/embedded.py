"""The embedded model as a folder that transformers reads. Knows no torch."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def embedded_at(given: Path | None) -> Iterator[Path]:
    """The folder that was given, or the embedded model as one, made in another process and gone at the end."""
    if given:
        yield given
        return
    script = (
        "import sys; from convert.cli import main; from tide_chat.registry import Registry; "
        "sys.exit(main(['dequantize', str(Registry.load().require('smollm2-135m').path), '--out', sys.argv[1]]))"
    )
    with tempfile.TemporaryDirectory(prefix="embedded-") as scratch:
        folder = Path(scratch) / "base"
        ended = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False)
        if ended.returncode:
            sys.exit(ended.stderr)
        yield folder
