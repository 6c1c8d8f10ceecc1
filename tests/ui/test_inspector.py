"""The inspector: closed until it was switched on, and then the newest turn from inside. Receipts: an explicit act."""

import hashlib
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.clinician_doubles import FakeEncoder, core_of, desk_of
from tests.ui.doubles import Doubles, Gate
from tests.ui.driving import app, hint, on_screen, send, settle, until
from tide_chat.clinician.desk import Desk
from tide_chat.clinician.receipt import Receipt
from tide_chat.ui.app import TideChatApp
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.screens.clinician.inspector import InspectorScreen
from tide_chat.ui.screens.clinician.receipt import ReceiptScreen
from tide_chat.ui.screens.confirm import Confirm

TALL = (110, 90)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def desk(doubles: Doubles, model: Path) -> Desk:
    return desk_of(doubles, model)


@asynccontextmanager
async def opened(doubles: Doubles, desk: Desk, size: tuple[int, int] = TALL) -> AsyncIterator[Pilot[int]]:
    async with TideChatApp(core_of(doubles, desk)).run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


async def test_it_asks_first_and_stays_closed_on_a_no(doubles: Doubles, desk: Desk) -> None:
    async with opened(doubles, desk, (80, 24)) as pilot:
        await send(pilot, "I want to kill myself")
        await pilot.press("alt+i")
        await pilot.pause()
        assert isinstance(app(pilot).screen, Confirm)
        assert "It is for a clinician" in on_screen(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app(pilot).screen, ChatScreen)
        assert not desk.on
        assert "T3" not in on_screen(pilot)


async def test_switched_on_it_shows_the_turn_from_inside(doubles: Doubles, desk: Desk) -> None:
    doubles.engine.will_say("That sounds heavy. Call 0800 123 4567 now. I am here.")
    async with opened(doubles, desk) as pilot:
        await send(pilot, "Such a long and heavy day.")
        await pilot.press("alt+i", "tab", "enter")
        await until(pilot, lambda: "The prompt as sent" in on_screen(pilot))
        shown = " ".join(on_screen(pilot).split())
        assert desk.on
        assert "They measure nobody" in shown
        assert "the model wrote the reply" in shown
        assert "Tier: T0" in shown
        assert "Held back: “Call 0800 123 4567 now.”" in shown
        assert hashlib.sha256(b"weights").hexdigest() in shown
        assert "T3 or higher: " in shown
        assert "Seed: " in shown
        assert "<|im_start|>system" in shown
        await pilot.press("escape", "alt+i")
        await until(pilot, lambda: isinstance(app(pilot).screen, InspectorScreen))


async def test_what_the_rules_saw_is_marked(doubles: Doubles, desk: Desk) -> None:
    desk.on = True
    async with opened(doubles, desk) as pilot:
        await send(pilot, "Honestly I want to kill myself tonight.")
        await pilot.press("alt+i")
        await until(pilot, lambda: "The prompt as sent" in on_screen(pilot))
        reversed_words = [
            segment.text.strip()
            for strip in pilot.app.screen._compositor.render_strips(pilot.app.size)
            for segment in strip
            if segment.style and segment.style.reverse
        ]
        assert any("kill myself" in words for words in reversed_words)
        shown = on_screen(pilot)
        assert "prepared words; no model was asked" in shown
        assert "no model was asked" in shown


async def test_without_the_encoder_it_says_so(doubles: Doubles, desk: Desk) -> None:
    desk.on, desk.session.classifier = True, FakeEncoder("the file is missing")  # type: ignore[assignment]
    async with opened(doubles, desk) as pilot:
        await send(pilot, "A long day.")
        await pilot.press("alt+i")
        await until(pilot, lambda: "It did not take part: the file is missing." in on_screen(pilot))


async def test_before_a_turn_and_during_one(doubles: Doubles, desk: Desk) -> None:
    desk.on = True
    doubles.engine.will_say("Yes. ", Gate())
    async with opened(doubles, desk, (80, 24)) as pilot:
        await pilot.press("alt+i")
        await until(pilot, lambda: "There is no answered message yet." in on_screen(pilot))
        await pilot.press("escape")
        await send(pilot, "/receipt")
        assert "There is no answered message yet." in hint(pilot)
        await send(pilot, "hello", wait=False)
        await until(pilot, lambda: bool(app(pilot).chat.turns.running))
        await pilot.press("alt+i")
        await until(pilot, lambda: "A reply is being written." in hint(pilot))
        await pilot.press("escape")
        await settle(pilot)


async def test_forgetting_the_conversation_forgets_its_steps(doubles: Doubles, desk: Desk) -> None:
    async with opened(doubles, desk, (80, 24)) as pilot:
        await send(pilot, "hello")
        assert desk.talk.newest_turn
        await pilot.press("ctrl+n", "tab", "enter")
        await settle(pilot)
        assert desk.talk.steps == []


async def test_a_receipt_says_where_it_goes_and_what_it_holds(doubles: Doubles, desk: Desk, tmp_path: Path) -> None:
    async with opened(doubles, desk, (80, 24)) as pilot:
        await send(pilot, "A long day.")
        await pilot.press("ctrl+t")
        await send(pilot, "A very long day.")
        await send(pilot, "/receipt")
        assert isinstance(app(pilot).screen, ReceiptScreen)
        shown = " ".join(on_screen(pilot).replace("│", "").split())
        assert "also lines that were changed afterwards" in shown
        assert "No seed was set" in shown
        app(pilot).screen.query_one("#where", Input).value = str(tmp_path / "no" / "r.json")
        await pilot.press("enter")
        await until(pilot, lambda: "There is no such folder." in on_screen(pilot))
        app(pilot).screen.query_one("#where", Input).value = str(tmp_path / "r.json")
        await pilot.press("enter")
        await until(pilot, lambda: "Written:" in on_screen(pilot))
        values = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
        assert [step["do"] for step in values["steps"]] == ["say", "take_back", "say"]
        assert [step["text"] for step in values["steps"]] == ["A long day.", "", "A very long day."]
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app(pilot).screen, ChatScreen)


async def test_esc_while_it_is_being_made_writes_nothing(
    doubles: Doubles, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, go_on, done = threading.Event(), threading.Event(), threading.Event()
    real = Desk.receipt

    def slow(self: Desk) -> Receipt:
        waiting.set()
        go_on.wait(10)
        done.set()
        return real(self)

    monkeypatch.setattr(Desk, "receipt", slow)
    async with opened(doubles, desk, (80, 24)) as pilot:
        await send(pilot, "A long day.")
        await send(pilot, "/receipt")
        app(pilot).screen.query_one("#where", Input).value = str(tmp_path / "r.json")
        await pilot.press("enter")
        await until(pilot, waiting.is_set)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app(pilot).screen, ChatScreen))
        go_on.set()
        await until(pilot, done.is_set)
        await pilot.pause(0.2)
    assert not (tmp_path / "r.json").exists()
