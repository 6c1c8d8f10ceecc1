"""The engine's wheel: built once for one machine, reused, never half there. The compiler is a small script here."""

import shutil
import sys
import threading
import zipfile
from pathlib import Path

import build_llama
import pytest
from build_llama import BuildFailed, Plan

MAKE_WHEEL = """
import os, pathlib, sys, zipfile
scratch, count = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
with count.open("a") as file:
    file.write("built ")
for step in range(1, 4):
    print(f"[{step}/3] compiling")
with zipfile.ZipFile(scratch / "llama_cpp_python-0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("llama_cpp/__init__.py", "")
"""
FAIL = "print('\\n'.join(f'line {n}' for n in range(100))); raise SystemExit(1)"


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "tide-chat" / "wheels"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Replaces the build by one that leaves a wheel and counts."""
    count = tmp_path / "count"
    monkeypatch.setattr(
        build_llama, "commands", lambda scratch: ([sys.executable, "-c", MAKE_WHEEL, str(scratch), str(count)],)
    )
    return count


def test_the_folder_is_named_after_what_decides_the_content(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_llama.plan("cpu")
    assert first == build_llama.plan("cpu")
    assert first.folder.parent == cache
    assert first.folder.name.startswith("llama-cpp-python-0.3.36-")
    other_gpu = build_llama.plan("cuda")
    monkeypatch.setattr("cpu.host_switches", lambda: {"GGML_NATIVE": "OFF"})
    other_cpu = build_llama.plan("cpu")
    assert len({first.folder, other_gpu.folder, other_cpu.folder}) == 3


def test_the_caches_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert build_llama.cache_folder() == tmp_path / ".cache" / "tide-chat" / "wheels"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert build_llama.cache_folder() == tmp_path / "Library" / "Caches" / "tide-chat" / "wheels"


def test_what_is_asked_of_cmake(cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CFLAGS", "-march=native")
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_NATIVE=ON")
    monkeypatch.setenv("GGML_NATIVE", "ON")
    env = build_llama.environment(build_llama.plan("cuda"), tmp_path)
    assert not {"CFLAGS", "GGML_NATIVE"} & set(env)
    arguments = env["CMAKE_ARGS"].split()
    assert "-DGGML_NATIVE=ON" not in arguments
    for wanted in (
        "GGML_AMX_TILE=OFF",
        "GGML_AMX_INT8=OFF",
        "GGML_CUDA=ON",
        "LLAVA_BUILD=OFF",
        "LLAMA_BUILD_TOOLS=OFF",
    ):
        assert f"-D{wanted}" in arguments
    trim = next(a.partition("=")[2] for a in arguments if a.startswith("-DCMAKE_PROJECT_INCLUDE="))
    assert "set(LLAMA_BUILD_COMMON OFF)" in Path(trim).read_text(encoding="utf-8")


def test_the_archive_is_checked_and_pips_cache_is_not_used(tmp_path: Path) -> None:
    make = build_llama.commands(tmp_path)[-1]
    assert {"--require-hashes", "--no-cache-dir", "--no-build-isolation", "--no-deps"} <= set(make)


def test_it_is_built_once_and_reused(cache: Path, counted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = build_llama.plan("cpu")
    wheel = build_llama.obtain(wanted)
    assert zipfile.is_zipfile(wheel)
    assert wheel.parent == wanted.folder
    assert "about " in capsys.readouterr().err
    assert build_llama.obtain(wanted) == wheel
    assert capsys.readouterr().err == ""
    assert counted.read_text() == "built "
    assert "[3/3] compiling" in wanted.log.read_text()
    assert not list(wanted.folder.glob("build-*/"))


def test_a_damaged_wheel_and_what_a_killed_build_left_are_replaced(cache: Path, counted: Path) -> None:
    wanted = build_llama.plan("cpu")
    wheel = build_llama.obtain(wanted)
    wheel.write_bytes(wheel.read_bytes()[:40])
    (wanted.folder / "build-dead").mkdir()
    assert wanted.wheel() is None
    assert zipfile.is_zipfile(build_llama.obtain(wanted))
    assert counted.read_text() == "built built "
    assert not (wanted.folder / "build-dead").exists()


def test_two_at_once_build_once(cache: Path, counted: Path) -> None:
    wanted = build_llama.plan("cpu")
    made: list[Path] = []
    threads = [threading.Thread(target=lambda: made.append(build_llama.obtain(wanted))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted.read_text() == "built "
    assert len(made) == 3
    assert len(set(made)) == 1


def test_a_failed_build_shows_its_end_and_where_the_rest_is(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build_llama, "commands", lambda _: ([sys.executable, "-c", FAIL],))
    wanted = build_llama.plan("cpu")
    with pytest.raises(BuildFailed) as caught:
        build_llama.obtain(wanted)
    assert str(wanted.log) in str(caught.value)
    assert "\n" not in str(caught.value)
    shown = capsys.readouterr().err.splitlines()
    assert [line for line in shown if line.startswith("line ")] == [f"line {n}" for n in range(70, 100)]
    assert "line 0\n" in wanted.log.read_text()
    assert wanted.wheel() is None


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    wanted = Plan("cpu", "llama-cpp-python==0", (), blocked / "wheels")
    with pytest.raises(BuildFailed, match="cannot be written"):
        build_llama.obtain(wanted)


def test_an_unknown_gpu_is_refused() -> None:
    with pytest.raises(BuildFailed, match="GPU must be one of cpu, cuda, metal, got rocm"):
        build_llama.plan("rocm")


def test_cuda_without_its_toolkit_is_said_before_anything_is_built(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.delenv("CUDACXX", raising=False)
    with pytest.raises(BuildFailed, match="nvcc"):
        build_llama.require_tools(build_llama.plan("cuda"))


def test_no_tools_are_needed_when_the_wheel_is_there(
    cache: Path, counted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = build_llama.plan("cpu")
    build_llama.obtain(wanted)
    monkeypatch.setenv("PATH", "")
    build_llama.require_tools(wanted)
    assert wanted.wheel() is not None


def test_a_missing_compiler_is_said_once(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shell = shutil.which("sh")
    assert shell
    (tmp_path / "sh").symlink_to(shell)
    (tmp_path / "cmake").write_text("#!/bin/sh\necho 'cmake version 3.25.1'\n")
    (tmp_path / "cmake").chmod(0o755)
    (tmp_path / "sed").symlink_to(shutil.which("sed") or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["build_llama.py"])
    assert build_llama.main() == 1
    assert capfd.readouterr().err.count("\n") == 1
