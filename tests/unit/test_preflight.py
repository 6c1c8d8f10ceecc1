"""What is said when something that set-up needs is not on the machine: run with a PATH of our own making."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ORDINARY = ("sh", "sed", "cat")


class Machine:
    """A folder that is the whole PATH."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in ORDINARY:
            found = shutil.which(name)
            assert found
            (self.bin / name).symlink_to(found)

    def add(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def python(self, name: str, version: tuple[int, int, int], *, venv: bool = True) -> None:
        """Answers the three questions of preflight.sh; its path is what sys.executable would be."""
        dotted = ".".join(map(str, version))
        self.add(
            name,
            f"""case "$2" in
            *'%d.%d.%d'*) echo {dotted} ;;
            *'sys.version_info < '*) exit {int(version < (3, 11))} ;;
            *ensurepip*) exit {int(not venv)} ;;
            *sys.executable*) echo "{self.bin / name}" ;;
            esac""",
        )

    def run(self, what: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        script = Path(__file__).resolve().parents[2] / "tools" / "preflight.sh"
        env = {"PATH": str(self.bin)} | environment
        return subprocess.run(["sh", str(script), what], env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def the_line(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line that is said, with a fix for each system."""
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1
    for system in ("Debian: sudo apt install ", "Fedora: sudo dnf ", "macOS: "):
        assert system in lines[0]
    return lines[0]


def test_no_python(machine: Machine) -> None:
    assert the_line(machine.run("python")).startswith("Python 3.11 or newer is needed, and none was found.")


def test_an_old_python_is_named(machine: Machine) -> None:
    machine.python("python3", (3, 9, 2))
    assert the_line(machine.run("python")).startswith("Python 3.11 or newer is needed, and this is 3.9.2.")


def test_a_python_without_venv(machine: Machine) -> None:
    machine.python("python3", (3, 11, 2), venv=False)
    line = the_line(machine.run("python"))
    assert line.startswith("Python 3.11.2 is here, but its venv module is not.")
    assert "sudo apt install python3.11-venv" in line


def test_a_newer_python_beside_an_old_one_is_found(machine: Machine) -> None:
    machine.python("python3", (3, 9, 2))
    machine.python("python3.12", (3, 12, 1))
    done = machine.run("python")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{machine.bin}/python3.12\n", "")


def test_a_name_that_leads_nowhere_is_passed_over(machine: Machine) -> None:
    machine.add("python3", "echo 'command not found' >&2; exit 127")
    machine.python("python3.11", (3, 11, 0))
    assert machine.run("python").stdout == f"{machine.bin}/python3.11\n"


def test_the_callers_choice_is_the_only_one_looked_at(machine: Machine) -> None:
    machine.python("python3", (3, 12, 0))
    machine.python("mine", (3, 9, 0))
    assert "this is 3.9.0" in the_line(machine.run("python", PYTHON="mine"))


def test_this_python_passes() -> None:
    script = Path(__file__).resolve().parents[2] / "tools" / "preflight.sh"
    env = os.environ | {"PYTHON": sys.executable}
    done = subprocess.run(["sh", str(script), "python"], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()).samefile(sys.executable)


def test_no_compiler(machine: Machine) -> None:
    machine.add("cmake", "echo 'cmake version 3.25.1'")
    line = the_line(machine.run("build"))
    assert line.startswith("A C and C++ compiler is needed")
    assert "build-essential" in line


def test_a_c_compiler_alone_is_not_enough(machine: Machine) -> None:
    machine.add("cmake", "echo 'cmake version 3.25.1'")
    machine.add("gcc", "exit 0")
    assert the_line(machine.run("build")).startswith("A C and C++ compiler is needed")


def test_no_cmake(machine: Machine) -> None:
    machine.add("cc", "exit 0")
    machine.add("c++", "exit 0")
    assert the_line(machine.run("build")).startswith("CMake 3.21 or newer is needed")


@pytest.mark.parametrize("version", ["2.8.12", "3.18.4", "3.20.0"])
def test_an_old_cmake_is_named(machine: Machine, version: str) -> None:
    machine.add("cc", "exit 0")
    machine.add("c++", "exit 0")
    machine.add("cmake", f"echo 'cmake version {version}'")
    assert f"and this is {version}." in the_line(machine.run("build"))


@pytest.mark.parametrize("version", ["3.21.0", "3.25.1", "4.0.3", "3.31.0-rc2"])
def test_everything_there(machine: Machine, version: str) -> None:
    machine.add("cc", "exit 0")
    machine.add("c++", "exit 0")
    machine.add("cmake", f"echo 'cmake version {version}'")
    done = machine.run("build")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_all_that_is_missing_is_said_at_once(machine: Machine) -> None:
    done = machine.run("build")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
