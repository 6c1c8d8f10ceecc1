"""The real core behind the ports: the app as `tide-chat` starts it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.driving import chat, doing, on_screen, send, until
from tide_chat.compose import AppOptions
from tide_chat.config import Settings, load
from tide_chat.engine.supervisor import Phase
from tide_chat.errors import ModelNotFound
from tide_chat.ui import app as app_module
from tide_chat.ui.app import TideChatApp
from tide_chat.ui.ports import Core
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.wiring import build

NO_SUCH = Settings(model="no-such-model", country="GB", reduced_motion=True)


def options(settings: Settings) -> AppOptions:
    return AppOptions(settings, settings)


@pytest.fixture
def without_model() -> Iterator[Core]:
    core = build(options(NO_SUCH))
    yield core
    core.engine.close()


@pytest.fixture
def with_model(embedded_model: Path) -> Iterator[Core]:
    core = build(options(Settings(model=str(embedded_model), seed=1, max_tokens=24, reduced_motion=True)))
    yield core
    core.engine.close()


def test_a_model_that_is_not_there_leaves_an_app_without_one(without_model: Core) -> None:
    state = without_model.engine.state
    assert state.phase is Phase.NO_MODEL
    assert isinstance(state.error, ModelNotFound)


def test_the_shelf_lists_what_could_be_fetched_and_from_where(without_model: Core) -> None:
    rows = without_model.shelf.rows()
    fetchable = {row.alias: row for row in rows if not row.installed}
    assert "qwen2.5-1.5b-q4" in fetchable
    assert all(row.where and row.size and row.licence for row in fetchable.values())
    with pytest.raises(ModelNotFound):
        without_model.shelf.use("qwen2.5-1.5b-q4")


def test_help_lines_follow_the_country(without_model: Core) -> None:
    words = without_model.words
    assert any("Samaritans" in line.name for line in words.help_lines("GB"))
    words.set_country("US")
    assert any("988" in line.number for line in words.help_lines(None))
    assert words.help_footnote("US")


async def test_accepting_the_first_screen_is_remembered(without_model: Core) -> None:
    app = TideChatApp(without_model)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert "This is a program, not a person." in on_screen(pilot)
        await pilot.press("enter")
        await pilot.pause()
    assert not without_model.words.disclosure_due()


async def test_the_route_works_without_a_model(without_model: Core) -> None:
    without_model.words.accept_disclosure()
    app = TideChatApp(without_model)
    async with app.run_test() as pilot:
        await pilot.pause()
        await send(pilot, "I want to kill myself")
        assert "116 123" in on_screen(pilot)
        assert chat(pilot).transcript.entries[-1].authored


async def test_a_changed_setting_is_in_the_file(without_model: Core) -> None:
    without_model.words.accept_disclosure()
    app = TideChatApp(without_model)
    async with app.run_test() as pilot:
        await pilot.pause()
        await send(pilot, "/theme high-contrast")
    assert load().theme == "high-contrast"


async def test_a_real_model_answers_on_the_screen(with_model: Core) -> None:
    with_model.words.accept_disclosure()
    app = TideChatApp(with_model)
    async with app.run_test() as pilot:
        await pilot.pause()
        await send(pilot, "Hello, I had a long day.")
        entry = chat(pilot).transcript.entries[-1]
        assert entry.kind == "reply"
        assert len(entry.text.split()) > 3
        await until(pilot, lambda: doing(pilot) == "ready")
        assert chat(pilot).query_one("StatusLine").status.used > 0  # type: ignore[attr-defined]


def test_run_closes_the_engine_whatever_happens(without_model: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []
    monkeypatch.setattr("tide_chat.ui.wiring.build", lambda _options: without_model)
    monkeypatch.setattr(without_model.engine, "close", lambda: closed.append(True))

    def fail(_self: TideChatApp) -> int:
        raise RuntimeError("broken terminal")

    monkeypatch.setattr(TideChatApp, "run", fail)
    with pytest.raises(RuntimeError):
        app_module.run(options(NO_SUCH))
    assert closed == [True]


async def test_a_crash_prints_nothing_of_what_was_said(
    without_model: Core, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(_self: ChatScreen) -> None:
        said = "PRIVATE WORDS"
        raise RuntimeError(len(said))

    monkeypatch.setattr(ChatScreen, "action_help", broken)
    without_model.words.accept_disclosure()
    app = TideChatApp(without_model)

    async def crash() -> None:
        async with app.run_test() as pilot:
            await pilot.press("f1")
            await pilot.pause()

    with pytest.raises(RuntimeError):
        await crash()
    assert isinstance(app.failure, RuntimeError)
    printed = capfd.readouterr()
    assert "PRIVATE" not in printed.out + printed.err


def test_a_crash_reaches_the_command_line(without_model: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(self: TideChatApp) -> int:
        self._exception = RuntimeError("broken handler")
        return 1

    monkeypatch.setattr("tide_chat.ui.wiring.build", lambda _options: without_model)
    monkeypatch.setattr(TideChatApp, "run", crash)
    with pytest.raises(RuntimeError, match="broken handler"):
        app_module.run(options(NO_SUCH))
