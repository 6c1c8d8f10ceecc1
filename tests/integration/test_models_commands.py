"""`tide-chat models`: what is printed where, the JSON shapes, the exit codes."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import HUB_FILE
from tests.integration.gguf_files import write_gguf
from tests.integration.hub_server import HubServer, Trouble
from tide_chat import cli, paths
from tide_chat.commands import model_views
from tide_chat.registry import download, machine

ALIAS = "qwen2.5-0.5b-q4"
MODEL_KEYS = {
    "alias",
    "title",
    "family",
    "maker",
    "quantization",
    "parameters",
    "active_parameters",
    "context",
    "context_limit",
    "size_bytes",
    "size_is_approximate",
    "memory_bytes",
    "fits_memory",
    "licence",
    "licence_conditions",
    "reasoning",
    "sampling",
    "notes",
    "repo",
    "file",
    "revision",
    "installed",
    "place",
    "path",
}


class Run:
    """`tide-chat models ...` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path, code: int = 0) -> Any:
        """What came out; parsed when --json was asked for. `code` is the exit code there must be."""
        got = cli.main(["models", *map(str, arguments)])
        self.out, self.err = self._capsys.readouterr()
        assert got == code, self.err
        return json.loads(self.out) if "--json" in arguments and self.out else self.out


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_gguf(tmp_path / "mine.gguf")


class TestList:
    def test_table(self, run: Run, embedded_model: Path) -> None:
        lines = run("list").splitlines()
        assert len(lines) == 1 + 26
        assert lines[0].split() == ["NAME", "HERE", "SIZE", "MEMORY", "STORED", "AS", "LICENCE"]
        assert lines[1].split()[:2] == ["smollm2-135m-tide", "yes"]
        assert lines[2].split()[:2] == ["smollm2-135m", "yes"]
        assert "the model that comes with the app" in run.err

    def test_json(self, run: Run, embedded_model: Path) -> None:
        found = run("list", "--json")
        assert set(found) == {"models", "best", "why"}
        assert found["best"] == "smollm2-135m-tide"
        assert len(found["models"]) == 26
        assert all(set(model) == MODEL_KEYS for model in found["models"])
        for here in [model for model in found["models"] if model["installed"]]:
            assert (here["place"], here["path"], here["size_is_approximate"]) == (
                "embedded",
                str(embedded_model),
                False,
            )

    def test_installed_only(self, run: Run, source: Path) -> None:
        run("import", source)
        found = run("list", "--installed", "--json")["models"]
        assert {model["alias"] for model in found} == {"smollm2-135m", "smollm2-135m-tide", "mine"}
        (mine,) = [model for model in found if model["alias"] == "mine"]
        assert set(mine) == MODEL_KEYS
        assert mine["licence"] is None

    def test_memory_that_is_too_much_is_marked(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "total_memory", lambda: 2_000_000_000)
        assert "too much here" in run("list")


class TestInfo:
    def test_everything(self, run: Run) -> None:
        text = run("info", "qwen2.5-3b-q5")
        for part in ("Qwen2.5 3B Instruct, by Qwen", "about 2.4 GB", "Q5_K_M", "Research", "temperature 0.7"):
            assert part in text

    def test_json(self, run: Run) -> None:
        found = run("info", "phi-3.5-mini", "--json")
        assert set(found) == MODEL_KEYS
        assert (found["alias"], found["context_limit"]) == ("phi-3.5-mini-q4", 4096)

    def test_unknown(self, run: Run) -> None:
        run("info", "phi-3.6-mini-q4", code=3)
        assert run.out == ""
        assert "phi-3.5-mini-q4" in run.err


class TestPull:
    def test_plain_lines_without_a_terminal(self, run: Run, hub_model: bytes) -> None:
        assert run("pull", ALIAS) == f"{ALIAS} is ready. Use it with: tide-chat --model {ALIAS}\n"
        assert "100% of" in run.err
        assert "\r" not in run.err
        assert "\x1b" not in run.err
        assert len(run.err.splitlines()) <= 13

    def test_json_is_one_value_and_nothing_else(self, run: Run, hub_model: bytes) -> None:
        found = run("pull", ALIAS, "--json")
        assert set(found) == MODEL_KEYS | {"already", "sha256"}
        assert (found["already"], found["installed"], found["place"]) == (False, True, "models")
        assert found["path"] == str(paths.models_dir() / HUB_FILE)
        assert run.err == ""
        assert run("pull", ALIAS, "--json")["already"]

    def test_quiet(self, run: Run, hub_model: bytes) -> None:
        run("pull", ALIAS, "-q")
        assert run.err == ""

    def test_a_failure_is_told_once_and_is_1(self, run: Run, hub_server: HubServer, hub_model: bytes) -> None:
        hub_server.troubles.append(Trouble(429, {"Retry-After": "120"}, on="hub", method="HEAD"))
        run("pull", ALIAS, "--json", code=1)
        assert run.out == ""
        assert run.err.count("in 2 minutes") == 1

    def test_a_name_that_is_none_is_3(self, run: Run, hub_server: HubServer) -> None:
        run("pull", "qwen", code=3)
        assert "Did you mean" in run.err

    def test_interrupted_is_130_and_says_what_is_kept(
        self, run: Run, hub_server: HubServer, hub_model: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(_self: object, done: int, _total: int) -> None:
            if done:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(download, "_REPORT_EVERY", 0.0)
            patch.setattr(model_views.Progress, "report", interrupt)
            run("pull", ALIAS, code=130)
        assert "is kept" in run.err
        hub_server.log.clear()
        run("pull", ALIAS)
        assert hub_server.sent()[0].range
        assert (paths.models_dir() / HUB_FILE).read_bytes() == hub_model

    def test_memory_warning(self, run: Run, hub_model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "total_memory", lambda: 100_000_000)
        run("pull", ALIAS)
        assert "of memory, and this computer has 100 MB" in run.err


class TestImport:
    def test_text(self, run: Run, source: Path) -> None:
        assert run("import", source) == "mine is ready. Use it with: tide-chat --model mine\n"
        assert run("import", source).startswith("mine is already there")

    def test_json(self, run: Run, source: Path) -> None:
        found = run("import", source, "--name", "other", "--copy", "--json")
        assert set(found) == MODEL_KEYS | {"how", "sha256", "warnings"}
        assert (found["alias"], found["how"], found["warnings"]) == ("other", "copy", [])

    def test_warnings_go_to_stderr(self, run: Run, tmp_path: Path) -> None:
        found = run("import", write_gguf(tmp_path / "bare.gguf", template=None), "--json")
        assert len(found["warnings"]) == 1
        assert "--chat-template" in run.err

    def test_not_a_model_is_3(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "x.gguf"
        path.write_text("hello")
        run("import", path, code=3)
        assert "not in GGUF format" in run.err

    def test_a_taken_name_is_2(self, run: Run, source: Path) -> None:
        run("import", source, "--name", "smollm2-135m", code=2)

    def test_copy_and_link_at_once_keep_the_last(self, run: Run, source: Path) -> None:
        assert run("import", source, "--link", "--json")["how"] == "link"


class TestVerify:
    def test_all(self, run: Run, source: Path) -> None:
        run("import", source)
        lines = run("verify").splitlines()
        assert [line.split() for line in lines] == [
            ["mine", "good"],
            ["smollm2-135m", "good"],
            ["smollm2-135m-tide", "good"],
        ]

    def test_a_changed_file_is_3(self, run: Run, source: Path) -> None:
        path = Path(run("import", source, "--copy", "--json")["path"])
        path.write_bytes(path.read_bytes()[:-1] + b"\x09")
        found = run("verify", "mine", "--json", code=3)
        assert not found["good"]
        (one,) = found["models"]
        assert set(one) == {"alias", "path", "outcome", "sha256", "expected", "problem"}
        assert one["outcome"] == "changed"
        assert "mine" in run.err

    def test_a_path_is_no_name(self, run: Run, source: Path) -> None:
        run("verify", source, code=3)
        assert "models list" in run.err

    def test_not_here_is_3(self, run: Run) -> None:
        run("verify", "qwen2.5-3b-q4", code=3)
        assert "models pull" in run.err


class TestRemove:
    def test_with_yes(self, run: Run, source: Path) -> None:
        path = Path(run("import", source, "--json")["path"])
        assert run("remove", "mine", "--yes", "--json") == {"alias": "mine", "path": str(path), "removed": True}
        assert not path.exists()
        assert source.exists()

    @pytest.mark.parametrize("extra", [(), ("--json",)])
    def test_without_a_terminal_it_needs_a_yes(self, run: Run, source: Path, extra: tuple[str, ...]) -> None:
        path = Path(run("import", source, "--json")["path"])
        run("remove", "mine", *extra, code=2)
        assert "--yes" in run.err
        assert path.exists()

    @pytest.mark.parametrize(("answer", "gone"), [("y\n", True), ("n\n", False)])
    def test_it_asks(self, run: Run, source: Path, monkeypatch: pytest.MonkeyPatch, answer: str, gone: bool) -> None:
        from io import StringIO

        path = Path(run("import", source, "--json")["path"])
        stdin = StringIO(answer)
        monkeypatch.setattr(stdin, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", stdin)
        assert ("removed" if gone else "kept") in run("remove", "mine")
        assert path.exists() is not gone

    def test_the_embedded_model_is_2(self, run: Run, embedded_model: Path) -> None:
        run("remove", "smollm2-135m", "--yes", code=2)
        assert str(embedded_model) in run.err
        assert embedded_model.exists()


class TestProgress:
    """On a terminal: one line, drawn again."""

    def test_a_terminal_gets_one_line(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(model_views, "is_terminal", lambda _stream: True)
        times = iter([0.0, 0.0, 10.0, 100.0])
        progress = model_views.Progress("Downloading", shown=True, clock=lambda: next(times))
        progress.report(0, 1_000_000_000)
        progress.report(100_000_000, 1_000_000_000)
        progress.report(1_000_000_000, 1_000_000_000)
        progress.close()
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        drawn = err.removesuffix("\n").split("\r")
        assert drawn[2] == "Downloading: 10% of 1.0 GB, 10 MB/s, 2 min left"
        assert drawn[3] == "Downloading: 100% of 1.0 GB".ljust(len(drawn[2]))

    def test_hidden(self, capsys: pytest.CaptureFixture[str]) -> None:
        progress = model_views.Progress("Downloading", shown=False)
        progress.report(1, 2)
        progress.note("words")
        progress.close()
        assert capsys.readouterr().err == ""


def test_the_program_itself(checkout: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tide_chat", "models", "list", "--json"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["best"] == "smollm2-135m-tide"


@pytest.mark.parametrize(
    ("digest", "passed", "wanted"),
    [
        ("right", True, "Verified against smollm2: passed; KL 0.0034 nats a token, same top token 97.1%."),
        ("right", False, "Verified against smollm2: did NOT pass; KL 0.0034 nats a token, same top token 97.1%."),
        ("wrong", True, "speaks of another file of that name"),
    ],
)
def test_import_shows_what_verify_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], digest: str, passed: bool, wanted: str
) -> None:
    file = write_gguf(tmp_path / "tuned.gguf")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest() if digest == "right" else "0" * 64
    entry = {"sha256": sha256, "passed": passed, "folder": "smollm2"}
    numbers = {"kl_mean": 0.0034, "top_agreement": 0.971}
    (tmp_path / "verify.json").write_text(json.dumps({"files": {file.name: {**entry, "numbers": numbers}}}))
    assert cli.main(["models", "import", str(file)]) == 0
    assert wanted in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", '{"files": {"tuned.gguf": null}}', '{"files": {}}'])
def test_import_does_not_mind_a_verify_json_that_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    file = write_gguf(tmp_path / "tuned.gguf")
    (tmp_path / "verify.json").write_text(content)
    assert cli.main(["models", "import", str(file)]) == 0
    assert "verif" not in capsys.readouterr().err.casefold()
