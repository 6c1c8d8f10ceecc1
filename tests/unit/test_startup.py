"""What a start must not load: it is looked up in a fresh interpreter after the command ran."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "textual",
    "llama_cpp",
    "pydantic",
    "huggingface_hub",
    "numpy",
    "jinja2",
    "torch",
    "transformers",
    "tide_chat.ui",
}
PROBE = """
import contextlib, io, json, sys
from {module} import main
with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
    main({arguments!r})
print(json.dumps([out.getvalue(), sorted(sys.modules)]))
"""


def _loaded_by(module: str, arguments: list[str]) -> tuple[str, set[str]]:
    probe = PROBE.format(module=module, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    said, modules = json.loads(done.stdout)
    return said, set(modules)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
@pytest.mark.parametrize("module", ["tide_chat.cli", "training.cli", "convert.cli", "training.evaluation.cli"])
def test_help_and_version_load_nothing_heavy(module: str, arguments: list[str]) -> None:
    said, modules = _loaded_by(module, arguments)
    assert said
    assert {"tide_chat", "click"} <= modules
    assert not modules & HEAVY
