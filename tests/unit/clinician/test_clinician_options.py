"""What a run for an audience changes in the settings: a seed that can be named, and nothing of the presenter's own."""

from tide_chat.commands import options
from tide_chat.compose import AppOptions
from tide_chat.config import Settings

OWN = Settings(history=True, call_me="Sam", avoid_topics="hospitals", reply_style="brief", country="GB")


def test_a_seed_is_drawn_where_none_is_set() -> None:
    drawn = [options.to_be_examined(AppOptions(Settings(), Settings())) for _ in range(2)]
    seeds = {one.settings.seed for one in drawn}
    assert len(seeds) == 2
    assert None not in seeds
    assert all(one.inspect for one in drawn)
    assert options.to_be_examined(AppOptions(Settings(seed=0), Settings())).settings.seed == 0


def test_for_nobody_nothing_is_kept_and_nobody_is_named() -> None:
    made = options.for_nobody(AppOptions(OWN, OWN)).settings
    assert (made.history, made.call_me, made.avoid_topics) == (False, None, None)
    assert (made.reply_style, made.country) == ("brief", "GB")
