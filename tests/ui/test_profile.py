"""How replies should be: chosen on a screen, used at once, kept only as far as somebody wants."""

from textual.widgets import Input, OptionList

from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles
from tests.ui.driving import app, chat, on_screen, send, settle
from tide_chat.config import Settings
from tide_chat.profile import Profile, Style
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.screens.profile import ProfileScreen


async def test_a_style_is_used_and_kept_as_soon_as_it_is_chosen(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await send(pilot, "/profile")
        assert "(x) As they come." in on_screen(pilot)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert "(x) Reassured first." in on_screen(pilot)
        assert "( ) As they come." in on_screen(pilot)
        assert doubles.talk.profile == Profile(Style.REASSURE)
        assert doubles.saved[-1].reply_style == "reassure"
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app(pilot).screen, ChatScreen)
        assert chat(pilot).composer.has_focus


async def test_name_and_topics_hold_for_now_and_are_not_written(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await send(pilot, "/profile")
        screen = app(pilot).screen
        screen.query_one("#name", Input).value = "  Sam "
        screen.query_one("#topics", Input).value = "the lake, my  father"
        await pilot.pause()
        assert doubles.talk.profile == Profile(name="Sam", topics=("the lake", "my father"))
        await pilot.press("escape")
        await pilot.pause()
        assert doubles.saved == []
        await send(pilot, "Hello there.")
        assert "Call them Sam." in doubles.talk.last_prompt


async def test_they_are_kept_only_by_choice_and_forgotten_by_choice(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await send(pilot, "/profile")
        screen = app(pilot).screen
        screen.query_one("#name", Input).value = "Sam"
        keeping = screen.query_one("#keeping", OptionList)
        for where, kept in (("file", "Sam"), ("session", None)):
            keeping.focus()
            keeping.highlighted = keeping.get_option_index(where)
            await pilot.press("enter")
            await pilot.pause()
            assert doubles.saved[-1].call_me == kept
        assert doubles.talk.profile.name == "Sam"


async def test_what_is_kept_is_shown_and_changed_in_the_file(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.settings = Settings(call_me="Sam", avoid_topics="the lake")
    doubles.talk.profile = Profile.of(doubles.settings)
    async with open_app() as pilot:
        await send(pilot, "/profile")
        assert isinstance(app(pilot).screen, ProfileScreen)
        box = app(pilot).screen.query_one("#name", Input)
        assert box.value == "Sam"
        box.value = "Samira"
        await pilot.pause()
        assert doubles.saved == []
        await pilot.press("escape")
        await pilot.pause()
        assert (doubles.saved[-1].call_me, doubles.saved[-1].avoid_topics) == ("Samira", "the lake")


async def test_it_can_be_changed_in_the_middle_of_a_conversation(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.engine.will_say("One. Two. Three.")
    doubles.engine.will_say("Four. Five. Six.")
    async with open_app() as pilot:
        await send(pilot, "It was a long day.")
        await send(pilot, "/profile")
        options = app(pilot).screen.query_one("#styles", OptionList)
        options.highlighted = options.get_option_index("brief")
        await pilot.press("enter", "escape")
        await settle(pilot)
        await send(pilot, "And hot.")
        replies = [message.text for message in doubles.talk.conversation.messages][1::2]
        assert replies == ["One. Two. Three.", "Four. Five."]


async def test_it_is_all_there_on_a_small_screen(open_app: OpenApp) -> None:
    async with open_app(size=(60, 16)) as pilot:
        await send(pilot, "/profile")
        assert "How replies should be" in on_screen(pilot)
        assert "Esc closes" in on_screen(pilot)
