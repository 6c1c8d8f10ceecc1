"""Going on with a conversation: where something was found, through all of a long one, after a reply that never came."""

import asyncio
import threading
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles
from tests.ui.driving import app, chat, hint, on_screen, send, settle, shown, until
from tests.ui.history_driving import (
    kept_history,
    open_list,
    press,
    reply,
    unlock,
    user,
)
from tide_chat.errors import StoreError
from tide_chat.messages import Conversation
from tide_chat.safety.assessment import Tier
from tide_chat.store.archive import Archive
from tide_chat.ui.history import GO_ON
from tide_chat.ui.screens.history import words
from tide_chat.ui.widgets.entries import Entry, EntryView, Kind
from tide_chat.ui.widgets.transcript import MOST, Transcript

TALK = (user("I heard the door again"), reply("That sounds frightening."))


async def test_what_was_found_is_in_sight_however_long_ago_it_was_said(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path
) -> None:
    long = [user(f"line {n}") if n % 2 == 0 else reply(f"answer {n}") for n in range(900)]
    long[10], long[700] = user("the harbour in winter"), user("a lighthouse in summer")
    kept_history(doubles, tmp_path / "history", long)
    async with open_app() as pilot:
        await unlock(pilot)
        for found, after in (("lighthouse", "answer 701"), ("harbour", "answer 11")):
            screen = await open_list(pilot)
            screen.query_one("#find", Input).value = found
            await asyncio.sleep(0.3)
            await press(pilot, "enter")
            await pilot.pause()
            assert f"in {'summer' if found == 'lighthouse' else 'winter'}" in on_screen(pilot)
            assert after in on_screen(pilot)
            assert hint(pilot) == words.FOUND
            await press(pilot, "pageup", "pagedown", "pagedown")
            assert len(chat(pilot).transcript.entries) + chat(pilot).transcript._hidden >= 900
        chat(pilot).transcript.notice("a new line")
        chat(pilot).transcript.follow()
        await pilot.pause()
        assert "a new line" in on_screen(pilot)
        assert "answer 899" in on_screen(pilot)


async def test_what_was_found_and_cannot_be_read_is_not_said_to_be_there(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = [user(f"line {n}") if n % 2 == 0 else reply(f"answer {n}") for n in range(300)]
    kept_history(doubles, tmp_path / "history", long)
    whole = Archive.messages

    def damaged(archive: Archive, id: int, **part: int) -> object:
        if part.get("limit", GO_ON) < GO_ON:
            raise StoreError("It is damaged.")
        return whole(archive, id, **part)

    async with open_app() as pilot:
        await unlock(pilot)
        monkeypatch.setattr(Archive, "messages", damaged)
        app(pilot).go_on_with(1, at=10)
        await settle(pilot)
        await until(pilot, lambda: "cannot be read now" in on_screen(pilot))
        assert hint(pilot) != words.FOUND


async def test_it_is_shown_before_what_was_said_there_is_looked_at(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_history(doubles, tmp_path / "history", [user("I am going to kill myself tonight"), reply("You matter.")])
    begun, may, look_back = threading.Event(), threading.Event(), doubles.talk.look_back

    def slow() -> None:
        begun.set()
        may.wait(20)
        look_back()

    monkeypatch.setattr(doubles.talk, "look_back", slow)
    async with open_app() as pilot:
        await unlock(pilot)
        app(pilot).go_on_with(1)
        await until(pilot, begun.is_set)
        assert "You matter." in on_screen(pilot)
        assert hint(pilot) == ""
        await send(pilot, "ok", wait=False)
        await until(pilot, lambda: doubles.talk.newest is not None)
        assert doubles.talk.newest
        assert doubles.talk.newest.tier >= Tier.T2
        may.set()
        await settle(pilot)


async def test_that_it_is_being_opened_is_said_only_where_it_takes_a_while(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_history(doubles, tmp_path / "history", TALK)
    may, go_on_with = threading.Event(), doubles.book.go_on_with

    def slow(id: int, *, last: int, copy_to: int | None = None) -> Conversation:
        may.wait(20)
        return go_on_with(id, last=last, copy_to=copy_to)

    monkeypatch.setattr(doubles.book, "go_on_with", slow)
    async with open_app() as pilot:
        await unlock(pilot)
        app(pilot).go_on_with(1)
        assert hint(pilot) == ""
        await until(pilot, lambda: hint(pilot) == "Opening it.")
        may.set()
        await until(pilot, lambda: "That sounds frightening." in on_screen(pilot))
        assert hint(pilot) == ""


async def _asked_for_more(pilot: Pilot[int]) -> Transcript:
    """A long conversation of which earlier entries were asked for, and are being mounted."""
    transcript = chat(pilot).transcript
    transcript.fill([Entry(Kind.USER, f"deleted {n}") for n in range(100)])
    await pilot.pause()
    transcript.post_message(Transcript.Wanted())
    for _ in range(1000):
        await asyncio.sleep(0)
        if transcript._moving:
            return transcript
    raise AssertionError


@pytest.mark.parametrize("count", [0, 30])
async def test_what_comes_while_earlier_entries_do_leaves_none_of_them(open_app: OpenApp, count: int) -> None:
    async with open_app() as pilot:
        transcript = await _asked_for_more(pilot)
        transcript.fill([Entry(Kind.USER, f"other {n}") for n in range(count)])
        for _ in range(3):
            await pilot.pause()
        assert "deleted" not in on_screen(pilot)
        assert [one for one in transcript.children if isinstance(one, EntryView)] == transcript.views
        assert [view.entry for view in transcript.views] == transcript.entries[transcript._first :]
        assert max(0, transcript.scroll_y) == transcript.max_scroll_y


async def test_widgets_that_are_used_again_stand_in_their_order_and_show_what_they_stand_for(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path
) -> None:
    said = [user(f"line {n}") if n % 3 else reply(f"answer {n}\n" * (1 + n % 5)) for n in range(400)]
    kept_history(doubles, tmp_path / "history", said)
    async with open_app() as pilot:
        await unlock(pilot)
        await open_list(pilot)
        await press(pilot, "enter")
        transcript, seen = chat(pilot).transcript, set[int]()
        for scroll in [transcript.scroll_home] * 25 + [transcript.scroll_end] * 35:
            scroll(animate=False)
            await pilot.pause()
            await pilot.pause()
            first, views = transcript._first, transcript.views
            assert [view.entry for view in views] == transcript.entries[first : first + len(views)]
            assert [one for one in transcript.children if isinstance(one, EntryView)] == views
            assert all(view.has_class(view.entry.kind.value) for view in views)
            assert len(views) <= MOST
            seen.update(map(id, views))
        assert first + len(views) == len(transcript.entries)
        assert len(transcript.entries) > GO_ON
        assert len(seen) < 2 * MOST
        assert "answer 399" in on_screen(pilot)


async def test_a_message_that_was_never_answered_says_how_to_have_an_answer(
    open_app: OpenApp, doubles: Doubles, tmp_path: Path
) -> None:
    kept_history(doubles, tmp_path / "history", [*TALK, user("and then the terminal was closed")])
    doubles.engine.will_say("I am here.")
    async with open_app() as pilot:
        await unlock(pilot)
        await open_list(pilot)
        await press(pilot, "enter")
        assert hint(pilot) == words.UNANSWERED
        await press(pilot, "ctrl+r")
        assert shown(pilot)[-1] == ("reply", "I am here.")
