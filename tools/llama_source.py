"""Get llama.cpp's own converters, which tests run beside ours as an external program and compare with it.

They come in the source archive of the pinned llama-cpp-python; only the converters are unpacked. Standard library only.

    python tools/llama_source.py [--to FOLDER]      prints the folder; .venv/.tide/llama.cpp unless told otherwise
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import build_llama
from progress import say

FOLDER = build_llama.TOOLS.parent / ".venv" / ".tide" / "llama.cpp"
WANTED = ("convert_hf_to_gguf.py", "convert_lora_to_gguf.py", "conversion", "gguf-py", "LICENSE")
STAMP = ".version"


def wanted(member: str) -> PurePosixPath | None:
    """Where a file of the archive goes below the folder; None when it stays in the archive."""
    parts = PurePosixPath(member).parts
    if len(parts) < 4 or parts[1:3] != ("vendor", "llama.cpp") or ".." in parts or parts[3] not in WANTED:
        return None
    return PurePosixPath(*parts[3:])


def unpack(archive: Path, folder: Path) -> int:
    """The converters' regular files; returns how many. Raises OSError, tarfile.TarError."""
    count = 0
    with tarfile.open(archive) as source:
        for member in source:
            place, file = wanted(member.name), source.extractfile(member) if member.isreg() else None
            if place is None or file is None:
                continue
            out = folder / place
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(file.read())
            count += 1
    return count


def download(scratch: Path) -> Path:
    """The archive, checked against its pinned hash.

    pip asks an archive's build system for its metadata before it hands the archive over, hence the small environment.
    """
    env = build_llama.environment(build_llama.plan("cpu"), scratch)
    make, install, wheel = build_llama.commands(scratch)
    fetch = [*wheel[: wheel.index("wheel")], "download", "--quiet", "--no-build-isolation", "--require-hashes"]
    fetch += ["--no-deps", "--no-binary", "llama-cpp-python", "-r", str(build_llama.LOCKS / "llama.txt")]
    for command in (make, install, [*fetch, "-d", str(scratch)]):
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            say(done.stdout[-3000:] + done.stderr[-3000:])
            raise build_llama.BuildFailed("The sources of llama.cpp could not be downloaded; pip's words are above.")
    return next(scratch.glob("*.tar.gz"))


def obtain(folder: Path) -> Path:
    """The folder with the converters of the pinned version: as it is, or fetched. Raises BuildFailed, OSError."""
    version, stamp = build_llama.pinned_requirement(), folder / STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == version:
        return folder
    if folder.exists() and not stamp.is_file() and any(folder.iterdir()):
        raise build_llama.BuildFailed(f"{folder} holds something else. Remove it, or name another folder with --to.")
    say("Downloading the sources of llama.cpp: tests compare our converter with its own ...")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".llama-", dir=folder.parent) as scratch:
        new = Path(scratch) / "llama.cpp"
        if not unpack(download(Path(scratch)), new):
            raise build_llama.BuildFailed("The archive of llama-cpp-python holds no converter.")
        (new / STAMP).write_text(version, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        new.replace(folder)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description="Get llama.cpp's own converters and print their folder.")
    parser.add_argument("--to", type=Path, default=FOLDER)
    options = parser.parse_args()
    try:
        print(obtain(options.to.resolve()))
    except (build_llama.BuildFailed, OSError, tarfile.TarError) as error:
        say(str(error) or "Stopped.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
