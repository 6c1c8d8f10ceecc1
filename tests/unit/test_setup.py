"""Set-up: locks, the check that makes the second run free, and the commands of the Makefile."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

LOCKS = ("runtime", "dev", "build", "llama", "llama-build", "embedded")


def lock(checkout: Path, name: str) -> str:
    return (checkout / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def pinned(text: str) -> dict[str, str]:
    return {m[1]: m[0] for m in re.finditer(r"^([a-z0-9-]+)==(?:.*\\\n)*.*$", text, re.MULTILINE)}


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash_and_no_address(checkout: Path, name: str) -> None:
    text = lock(checkout, name)
    pins = pinned(text)
    assert pins
    assert all("--hash=sha256:" in whole for whole in pins.values())
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_the_app_carries_no_training_library_and_no_online_client(checkout: Path) -> None:
    names = set().union(*(pinned(lock(checkout, name)) for name in LOCKS))
    assert not names & {"torch", "transformers", "llm", "openai"}


def test_what_is_locked_is_what_the_distribution_asks_for(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.split(r"[<>=]", line)[0] for line in project["dependencies"]}
    assert asked - {"llama-cpp-python"} <= set(pinned(lock(checkout, "runtime")))
    assert "llama-cpp-python" not in pinned(lock(checkout, "runtime"))
    engine = next(line for line in project["dependencies"] if line.startswith("llama-cpp-python"))
    assert engine in lock(checkout, "llama")
    assert project["optional-dependencies"]["embedded"][0] in lock(checkout, "embedded")


def test_developers_tools_agree_with_the_apps_versions(checkout: Path) -> None:
    version = re.compile(r"^([a-z0-9-]+)==([^ \\]+)", re.MULTILINE)
    app = dict(version.findall(lock(checkout, "runtime")))
    tools = dict(version.findall(lock(checkout, "dev")))
    shared = (set(app) & set(tools)) - {"numpy"}
    assert {name: app[name] for name in shared} == {name: tools[name] for name in shared}


class Copy:
    """A copy of what set-up reads, where the work itself is replaced by a note of how it was called."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.root = folder / "copy"
        for name in ("tools", "requirements"):
            shutil.copytree(checkout / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(checkout / "pyproject.toml", self.root)
        self.called = folder / "called"
        (self.root / "tools" / "preflight.sh").write_text(f"echo {folder / 'python'}\n")
        python = folder / "python"
        python.write_text(f'#!/bin/sh\necho "$@" > {self.called}\n')
        python.chmod(0o755)

    def run(self, part: str, **environment: str) -> list[str]:
        """How the work was called, or nothing when there was none to do."""
        self.called.unlink(missing_ok=True)
        env = {"PATH": "/usr/bin:/bin"} | environment
        subprocess.run(["sh", str(self.root / "tools" / "setup.sh"), part], env=env, check=True)
        return self.called.read_text().split() if self.called.exists() else []

    def do_the_work(self, call: list[str]) -> None:
        """What the real set-up leaves."""
        state = self.root / ".venv" / ".tide"
        (self.root / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        state.mkdir(exist_ok=True)
        (self.root / ".venv" / "bin" / "python").touch(mode=0o755)
        gpu = call[call.index("--gpu") + 1]
        (state / "gpu").write_text("" if gpu.startswith("--") else gpu)
        (state / "runtime").write_text(call[call.index("--runtime-key") + 1])
        if call[1] == "dev":
            (state / "dev").write_text(call[call.index("--dev-key") + 1])


@pytest.fixture
def copy(checkout: Path, tmp_path: Path) -> Copy:
    return Copy(checkout, tmp_path)


def test_the_second_set_up_has_nothing_to_do(copy: Copy) -> None:
    call = copy.run("runtime")
    assert call[1] == "runtime"
    copy.do_the_work(call)
    assert copy.run("runtime") == []


def test_the_apps_set_up_leaves_the_developers_tools_out(copy: Copy) -> None:
    copy.do_the_work(copy.run("runtime"))
    call = copy.run("dev")
    assert call[1] == "dev"
    copy.do_the_work(call)
    assert copy.run("dev") == copy.run("runtime") == []


@pytest.mark.parametrize(
    "name", ["requirements/runtime.txt", "requirements/llama.txt", "pyproject.toml", "tools/cpu.py"]
)
def test_a_change_of_what_is_installed_is_seen(copy: Copy, name: str) -> None:
    copy.do_the_work(copy.run("runtime"))
    with (copy.root / name).open("a") as file:
        file.write("# changed\n")
    assert copy.run("runtime")


def test_a_newer_date_alone_is_no_change(copy: Copy) -> None:
    copy.do_the_work(copy.run("runtime"))
    (copy.root / "requirements" / "runtime.txt").touch()
    assert copy.run("runtime") == []


def test_a_lost_environment_is_seen(copy: Copy) -> None:
    copy.do_the_work(copy.run("runtime"))
    (copy.root / ".venv" / "bin" / "python").unlink()
    assert copy.run("runtime")


def test_the_choice_of_gpu_is_remembered(copy: Copy) -> None:
    copy.do_the_work(copy.run("runtime"))
    call = copy.run("runtime", GPU="cuda")
    assert call[call.index("--gpu") + 1] == "cuda"
    copy.do_the_work(call)
    assert copy.run("runtime") == copy.run("runtime", GPU="cuda") == []
    assert copy.run("runtime", GPU="cpu")


def make(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_make_alone_lists_the_commands(checkout: Path) -> None:
    done = make(checkout)
    assert done.returncode == 0
    for command in ("chat", "test", "bench", "lint", "clean", "dev", "help"):
        assert re.search(rf"^  make {command} +\w", done.stdout, re.MULTILINE)


def test_chat_passes_its_arguments_and_sets_up_the_app_only(checkout: Path) -> None:
    said = make(checkout, "-n", "chat", "ARGS=--model x").stdout.splitlines()
    assert said == ["sh tools/setup.sh runtime", ".venv/bin/tide-chat --model x"]


def test_a_folder_with_a_space_is_said(checkout: Path, tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    shutil.copy(checkout / "Makefile", folder)
    done = make(folder)
    assert done.returncode == 2
    assert "has a space in it" in done.stderr


def test_clean_keeps_the_built_engine(checkout: Path) -> None:
    said = make(checkout, "-n", "clean").stdout
    assert "rm -rf .venv" in said
    assert "wheels" not in said
    assert "tide-chat/wheels" in make(checkout, "-n", "distclean").stdout
