"""Build llama-cpp-python for this machine, once, and keep the wheel.

The wheel is kept outside .venv, in a folder named after everything that decides its content (version, platform, CPU
switches, GPU), so that `make clean`, a second checkout or another Python reuse it. Standard library only. It does not
install anything for the user: setup_venv.py does.

    python tools/build_llama.py [--gpu cpu|cuda|metal]      prints the wheel's path
"""

import argparse
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cpu
from progress import Progress, duration, say

# OFF: the library's own threads (docs/decisions.md says why). The environment can say ON, to measure the difference.
OPENMP = os.environ.get("TIDE_CHAT_OPENMP", "OFF")

TOOLS = Path(__file__).resolve().parent
LOCKS = TOOLS.parent / "requirements"
GPUS = ("cpu", "cuda", "metal")
CPU_SECONDS = {"cpu": 200, "metal": 240, "cuda": 7200}
TAIL = 30

# Built by upstream by default, and never loaded by the Python bindings.
UNUSED = ("LLAVA_BUILD", *(f"LLAMA_BUILD_{part}" for part in ("TESTS", "TOOLS", "EXAMPLES", "SERVER", "APP")))
# Headers, CMake files, and copies of the libraries under names that nothing loads.
LEFT_OUT = ("/include", "/lib", "/bin", "/llama_cpp/server", "/llama_cpp/lib/*.so.*.*.*")
# A caller's compiler flags could bring AMX back (-march=native).
NOT_INHERITED = re.compile(
    r"CMAKE_ARGS|(C|CXX|CPP|LD)FLAGS|(SKBUILD|GGML|LLAMA)_.*|PYTHON(PATH|HOME)|PIP_(TARGET|PREFIX|USER)"
)


class BuildFailed(Exception):
    """One line for the user, or none when it has been said already."""


@dataclass(frozen=True)
class Plan:
    """What to build. `name` is the same exactly when the wheel would be."""

    gpu: str
    requirement: str
    settings: tuple[tuple[str, str], ...]
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "build.log"

    def wheel(self) -> Path | None:
        """The finished wheel, if it is here and whole."""
        found = sorted(self.folder.glob("*.whl"))
        return found[0] if found and zipfile.is_zipfile(found[0]) else None


def cache_folder() -> Path:
    """The platform's folder for what can be made again."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tide-chat" / "wheels"
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "tide-chat" / "wheels"


def default_gpu() -> str:
    return "metal" if sys.platform == "darwin" and platform.machine() == "arm64" else "cpu"


def settings(gpu: str) -> dict[str, str]:
    chosen = dict.fromkeys(UNUSED, "OFF") | cpu.host_switches()
    chosen |= {"GGML_OPENMP": OPENMP, "GGML_CCACHE": "OFF"}
    chosen |= {"GGML_CUDA": "ON" if gpu == "cuda" else "OFF", "GGML_METAL": "ON" if gpu == "metal" else "OFF"}
    if gpu == "cuda":
        # For the card in this machine only: a tenth of the work of building for all.
        chosen["CMAKE_CUDA_ARCHITECTURES"] = "native"
    return chosen


def pinned_requirement() -> str:
    text = (LOCKS / "llama.txt").read_text(encoding="utf-8")
    found = re.search(r"^(llama-cpp-python==\S+)", text, re.MULTILINE)
    if not found:
        raise BuildFailed("requirements/llama.txt names no version of llama-cpp-python. Get the file anew from git.")
    return found[1]


def plan(gpu: str = "") -> Plan:
    gpu = gpu or default_gpu()
    if gpu not in GPUS:
        raise BuildFailed(f"GPU must be one of {', '.join(GPUS)}, got {gpu}.")
    requirement, chosen = pinned_requirement(), settings(gpu)
    where = (sysconfig.get_platform(), *platform.libc_ver())
    trim = (TOOLS / "trim.cmake").read_text(encoding="utf-8")
    digest = hashlib.sha256(
        json.dumps([requirement, where, chosen, LEFT_OUT, trim], sort_keys=True).encode()
    ).hexdigest()
    name = "-".join((requirement.replace("==", "-"), where[0], gpu, digest[:12]))
    return Plan(gpu, requirement, tuple(chosen.items()), cache_folder() / name)


def require_tools(wanted: Plan) -> None:
    """What a build needs, checked before anything else is begun. Nothing is needed when the wheel is there."""
    if wanted.wheel():
        return
    if subprocess.run(["sh", str(TOOLS / "preflight.sh"), "build"], check=False).returncode:
        raise BuildFailed
    if wanted.gpu == "cuda" and not (shutil.which("nvcc") or os.environ.get("CUDACXX")):
        raise BuildFailed(
            "GPU=cuda needs NVIDIA's CUDA toolkit (nvcc). Debian: sudo apt install nvidia-cuda-toolkit | "
            "Fedora: sudo dnf install cuda-toolkit | macOS: use GPU=metal"
        )
    if wanted.gpu == "metal" and sys.platform != "darwin":
        raise BuildFailed("GPU=metal works on macOS only. Leave it out, or use GPU=cuda with an NVIDIA card.")


@contextmanager
def alone(wanted: Plan) -> Iterator[None]:
    """One build of one wheel at a time, over all checkouts of this user."""
    try:
        wanted.folder.mkdir(parents=True, exist_ok=True)
        lock = (wanted.folder / "lock").open("w")
    except OSError as error:
        raise BuildFailed(
            f"The folder for built wheels cannot be written ({error}). Set XDG_CACHE_HOME to one that can."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("The engine is being built by another set-up; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def environment(wanted: Plan, scratch: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not NOT_INHERITED.fullmatch(name)}
    arguments = [f"-D{name}={value}" for name, value in wanted.settings]
    arguments.append(f"-DCMAKE_PROJECT_INCLUDE={TOOLS / 'trim.cmake'}")
    return env | {
        "CMAKE_ARGS": " ".join(arguments),
        "CMAKE_BUILD_PARALLEL_LEVEL": str(cores()),
        "SKBUILD_WHEEL_EXCLUDE": ";".join(LEFT_OUT),
        "PATH": f"{scratch / 'venv' / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        # The sources unpack to several hundred megabytes: more than some machines' /tmp holds.
        "TMPDIR": str(scratch),
    }


def commands(scratch: Path) -> tuple[list[str], ...]:
    """pip's own cache is off: it would hand back a wheel that was built with other switches."""
    venv = scratch / "venv"
    pip = [str(venv / "bin" / "python"), "-m", "pip"]
    locked = ["--require-hashes", "--no-deps"]
    return (
        [sys.executable, "-m", "venv", str(venv)],
        [*pip, "install", "--quiet", *locked, "-r", str(LOCKS / "llama-build.txt")],
        [
            *pip, "wheel", "-v", "--no-cache-dir", "--no-build-isolation", *locked, "--no-binary", "llama-cpp-python",
            "-r", str(LOCKS / "llama.txt"), "-w", str(scratch),
        ],
    )  # fmt: skip


def run_logged(command: list[str], env: dict[str, str], log: Path, progress: Progress) -> None:
    last: deque[str] = deque(maxlen=TAIL)
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as child,
    ):
        assert child.stdout is not None
        for line in child.stdout:
            file.write(line)
            last.append(line)
            progress.see(line)
    if child.returncode:
        say("\n" + "".join(last))
        raise BuildFailed(f"Building the engine did not work. The last lines are above, all of them are in {log}")


def build(wanted: Plan) -> Path:
    minutes = max(1, round(CPU_SECONDS[wanted.gpu] / cores() / 60))
    say(f"Building the engine for this computer: about {minutes} min on {cores()} cores.")
    say("This happens once; the result is kept for next time.")
    wanted.log.unlink(missing_ok=True)
    for left_by_a_killed_build in wanted.folder.glob("build-*/"):
        shutil.rmtree(left_by_a_killed_build, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=wanted.folder) as scratch, Progress() as progress:
        env = environment(wanted, Path(scratch))
        for command in commands(Path(scratch)):
            run_logged(command, env, wanted.log, progress)
        made = next(Path(scratch).glob("*.whl"))
        (wanted.folder / "settings.json").write_text(
            json.dumps(dict(wanted.settings), indent=2) + "\n", encoding="utf-8"
        )
        return made.replace(wanted.folder / made.name)


def obtain(wanted: Plan) -> Path:
    """The wheel: from the folder if it is there, built otherwise."""
    ready = wanted.wheel()
    if ready:
        return ready
    with alone(wanted):
        began = time.monotonic()
        wheel = wanted.wheel() or build(wanted)
        say(f"The engine is built ({duration(time.monotonic() - began)}).")
        return wheel


def main() -> int:
    parser = argparse.ArgumentParser(description="Build llama-cpp-python for this machine and print the wheel's path.")
    parser.add_argument("--gpu", default="", help=f"one of {', '.join(GPUS)}; this machine's default when left out")
    options = parser.parse_args()
    try:
        wanted = plan(options.gpu)
        require_tools(wanted)
        print(obtain(wanted))
    except BuildFailed as error:
        if str(error):
            say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
