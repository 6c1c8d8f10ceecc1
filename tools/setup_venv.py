"""Fill .venv for one purpose: `runtime` (the app) or `dev` (the app and its developers' tools).

Standard library only, any Python >= 3.11. It knows which lock files belong to which purpose and nothing of what the
packages are for; how the engine's wheel comes to be is build_llama's business. Called by setup.sh.
"""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import build_llama
import llama_source
from progress import duration, say

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STATE = VENV / ".tide"
PYTHON = VENV / "bin" / "python"
LOCKS = ROOT / "requirements"


class SetupFailed(Exception):
    """One line for the user, or none when it has been said already."""


@contextmanager
def alone() -> Iterator[None]:
    """Two set-ups of one checkout, one after the other."""
    with (ROOT / ".setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up of this folder is going on; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def environment() -> dict[str, str]:
    """The caller's environment without what would lead pip to another place."""
    env = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX"}}
    return env | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def usable() -> bool:
    """Is there an environment here that was made at this place, by a Python that still exists?"""
    marker = STATE / "root"
    if not marker.is_file() or marker.read_text() != str(ROOT):
        return False
    check = [str(PYTHON), "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(check, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def ensure_venv() -> None:
    if usable():
        return
    say("Making .venv ...")
    shutil.rmtree(VENV, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupFailed(f"Python could not make the environment .venv: {(done.stdout + done.stderr).strip()[-300:]}")
    STATE.mkdir()
    (STATE / "root").write_text(str(ROOT))


def pip(*arguments: str | Path) -> None:
    """Runs pip quietly; its own words are shown when it fails."""
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", *map(str, arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        say(done.stdout[-3000:] + done.stderr[-3000:])
        raise SetupFailed("Installing did not work; pip's words are above. The same command goes on from here later.")


def install_locked(*names: str, dependencies: bool = True) -> None:
    files = [part for name in names for part in ("-r", LOCKS / f"{name}.txt")]
    pip("--require-hashes", *([] if dependencies else ["--no-deps"]), *files)


def install_engine(wheel: Path) -> None:
    """The wheel's folder is named after what it was built for, so its name tells whether it is the installed one."""
    marker = STATE / "engine"
    if marker.is_file() and marker.read_text() == str(wheel):
        return
    marker.unlink(missing_ok=True)
    pip("--no-deps", "--no-index", "--force-reinstall", "--no-cache-dir", wheel)
    marker.write_text(str(wheel))


def install_runtime(gpu: str) -> None:
    wanted = build_llama.plan(gpu)
    build_llama.require_tools(wanted)
    ensure_venv()
    (STATE / "runtime").unlink(missing_ok=True)
    say("Installing the app's packages ...")
    install_locked("runtime", "build")
    install_locked("embedded", dependencies=False)
    install_engine(build_llama.obtain(wanted))
    pip("--no-deps", "--no-build-isolation", "--no-index", "--editable", ROOT)


def stamp(name: str, value: str) -> None:
    (STATE / name).write_text(value + "\n")


def is_stamped(name: str, value: str) -> bool:
    path = STATE / name
    return path.is_file() and path.read_text().strip() == value


def set_up(options: argparse.Namespace) -> None:
    if not (usable() and is_stamped("runtime", options.runtime_key) and is_stamped("gpu", options.gpu)):
        install_runtime(options.gpu)
        stamp("gpu", options.gpu)
        stamp("runtime", options.runtime_key)
    if options.part == "dev" and not is_stamped("dev", options.dev_key):
        say("Installing the developers' tools ...")
        install_locked("dev", "train", "eval")
        say("Installing torch, which training and its tests need ...")
        pip("-r", LOCKS / "torch.txt")
        install_locked("encoder", "tuning", dependencies=False)
        llama_source.obtain(llama_source.FOLDER)
        stamp("dev", options.dev_key)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("runtime", "dev"))
    parser.add_argument("--gpu", default="")
    parser.add_argument("--runtime-key", required=True)
    parser.add_argument("--dev-key", required=True)
    return parser.parse_args(arguments)


def main() -> int:
    options = parse(sys.argv[1:])
    began = time.monotonic()
    try:
        with alone():
            set_up(options)
    except (SetupFailed, build_llama.BuildFailed) as error:
        if str(error):
            say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Stopped. Run the same command again to go on.")
        return 130
    say(f"Set-up is done ({duration(time.monotonic() - began)}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
