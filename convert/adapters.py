"""A peft adapter's folder: its settings, checked, and the layers whose tensors it holds. Knows no base model.

Only LoRA and what can be folded into weights: rank stabilised (rsLoRA), weight decomposed (DoRA), on modules,
embeddings and parameters, and whole layers that were trained beside it. Everything else is refused by name.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, field_validator

from convert.weights import Weights
from tide_chat.errors import DataError

CONFIG, TENSORS, PICKLE = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
PREFIX = "base_model.model."  # what peft puts before the base model's own names

# Settings under which the weights mean something else than `B @ A`, or something that no weight can hold.
_REFUSED = {
    "alora_invocation_tokens": "it acts on some tokens only (aLoRA)",
    "arrow_config": "it routes between adapters (Arrow)",
    "kasa_config": "it changes the base model's singular values (KaSA)",
    "layer_replication": "it repeats layers",
    "lora_bias": "it has biases of its own",
    "megatron_config": "it was made for Megatron's layers",
    "monteclora_config": "it samples its weights (MonteCLoRA)",
    "trainable_token_indices": "it holds single rows of the embedding",
    "use_bdlora": "it is block-diagonal (BD-LoRA)",
    "use_qalora": "it pools its inputs (QALoRA)",
    "velora_config": "it uses VeLoRA",
}
_PLAIN_STARTS = (None, True, False, "gaussian", "eva", "orthogonal")  # ways to start that leave the base as it is
_PART = re.compile(
    r"(?P<module>.+?)(?P<nesting>(?:\.base_layer)*)"
    r"\.(?P<part>lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)(?:\.weight)?"
)


class Settings(BaseModel):
    """adapter_config.json as far as it matters here. The patterns map regular expressions to values of their own."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    r: PositiveInt
    lora_alpha: float = Field(allow_inf_nan=False)
    rank_pattern: dict[str, PositiveInt] = {}
    alpha_pattern: dict[str, float] = {}
    use_rslora: bool = False
    use_dora: bool = False
    fan_in_fan_out: bool = False
    target_parameters: tuple[str, ...] = ()
    base_model_name_or_path: str = ""

    @field_validator("rank_pattern", "alpha_pattern", "target_parameters", "base_model_name_or_path", mode="before")
    @classmethod
    def _absent(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].default if value is None else value

    @field_validator("rank_pattern", "alpha_pattern")
    @classmethod
    def _patterns(cls, value: dict[str, float]) -> dict[str, float]:
        for pattern, number in value.items():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' is no regular expression: {error}") from error
            if not math.isfinite(number):
                raise ValueError(f"'{pattern}' is {number}")
        return value

    def rank(self, name: str) -> int:
        """The rank of a module or parameter, in the base model's names."""
        return int(_by_pattern(self.rank_pattern, name, self.r))

    def scaling(self, name: str) -> float:
        """What `B @ A` of a module or parameter is multiplied with."""
        rank = self.rank(name)
        return _by_pattern(self.alpha_pattern, name, self.lora_alpha) / (math.sqrt(rank) if self.use_rslora else rank)


def _by_pattern(patterns: Mapping[str, float], name: str, otherwise: float) -> float:
    """peft's rule: the first pattern that the name is, or ends with after a dot."""
    for pattern, value in patterns.items():
        if re.fullmatch(rf"(?:.*\.)?(?:{pattern})", name):
            return value
    return otherwise


@dataclass(frozen=True, slots=True)
class Layer:
    """One low-rank pair; a, b and magnitude are names of tensors in the adapter's file.

    module: in the base model's names. nesting: how many further layers on the same module peft has put around this one.
    a is (rank, in) and b (out, rank), for an embedding (rank, tokens) and (width, rank), and with experts the rank is
    that of all of them together.
    """

    module: str
    nesting: int
    a: str
    b: str
    magnitude: str | None
    embedding: bool


@dataclass(frozen=True, slots=True)
class Adapter:
    """wholes: names of tensors in the base model to names in the adapter's file, which replace them."""

    folder: Path
    settings: Settings
    weights: Weights
    layers: tuple[Layer, ...]
    wholes: Mapping[str, str]


def read(folder: Path) -> Adapter:
    """Raises DataError for a folder that is no adapter, and for one whose effect no weights can hold."""
    settings = _settings(folder)
    file = folder / TENSORS
    if not file.is_file():
        pickle = "Its weights are a pickle (.bin), which can run code. " if (folder / PICKLE).exists() else ""
        raise DataError(
            "The adapter's weights are missing.",
            details=f"{pickle}There is no {TENSORS} in {folder}.",
            help="Save the adapter with peft's save_pretrained, which writes safetensors.",
        )
    weights = Weights.of_file(file)
    layers, wholes = _sorted(weights, settings)
    if not layers and not wholes:
        raise DataError("The adapter holds no tensors.", details=str(file))
    return Adapter(folder, settings, weights, layers, wholes)


def _settings(folder: Path) -> Settings:
    try:
        raw = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            "This is not an adapter's folder.", details=str(error), help=f"It needs {CONFIG} and {TENSORS}."
        ) from error
    if not isinstance(raw, dict):
        raise DataError(f"{CONFIG} holds no settings.", details=str(folder))
    _refuse(raw)
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{CONFIG} is not valid.", details=f"{where}: {first['msg']}") from error


def _refuse(raw: Mapping[str, Any]) -> None:
    if raw.get("peft_type") != "LORA":
        raise DataError("The adapter is of a kind that is not known.", details=f"peft_type {raw.get('peft_type')}")
    if raw.get("bias", "none") != "none":
        raise DataError("The adapter trains biases.", details=f"bias {raw['bias']!r}; only 'none' is known.")
    for name, why in _REFUSED.items():
        if raw.get(name):
            raise DataError("The adapter cannot be folded into weights.", details=f"{why}: {name} is set.")
    start = raw.get("init_lora_weights")
    if start not in _PLAIN_STARTS:
        raise DataError(
            "The adapter belongs to base weights that were changed when its training began.",
            details=f"init_lora_weights {start!r}",
            help="Save it with peft's path_initial_model_for_weight_conversion: that makes a plain LoRA of it.",
        )


def _sorted(weights: Weights, settings: Settings) -> tuple[tuple[Layer, ...], dict[str, str]]:
    parts: dict[tuple[str, int], dict[str, str]] = {}
    wholes: dict[str, str] = {}
    for name in weights:
        plain = name.removeprefix(PREFIX)
        if plain == name:
            raise DataError("A tensor of the adapter is not known.", details=f"{name} does not begin with {PREFIX}")
        if match := _PART.fullmatch(plain):
            place = match["module"], match["nesting"].count(".")
            parts.setdefault(place, {})[match["part"]] = name
        elif ".lora_" in plain or ".token_adapter." in plain:
            raise DataError("A tensor of the adapter is not known.", details=name)
        else:
            wholes[plain.replace(".base_layer.", ".")] = name
    layers = tuple(_layer(*place, found, settings) for place, found in sorted(parts.items()))
    for layer in layers:
        _check_ranks(weights, layer)
    return layers, wholes


def _layer(module: str, nesting: int, parts: Mapping[str, str], settings: Settings) -> Layer:
    embedding = "lora_embedding_A" in parts or "lora_embedding_B" in parts
    pair = ("lora_embedding_A", "lora_embedding_B") if embedding else ("lora_A", "lora_B")
    wanted = {*pair, "lora_magnitude_vector"} if settings.use_dora else {*pair}
    if set(parts) != wanted:
        wrong = ", ".join(sorted(set(parts) ^ wanted))
        raise DataError("The adapter's tensors do not belong together.", details=f"{module}: see {wrong}.")
    return Layer(module, nesting, parts[pair[0]], parts[pair[1]], parts.get("lora_magnitude_vector"), embedding)


def _check_ranks(weights: Weights, layer: Layer) -> None:
    a, b = weights.info(layer.a).shape, weights.info(layer.b).shape
    if len(a) != 2 or len(b) != 2 or a[0] != b[1] or 0 in (*a, *b):
        raise DataError("The adapter's tensors do not belong together.", details=f"{layer.module}: {a} and {b}")
