"""Settings: what is allowed, what is said about what is not, and that comments survive."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat import config
from tide_chat.config import Settings
from tide_chat.errors import UsageError

SETTINGS = st.builds(
    Settings,
    model=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    country=st.none() | st.sampled_from(["US", "DE"]),
    gpu=st.sampled_from(["auto", "off"]) | st.integers(0, 10_000),
    threads=st.none() | st.integers(1, 1024),
    context=st.integers(512, 1_048_576),
    max_tokens=st.integers(1, 65_536),
    theme=st.sampled_from(["calm-dark", "high-contrast"]),
    reduced_motion=st.booleans(),
    seed=st.none() | st.integers(0, 2**32 - 1),
)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TIDE_CHAT_HOME", str(tmp_path))
    return tmp_path


def error(text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        config.parse(text, "config.toml")
    return caught.value


@given(SETTINGS)
def test_what_is_written_is_read(settings: Settings) -> None:
    assert config.parse(config.render(settings), "") == settings


def test_no_file_means_the_defaults() -> None:
    assert config.load() == Settings()
    assert config.parse(config.render(Settings()), "") == Settings()


def test_every_field_is_explained_in_the_file_and_in_the_table() -> None:
    written = config.render(Settings())
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description in written
        assert name in (config.__doc__ or "")


def test_save_keeps_comments_order_and_what_was_not_changed(home: Path) -> None:
    config.path().write_text("# mine\nthreads = 2  # two is enough\n\n# colours\ntheme = 'calm-light'\nseed = 7\n")
    settings = config.load().model_copy(update={"theme": "high-contrast", "seed": None, "reduced_motion": True})
    config.save(settings)
    text = config.path().read_text()
    assert text.startswith("# mine\nthreads = 2  # two is enough\n\n# colours\ntheme = ")
    assert "context" not in text
    assert config.load() == settings


def test_save_writes_a_new_file_with_explanations() -> None:
    config.save(Settings(gpu=3))
    text = config.path().read_text()
    assert "\ngpu = 3\n" in text
    assert "\n# threads = 4\n" in text
    assert config.load() == Settings(gpu=3)


def test_save_never_replaces_a_file_that_it_cannot_read() -> None:
    config.path().write_text("theme = ")
    with pytest.raises(UsageError):
        config.save(Settings())
    assert config.path().read_text() == "theme = "


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("context = 12", "context cannot be 12. How much the model sees at once, in tokens, 512 to 1048576."),
        ('threads = "4"', "threads cannot be '4'."),
        ("reduced_motion = 1", "reduced_motion cannot be 1."),
        ("context = true", "context cannot be true."),
        ('gpu = "some"', 'gpu cannot be \'some\'. What runs on the graphics card: "auto", "off", or a number'),
        ("gpu = -1", "gpu cannot be -1."),
        ('country = "usa"', "country cannot be 'usa'."),
        ("seed = 4294967296", "seed cannot be 4294967296."),
        ('model = ""', "model cannot be ''."),
        ("contxt = 1", "'contxt' is not a setting. There are: model, country, gpu,"),
        ("[contxt]", "'contxt' is not a setting."),
    ],
)
def test_a_wrong_line_is_named_with_what_was_got_and_what_is_allowed(line: str, said: str) -> None:
    found = error(f"\n# a comment\n{line}\n")
    assert found.exit_code == 2
    assert found.details.startswith(f"config.toml, line 3: {said}")
    assert "tide-chat config edit" in found.help


@pytest.mark.parametrize(("code", "country"), [("XK", "XK"), ("EU", "EU"), ("EF", "EF"), ("UK", "GB")])
def test_two_letters_that_an_older_version_took_are_still_read(code: str, country: str) -> None:
    assert config.parse(f'country = "{code}"', "config.toml").country == country


def test_only_countries_can_be_chosen() -> None:
    assert [config.country_of(code) for code in ("XK", "UK", "EU", "EF", "")] == ["XK", "GB", None, None, None]


def test_all_wrong_lines_are_named_at_once() -> None:
    found = error("context = 1\nthreads = 0\n")
    assert "context" in found.message
    assert "threads" in found.message
    assert found.details.count("\n") == 1


def test_broken_toml_names_file_and_line() -> None:
    found = error("theme = 'x'\nseed = \n")
    assert "config.toml" in found.details
    assert "line 2" in found.details


def test_a_long_value_is_shortened_in_the_message() -> None:
    assert len(error(f"threads = '{'x' * 5000}'").details) < 250


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_an_unreadable_file_is_a_user_error(content: bytes | None) -> None:
    if content is None:
        config.path().mkdir()
    else:
        config.path().write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read") as caught:
        config.load()
    assert str(config.path()) in caught.value.details


def test_options_win_over_the_file() -> None:
    settings = Settings(threads=2, gpu="off")
    assert config.with_options(settings, threads=None, gpu=4) == Settings(threads=2, gpu=4)


def test_a_wrong_option_is_a_user_error() -> None:
    with pytest.raises(UsageError, match="option cannot be used: country") as caught:
        config.with_options(Settings(), country="usa")
    assert "country cannot be 'usa'" in caught.value.details
