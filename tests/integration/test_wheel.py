"""The built wheel, installed alone, works from another folder. Nothing is downloaded: what it depends on is borrowed
from the environment that runs the tests."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tide_chat import __version__


class Installed:
    """An environment that has the wheel, and a folder far from the checkout to run it in."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.bin = environment / "bin"
        self.folder = folder

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        env["TIDE_CHAT_HOME"] = str(self.folder / "home")
        program = [str(self.bin / command[0]), *command[1:]]
        return subprocess.run(program, cwd=self.folder, env=env, capture_output=True, text=True, check=False)

    def python(self, code: str) -> str:
        done = self.run("python", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def _run(*command: str | Path, cwd: Path) -> None:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _borrow_dependencies(purelib: Path) -> None:
    """Makes the tests' packages importable, behind the environment's own. A folder added like this is not read for
    .pth files, so that the checkout, which one of them names, stays out."""
    (purelib / "borrowed.pth").write_text(f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n")


@pytest.fixture(scope="module")
def installed(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    work = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", work / "dist", checkout, cwd=work)
    (wheel,) = (work / "dist").glob("tide_chat-*.whl")
    venv.create(work / "env", with_pip=False, symlinks=True)
    purelib = Path(sysconfig.get_path("purelib", vars={"base": str(work / "env")}))
    _run(
        sys.executable, "-m", "pip", "--python", work / "env" / "bin" / "python",
        "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=work,
    )  # fmt: skip
    _borrow_dependencies(purelib)
    (work / "elsewhere").mkdir()
    return Installed(work / "env", work / "elsewhere")


def test_the_code_is_the_wheels_and_not_the_checkouts(installed: Installed, checkout: Path) -> None:
    code = "import tide_chat, training, convert; print(tide_chat.__file__, training.__file__, convert.__file__)"
    for place in installed.python(code).split():
        assert Path(place).is_relative_to(installed.bin.parent)
        assert not Path(place).is_relative_to(checkout)


@pytest.mark.parametrize("name", ["tide-chat", "tide-train", "tide-convert", "tide-eval"])
def test_the_scripts_run_from_another_folder(installed: Installed, name: str) -> None:
    version = installed.run(name, "--version")
    assert (version.returncode, version.stdout) == (0, f"{name} {__version__}\n")
    assert installed.run(name, "--help").stdout.startswith(f"Usage: {name}")


def test_the_registry_travels(installed: Installed, checkout: Path) -> None:
    done = installed.run("tide-chat", "models", "list", "--json")
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)
    shipped = {path.name for path in (checkout / "models").iterdir()}
    assert shipped
    assert shipped <= set(
        installed.python("import os, tide_chat.models as m; print(*os.listdir(m.__path__[0]))").split()
    )


def test_every_file_of_the_package_travels(installed: Installed, checkout: Path) -> None:
    """Style sheets, cards, prompts and word lists: whatever lies beside the code in git."""
    tracked = subprocess.run(
        ["git", "ls-files", "tide_chat", "training", "convert"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    root = Path(installed.python("import tide_chat, pathlib; print(pathlib.Path(tide_chat.__file__).parent.parent)"))
    names = tracked.stdout.split()
    assert names
    assert [name for name in names if (checkout / name).exists() and not (root / name).exists()] == []


def test_nothing_else_travels(installed: Installed) -> None:
    own = installed.python("import tide_chat, pathlib; print(pathlib.Path(tide_chat.__file__).parent.parent)")
    folders = {path.name for path in Path(own).iterdir() if path.is_dir() and not path.name.endswith(".dist-info")}
    assert folders - {"__pycache__"} == {"tide_chat", "training", "convert"}
