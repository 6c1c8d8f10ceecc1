"""docs/cli.md says what `--help` says."""

import importlib.util
from pathlib import Path


def test_the_page_is_current(checkout: Path) -> None:
    spec = importlib.util.spec_from_file_location("cli_docs", checkout / "tools" / "cli_docs.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (checkout / "docs" / "cli.md").read_text(encoding="utf-8") == module.page(), "run: python tools/cli_docs.py"
