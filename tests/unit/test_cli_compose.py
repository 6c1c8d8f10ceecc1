"""How settings, models and the engine come together, and that a model is looked for only when it is needed."""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tide_chat import compose, config
from tide_chat.commands.history import command
from tide_chat.compose import AppOptions, Session
from tide_chat.config import Settings
from tide_chat.engine.base import Cancel
from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.engine.supervisor import Phase, Supervisor
from tide_chat.errors import ModelNotFound, UsageError
from tide_chat.events import Done, TurnResult
from tide_chat.profile import Profile, Style
from tide_chat.registry import Registry
from tide_chat.registry.places import Installed


class Process(ScriptedEngine):
    """What the supervisor spawns, without a process."""

    pid = 0

    def __init__(self, **_: object) -> None:
        super().__init__(["I hear you."])

    def kill(self) -> None:
        self.close()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def session(said: list[str], embedded_model: Path) -> Iterator[Session]:
    supervisor = Supervisor(spawn=Process)  # type: ignore[arg-type]
    with Session(Settings(country="US", seed=3, max_tokens=50), on_model=said.append, supervisor=supervisor) as one:
        yield one


def turn(session: Session, text: str) -> TurnResult:
    last = list(session.companion.reply(text, Cancel()))[-1]
    assert isinstance(last, Done)
    return last.result


@pytest.fixture
def dumps() -> Iterator[None]:
    """Crashes of this process leave a core dump, as some systems have it."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_no_crash_of_a_session_leaves_its_memory_in_a_file(dumps: None, session: Session, tmp_path: Path) -> None:
    crash = f"import os; os.chdir({str(tmp_path)!r}); os.abort()"
    before = set(tmp_path.iterdir())
    assert subprocess.run([sys.executable, "-c", crash], check=False).returncode == -signal.SIGABRT
    assert set(tmp_path.iterdir()) == before
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0


def test_no_crash_of_a_history_command_does_either(dumps: None) -> None:
    assert CliRunner().invoke(command, ["list"]).exit_code != 0  # there is no history
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0


def test_an_authored_reply_looks_for_no_model(session: Session, said: list[str]) -> None:
    assert turn(session, "I am going to kill myself tonight").route == "authored"
    assert session.supervisor.state.phase is Phase.IDLE
    assert said == []


def test_the_first_reply_that_needs_a_model_loads_it_once(session: Session, said: list[str]) -> None:
    assert turn(session, "It was a long day.").reply == "I hear you."
    turn(session, "And a cold one.")
    assert said == ["Model: smollm2-135m-tide: the model that comes with the app"]
    assert "smollm2-135m" in session.described()


def test_sampling_is_the_models_own_within_the_settings(session: Session) -> None:
    session.start()
    advised = Registry.load().find("smollm2-135m-tide").sampling
    used = session.companion.sampling
    assert (used.temperature, used.top_k, used.top_p) == (advised.temperature, advised.top_k, advised.top_p)
    assert (used.seed, used.max_tokens) == (3, 50)


def test_no_model_is_a_state_and_not_an_end(said: list[str]) -> None:
    supervisor = Supervisor(spawn=Process)  # type: ignore[arg-type]
    with Session(Settings(model="qwen2.5-1.5b-q4"), on_model=said.append, supervisor=supervisor) as session:
        session.start()
        assert supervisor.state.phase is Phase.NO_MODEL
        result = turn(session, "It was a long day.")
        assert isinstance(result.error, ModelNotFound)
        assert "models pull qwen2.5-1.5b-q4" in session.described()
        assert turn(session, "I am going to kill myself tonight").route == "authored"
    assert said == []


def test_a_wrong_choice_leaves_the_model_in_use(session: Session) -> None:
    session.start()
    before = session.supervisor.info()
    with pytest.raises(ModelNotFound):
        session.use("no-such-model")
    assert session.supervisor.info() is before
    assert session.resolved
    assert session.resolved.alias == "smollm2-135m-tide"


def test_the_context_is_at_most_what_the_model_can_take(embedded_model: Path) -> None:
    resolved = Registry.load().resolve("smollm2-135m")
    assert resolved.model
    assert compose.spec(Settings(context=1_000_000), resolved).context == resolved.model.context_limit
    spec = compose.spec(Settings(context=1024, gpu=7, threads=2), resolved)
    assert (spec.context, spec.gpu, spec.threads, spec.name) == (1024, "7", 2, "smollm2-135m")


def test_a_chat_template_that_is_not_there_is_named(embedded_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        compose.spec(Settings(), Registry.load().resolve(None), tmp_path / "none.jinja")
    assert "none.jinja" in caught.value.details


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8"}, None),
        ({"LC_ALL": "", "LANG": "de_DE.UTF-8"}, "DE"),
        ({"LC_ALL": "", "LC_MESSAGES": "pt_BR", "LANG": "de_DE.UTF-8"}, "BR"),
        ({"LC_ALL": "", "LANG": "en"}, None),
        ({"LC_ALL": ""}, None),
    ],
)
def test_the_country_of_the_language_settings(
    environment: dict[str, str], found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert compose.country(Settings()) == found
    assert compose.country(Settings(country="FR")) == "FR"


def test_options_of_the_command_line_are_not_written_down() -> None:
    config.save(Settings(threads=2))
    saved = config.load()
    options = AppOptions(config.with_options(saved, threads=8, seed=1), saved)
    options.save(options.settings.model_copy(update={"theme": "high-contrast"}))
    assert config.load() == Settings(threads=2, theme="high-contrast")


def test_a_change_that_is_taken_back_is_taken_back_in_the_file() -> None:
    options = AppOptions(config.with_options(Settings(), country="DE"), Settings())
    for country in ("FR", "DE"):
        options.save(options.settings.model_copy(update={"country": country}))
    assert config.load().country is None


def test_what_another_program_wrote_meanwhile_stays() -> None:
    options = AppOptions(Settings(), Settings())
    config.save(Settings(threads=2))
    options.save(Settings(reduced_motion=True))
    assert config.load() == Settings(threads=2, reduced_motion=True)


def test_a_model_that_the_registry_names_for_a_situation_answers_in_it(
    session: Session, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def named(self: Registry) -> tuple[Installed, ...]:
        return tuple(_for_panic(one) if one.alias == "smollm2-135m" else one for one in found)

    found = Registry.load().installed()
    monkeypatch.setattr(Registry, "installed", named)
    session.start()
    for situation in ("", "panic", "panic", "grief_anger"):
        session.companion.on_scenario(situation)
    assert [line.split(":")[1].strip() for line in said] == ["smollm2-135m-tide", "smollm2-135m", "smollm2-135m-tide"]
    session.use("smollm2-135m")
    session.companion.on_scenario("")
    assert session.resolved
    assert session.resolved.alias == "smollm2-135m"


def _for_panic(one: Installed) -> Installed:
    assert one.model
    entry = one.model.entry.model_copy(update={"scenarios": ("panic",)})
    return replace(one, model=replace(one.model, entry=entry))


def test_the_profile_of_the_settings_is_the_conversations(embedded_model: Path) -> None:
    supervisor = Supervisor(spawn=Process)  # type: ignore[arg-type]
    with Session(Settings(reply_style="brief", call_me="Sam"), supervisor=supervisor) as session:
        assert session.companion.profile == Profile(Style.BRIEF, "Sam")
