"""llama.cpp's own converter as a program of its own, and GGUF files side by side."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy

# Arguments: the folder of the sources, then a list of [pre-tokenizer or "", arguments of the converter].
PROGRAM = """
import json, runpy, sys
source, jobs = sys.argv[1], json.loads(sys.argv[2])
sys.path.insert(0, source)
from conversion.base import TextModel
hashed = TextModel.get_vocab_base_pre
for pre, arguments in jobs:
    TextModel.get_vocab_base_pre = (lambda self, tokenizer, pre=pre: pre) if pre else hashed
    sys.argv = ["convert_hf_to_gguf.py", *arguments]
    runpy.run_path(source + "/convert_hf_to_gguf.py", run_name="__main__")
"""


@dataclass(frozen=True)
class Job:
    """pre: the pre-tokenizer's name, which llama.cpp knows by a hash over what a real vocabulary makes of a text. No
    tiny vocabulary can have that hash, so its name is handed over; "" leaves the finding to llama.cpp.
    """

    folder: Path
    out: Path
    kind: str
    pre: str = ""


def run(checkout: Path, jobs: Sequence[Job]) -> None:
    """All jobs in one process: loading the libraries costs more than converting."""
    source = Path(os.environ.get("TIDE_LLAMA_SOURCE") or checkout / ".venv" / ".tide" / "llama.cpp")
    assert (source / "convert_hf_to_gguf.py").is_file(), f"No converter in {source}: python tools/llama_source.py"
    arguments = [[job.pre, [str(job.folder), "--outfile", str(job.out), "--outtype", job.kind]] for job in jobs]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(source), json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]


@dataclass(frozen=True)
class Pair:
    """The same model by both converters."""

    ours: gguf.GGUFReader
    theirs: gguf.GGUFReader

    def differing(self) -> set[str]:
        """Keys that only one has, or that differ in type or value."""
        ours, theirs = keys(self.ours), keys(self.theirs)
        return {name for name in ours | theirs if ours.get(name) != theirs.get(name)}

    def assert_same_tensors(self) -> None:
        ours, theirs = ({tensor.name: tensor for tensor in reader.tensors} for reader in (self.ours, self.theirs))
        assert set(ours) == set(theirs)
        for name, tensor in ours.items():
            other = theirs[name]
            assert tensor.tensor_type == other.tensor_type, name
            assert tensor.shape.tolist() == other.shape.tolist(), name
            assert numpy.array_equal(tensor.data.view(numpy.uint8), other.data.view(numpy.uint8)), name


def keys(reader: gguf.GGUFReader) -> dict[str, tuple[list[str], Any]]:
    """Name to its types and value."""
    return {
        name: ([kind.name for kind in field.types], field.contents())
        for name, field in reader.fields.items()
        if not name.startswith("GGUF.")
    }
