"""The history under what happens to files: crashes, damage, full disks, other processes, wrong passphrases."""

import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tide_chat.errors import (
    StoreDamaged,
    StoreError,
    StoreLocked,
    TideError,
    UsageError,
    WrongPassphrase,
)
from tide_chat.messages import Message, Role
from tide_chat.store import cipher, schema, system_keyring
from tide_chat.store.archive import Archive
from tide_chat.store.keys import Key
from tide_chat.store.vault import Vault

pytestmark = pytest.mark.usefixtures("cheap_keys")

PASSPHRASE = "four words of mine"
MARKER = "zqxwplantedvqz"

CHILD = """
import sys, time
from pathlib import Path
from tide_chat.errors import TideError
from tide_chat.messages import Conversation, Message, Role
from tide_chat.store import keys
from tide_chat.store.diary import Diary
from tide_chat.store.vault import Vault
keys.COST = 2**4
vault, passphrase = Vault(Path(sys.argv[1])), sys.argv[2]
key = vault.unlock(passphrase)
def say(*words):
    print(*words, flush=True)
"""

# A turn is a message and a reply; now and then one is taken back or a conversation is deleted.
TALK = """
archive = vault.open(key)
turn = 0
while True:
    diary, said = Diary(archive), Conversation()
    for _ in range(5):
        turn += 1
        said = said.user(f"{sys.argv[3]}-{turn} " + "words " * 200)
        diary.save(said)
        say("kept", f"{sys.argv[3]}-{turn}")
        said = said.assistant("a reply " * 200)
        diary.save(said)
    archive.delete(archive.create([Message(Role.USER, "deleted " * 500)]))
"""

CHANGE = """
for n in range(1000):
    say("try", n)
    key = vault.change_passphrase(key, f"passphrase {sys.argv[3]} {n}")
    say("done", n)
"""


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "history")


@pytest.fixture
def key(vault: Vault) -> Key:
    return vault.create(PASSPHRASE)


@contextmanager
def child(vault: Vault, script: str, *arguments: str, passphrase: str = PASSPHRASE) -> Iterator[subprocess.Popen[str]]:
    """Another process with the same history; killed at the end. It prints a line when it is where it should be."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD + script, vault.folder, passphrase, *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def user(text: str) -> Message:
    return Message(Role.USER, text)


def sound(archive: Archive) -> None:
    """SQLite's own check, SQLCipher's of each page, and that of the index."""
    assert archive.rows("PRAGMA integrity_check") == [("ok",)]
    assert archive.rows("PRAGMA cipher_integrity_check") == []
    archive.rows("INSERT INTO words (words) VALUES ('integrity-check')")
    assert archive.rows("PRAGMA foreign_key_check") == []


class TestPassphrase:
    def test_the_real_price(self, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        key = vault.create("  Zoë's blaue Stühle ")
        assert vault.unlock("  Zoe\u0308's blaue Stu\u0308hle ") == key
        began = time.process_time()
        with pytest.raises(WrongPassphrase, match="does not open"):
            vault.unlock("Zoë's blaue Stühle")
        assert time.process_time() - began > 0.1, "a guess must cost something"

    def test_too_short_is_refused_and_nothing_is_made(self, vault: Vault) -> None:
        with pytest.raises(UsageError, match="too short") as caught:
            vault.create("1234567 ")
        assert "1234567" not in str(caught.value)
        assert not vault.folder.exists()

    def test_a_wrong_one_changes_nothing(self, vault: Vault, key: Key, capfd: pytest.CaptureFixture[str]) -> None:
        before = vault.file.read_bytes()
        with pytest.raises(WrongPassphrase, match="forgotten"):
            vault.unlock("another one")
        assert vault.file.read_bytes() == before
        assert capfd.readouterr() == ("", "")
        assert "raw" not in repr(key)

    def test_two_histories_have_two_keys(self, tmp_path: Path) -> None:
        one, two = Vault(tmp_path / "1"), Vault(tmp_path / "2")
        assert one.create(PASSPHRASE) != two.create(PASSPHRASE)

    def test_change(self, vault: Vault, key: Key) -> None:
        with vault.open(key) as archive:
            number = archive.create([user(MARKER)])
        before = vault.file.read_bytes()
        new = vault.change_passphrase(key, "another one")
        after = vault.file.read_bytes()
        assert len(after) == len(before)
        pages = range(0, len(after), cipher.PAGE)
        assert not any(after[at + 16 : at + cipher.PAGE] == before[at + 16 : at + cipher.PAGE] for at in pages)
        assert vault.unlock("another one") == new
        for old in (lambda: vault.unlock(PASSPHRASE), lambda: vault.open(key)):
            with pytest.raises(WrongPassphrase):
                old()
        with vault.open(new) as archive:
            assert archive.search(MARKER)[0].conversation == number
            sound(archive)

    def test_a_change_that_is_killed_leaves_one_of_the_two(self, vault: Vault, key: Key) -> None:
        with vault.open(key) as archive:
            for n in range(60):
                archive.create([user(f"message {n} " * 200)])
        passphrase, dice = PASSPHRASE, random.Random(7)
        for round_ in range(10):
            with child(vault, CHANGE, str(round_), passphrase=passphrase) as process:
                assert line(process) == "try 0"
                time.sleep(dice.uniform(0, 0.08))
                process.kill()
                assert process.stdout
                done = process.stdout.read().count("done")
            passphrases = [f"passphrase {round_} {done}", f"passphrase {round_} {done - 1}" if done else passphrase]
            opened = [one for one in passphrases if opens(vault, one)]
            assert len(opened) == 1, passphrases
            passphrase = opened[0]
            with vault.open(vault.unlock(passphrase)) as archive:
                assert archive.count() == 60
                sound(archive)


def opens(vault: Vault, passphrase: str) -> bool:
    try:
        vault.unlock(passphrase)
    except WrongPassphrase:
        return False
    return True


class TestCrash:
    def test_no_acknowledged_turn_is_lost(self, vault: Vault, key: Key) -> None:
        """Thirty times killed at a random moment."""
        kept, dice = set(), random.Random(3)
        for round_ in range(30):
            with child(vault, TALK, str(round_)) as process:
                first = line(process)
                time.sleep(dice.uniform(0, 0.06))
                process.kill()
                assert process.stdout
                lines = [first, *process.stdout.read().split("\n")[:-1]]  # what follows the last is cut by the kill
            kept |= {one.split()[1] for one in lines if one.startswith("kept ")}
            with vault.open(key) as archive:
                sound(archive)
                messages = [kept.message for number in archive.ids() for kept in archive.messages(number)]
                there = {one.text.split()[0] for one in messages if one.role is Role.USER}
                assert kept <= there
        assert len(kept) >= 30

    def test_a_creation_that_was_killed_is_begun_anew(self, vault: Vault) -> None:
        vault.folder.mkdir()
        (vault.folder / "history.new").write_bytes(os.urandom(5000))
        (vault.folder / "history.new-wal").write_bytes(os.urandom(5000))
        with vault.open(vault.create(PASSPHRASE)) as archive:
            assert archive.count() == 0
            assert sorted(path.name for path in vault.folder.glob("history.new*")) == []


class TestTogether:
    def test_two_processes_read_and_write(self, vault: Vault, key: Key) -> None:
        script = """
archive = vault.open(key)
say("open")
for _ in range(40):
    archive.append(1, Message(Role.USER, "from the child"))
say("done", archive.summary(1).messages)
sys.stdin.read()
"""
        with vault.open(key) as archive:
            archive.create()
            with child(vault, script) as process:
                assert line(process) == "open"
                for _ in range(40):
                    archive.append(1, user("from here"))
                assert line(process).startswith("done")
            assert archive.summary(1).messages == 80
            sound(archive)

    def test_what_takes_too_long_is_said(self, vault: Vault, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cipher, "WAIT_S", 0.1)
        script = (
            "archive = vault.open(key)\narchive._connection.execute('BEGIN IMMEDIATE')\nsay('writing')\ntime.sleep(99)"
        )
        with vault.open(key) as archive, child(vault, script) as process:
            assert line(process) == "writing"
            assert archive.count() == 0, "reading goes on"
            with pytest.raises(StoreLocked, match="Another tide-chat"):
                archive.create()
            process.kill()
            process.wait()
            archive.create()

    def test_changing_and_destroying_need_to_be_alone(self, vault: Vault, key: Key) -> None:
        with child(vault, "archive = vault.open(key)\nsay('open')\ntime.sleep(99)") as process:
            assert line(process) == "open"
            for attempt in (lambda: vault.change_passphrase(key, "another one"), vault.destroy):
                with pytest.raises(StoreLocked, match="open"):
                    attempt()
            process.kill()
            process.wait()
            vault.change_passphrase(key, "another one")
            vault.destroy()
        assert not vault.folder.exists()


class TestDamage:
    @pytest.fixture
    def filled(self, vault: Vault, key: Key) -> Vault:
        with vault.open(key) as archive:
            for n in range(40):
                archive.create([user(f"message {n} " * 100)])
        return vault

    def read_all(self, vault: Vault, key: Key) -> None:
        with vault.open(key) as archive:
            for number in archive.ids():
                archive.messages(number)
            archive.search("message")

    @pytest.mark.parametrize("size", [0, 1, 10, 100, cipher.PAGE - 1])
    def test_cut_within_its_first_page(self, filled: Vault, key: Key, size: int) -> None:
        os.truncate(filled.file, size)
        for attempt in (lambda: filled.unlock(PASSPHRASE), lambda: filled.open(key)):
            with pytest.raises(StoreDamaged):
                attempt()
        assert filled.file.stat().st_size == size, "nothing was written into it"

    @pytest.mark.parametrize("pages", [1, 2.5, 10])
    def test_cut_later(self, filled: Vault, key: Key, pages: float) -> None:
        os.truncate(filled.file, int(pages * cipher.PAGE))
        with pytest.raises(StoreDamaged, match="damaged"):
            self.read_all(filled, key)

    def test_random_bytes(self, filled: Vault, key: Key) -> None:
        """Cannot be told from a history with another passphrase."""
        noise = random.Random(1).randbytes(filled.file.stat().st_size)
        filled.file.write_bytes(noise)
        with pytest.raises(WrongPassphrase, match="damaged"):
            filled.unlock(PASSPHRASE)
        assert filled.file.read_bytes() == noise

    def test_a_bit_anywhere_is_noticed_or_harmless(self, filled: Vault, key: Key) -> None:
        good, dice = filled.file.read_bytes(), random.Random(5)
        noticed = 0
        for _ in range(30):
            place = dice.randrange(len(good))
            filled.file.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            try:
                self.read_all(filled, key)
            except (StoreDamaged, WrongPassphrase):
                noticed += 1
        assert noticed >= 20

    def test_a_plain_database_is_not_taken_for_ours(self, filled: Vault, key: Key) -> None:
        filled.file.unlink()
        connection = sqlite3.connect(filled.file)
        connection.execute("CREATE TABLE t (a)")
        connection.commit()
        connection.close()
        with pytest.raises(StoreDamaged, match="not encrypted"):
            filled.unlock(PASSPHRASE)

    def test_no_history(self, vault: Vault) -> None:
        for attempt in (lambda: vault.unlock(PASSPHRASE), lambda: vault.open(Key(bytes(32)))):
            with pytest.raises(UsageError, match="No history"):
                attempt()
        vault.destroy()
        assert not vault.folder.exists()

    def test_one_that_is_there_is_never_replaced(self, filled: Vault) -> None:
        before = filled.file.read_bytes()
        with pytest.raises(UsageError, match="already"):
            filled.create("another one")
        assert filled.file.read_bytes() == before


class TestDisk:
    def test_a_full_disk(self, vault: Vault, key: Key) -> None:
        """Every file may grow to a limit, as on a full disk; what was kept stays, and reading goes on."""
        script = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))
archive = vault.open(key)
number = archive.create()
for n in range(1000):
    try:
        archive.append(number, Message(Role.USER, f"{n} " * 2000))
    except TideError as error:
        say(type(error).__name__, error.exit_code, error.message)
        break
say(n, archive.summary(number).messages)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
archive.append(number, Message(Role.USER, "room again"))
say("good")
archive.close()
"""
        assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
        with child(vault, script) as process:
            assert line(process).startswith("StoreError 1 The history could not be written or read: the disk is full")
            tried, there = line(process).split()
            assert int(tried) > 3
            assert there == tried
            assert line(process) == "good"
            process.wait()
        with vault.open(key) as archive:
            assert archive.summary(1).messages == int(tried) + 1
            sound(archive)

    def test_a_passphrase_that_cannot_be_changed_stays(self, vault: Vault, key: Key) -> None:
        with vault.open(key) as archive:
            archive.create([user("words " * 50_000)])
        script = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    vault.change_passphrase(key, "another one")
except TideError as error:
    say(type(error).__name__, error.message)
"""
        with child(vault, script) as process:
            assert line(process).startswith("StoreError")
            process.wait()
        assert vault.unlock(PASSPHRASE) == key
        with vault.open(key) as archive:
            assert archive.search("words")
            sound(archive)

    def test_a_folder_that_cannot_be_written(self, key: Key, vault: Vault) -> None:
        script = """
import os
if os.geteuid() == 0:
    os.seteuid(65534)
for attempt in (lambda: vault.open(key), lambda: vault.change_passphrase(key, "another one"), vault.destroy):
    try:
        attempt()
    except TideError as error:
        say(type(error).__name__, error.exit_code, error.message)
"""
        folder = Path(tempfile.mkdtemp())  # others may not enter pytest's folders
        try:
            shutil.copy(vault.file, folder)
            (folder / "history.db").chmod(0o444)
            folder.chmod(0o555)
            with child(Vault(folder), script) as process:
                for _ in range(3):
                    assert line(process) == "StoreError 1 The history cannot be opened for writing."
            assert [path.name for path in folder.iterdir()] == ["history.db"]
        finally:
            folder.chmod(0o755)
            shutil.rmtree(folder)


class TestPrivate:
    def everything(self, vault: Vault) -> bytes:
        return b"".join(path.read_bytes() for path in vault.folder.iterdir())

    def test_neither_words_nor_key_are_in_any_file(self, vault: Vault, key: Key) -> None:
        with vault.open(key) as archive:
            number = archive.create([user(f"so {MARKER} so")], title=MARKER)
            assert {path.name for path in vault.folder.iterdir()} > {"history.db", "history.db-wal"}
            while_open = self.everything(vault)
            archive.delete(number)
            after = self.everything(vault)
        for held in (while_open, after, self.everything(vault)):
            assert len(held) > cipher.PAGE
            for secret in (MARKER, PASSPHRASE, key.raw.hex(), "CREATE TABLE", "SQLite"):
                assert secret.encode() not in held
                assert secret.encode("utf-16-le") not in held
            assert key.raw not in held

    @pytest.mark.parametrize("how", ["delete", "retention", "rewrite"])
    def test_what_is_deleted_is_not_there_even_for_one_who_has_the_key(self, tmp_path: Path, how: str) -> None:
        """The same tables in a file without a key show what somebody with the key would see."""
        path = tmp_path / "plain.db"
        connection = cipher._bare(path, "rwc")
        for setting in cipher._SETTINGS:
            connection.execute(f"PRAGMA {setting}").fetchall()
        schema.migrate(connection, path)

        def raw() -> bytes:
            return path.read_bytes() + path.with_name("plain.db-wal").read_bytes()

        with Archive(connection, path) as archive:
            for n in range(200):
                archive.create([user(f"ordinary message {n} " * 30)])
            number = archive.create([user(f"{MARKER} " * 100), user("x " * 5000 + MARKER)], title=MARKER)
            for n in range(50):
                archive.create([user(f"later message {n}")])
            assert raw().count(MARKER.encode()) > 100
            if how == "delete":
                archive.delete(number)
            elif how == "retention":
                connection.execute("UPDATE conversation SET updated = 0 WHERE id = ?", (number,))
                assert archive.delete_older(30) == 1
            else:
                archive.rename(number, "")
                archive.rewrite(number, 0, [user("nothing")], 0)
                cipher.settle(connection)
            assert raw().count(MARKER.encode()) == 0
            size = path.stat().st_size
            for one in archive.ids():
                archive.delete(one)
            assert path.stat().st_size < size / 2, "the space is given back"

    def test_files_are_for_their_owner_only(self, vault: Vault, key: Key) -> None:
        with vault.open(key) as archive:
            archive.create([user("x")])
            assert vault.folder.stat().st_mode & 0o777 == 0o700
            modes = {path.name: path.stat().st_mode & 0o777 for path in vault.folder.iterdir()}
        assert set(modes.values()) == {0o600}, modes

    def test_destroying_takes_the_salt_first(self, vault: Vault, key: Key, tmp_path: Path) -> None:
        """A second name for the same bytes shows what is left on the disk."""
        before = vault.file.read_bytes()
        os.link(vault.file, tmp_path / "left")
        vault.destroy()
        left = (tmp_path / "left").read_bytes()
        assert left[: cipher.PAGE] != before[: cipher.PAGE]
        assert not vault.folder.exists()
        with pytest.raises(TideError):
            cipher.connect(tmp_path / "left", key)

    def test_destroying_takes_the_salt_out_of_the_log(self, vault: Vault, key: Key, tmp_path: Path) -> None:
        """A crash leaves the log behind; its copy of the first page holds the salt as well."""
        log = vault.folder / "history.db-wal"
        with vault.open(key) as archive:
            archive.create([user("x")])
            held = log.read_bytes()
        assert cipher.read_salt(vault.file) in held
        log.write_bytes(held)
        os.link(log, tmp_path / "left")
        salt = vault.file.read_bytes()[:16]
        vault.destroy()
        left = (tmp_path / "left").read_bytes()
        assert len(left) == len(held)
        assert salt not in left
        assert not vault.folder.exists()

    def test_without_sqlcipher_there_is_no_history(self, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "sqlcipher3.dbapi2", None)
        with pytest.raises(StoreError, match="always encrypted"):
            vault.create(PASSPHRASE)
        assert not vault.folder.exists()

    def test_a_start_without_history_loads_none_of_it(self) -> None:
        script = "import sys, tide_chat.cli; tide_chat.cli.main(['history', '--help']); print(sorted(sys.modules))"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert "tide_chat.commands.history" in done.stdout
        for name in ("sqlcipher3", "'keyring", "tide_chat.store", "pydantic"):
            assert name not in done.stdout


class TestKeyring:
    """No keyring of a desktop is here: these backends hold to the interface of the library."""

    @pytest.fixture
    def backend(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[tuple[str, str], str]]:
        import keyring
        from keyring.backend import KeyringBackend

        class Held(KeyringBackend):
            priority = 1.0
            held: dict[tuple[str, str], str] = {}  # noqa: RUF012

            def get_password(self, service: str, username: str) -> str | None:
                return self.held.get((service, username))

            def set_password(self, service: str, username: str, password: str) -> None:
                self.held[service, username] = password

            def delete_password(self, service: str, username: str) -> None:
                del self.held[service, username]

        before = keyring.get_keyring()
        keyring.set_keyring(Held())  # type: ignore[no-untyped-call]
        yield Held.held
        keyring.set_keyring(before)

    def test_only_keyrings_that_we_know_are_used(self, vault: Vault, key: Key, backend: dict[str, str]) -> None:
        with pytest.raises(StoreError, match="no keyring") as caught:
            system_keyring.keep(vault.file, key)
        assert __name__ in caught.value.details
        assert backend == {}

    def test_the_key_is_kept_found_and_forgotten(
        self, vault: Vault, key: Key, backend: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(system_keyring, "TRUSTED", {__name__})
        assert system_keyring.find(vault.file) is None
        system_keyring.keep(vault.file, key)
        assert PASSPHRASE not in str(backend)
        found = system_keyring.find(vault.file)
        assert found == key
        vault.open(found).close()
        system_keyring.forget(vault.file)
        system_keyring.forget(vault.file)
        assert backend == {}
        backend[system_keyring.SERVICE, str(vault.file)] = "no key"
        assert system_keyring.find(vault.file) is None
