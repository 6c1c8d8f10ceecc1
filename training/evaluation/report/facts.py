"""What a run's description says about how to make it again. Knows the keys that the evaluations use, no layout.

Keys that it does not know are shown as they are, unless they hold more than a line.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
MISSING = "not recorded"
_WRITES_NOTHING = ("judge", "study")
_MACHINE = ("device", "threads", "build")
_GIB = 1024**3
_KNOWN = {
    *("command", "conditions", "data", "encoder", "prompt", "seed", "seeds", "draws", "tide_chat", "python", "system"),
    *("versions", "libraries", "hardware", "machines", "started", "finished", "git", "judge", "rubric", "caution"),
    "simulated",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """lines: at least one. code: a command or so, to be shown letter by letter."""

    name: str
    lines: tuple[str, ...]
    code: bool = False


def facts(about: Json) -> tuple[Fact, ...]:
    """In the order in which a reader asks."""
    command = about.get("command")
    shown = [
        Fact("Command", (str(command),), code=True) if command else Fact("Command", (MISSING,)),
        *_writers(about),
        _fact("Data", _data(about.get("data"))),
        _fact("Seeds", _some(about, ("seed", "seeds", "draws"))),
        _fact(
            "Versions", [*_some(about, ("tide_chat", "python")), *_some(about, ("versions", "libraries"), bare=True)]
        ),
        _fact("Hardware", _hardware(about)),
        _fact("Code", _code(about.get("git"))),
    ]
    extra = [
        _fact("Judge", _some(about, ("judge",), bare=True), ""),
        _fact("Rubric", map(str, _object(about.get("rubric")).values()), ""),
        _fact("Sampling", _sampling(about)),
        _fact("Prompt", _some(about, ("prompt",), bare=True), ""),
        _fact("Encoder", _some(about, ("encoder",), bare=True), ""),
        _fact("Date", _some(about, ("started", "finished")), ""),
        _fact("Settings", _settings(about), ""),
    ]
    return (*shown, *(fact for fact in extra if any(fact.lines)))


def notes(about: Json) -> tuple[str, ...]:
    """What the run itself says against its numbers."""
    own = [str(about["caution"])] if about.get("caution") else []
    if _object(about.get("git")).get("changed"):
        own.append("The checkout had changes that were not committed: the commit alone does not make it again.")
    if not about.get("command"):
        own.append("The run did not record the command that made it.")
    return tuple(own)


def _fact(name: str, lines: Iterable[str], otherwise: str = MISSING) -> Fact:
    return Fact(name, tuple(lines) or (otherwise,))


def _writers(about: Json) -> list[Fact]:
    """Models and adapters; none of a run that wrote no reply, as a judge's or a study's."""
    if about.get("kind") in _WRITES_NOTHING:
        return []
    adapters = _fact("Adapters", _models(about, "adapter"), "none" if about.get("conditions") else MISSING)
    return [_fact("Models", _models(about, "model")), adapters]


def _models(about: Json, part: str) -> Iterator[str]:
    """Each file once, with what it served as."""
    serves: dict[str, list[str]] = {}
    for one in _objects(about.get("conditions")):
        if file := _object(one.get(part)):
            serves.setdefault(_hashed(file), []).append(f"{one.get('name')} {one.get('state')}")
    for file_named, conditions in serves.items():
        yield f"{file_named}: {', '.join(conditions)}"


def _sampling(about: Json) -> list[str]:
    """Of all conditions; the same one is said once."""
    each = [
        f"{_flat(_object(one.get('sampling')))} (from {one.get('sampling_from', MISSING)})"
        for one in _objects(about.get("conditions"))
        if one.get("sampling")
    ]
    return list(dict.fromkeys(each)) or [""]


def _data(value: Any) -> Iterator[str]:
    """`{name: hash}`, or a list of objects."""
    for name, sha in _object(value).items():
        yield f"{name}, SHA-256 {sha}"
    for one in _objects(value):
        count = one.get("rows", one.get("lines"))
        yield _hashed(one) + (f", {count} lines" if count is not None else "")


def _hashed(file: Json) -> str:
    return f"{file.get('name', file.get('file'))}, SHA-256 {file.get('sha256', MISSING)}"


def _hardware(about: Json) -> Iterator[str]:
    found = dict(_object(about.get("hardware")))
    memory = found.pop("memory", None)
    if found or memory:
        yield _flat(found | ({"memory": f"{memory / _GIB:.1f} GiB"} if isinstance(memory, int) else {}))
    if system := about.get("system"):
        yield str(system)
    for name, machine in _object(about.get("machines")).items():
        if parts := {key: value for key, value in _object(machine).items() if key in _MACHINE}:
            yield f"{name}: {_flat(parts)}"


def _code(git: Any) -> list[str]:
    if not (found := _object(git)):
        return []
    state = "with changes that were not committed" if found.get("changed") else "nothing changed"
    return [f"commit {found.get('commit', MISSING)}, {state}"]


def _some(about: Json, keys: tuple[str, ...], *, bare: bool = False) -> list[str]:
    """bare: without the key's name."""
    there = [(key, about[key]) for key in keys if about.get(key) not in (None, "", {})]
    return [_said(value) if bare else f"{_name(key)}: {_said(value)}" for key, value in there]


def _settings(about: Json) -> list[str]:
    return [f"{_name(key)}: {_said(value)}" for key, value in about.items() if key not in _KNOWN and _short(value)]


def _short(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(_plain(one) or (isinstance(one, list) and _short(one)) for one in value.values())
    return all(map(_plain, value)) if isinstance(value, list) else _plain(value)


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float | None)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return _flat(value)
    if isinstance(value, list):
        return " to ".join(map(str, value)) if len(value) == 2 else ", ".join(map(str, value)) or "none"
    return {None: "none", True: "yes", False: "no"}.get(value, str(value)) if _is_word(value) else str(value)


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _flat(values: Json) -> str:
    return ", ".join(f"{_name(key)} {_said(value)}" for key, value in values.items())


def _name(key: Any) -> str:
    return str(key).replace("_", " ")


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
