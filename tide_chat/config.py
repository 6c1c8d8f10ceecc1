"""Settings the user may change, in `config.toml` below `paths.config_dir()`. Knows neither models nor screens.

field            read by
model            registry: the model when no --model is given
country          safety.cards: which help lines come first
gpu, threads     engine: where and how the model runs
context          engine: how much of the conversation the model sees
max_tokens       turn: how long a reply may be
seed             turn: the same answer again
history          store: whether conversations are kept
history_days     store: for how long
history_keyring  store: whether the system's keyring opens the history
reply_style      profile: how replies should be
call_me          profile: what replies may call the person
avoid_topics     profile: what replies do not bring up
language         wording: what the app's own texts are written in
theme            ui
reduced_motion   ui

An absent field means its default, which stands here and nowhere else. Command-line options win over the file.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tide_chat import atomic, paths
from tide_chat.errors import UsageError

COUNTRIES = frozenset(  # ISO 3166-1, and XK, which Kosovo uses
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
    """.split()
)
_OTHER_NAMES = {"UK": "GB"}  # what people type

_HEADER = "Settings of tide-chat. A line that starts with # is not read: the default holds."


def country_of(code: str) -> str | None:
    """The country with these two capital letters, None when there is none."""
    found = _OTHER_NAMES.get(code, code)
    return found if found in COUNTRIES else None


def _usual_name(code: str) -> str:
    """Any two letters are read: a file that was good once does not stop the app."""
    return _OTHER_NAMES.get(code, code)


class Settings(BaseModel):
    """What the file holds. Each docstring is also the comment in the file and the help of an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    model: Annotated[str, Field(min_length=1)] | None = Field(default=None, examples=["qwen2.5-1.5b-q4"])
    """The model: an alias or the path of a .gguf file. Without it, the best installed one is used."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$"), AfterValidator(_usual_name)] | None = Field(
        default=None, examples=["US"]
    )
    """Country for help lines: two capital letters, such as US. Without it, the system's language settings decide."""

    gpu: Literal["auto", "off"] | Annotated[int, Field(ge=0, le=10_000)] = Field(default="auto")
    """What runs on the graphics card: "auto", "off", or a number of layers from 0 to 10000."""

    threads: Annotated[int, Field(ge=1, le=1024)] | None = Field(default=None, examples=[4])
    """Processor threads, 1 to 1024. Without it, tide-chat measures what is fastest."""

    context: int = Field(default=4096, ge=512, le=1_048_576)
    """How much the model sees at once, in tokens, 512 to 1048576."""

    max_tokens: int = Field(default=256, ge=1, le=65_536)
    """The longest reply, in tokens, 1 to 65536."""

    history: bool = Field(default=False)
    """Whether conversations are kept, encrypted: true or false. To turn it on: tide-chat history on."""

    history_days: Annotated[int, Field(ge=1, le=36_500)] | None = Field(default=None, examples=[30])
    """Conversations untouched for this many days are deleted, 1 to 36500. Without it, they stay."""

    history_keyring: bool = Field(default=False)
    """Whether the system's keyring opens the history instead of the passphrase: true or false."""

    reply_style: Literal["none", "reassure", "layered", "brief"] = Field(default="none")
    """How replies should be: "none", "reassure", "layered" or "brief". /profile in the app says what each means."""

    call_me: Annotated[str, Field(pattern=r"^[^\r\n]{1,40}$")] | None = Field(default=None, examples=["Sam"])
    """What replies may call you, 1 to 40 characters. Kept here as plain text, so only if you want it kept."""

    avoid_topics: Annotated[str, Field(pattern=r"^[^\r\n]{1,200}$")] | None = Field(
        default=None, examples=["hospitals"]
    )
    """What replies should not bring up, with commas between, 1 to 200 characters. Kept here as plain text."""

    language: Literal["en", "es"] | None = Field(default=None, examples=["es"])
    """Language of the app's own texts: "en" or "es". Without it, the system's language settings decide."""

    theme: str = Field(default="calm-dark", pattern=r"^[a-z0-9][a-z0-9-]*$")
    """Colours of the app: the name of a theme, in small letters, digits and hyphens."""

    reduced_motion: bool = Field(default=False)
    """Whether movement on the screen is kept to a minimum: true or false."""

    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = Field(default=None, examples=[7])
    """Makes replies repeatable: a whole number from 0 to 4294967295. Without it, each reply is drawn anew."""


def path() -> Path:
    return paths.config_dir() / "config.toml"


def load() -> Settings:
    """The settings in the file, or the defaults when there is none. Raises UsageError."""
    return parse(read_text(), str(path()))


def read_text() -> str:
    """The file as it is, empty when there is none. Raises UsageError when it cannot be read."""
    try:
        return path().read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        help_text = "Make it a readable UTF-8 text file, or move it away to start from the defaults."
        raise UsageError("The settings file cannot be read.", details=f"{path()}: {error}", help=help_text) from error


def parse(text: str, source: str) -> Settings:
    """Settings from TOML. `source` names the text in errors."""
    import tomllib

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError("The settings are not valid TOML.", details=f"{source}: {error}", help=_HELP) from error
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = _problems(error)
        details = "\n".join(f"{source}{_line(text, field)}: {said}" for field, said in problems.items())
        raise UsageError(_summary(problems), details=details, help=_HELP) from error


def with_options(settings: Settings, **options: Any) -> Settings:
    """Settings with command-line options over them; an option that is None was not given. Raises UsageError."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings.model_validate(settings.model_dump() | given)
    except ValidationError as error:
        problems = _problems(error)
        raise UsageError(_summary(problems, "option"), details="\n".join(problems.values())) from error


def save(settings: Settings) -> None:
    """Write the file. Comments and order of an existing file stay. Raises OSError, UsageError."""
    import tomlkit

    settings = with_options(settings)  # a copy with changes was not looked at yet
    old = read_text()
    if not old.strip():
        atomic.write_text(path(), render(settings))
        return
    parse(old, str(path()))
    document = tomlkit.parse(old)
    defaults = Settings()
    for name, value in settings.model_dump().items():
        if value is None:
            document.pop(name, None)
        elif name in document or value != getattr(defaults, name):
            document[name] = value
    atomic.write_text(path(), tomlkit.dumps(document))


def render(settings: Settings) -> str:
    """A whole file: every field with its explanation, defaults commented out."""
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment(_HEADER))
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        document.add(tomlkit.nl())
        document.add(tomlkit.comment(field.description or ""))
        if value == field.default:
            example = (field.examples or [None])[0] if value is None else value
            document.add(tomlkit.comment(f"{name} = {tomlkit.item(example).as_string()}"))
        else:
            document.add(name, tomlkit.item(value))
    return tomlkit.dumps(document)


_PERSONAL = ("call_me", "avoid_topics")  # what they hold is in no message
_HELP = "To mend it: tide-chat config edit"


def _problems(error: ValidationError) -> dict[str, str]:
    """One line for each wrong field: what was got and what is allowed."""
    found: dict[str, str] = {}
    for problem in error.errors():
        name = str(problem["loc"][0])
        field = Settings.model_fields.get(name)
        if field is None:
            found[name] = f"'{name}' is not a setting. There are: {', '.join(Settings.model_fields)}."
        else:
            shown = f"{len(str(problem['input']))} characters long" if name in _PERSONAL else _shown(problem["input"])
            found[name] = f"{name} cannot be {shown}. {field.description}"
    return found


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _summary(problems: dict[str, str], what: str = "setting") -> str:
    names = ", ".join(problems)
    return f"This {what} cannot be used: {names}." if len(problems) == 1 else f"These {what}s cannot be used: {names}."


def _line(text: str, field: str) -> str:
    """Where a top-level field is set, for error messages; empty when not found."""
    found = re.search(
        rf"^[ \t]*[\"']?{re.escape(field)}[\"']?[ \t]*=|^[ \t]*\[+{re.escape(field)}\b", text, re.MULTILINE
    )
    return f", line {text.count(chr(10), 0, found.start()) + 1}" if found else ""
