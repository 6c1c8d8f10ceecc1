"""What is taken out of the source archive of llama-cpp-python."""

import io
import tarfile
from pathlib import Path

import build_llama
import llama_source
import pytest

TOP = "llama_cpp_python-1/vendor/llama.cpp/"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "source.tar.gz"
    names = [
        "convert_hf_to_gguf.py",
        "conversion/base.py",
        "gguf-py/gguf/vocab.py",
        "src/llama.cpp",
        "conversion/../../x",
    ]
    with tarfile.open(path, "w:gz") as out:
        for name in [*(TOP + name for name in names), "llama_cpp_python-1/conversion/x.py", "/conversion/a/b/c.py"]:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            out.addfile(info, io.BytesIO(name.encode()))
        link = tarfile.TarInfo(TOP + "conversion/link.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        out.addfile(link)
    return path


def test_only_the_converters_are_unpacked(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert llama_source.unpack(archive, out) == 3
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir())
    assert found == ["conversion/base.py", "convert_hf_to_gguf.py", "gguf-py/gguf/vocab.py"]


def test_what_is_there_is_not_fetched_again(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Path] = []

    def download(scratch: Path) -> Path:
        fetched.append(scratch)
        return archive

    monkeypatch.setattr(llama_source, "download", download)
    folder = tmp_path / "state" / "llama.cpp"
    for _ in range(2):
        assert llama_source.obtain(folder) == folder
    assert len(fetched) == 1
    assert (folder / "conversion" / "base.py").is_file()
    assert [path.name for path in folder.parent.iterdir()] == ["llama.cpp"]
    monkeypatch.setattr(build_llama, "pinned_requirement", lambda: "llama-cpp-python==99")
    llama_source.obtain(folder)
    assert len(fetched) == 2


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(build_llama.BuildFailed, match="holds something else"):
        llama_source.obtain(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
