"""The base model from an HF folder, and the adapter put into it. Knows no data and no loop."""

import importlib.util
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tide_chat.errors import DataError, MissingExtra, ModelNotFound, ModelUnusable, UsageError
from training.hushed import hushed
from training.recipe import Recipe
from training.sft import begun


def load(folder: Path, recipe: Recipe, device: torch.device, dtype: torch.dtype, start: Path | None = None) -> Any:
    """The base model with an adapter, fresh or that of the folder `start`, ready to train.

    Only the adapter's parameters want a gradient.

    Raises ModelNotFound, ModelUnusable, UsageError, DataError, MissingExtra.
    """
    _check(folder)
    try:
        from transformers import AutoModelForCausalLM
    except ImportError as error:
        raise MissingExtra("Training", "train") from error
    quantized = _quantized(recipe, device)
    with hushed(), _readable(folder):
        base, report = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, output_loading_info=True, **quantized
        )
    _whole(folder, report["missing_keys"], report["unexpected_keys"])
    model = attach(base if quantized else base.to(device), folder, recipe)
    if recipe.training.checkpointing:
        with hushed():
            base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if start:
        begun.into(model, start)
    return model


def skeleton(folder: Path, recipe: Recipe) -> Any:
    """The same without weights: shapes alone, for a plan. Raises as `load`."""
    _check(folder)
    from transformers import AutoConfig, AutoModelForCausalLM

    with hushed(), _readable(folder), torch.device("meta"):
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        return attach(AutoModelForCausalLM.from_config(config), folder, recipe)


def attach(base: Any, folder: Path, recipe: Recipe) -> Any:
    """Put a fresh adapter in. Its values follow from the recipe's seed. Raises UsageError."""
    from peft import LoraConfig, get_peft_model

    wanted = recipe.lora
    targets: str | list[str] = wanted.targets if isinstance(wanted.targets, str) else list(wanted.targets)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        base_model_name_or_path=str(folder),
        r=wanted.r,
        lora_alpha=wanted.alpha,
        lora_dropout=wanted.dropout,
        target_modules=targets,
        target_parameters=list(wanted.parameters) or None,
        use_rslora=wanted.rslora,
        use_dora=wanted.dora,
        bias="none",
    )
    torch.manual_seed(recipe.training.seed)
    try:
        with hushed():
            warnings.filterwarnings("ignore", category=UserWarning, module="peft")  # advice to programmers
            warnings.simplefilter("error", RuntimeWarning)  # what names nothing is a mistake
            model = get_peft_model(base, config)
    except (ValueError, RuntimeError, NotImplementedError, RuntimeWarning) as error:
        linear = sorted({name.rpartition(".")[2] for name, part in base.named_modules() if _is_linear(part)})
        raise UsageError(
            "The adapter of the recipe does not fit this model.",
            details=str(error),
            help=f"lora.targets may name: {', '.join(linear)}.",
        ) from error
    model.train()
    return model


def trained(model: Any) -> dict[str, torch.nn.Parameter]:
    """The parameters that want a gradient, by name."""
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def _is_linear(part: torch.nn.Module) -> bool:
    return isinstance(part, torch.nn.Linear)


def _check(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelNotFound(
            "There is no model to train.",
            details=f"{folder} has no config.json.",
            help="Name an HF folder; tide-convert dequantize makes one of a GGUF file.",
        )


def _whole(folder: Path, missing: Iterable[str], unexpected: Iterable[str]) -> None:
    """The library fills what is missing with noise, and leaves out layers that the configuration does not count."""
    odd = [f"{name} is missing" for name in sorted(missing)]
    odd += [f"{name} has no place" for name in sorted(unexpected) if ".layers." in name and name.endswith(".weight")]
    if odd:
        raise ModelUnusable(
            "The base model's weights do not fit its config.json.",
            details=f"{folder}: {odd[0]}" + (f", and {len(odd) - 1} more" if odd[1:] else ""),
            help="Both have to come from the same model, whole.",
        )


def _quantized(recipe: Recipe, device: torch.device) -> dict[str, Any]:
    kind = recipe.training.quantized
    if kind == "no":
        return {}
    if device.type != "cuda":
        raise UsageError(
            f"training.quantized = {kind} needs CUDA.", details=f"This run is on {device.type}.", help="Set it to no."
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise UsageError("A quantized base needs bitsandbytes.", help="Install it: pip install bitsandbytes")
    from transformers import BitsAndBytesConfig

    config = (
        BitsAndBytesConfig(load_in_8bit=True)
        if kind == "int8"
        else BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    )
    return {"quantization_config": config, "device_map": {"": device}}


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """What the library says of files that it cannot load, as an error with words."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        said = (str(error).splitlines() or [""])[0]  # advice about the library's versions may follow
        raise ModelUnusable("The base model cannot be loaded.", details=f"{folder}: {said}") from error
    except Exception as error:
        if type(error).__name__ == "SafetensorError":
            raise DataError("The base model's weights are broken.", details=f"{folder}: {error}") from error
        raise
