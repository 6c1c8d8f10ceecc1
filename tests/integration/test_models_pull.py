"""Downloads, end to end: our code and the hub's library against a hub on this machine."""

import errno
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.integration.conftest import HUB_FILE, HUB_REPO
from tests.integration.hub_server import COMMIT, HubServer, Trouble
from tide_chat import paths
from tide_chat.engine.base import Cancel
from tide_chat.errors import HubError, ModelNotFound, ModelUnusable
from tide_chat.registry import Registry, Stopped, download, machine, pull, removable, remove, transfer

ALIAS = "qwen2.5-0.5b-q4"


def target() -> Path:
    return paths.models_dir() / HUB_FILE


def part() -> Path:
    parts = list((paths.models_dir() / ".downloads").glob("*.part"))
    assert len(parts) == 1
    return parts[0]


def nothing_in_place() -> bool:
    return not list(paths.models_dir().glob("*.gguf*"))


def cut_for_good(hub_server: HubServer) -> None:
    """100 kB arrive, then nothing in any further attempt of this pull."""
    hub_server.troubles += [Trouble(cut_after=100_000), *[Trouble(cut_after=0)] * len(transfer.RETRY_WAITS)]


class TestHappyPath:
    def test_the_file_is_put_in_place_with_its_sidecar(self, hub_server: HubServer, hub_model: bytes) -> None:
        pulled = pull(ALIAS)
        assert not pulled.already
        assert pulled.installed.path == target()
        assert target().read_bytes() == hub_model
        beside = json.loads(target().with_name(HUB_FILE + ".json").read_text())
        assert beside["repo"] == HUB_REPO
        assert beside["revision"] == COMMIT
        assert beside["size"] == len(hub_model)
        assert beside["sha256"] == next(iter(hub_server.stored))
        assert not list((paths.models_dir() / ".downloads").iterdir())

    def test_it_is_found_and_used_afterwards(self, hub_model: bytes) -> None:
        pull(ALIAS)
        assert Registry.load().resolve(ALIAS).path == target()
        assert Registry.load().resolve("qwen2.5-0.5b").alias == ALIAS

    def test_only_what_is_needed_is_asked(self, hub_server: HubServer, hub_model: bytes) -> None:
        pull(ALIAS)
        asked = [(request.server, request.method) for request in hub_server.log]
        assert asked == [("hub", "HEAD"), ("hub", "GET"), ("store", "GET")]
        assert {request.user_agent.partition("/")[0] for request in hub_server.log} == {"tide-chat"}
        assert all(";" not in request.user_agent for request in hub_server.log)
        assert f"/resolve/{COMMIT}/" in hub_server.log[1].path

    def test_the_token_goes_to_the_hub_and_not_to_the_store(
        self, hub_server: HubServer, hub_model: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        pull(ALIAS)
        tokens = {request.server: request.authorization for request in hub_server.log}
        assert tokens == {"hub": "Bearer hf_secret", "store": None}

    def test_progress_begins_at_nothing_and_ends_at_everything(self, hub_model: bytes) -> None:
        reports: list[tuple[int, int]] = []
        pull(ALIAS, lambda done, total: reports.append((done, total)))
        assert reports[0] == (0, len(hub_model))
        assert reports[-1] == (len(hub_model), len(hub_model))
        assert reports == sorted(reports)

    def test_a_second_pull_asks_nothing(self, hub_server: HubServer, hub_model: bytes) -> None:
        pull(ALIAS)
        hub_server.log.clear()
        assert pull(ALIAS).already
        assert hub_server.log == []

    def test_a_cut_off_file_in_place_is_pulled_again(self, hub_model: bytes) -> None:
        target().parent.mkdir(parents=True)
        target().write_bytes(hub_model[:5000])
        assert not pull(ALIAS).already
        assert target().read_bytes() == hub_model

    def test_nothing_is_written_outside_the_models_folder(
        self, hub_model: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = tmp_path / "home"
        home.mkdir()
        monkeypatch.setenv("TIDE_CHAT_HOME", str(home))
        hub_home = Path(os.environ["HF_HOME"])
        pull(ALIAS)
        assert [path.name for path in home.iterdir()] == ["models"]
        assert list(hub_home.iterdir()) == []


class TestResume:
    def test_a_cut_is_mended_within_one_pull(self, hub_server: HubServer, hub_model: bytes) -> None:
        hub_server.troubles.append(Trouble(cut_after=150_000))
        pull(ALIAS)
        first, second = hub_server.sent()
        assert first.range is None
        assert second.range == f"bytes={first.sent}-"
        assert first.sent + second.sent == len(hub_model)
        assert target().read_bytes() == hub_model

    def test_a_later_pull_gets_only_the_rest(self, hub_server: HubServer, hub_model: bytes) -> None:
        cut_for_good(hub_server)
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert "kept" in caught.value.help
        assert nothing_in_place()
        have = part().stat().st_size
        assert have == 100_000
        hub_server.log.clear()
        pull(ALIAS)
        (rest,) = hub_server.sent()
        assert rest.range == f"bytes={have}-"
        assert rest.sent == len(hub_model) - have
        assert target().read_bytes() == hub_model

    def test_progress_goes_on_from_what_is_there(self, hub_server: HubServer, hub_model: bytes) -> None:
        cut_for_good(hub_server)
        with pytest.raises(HubError):
            pull(ALIAS)
        reports: list[int] = []
        pull(ALIAS, lambda done, _total: reports.append(done))
        assert reports[0] == 100_000

    def test_many_cuts_are_mended_as_long_as_bytes_arrive(self, hub_server: HubServer, hub_model: bytes) -> None:
        hub_server.troubles += [Trouble(cut_after=20_000)] * 10
        pull(ALIAS)
        assert sum(request.sent for request in hub_server.sent()) == len(hub_model)
        assert target().read_bytes() == hub_model

    def test_a_connection_that_falls_silent_is_made_anew(
        self, hub_server: HubServer, hub_model: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transfer, "STALL_TIMEOUT", 0.3)
        hub_server.troubles.append(Trouble(cut_after=100_000, stall=True))
        pull(ALIAS)
        assert [request.range for request in hub_server.sent()] == [None, "bytes=100000-"]
        assert target().read_bytes() == hub_model

    def test_a_hub_that_ignores_range_sends_all_again(self, hub_server: HubServer, hub_model: bytes) -> None:
        hub_server.ignore_range = True
        hub_server.troubles.append(Trouble(cut_after=150_000))
        pull(ALIAS)
        assert hub_server.sent()[1].sent == len(hub_model)
        assert target().read_bytes() == hub_model

    def test_a_file_that_changed_on_the_hub_is_not_mixed_with_the_old(
        self, hub_server: HubServer, hub_model: bytes
    ) -> None:
        cut_for_good(hub_server)
        with pytest.raises(HubError):
            pull(ALIAS)
        changed = hub_model[:-4] + b"\x07\x07\x07\x07"
        hub_server.add(HUB_REPO, HUB_FILE, changed)
        hub_server.log.clear()
        pull(ALIAS)
        assert hub_server.sent()[0].range is None
        assert target().read_bytes() == changed
        assert not list((paths.models_dir() / ".downloads").iterdir())

    def test_a_partial_file_that_is_too_long_is_begun_again(self, hub_server: HubServer, hub_model: bytes) -> None:
        cut_for_good(hub_server)
        with pytest.raises(HubError):
            pull(ALIAS)
        part().write_bytes(bytes(len(hub_model) + 1))
        pull(ALIAS)
        assert target().read_bytes() == hub_model

    def test_a_complete_partial_file_needs_no_download(self, hub_server: HubServer, hub_model: bytes) -> None:
        cut_for_good(hub_server)
        with pytest.raises(HubError):
            pull(ALIAS)
        part().write_bytes(hub_model)
        hub_server.log.clear()
        pull(ALIAS)
        assert hub_server.sent() == []
        assert target().read_bytes() == hub_model


class TestStopping:
    def test_stop_in_mid_download_and_go_on(
        self, hub_server: HubServer, hub_model: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cancel = Cancel()

        def stop_after_some(done: int, _total: int) -> None:
            if done:
                cancel.set()

        monkeypatch.setattr(download, "_REPORT_EVERY", 0.0)
        with pytest.raises(Stopped) as caught:
            pull(ALIAS, stop_after_some, cancel)
        assert "kept" in caught.value.help
        have = part().stat().st_size
        assert 0 < have < len(hub_model)
        hub_server.log.clear()
        pull(ALIAS)
        assert hub_server.sent()[0].range == f"bytes={have}-"
        assert target().read_bytes() == hub_model

    def test_stopped_before_it_began(self, hub_server: HubServer, hub_model: bytes) -> None:
        cancel = Cancel()
        cancel.set()
        with pytest.raises(Stopped):
            pull(ALIAS, cancel=cancel)
        assert hub_server.log == []

    def test_stop_while_waiting_for_the_next_attempt(
        self, hub_server: HubServer, hub_model: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transfer, "RETRY_WAITS", (3600.0,))
        hub_server.troubles.append(Trouble(500, on="hub", method="HEAD"))
        cancel = Cancel()
        waits: list[float] = []

        class StopOnWait:
            def is_set(self) -> bool:
                return cancel.is_set()

            def wait(self, timeout: float) -> bool:
                waits.append(timeout)
                cancel.set()
                return True

        with pytest.raises(Stopped):
            pull(ALIAS, cancel=StopOnWait())
        assert waits == [3600.0]

    def test_two_downloads_of_one_file_do_not_meet(self, hub_server: HubServer, hub_model: bytes) -> None:
        seen: list[HubError] = []

        def second(_done: int, _total: int) -> None:
            if not seen:
                with pytest.raises(HubError, match="already") as caught:
                    pull(ALIAS)
                seen.append(caught.value)

        pull(ALIAS, second)
        assert len(seen) == 1
        assert target().read_bytes() == hub_model


def test_a_download_that_is_not_wanted_any_more_can_be_removed(hub_server: HubServer, hub_model: bytes) -> None:
    cut_for_good(hub_server)
    with pytest.raises(HubError):
        pull(ALIAS)
    remove(removable(ALIAS, Registry.load()))
    assert not list((paths.models_dir() / ".downloads").iterdir())
    with pytest.raises(ModelNotFound):
        removable(ALIAS, Registry.load())


class TestWrongAnswers:
    def test_wrong_bytes_are_deleted_and_a_retry_works(self, hub_server: HubServer, hub_model: bytes) -> None:
        digest = next(iter(hub_server.stored))
        hub_server.stored[digest] = bytes(len(hub_model))
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert "deleted" in caught.value.message
        assert digest in caught.value.details
        assert nothing_in_place()
        assert not list((paths.models_dir() / ".downloads").glob("*.part"))
        hub_server.stored[digest] = hub_model
        pull(ALIAS)
        assert target().read_bytes() == hub_model

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_gated_model_says_how_to_get_access(self, hub_server: HubServer, hub_model: bytes, status: int) -> None:
        hub_server.troubles.append(Trouble(status, {"X-Error-Code": "GatedRepo"}, on="hub", method="HEAD"))
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert "licence" in caught.value.message
        assert f"{hub_server.endpoint}/{HUB_REPO}" in caught.value.details
        assert "HF_TOKEN" in caught.value.help

    @pytest.mark.parametrize("status", [401, 403])
    def test_no_access_without_a_reason(self, hub_server: HubServer, hub_model: bytes, status: int) -> None:
        hub_server.troubles.append(Trouble(status, on="hub", method="HEAD"))
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert "HF_TOKEN" in caught.value.help

    def test_with_a_token_the_account_is_named(
        self, hub_server: HubServer, hub_model: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        hub_server.troubles.append(Trouble(403, {"X-Error-Code": "GatedRepo"}, on="hub", method="HEAD"))
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert "same account" in caught.value.help
        assert "hf_secret" not in str(caught.value)

    def test_a_repository_that_is_gone(self, hub_server: HubServer) -> None:
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert HUB_FILE in caught.value.message
        assert HUB_REPO in caught.value.details

    def test_a_file_that_is_gone(self, hub_server: HubServer) -> None:
        hub_server.add(HUB_REPO, "another.gguf", b"x")
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert "models import" in caught.value.help

    @pytest.mark.parametrize(
        ("headers", "said"),
        [
            ({"Retry-After": "42"}, "in 42 seconds"),
            ({"Retry-After": "600"}, "in 10 minutes"),
            ({"Retry-After": "36000"}, "in 10 hours"),
            ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, "in 1 seconds"),
            ({"RateLimit": '"api";r=0;t=55'}, "in 55 seconds"),
            ({}, "in some minutes"),
        ],
    )
    @pytest.mark.parametrize(("on", "method"), [("hub", "HEAD"), ("store", "GET")])
    def test_asked_to_wait_it_says_when_and_does_not_try_again(
        self, hub_server: HubServer, hub_model: bytes, headers: dict[str, str], said: str, on: str, method: str
    ) -> None:
        hub_server.troubles.append(Trouble(429, headers, on=on, method=method))
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert said in caught.value.help
        assert len([request for request in hub_server.log if (request.server, request.method) == (on, method)]) == 1

    def test_a_short_fault_of_the_hub_is_sat_out(self, hub_server: HubServer, hub_model: bytes) -> None:
        hub_server.troubles += [Trouble(500, on="hub", method="HEAD"), Trouble(503, on="store")]
        notes: list[str] = []
        pull(ALIAS, on_note=notes.append)
        assert notes[:2] == ["The hub has a problem of its own. Trying again."] * 2
        assert target().read_bytes() == hub_model

    def test_attempts_are_bounded(self, hub_server: HubServer, hub_model: bytes) -> None:
        hub_server.troubles += [Trouble(500, on="hub", method="HEAD")] * 9
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert "500" in caught.value.details
        assert len(hub_server.log) == 1 + len(transfer.RETRY_WAITS)

    def test_no_checksum_no_download(self, hub_server: HubServer, hub_model: bytes) -> None:
        hub_server.etag = "0123456789abcdef"
        with pytest.raises(HubError, match="checksum"):
            pull(ALIAS)
        assert hub_server.sent() == []

    def test_a_file_that_is_no_model_is_not_kept(self, hub_server: HubServer) -> None:
        hub_server.add(HUB_REPO, HUB_FILE, b"version https://example.invalid/spec/v1\n" * 10)
        with pytest.raises(ModelUnusable):
            pull(ALIAS)
        assert nothing_in_place()
        assert not list((paths.models_dir() / ".downloads").glob("*.part"))

    def test_no_network(self, hub_server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
            with pytest.raises(HubError) as caught:
                pull(ALIAS)
        assert "reached" in caught.value.message
        assert "network" in caught.value.help

    def test_offline_by_choice(self, hub_server: HubServer, hub_model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert "HF_HUB_OFFLINE" in caught.value.help
        assert hub_server.log == []

    def test_an_unknown_alias_asks_nobody(self, hub_server: HubServer) -> None:
        with pytest.raises(ModelNotFound) as caught:
            pull("qwen2.5-15b-q4")
        assert "qwen2.5-1.5b-q4" in caught.value.help
        assert hub_server.log == []


class TestRoom:
    def test_too_little_disk_is_said_before_anything_is_sent(
        self, hub_server: HubServer, hub_model: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = SimpleNamespace(total=10**9, used=10**9, free=len(hub_model))
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert "room" in caught.value.message
        assert hub_server.sent() == []

    def test_what_is_there_already_counts(
        self, hub_server: HubServer, hub_model: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cut_for_good(hub_server)
        with pytest.raises(HubError):
            pull(ALIAS)
        usage = SimpleNamespace(total=10**9, used=10**9, free=int(len(hub_model) * 1.05) - 100_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
        assert pull(ALIAS).installed.path == target()

    def test_a_disk_that_fills_up_keeps_what_came(
        self, hub_server: HubServer, hub_model: bytes, tmp_path: Path
    ) -> None:
        """A real refusal by the system to write on, in a process of its own; then the rest is fetched."""
        done = _pull_in_child(limit=200_000)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["message"] == "The disk is full."
        assert "kept" in json.loads(done.stdout)["help"]
        have = part().stat().st_size
        assert 0 < have <= 200_000
        assert nothing_in_place()
        hub_server.log.clear()
        pull(ALIAS)
        assert hub_server.sent()[0].range == f"bytes={have}-"
        assert target().read_bytes() == hub_model

    def test_little_memory_is_a_warning_only(self, hub_model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "total_memory", lambda: 100_000_000)
        notes: list[str] = []
        pull(ALIAS, on_note=notes.append)
        assert any("memory" in note and "100 MB" in note for note in notes)
        assert target().exists()

    def test_a_folder_that_cannot_be_written(self, hub_server: HubServer, hub_model: bytes) -> None:
        paths.models_dir().parent.mkdir(parents=True, exist_ok=True)
        paths.models_dir().write_text("a file where the folder should be")
        with pytest.raises(HubError) as caught:
            pull(ALIAS)
        assert "TIDE_CHAT_HOME" in caught.value.help


def _pull_in_child(limit: int) -> "subprocess.CompletedProcess[str]":
    code = f"""
        import json
        from tide_chat.errors import HubError
        from tide_chat.registry import pull
        try:
            pull({ALIAS!r})
        except HubError as error:
            print(json.dumps({{"message": error.message, "help": error.help}}))
    """

    def limit_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    env: dict[str, Any] = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=limit_files,
    )


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_every_way_a_disk_is_full_reads_the_same(code: int, tmp_path: Path) -> None:
    assert transfer.disk_error(OSError(code, os.strerror(code)), tmp_path).message == "The disk is full."
