"""An adapter that training goes on from: its shape as a recipe's section, and its values put into a model.

Reads folders in peft's format. Knows no data and no loop.
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tide_chat.errors import DataError, UsageError
from training.recipe import Lora, Recipe

if TYPE_CHECKING:
    import torch

CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"
DECIDED = set(Lora.model_fields) - {"dropout"}  # by the adapter, not by the recipe
_UNKNOWN = ("rank_pattern", "alpha_pattern", "modules_to_save", "layers_to_transform", "trainable_token_indices")


class _Config(BaseModel):
    """adapter_config.json as far as training can go on with it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    r: int
    lora_alpha: float
    target_modules: tuple[str, ...] | str | None = None
    target_parameters: tuple[str, ...] | None = None
    use_rslora: bool = False
    use_dora: bool = False


def recipe_for(recipe: Recipe, folder: Path, overrides: tuple[str, ...] = ()) -> Recipe:
    """The recipe with the adapter's own shape; dropout stays the recipe's. Raises DataError, UsageError."""
    fixed = [one for one in overrides if one.partition("=")[0].strip() in {f"lora.{name}" for name in DECIDED}]
    if fixed:
        raise UsageError(
            "The adapter to begin with has its shape already.",
            details=", ".join(fixed),
            help="Leave these out, or train without --from.",
        )
    return recipe.model_copy(update={"lora": shape(folder, recipe.lora.dropout)})


def shape(folder: Path, dropout: float) -> Lora:
    """As a recipe would say it. Raises DataError, also for what a recipe cannot say."""
    found = config(folder)
    odd = [name for name in _UNKNOWN if found.get(name)]
    odd += [] if found.get("peft_type") == "LORA" and found.get("bias", "none") == "none" else ["peft_type or bias"]
    if odd:
        raise DataError("Training cannot go on with this adapter.", details=f"{folder}: {', '.join(odd)}")
    try:
        read = _Config.model_validate(found)
        named = read.target_modules or ()
        return Lora(
            r=read.r,
            alpha=read.lora_alpha,
            dropout=dropout,
            targets=named if isinstance(named, str) else tuple(sorted(named)),  # type: ignore[arg-type]
            parameters=read.target_parameters or (),
            rslora=read.use_rslora,
            dora=read.use_dora,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            f"{CONFIG} is not valid.", details=f"{folder}: {'.'.join(map(str, first['loc']))} {first['msg']}"
        ) from error


def into(model: Any, folder: Path) -> None:
    """Give a model's adapter the values of one of the same shape. Raises DataError."""
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    values = tensors(folder)
    wanted = {name: tuple(value.shape) for name, value in get_peft_model_state_dict(model).items()}
    got = {name: tuple(value.shape) for name, value in values.items()}
    if wanted != got:
        differ = sorted({name for name, _ in wanted.items() ^ got.items()})
        raise DataError(
            "The adapter to begin with does not fit this model.",
            details=f"{folder}: {differ[0]} is {got.get(differ[0], 'missing')}, not {wanted.get(differ[0], 'there')}",
            help="It has to be of the model that --model names.",
        )
    set_peft_model_state_dict(model, values)


def tensors(folder: Path) -> dict[str, "torch.Tensor"]:
    """Its weights by name. Raises DataError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found: dict[str, torch.Tensor] = load_file(str(folder / TENSORS))
    except (OSError, SafetensorError) as error:
        raise DataError("The adapter cannot be read.", details=f"{folder}: {error}") from error
    return found


def digest(folder: Path) -> str:
    """SHA-256 of the adapter's weights, in hex. Raises DataError."""
    try:
        return hashlib.sha256((folder / TENSORS).read_bytes()).hexdigest()
    except OSError as error:
        raise _no_adapter(folder, error) from error


def base(folder: Path) -> str:
    """The model that the adapter says it is of; "" when it does not."""
    return str(config(folder).get("base_model_name_or_path") or "")


def config(folder: Path) -> dict[str, Any]:
    """Its settings as they stand. Raises DataError."""
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_adapter(folder, error) from error
    return found if isinstance(found, dict) else {}


def _no_adapter(folder: Path, error: Exception) -> DataError:
    return DataError(
        "This is not an adapter's folder.", details=str(error), help=f"It needs {CONFIG} and {TENSORS}: {folder}."
    )
