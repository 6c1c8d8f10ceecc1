"""How to train, as data: TOML files checked field by field, with overrides from the command line.

Every field has its unit in its description and its default here, once. Knows no model file and no dialogue.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tide_chat.errors import UsageError

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
EXTENDS = "extends"


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


class Model(Section):
    """What is trained."""

    name: str = Field(description="The alias of the base model in models/*.toml. Its HF folder is given when training.")


class Data(Section):
    """What of the dialogues is read."""

    system: Literal["app", "none"] = Field(
        default="app", description="The system prompt: the app's own, or an empty one."
    )
    max_length: int = Field(default=1024, ge=16, le=131_072, description="Tokens of a sequence, at most.")
    cut: bool = Field(
        default=False, description="Cut longer sequences at max_length, replies included, as the paper does."
    )
    scenarios: tuple[str, ...] = Field(
        default=(), description="Scenarios, or families of them, whose dialogues are read; none named: all."
    )


class Lora(Section):
    """The adapter."""

    r: int = Field(default=16, ge=1, le=1024, description="Rank: rows of A, columns of B.")
    alpha: float = Field(
        default=32, gt=0, le=4096, description="The update is scaled by alpha / r (rslora: alpha / sqrt(r))."
    )
    dropout: float = Field(default=0.0, ge=0, lt=1, description="Share of inputs of the adapter set to zero.")
    targets: Literal["all-linear"] | tuple[str, ...] = Field(
        default="all-linear", description="Names of the linear layers to adapt; all-linear: each but the output matrix."
    )
    parameters: tuple[str, ...] = Field(
        default=(), description="Names of 3-D parameters to adapt: the experts of a mixture."
    )
    rslora: bool = Field(default=False, description="Scale by alpha / sqrt(r), so that a higher rank keeps its effect.")
    dora: bool = Field(
        default=False, description="Learn length and direction apart. Such an adapter can only be merged."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.targets and not self.parameters:
            raise ValueError("targets and parameters are both empty: there would be nothing to train")
        return self


class Optimizer(Section):
    """AdamW and its schedule."""

    learning_rate: float = Field(default=2e-4, gt=0, le=1, description="At its peak, per optimizer step.")
    schedule: Literal["cosine", "linear", "constant"] = Field(
        default="cosine", description="How the rate falls after warmup."
    )
    warmup: Share = Field(default=0.03, description="Share of all steps in which the rate rises from zero.")
    floor: Share = Field(default=0.0, description="Share of the peak rate that is left at the last step.")
    weight_decay: float = Field(default=0.0, ge=0, le=1, description="Decoupled, per step, times the rate.")
    beta1: float = Field(default=0.9, ge=0, lt=1, description="Decay of the mean of gradients, per step.")
    beta2: float = Field(default=0.999, ge=0, lt=1, description="Decay of the mean of squared gradients, per step.")
    clip: float = Field(default=1.0, ge=0, description="Greatest norm of a step's gradient; 0: not clipped.")


class Training(Section):
    """The loop."""

    epochs: Positive = Field(default=3, le=1000, description="Passes over the data.")
    batch: Positive = Field(default=8, description="Sequences in a micro-batch.")
    accumulation: Positive = Field(
        default=1,
        description="Micro-batches in an optimizer step; a step reads batch times accumulation, on all devices.",
    )
    tokens_per_pass: int = Field(
        default=2048,
        ge=0,
        description="Tokens, padding included, up to which the micro-batches of a step run as one pass: the result is "
        "the same, memory grows. 0: never.",
    )
    grouping: Literal["length", "none"] = Field(
        default="length", description="Whether steps hold sequences of like length."
    )
    share_prefix: bool = Field(
        default=True, description="Compute what all sequences begin with once a pass, not once each."
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="Of the base weights and of computing; adapter and optimizer are always float32."
    )
    checkpointing: bool = Field(
        default=False, description="Compute activations twice instead of keeping them: less memory."
    )
    sharding: Literal["none", "full"] = Field(
        default="none",
        description="With several processes: whether each holds the whole base, or a share of every layer and borrows "
        "the rest, for models larger than one card. The result is the same.",
    )
    quantized: Literal["no", "nf4", "int8"] = Field(
        default="no", description="Load the base quantized (bitsandbytes, CUDA)."
    )
    seed: Count = Field(default=42, le=2**32 - 1, description="Of everything random.")

    def shared_out(self, world: int) -> bool:
        """Whether each of so many processes holds only a share of the base's layers."""
        return self.sharding == "full" and world > 1


class Preference(Section):
    """Towards the better of two replies (tide-train dpo)."""

    beta: float = Field(
        default=0.1, gt=0, le=10, description="How strongly the model is held to where it began; more: closer."
    )
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=0.5, description="Share of pairs assumed to be the wrong way round."
    )
    sft: float = Field(
        default=0.0, ge=0, le=100, description="Weight of the usual loss, a mean over the chosen reply's tokens."
    )


class Pairs(Section):
    """How often a chosen reply is set against one that is worse by each rule, relative to the other rules."""

    misses_message: Share = Field(default=0.4, description="A reply to somebody else, in another situation.")
    generic: Share = Field(default=0.3, description="A reply that would fit anybody.")
    question_pile_up: Share = Field(default=0.15, description="Three questions instead of a sentence that normalises.")
    before_validation: Share = Field(
        default=0.15, description="The same reply with its offer or question before the feeling is named."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("all shares are 0: there would be no pair")
        return self


class Evaluation(Section):
    """On the held-out dialogues."""

    every: Count = Field(default=0, description="Steps from one evaluation to the next; 0: at the end of each epoch.")
    patience: Count = Field(
        default=0, description="Evaluations without a better loss after which training stops; 0: never."
    )
    samples: Count = Field(
        default=2, le=64, description="Held-out dialogues whose reply is written at each evaluation."
    )
    sample_tokens: Positive = Field(default=96, le=2048, description="Tokens of such a reply, at most.")


class Saving(Section):
    """Checkpoints."""

    every: Count = Field(default=0, description="Steps from one checkpoint to the next; 0: at each evaluation.")
    keep: Positive = Field(default=2, description="Newest checkpoints that stay; the best one always does.")


class Logging(Section):
    """What is drawn of a run beside metrics.jsonl."""

    boards: Literal["none", "tensorboard", "trackio"] = Field(
        default="none", description="Curves in the run folder for this program to show; offline."
    )


class Recipe(Section):
    """A whole recipe."""

    name: str = Field(default="", description="What the run is called; a file's own name when it says none.")
    about: str = Field(default="", description="What it is for, in a sentence.")
    model: Model
    data: Data = Data()
    lora: Lora = Lora()
    optimizer: Optimizer = Optimizer()
    training: Training = Training()
    preference: Preference = Preference()
    pairs: Pairs = Pairs()
    evaluation: Evaluation = Evaluation()
    saving: Saving = Saving()
    logging: Logging = Logging()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.lora.dora and self.training.quantized == "int8":
            raise ValueError("lora.dora does not work on a base with training.quantized = 'int8'")
        if self.training.sharding != "none" and self.training.quantized != "no":
            raise ValueError("training.sharding does not work on a base with training.quantized")
        if self.lora.parameters and self.lora.dropout:
            raise ValueError("lora.dropout must be 0 where lora.parameters names experts")
        return self


def names() -> tuple[str, ...]:
    """The recipes that come with the project."""
    found = (Path(entry.name) for entry in (files("training") / "recipes").iterdir())
    return tuple(sorted(path.stem for path in found if path.suffix == ".toml" and not path.stem.startswith("_")))


def load(given: str, overrides: Sequence[str] = ()) -> Recipe:
    """given: a name or the path of a TOML file. overrides: `section.field=value`. Raises UsageError."""
    path = Path(given)
    if path.suffix == ".toml" or path.parent != Path():
        if not path.is_file():
            raise UsageError("There is no such recipe file.", details=given, help=_known(given))
        values = _values(_read(path), path.parent, given)
    elif given in names():
        values = _values(_shipped(given), None, given)
    else:
        raise UsageError(f"There is no recipe '{given}'.", help=_known(given))
    values.setdefault("name", path.stem if path.suffix == ".toml" else given)
    for override in overrides:
        _override(values, override)
    return _checked(values, given)


def fields() -> Iterator[tuple[str, str, str]]:
    """Each field of a recipe: its dotted name, its default as TOML would show it ("" when needed), its description."""
    for section, info in Recipe.model_fields.items():
        kind = info.annotation
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            continue
        for name, field in kind.model_fields.items():
            default = "" if field.is_required() else json.dumps(field.default)
            yield f"{section}.{name}", default, field.description or ""


# Reading


def _shipped(name: str) -> str:
    return (files("training") / "recipes" / f"{name}.toml").read_text(encoding="utf-8")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("The recipe cannot be read.", details=f"{path}: {error}") from error


def _values(text: str, folder: Path | None, name: str, depth: int = 0) -> dict[str, Any]:
    """The values of a recipe, laid over those of the one it extends."""
    try:
        own = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError("The recipe is no TOML.", details=f"{name}: {error}") from error
    base = own.pop(EXTENDS, None)
    if base is None:
        return own
    if not isinstance(base, str) or depth > 8:
        raise UsageError("The recipe cannot be read.", details=f"{name}: {EXTENDS} = {base!r} leads nowhere.")
    beside = folder / f"{base}.toml" if folder else None
    if beside and beside.is_file():
        under = _values(_read(beside), folder, base, depth + 1)
    elif base.lstrip("_") == base and base not in names():
        raise UsageError("The recipe extends one that is not there.", details=f"{name}: {base}", help=_known(base))
    else:
        under = _values(_shipped_base(base, name), None, base, depth + 1)
    return _laid_over(under, own)


def _shipped_base(base: str, name: str) -> str:
    try:
        return _shipped(base)
    except OSError as error:
        raise UsageError("The recipe extends one that is not there.", details=f"{name}: {base}") from error


def _laid_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(under)
    for key, value in over.items():
        old = both.get(key)
        both[key] = _laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both


def _known(given: str) -> str:
    near = get_close_matches(Path(given).stem, names(), n=3, cutoff=0.4)
    return f"Did you mean {' or '.join(near)}?" if near else f"Recipes: {', '.join(names())}."


# Overriding


def _override(values: dict[str, Any], given: str) -> None:
    key, sign, text = (part.strip() for part in given.partition("="))
    known = [name for name, _, _ in fields()]
    if not sign:
        raise UsageError("An override has no value.", details=given, help="Write section.field=value.")
    if key not in known:
        near = get_close_matches(key, known, n=1, cutoff=0.0)
        ends = [name for name in known if name.partition(".")[2] == key.rpartition(".")[2]]
        raise UsageError(f"A recipe has no field '{key}'.", help=f"The nearest is {(ends or near)[0]}.")
    section, _, name = key.partition(".")
    place = values.setdefault(section, {})
    if isinstance(place, dict):
        place[name] = _value(text)


def _value(text: str) -> Any:
    """As TOML reads it; what is no TOML value is text, so that quotes may be left out."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _checked(values: Mapping[str, Any], given: str) -> Recipe:
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        lines = [_line(one) for one in error.errors(include_url=False)]
        raise UsageError(
            "The recipe is not valid.",
            details="\n".join(dict.fromkeys(lines)),
            help=f"Recipe: {given}. Each field and its unit: tide-train recipes --fields.",
        ) from error


_PLAIN = {
    "model_type": "is a section, with fields of its own",
    "tuple_type": 'is a list, as ["a", "b"]',
    "int_parsing": "is a whole number, without a unit",
    "int_from_float": "is a whole number",
    "float_parsing": "is a number, without a unit",
}  # where the library's words are for programmers


def _line(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"] if not str(part).startswith(("literal", "tuple")))
    if error["type"] == "extra_forbidden":
        near = get_close_matches(place, [name for name, _, _ in fields()], n=1)
        return f"{place}: there is no such field" + (f"; the nearest is {near[0]}" if near else "")
    message = _PLAIN.get(error["type"]) or error["msg"].removeprefix("Value error, ")
    if error["type"] in ("missing", "value_error"):
        return f"{place}: {message}".removeprefix(": ")
    return f"{place}: {message}, got {error['input']!r}"
