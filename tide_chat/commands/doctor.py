"""`tide-chat doctor`: whether everything works here, a line for each thing, and what to do where it does not.

Looks, and changes nothing; opens no socket. A check that fails itself is reported and does not stop the others.
"""

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tide_chat.errors import TideError, UsageError
from tide_chat.terminal import is_terminal

if TYPE_CHECKING:
    from tide_chat.config import Settings

_SMALL_DISK = 2_000_000_000  # bytes; a model of the registry needs about that
_LOW_MEMORY = 1_000_000_000  # bytes
_SMALLEST = (60, 18)  # columns and rows the app is laid out for


class Status(StrEnum):
    OK = "ok"
    NOTE = "note"  # works, but worth knowing
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    status: Status
    text: str
    help: str = ""


@click.command("doctor", short_help="Check whether everything works here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> int:
    """Check whether everything works here. Nothing is changed, and no network is used.

    Ends with 0 when all is well, with 1 when something is broken.
    """
    checks: list[Check] = []
    for check in _all():
        checks.append(check)
        if not as_json:
            click.echo(_line(check))
    broken = any(check.status is Status.BROKEN for check in checks)
    if as_json:
        click.echo(json.dumps({"ok": not broken, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        click.echo("Something is broken; see above." if broken else "All is well.")
    return int(broken)


def _line(check: Check) -> str:
    line = f"{check.status:<6}  {check.name}: {check.text}"
    return f"{line}\n        {check.help}" if check.help else line


def _all() -> Iterator[Check]:
    parts: tuple[tuple[str, Callable[[], Iterable[Check]]], ...] = (
        ("system", _system),
        ("space", _space),
        ("settings", _settings),
        ("models", _models),
        ("engine", engine_checks),
        ("encoders", _encoders),
        ("terminal", _terminal),
        ("help lines", _help_lines),
    )
    for name, part in parts:
        yield from _safely(name, part)


def _safely(name: str, part: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """The checks of a part; its own failure is one more of them."""
    try:
        yield from part()
    except TideError as error:
        yield Check(name, Status.BROKEN, " ".join(filter(None, (error.message, error.details))), error.help)
    except Exception as error:  # noqa: BLE001 - the other checks are worth having
        yield Check(name, Status.BROKEN, f"could not be checked: {type(error).__name__}: {error}")


def _system() -> Iterator[Check]:
    from tide_chat import __version__

    yield Check("tide-chat", Status.OK, __version__)
    build = f"{platform.python_version()} ({platform.python_implementation()}, {sys.executable})"
    yield Check("python", Status.OK, build)
    yield Check("platform", Status.OK, f"{platform.system()} {platform.release()}, {platform.machine()}")
    usable, present = _cores()
    yield Check("processor", Status.OK, f"{usable} of {present} cores usable")


def _cores() -> tuple[int, int]:
    """Cores this process may run on, and cores there are."""
    present = os.cpu_count() or 1
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else present), present


def _space() -> Iterator[Check]:
    import psutil

    from tide_chat import paths
    from tide_chat.registry import machine

    memory = psutil.virtual_memory()
    total = machine.total_memory() or memory.total
    free = min(memory.available, total)
    text = f"{machine.human_size(total)}, {machine.human_size(free)} free"
    little = "Close other programs, or use a small model." if free < _LOW_MEMORY else ""
    yield Check("memory", Status.NOTE if little else Status.OK, text, little)
    yield _disk(paths.models_dir())
    for name, folder in _folders():
        yield _writable(name, folder)


def _disk(folder: Path) -> Check:
    from tide_chat.registry import machine

    free = shutil.disk_usage(_existing(folder)).free
    little = "More room is needed to download most models." if free < _SMALL_DISK else ""
    return Check("disk", Status.NOTE if little else Status.OK, f"{machine.human_size(free)} free for models", little)


def _folders() -> tuple[tuple[str, Path], ...]:
    from tide_chat import paths

    return (
        ("settings folder", paths.config_dir()),
        ("models folder", paths.models_dir()),
        ("cache folder", paths.cache_dir()),
        ("state folder", paths.state_dir()),
    )


def _existing(path: Path) -> Path:
    """The nearest folder above that is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _writable(name: str, folder: Path) -> Check:
    """By permission only: nothing is written. The app runs without these folders; it then keeps nothing."""
    found = _existing(folder)
    if found.is_dir() and os.access(found, os.W_OK | os.X_OK):
        return Check(name, Status.OK, str(folder))
    help_text = "Change its permissions, or set TIDE_CHAT_HOME to a folder of yours."
    return Check(name, Status.BROKEN, f"{folder} cannot be written", help_text)


def _settings() -> Iterator[Check]:
    from tide_chat import config

    config.load()
    there = config.path().exists()
    yield Check("settings", Status.OK, f"{config.path()}" if there else "none yet, the defaults hold")


def _models() -> Iterator[Check]:
    from tide_chat.registry import Registry, machine

    registry = Registry.load()
    names = [f"{one.alias} ({machine.human_size(one.size)})" for one in registry.installed()]
    yield Check("models", Status.OK if names else Status.NOTE, ", ".join(names) or "none on this computer yet")
    resolved = registry.resolve(_lenient_settings().model)
    yield Check("model in use", Status.OK, resolved.why)


def _lenient_settings() -> "Settings":
    """The settings; broken ones have a check of their own, and the defaults stand in for them here."""
    from tide_chat import config

    try:
        return config.load()
    except UsageError:
        return config.Settings()


def engine_checks() -> Iterator[Check]:
    """What the engine's own process says of itself: build, processor, graphics card, and whether it computes."""
    from tide_chat.engine import selftest

    settings = _lenient_settings()
    gpu = str(settings.gpu)
    for name, fine, text in selftest.run(_model_file(settings), gpu=gpu):
        said = "off, as the settings say" if (name, gpu) == ("gpu", "off") else text
        yield Check(name, Status.OK if fine else Status.BROKEN, said)


def _encoders() -> Iterator[Check]:
    """Whether those that look at every message and every reply beside the rules are there, whole and answer."""
    from tide_chat.safety.classifier import Classifier
    from tide_chat.safety.encoder import Unavailable, default_folder
    from tide_chat.safety.guard_encoder import GuardEncoder

    for name, kind in (("risk encoder", Classifier), ("guard encoder", GuardEncoder)):
        encoder = kind(default_folder(), patience=30)
        try:
            encoder.read("hello")
            yield Check(name, Status.OK, "it answers")
        except Unavailable as error:
            yield Check(name, Status.BROKEN, f"{error}; the rules work alone", "Install tide-chat again.")
        finally:
            encoder.close()


def _model_file(settings: "Settings") -> Path | None:
    """The file of the model in use; that there is none has a check of its own."""
    from tide_chat.registry import Registry

    try:
        return Registry.load().resolve(settings.model).path
    except TideError:
        return None


def _terminal() -> Iterator[Check]:
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        yield Check("terminal", Status.OK, "none here; tide-chat plain and tide-chat ask work without one")
        return
    columns, rows = shutil.get_terminal_size()
    small = columns < _SMALLEST[0] or rows < _SMALLEST[1]
    text = f"{columns}x{rows}, {os.environ.get('TERM', 'TERM is not set')}, {_colours()}"
    advice = f"The app needs {_SMALLEST[0]}x{_SMALLEST[1]} or more to show everything." if small else ""
    yield Check("terminal", Status.NOTE if small else Status.OK, text, advice)
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    speaks = encoding == "utf8"
    yield Check(
        "characters", Status.OK if speaks else Status.NOTE, encoding or "unknown", "" if speaks else "UTF-8 shows more."
    )


def _colours() -> str:
    if os.environ.get("NO_COLOR"):
        return "no colours (NO_COLOR is set)"
    if os.environ.get("TERM") in ("dumb", None):
        return "no colours"
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "all colours"
    return "256 colours" if "256" in os.environ.get("TERM", "") else "16 colours"


def _help_lines() -> Iterator[Check]:
    from tide_chat import compose
    from tide_chat.safety import helplines

    country = compose.country(_lenient_settings())
    known = helplines.find(country)
    if known:
        yield Check("help lines", Status.OK, f"{known.name}, {len(known.entries)} lines, as of {known.checked_on}")
        return
    text = f"there is no list for {country}" if country else "the country is not known"
    advice = "Lines that work in many places are shown. To set a country: tide-chat config edit"
    yield Check("help lines", Status.NOTE, text, advice)
