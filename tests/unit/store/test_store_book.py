"""The history of one run of a front end: what is kept in each state, and that giving up leaves nothing open."""

import time
from collections.abc import Iterator

import pytest

from tests.unit.store.conftest import PASSPHRASE
from tide_chat.errors import StoreError, WrongPassphrase
from tide_chat.messages import Conversation
from tide_chat.store import system_keyring
from tide_chat.store.book import Book, State
from tide_chat.store.diary import Diary
from tide_chat.store.keys import Key
from tide_chat.store.vault import Vault

pytestmark = pytest.mark.usefixtures("cheap_keys")

BEFORE = Conversation().user("said before").assistant("answered before")


@pytest.fixture
def book(vault: Vault) -> Iterator[Book]:
    """Locked."""
    vault.create(PASSPHRASE)
    made = Book(vault, on=True)
    yield made
    made.close()


def texts(book: Book) -> list[str]:
    assert book.archive
    assert book.open_id is not None
    return [one.message.text for one in book.archive.messages(book.open_id)]


def test_off_makes_nothing(vault: Vault) -> None:
    book = Book(vault)
    book.save(BEFORE)
    book.leave()
    book.close()
    assert book.state is State.OFF
    assert not vault.folder.exists()


def test_turned_on_but_not_there_is_off(vault: Vault) -> None:
    assert Book(vault, on=True).state is State.OFF


def test_a_wrong_passphrase_leaves_it_locked(book: Book) -> None:
    with pytest.raises(WrongPassphrase):
        book.unlock("not this one")
    assert book.state is State.LOCKED
    with pytest.raises(StoreError, match="not open"):
        book.opened()


def test_what_was_said_before_it_was_opened_is_not_kept_nor_what_answers_it(book: Book) -> None:
    said = Conversation().user("said before")
    book.save(said)
    assert book.unlock(PASSPHRASE)
    said = said.assistant("repeats what was said before")
    book.save(said)
    assert book.open_id is None
    assert not book.holds(said)
    said = said.user("after").assistant("kept")
    book.save(said)
    assert texts(book) == ["after", "kept"]
    assert not book.holds(said)


def test_a_message_that_is_edited_after_it_was_opened_is_kept(book: Book) -> None:
    book.save(BEFORE)
    book.unlock(PASSPHRASE)
    book.save(Conversation().user("said anew"))
    assert texts(book) == ["said anew"]


def test_a_new_conversation_is_kept_whole(book: Book) -> None:
    book.save(BEFORE)
    book.leave()
    book.unlock(PASSPHRASE)
    book.save(BEFORE)
    assert book.holds(BEFORE)
    assert len(texts(book)) == 2


def test_closed_and_opened_again_keeps_nothing_twice(book: Book) -> None:
    book.unlock(PASSPHRASE)
    book.save(BEFORE)
    book.close()
    assert book.state is State.LOCKED
    book.unlock(PASSPHRASE)
    book.save(BEFORE.user("later"))
    assert book.archive
    assert book.archive.count() == 2
    assert texts(book) == ["later"]


def test_giving_up_while_the_key_is_made_opens_nothing(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    unlock = book.vault.unlock

    def slow(passphrase: str) -> Key:
        book.stop_opening()
        return unlock(passphrase)

    monkeypatch.setattr(book.vault, "unlock", slow)
    assert book.unlock(PASSPHRASE) is False
    assert book.state is State.LOCKED
    book.vault.change_passphrase(unlock(PASSPHRASE), "another passphrase")  # would fail if it were still open


def test_what_is_said_while_it_opens_waits_for_nothing_and_is_on_the_disk_as_soon_as_it_is_open(book: Book) -> None:
    book.expect()
    assert book.state is State.OPENING
    began = time.monotonic()
    book.save(BEFORE)
    assert time.monotonic() - began < 0.5
    assert book.unlock(PASSPHRASE)
    assert texts(book) == ["said before", "answered before"]
    book.save(BEFORE.user("later"))
    assert texts(book) == ["said before", "answered before", "later"]


def test_what_cannot_be_written_when_it_opens_is_written_the_next_time(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Diary, _conversation: Conversation) -> None:
        raise StoreError("The disk is full.")

    book.expect()
    book.save(BEFORE)
    with monkeypatch.context() as patch:
        patch.setattr(Diary, "save", full)
        assert book.unlock(PASSPHRASE)
    book.save(BEFORE.user("later"))
    assert texts(book) == ["said before", "answered before", "later"]


def test_what_was_begun_anew_while_it_opens_is_not_written(book: Book) -> None:
    book.expect()
    book.save(BEFORE)
    book.leave()
    assert book.unlock(PASSPHRASE)
    assert book.open_id is None


@pytest.mark.parametrize("given_up", [True, False], ids=["given up", "failed"])
def test_when_it_does_not_open_what_was_said_meanwhile_is_not_kept_later_either(
    book: Book, monkeypatch: pytest.MonkeyPatch, given_up: bool
) -> None:
    book.expect()
    book.save(BEFORE)
    if given_up:
        book.stop_opening()
    else:
        monkeypatch.setattr(system_keyring, "find", lambda _file: None)
        with pytest.raises(WrongPassphrase):
            book.unlock_by_keyring()
    book.unlock(PASSPHRASE)
    book.save(BEFORE.user("later"))
    assert texts(book) == ["later"]
    assert book.archive
    assert book.archive.count() == 1


def test_it_knows_that_a_part_was_kept_before_it_was_closed(book: Book) -> None:
    parts = []
    book.unlock(PASSPHRASE)
    for messages in (Conversation(), BEFORE, BEFORE):
        book.save(messages)
        book.close()
        parts.append(book.left_part)
        book.unlock(PASSPHRASE)
    assert parts == [False, True, True]
    book.leave()
    assert not book.left_part


def test_a_conversation_that_is_gone_on_with_is_kept_whole(book: Book) -> None:
    book.unlock(PASSPHRASE)
    book.save(BEFORE)
    number = book.open_id
    assert number is not None
    book.close()
    book.unlock(PASSPHRASE)
    book.go_on_with(number, last=100)
    assert not book.left_part


def test_a_keyring_without_its_key_says_so(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_keyring, "find", lambda _file: None)
    with pytest.raises(WrongPassphrase, match="no key of this history"):
        book.unlock_by_keyring()
    assert book.state is State.LOCKED


def test_a_copy_ends_with_the_answer_to_the_chosen_message(book: Book) -> None:
    book.unlock(PASSPHRASE)
    book.save(BEFORE.user("second").user("third").assistant("answer"))
    first = book.open_id
    assert first is not None
    for position, expected in ((0, 2), (2, 3), (3, 5)):
        assert len(book.go_on_with(first, last=100, copy_to=position)) == expected
        assert book.open_id != first
    assert len(book.go_on_with(first, last=2)) == 2


def test_deleting_the_open_one_says_so(book: Book) -> None:
    book.unlock(PASSPHRASE)
    book.save(BEFORE)
    open_one = book.open_id
    book.leave()
    book.save(BEFORE)
    assert open_one is not None
    assert book.open_id is not None
    assert book.delete(open_one) is False
    assert book.delete(book.open_id) is True
    assert book.open_id is None


def test_turned_off_it_does_not_ask_again(book: Book) -> None:
    book.unlock(PASSPHRASE)
    book.turn_off()
    assert book.state is State.OFF
    assert book.vault.exists()
