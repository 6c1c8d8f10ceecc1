"""Who may come in: one browser, with the token, on this computer."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tide_chat.serving.door import Door, is_loopback, is_ours, is_own_page


def test_the_token_opens_once() -> None:
    door = Door()
    key = door.enter(door.token)
    assert key
    assert door.knows(key)
    assert door.enter(door.token) is None


def test_a_wrong_token_uses_nothing_up() -> None:
    door = Door()
    assert door.enter("") is None
    assert door.enter(door.token[:-1]) is None
    assert door.enter(f"{door.token}ñ") is None
    assert door.enter(door.token)


@given(st.text(st.characters(), max_size=60))
@example("\udcff")  # a byte that is no text
@example("\ud83d")
def test_no_guess_is_let_in(guess: str) -> None:
    door = Door()
    assert door.enter(guess) is None
    assert not door.knows(guess)


def test_two_doors_have_nothing_in_common() -> None:
    one, other = Door(), Door()
    assert one.token != other.token
    assert one.place != other.place
    assert not other.knows(one.enter(one.token) or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_computer(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.7", "10.0.0.1", "example.org", "", "localhost.example.org", "127.0.0.53"]
)
def test_not_this_computer_alone(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("host", "port", "ours"),
    [
        ("127.0.0.1:8123", 8123, True),
        ("LOCALHOST:8123", 8123, True),
        ("[::1]:8123", 8123, True),
        ("127.0.0.1", 80, True),
        ("127.0.0.1", 8123, False),
        ("127.0.0.1:8124", 8123, False),
        ("evil.example.org:8123", 8123, False),
        ("127.0.0.1.example.org:8123", 8123, False),
        ("", 8123, False),
    ],
)
def test_the_host_header_names_this_computer_and_this_port(host: str, port: int, *, ours: bool) -> None:
    assert is_ours(host, port) is ours


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("http://127.0.0.1:8123", True),
        ("http://127.0.0.1:8124", False),
        ("https://127.0.0.1:8123", False),
        ("http://localhost:8123", False),
        ("http://evil.example.org", False),
        ("null", False),
        (None, False),
    ],
)
def test_only_the_page_itself_is_of_its_origin(origin: str | None, *, own: bool) -> None:
    assert is_own_page(origin, "127.0.0.1:8123") is own
