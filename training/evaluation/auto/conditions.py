"""Which models answer, and in which state: from what the command line says to files. Loads no weights."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tide_chat.compose import sampling
from tide_chat.config import Settings
from tide_chat.engine.base import SamplingParams
from tide_chat.errors import DataError, ModelNotFound, UsageError
from tide_chat.fit import told_first
from tide_chat.profile import Profile, Style
from tide_chat.prompt import system_text
from training.data.sources import digest
from training.evaluation.replies import FINE_TUNED, STATES, ZERO_SHOT

if TYPE_CHECKING:
    from tide_chat.registry import Model

Kind = Literal["llama", "transformers"]
_NAMED = re.compile(r"(?P<name>[\w.-]+)(?::(?P<state>\w+))?=(?P<rest>.+)")
_OF_FOLDER = re.compile(
    r"config|generation_config|tokenizer|special_tokens|chat_template|adapter|vocab|merges|added|model"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A model in a state. model, adapter: GGUF files, or for transformers folders. sampling: without a seed.

    style: of the replies, as somebody would choose it in the app. guided: the model is told of a situation that the
    risk encoder is sure of, as in the app.
    """

    name: str
    state: str
    kind: Kind
    model: Path
    adapter: Path | None
    sampling: SamplingParams
    context: int  # tokens, at most
    advised: bool  # the sampling is what the model's makers advise; otherwise it is the app's own default
    style: Style = Style.NONE
    guided: bool = False

    @property
    def system(self) -> str:
        """The app's system prompt for this style."""
        return told_first(system_text(), Profile(self.style), str)[0]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


def parse(
    models: Sequence[str], adapter: str | None, state: str | None, max_tokens: int, engine: str = "auto"
) -> tuple[Condition, ...]:
    """The conditions of a run, each once. Raises UsageError, ModelError.

    A model is [NAME[:STATE]=]MODEL[+ADAPTER]. With `adapter`, which goes on a single model, the model answers with and
    without it, unless `state` picks one.
    """
    if adapter and len(models) != 1:
        raise UsageError("--adapter goes with one --model.", help="Of several: --model A+ADAPTER --model B+ADAPTER")
    given = [*models, f"{models[0]}+{adapter}"] if adapter else list(models)
    found = [_condition(one, None if adapter else state, max_tokens, engine) for one in given]
    kept = tuple(one for one in found if not adapter or state in (None, one.state))
    if len({(one.name, one.state) for one in kept}) < len(kept):
        raise UsageError(
            "Two models have the same name and state.",
            details=", ".join(map(str, kept)),
            help="Name them: --model NAME=MODEL, or NAME:ft=MODEL for one that was fine-tuned and merged.",
        )
    return kept


def fitted(found: Sequence[Condition], styles: Sequence[Style], guided: Sequence[bool]) -> tuple[Condition, ...]:
    """Each condition in each style, without and with guidance. What departs from the default is in its name."""
    return tuple(
        replace(one, name=".".join(_parts_of_name(one, style, told)), style=style, guided=told)
        for one in found
        for style in styles
        for told in guided
    )


def _parts_of_name(one: Condition, style: Style, guided: bool) -> list[str]:
    return [one.name, *([style] if style is not Style.NONE else []), *(["guided"] if guided else [])]


def hashed(path: Path | None) -> str:
    """SHA-256 of a file, or of a folder's names and contents as far as a model consists of them; "" for None."""
    if path is None or path.is_file():
        return digest(path) if path else ""
    whole = hashlib.sha256()
    for file in sorted(path.iterdir()):
        if file.is_file() and _OF_FOLDER.match(file.name):
            whole.update(f"{file.name} {digest(file)}\n".encode())
    return whole.hexdigest()


def _condition(given: str, state: str | None, max_tokens: int, engine: str) -> Condition:
    named = _NAMED.fullmatch(given)
    rest = named["rest"] if named else given
    said = (named["state"] if named else None) or state
    if said not in (None, *STATES):
        raise UsageError(f"A state is zs or ft, got {said!r}.", details=given)
    source, adapter = _parts(rest)
    folder = Path(source).expanduser()
    if (folder / "config.json").is_file():
        found = _folder(folder, adapter, named["name"] if named else folder.name, max_tokens)
    else:
        found = _file(source, adapter, named["name"] if named else None, max_tokens)
    if engine not in ("auto", found.kind):
        raise UsageError(
            f"{source} cannot run with --engine {engine}.",
            help="llama.cpp runs GGUF files, transformers HF folders; tide-convert makes each of the other.",
        )
    return _with_state(found, said)


def _parts(text: str) -> tuple[str, Path | None]:
    """Model and adapter of MODEL+ADAPTER; a plus inside a name that is there stays."""
    model, plus, adapter = text.rpartition("+")
    if not plus or Path(text).expanduser().exists():
        return text, None
    path = Path(adapter).expanduser()
    if not path.exists():
        raise ModelNotFound("There is no such adapter.", details=adapter)
    return model, path


def _with_state(found: Condition, said: str | None) -> Condition:
    state = said or (FINE_TUNED if found.adapter else ZERO_SHOT)
    if state == ZERO_SHOT and found.adapter:
        raise UsageError("A model with an adapter is not zero-shot.", details=str(found))
    return replace(found, state=state)


def _folder(folder: Path, adapter: Path | None, name: str, max_tokens: int) -> Condition:
    if adapter and not (adapter / "adapter_config.json").is_file():
        raise DataError("This is not an adapter in peft's format.", details=str(adapter))
    known = _known(name)
    return Condition(name, ZERO_SHOT, "transformers", folder, adapter, *_limits(known, max_tokens))


def _file(source: str, adapter: Path | None, name: str | None, max_tokens: int) -> Condition:
    from tide_chat.registry import Registry

    if adapter and adapter.suffix != ".gguf":
        raise DataError("An adapter for a GGUF file is a GGUF file.", details=str(adapter), help="tide-convert lora")
    resolved = Registry.load().resolve(source)
    known = resolved.model or (_known(name) if name else None)
    put_on = adapter or resolved.adapter
    return Condition(name or resolved.alias, ZERO_SHOT, "llama", resolved.path, put_on, *_limits(known, max_tokens))


def _known(name: str) -> "Model | None":
    """What the catalogue has under this name, in any quantization."""
    from tide_chat.registry import Registry

    wanted = name.casefold()
    return next((one for one in Registry.load().models if wanted in (one.alias, one.entry.alias)), None)


def _limits(model: "Model | None", max_tokens: int) -> tuple[SamplingParams, int, bool]:
    settings = Settings(max_tokens=max_tokens)
    context = min(settings.context, model.context_limit) if model else settings.context
    return sampling(settings, model), context, model is not None
