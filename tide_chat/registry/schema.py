"""What a file in models/ holds. One file describes one model in all its quantizations; nothing here touches a disk.

`extends = "alias"` in a file puts its fields over those of another description (catalogue).

field of Entry                    read by
alias, quants                     catalogue: the names people type
repo, file, revision              pull, places: where the file is on the hub, in our folder and in the hub's cache
size_bytes, kv_bytes_per_token    machine: disk and memory needed
rank                              choose: which model is used when none is named
context, context_max, sampling    the front ends, for the engine
licence, notes, title, maker      `models list` and `models info`, the model picker
embedded, adapter                 places: what comes with the app
scenarios                         compose: for which messages it takes the place of the chosen model
"""

import re
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ALIAS = r"^[a-z0-9][a-z0-9.-]*$"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Licence(_Frozen):
    name: Annotated[str, Field(min_length=1)]
    """Its usual short name."""

    conditions: Annotated[str, Field(min_length=1)]
    """What it asks of the user, in a line or two."""


class Sampling(_Frozen):
    """As the makers advise; where they say nothing, off. The names are those of `engine.base.SamplingParams`."""

    temperature: Annotated[float, Field(ge=0, le=2)]
    """0 is greedy."""

    top_k: Annotated[int, Field(ge=0, le=1000)]
    """Tokens; 0 is off."""

    top_p: Annotated[float, Field(gt=0, le=1)]
    """1 is off."""

    min_p: Annotated[float, Field(ge=0, lt=1)]
    """0 is off."""

    repeat_penalty: Annotated[float, Field(ge=1, le=2)]
    """1 is off."""


class Quant(_Frozen):
    """One file on the hub."""

    repo: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    """Owner and name on the hub."""

    file: Annotated[str, Field(pattern=r"^[\w.-]+\.gguf$")]
    """Name of the file there and in our folder."""

    revision: Annotated[str, Field(pattern=r"^[\w.-]+$")] = "main"
    """Branch, tag or commit."""

    quantization: Annotated[str, Field(pattern=r"^[A-Z0-9_]+$")]
    """llama.cpp's name for it, such as Q4_K_M."""

    size_bytes: Annotated[int, Field(gt=0)]
    """Approximate, in bytes, for planning: when pulling, the hub's own value counts."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Only for the file that comes with the app; for others the hub's own value counts."""


class Embedded(_Frozen):
    """A model that travels inside an installed Python package."""

    package: Annotated[str, Field(pattern=r"^\w+$")]
    """The folder to look in. The package itself is never imported."""

    distribution: Annotated[str, Field(min_length=1)]
    """What to install to get it."""

    version: Annotated[str, Field(min_length=1)]
    """The version this entry was written for."""

    file: Annotated[str, Field(pattern=r"^[\w.-]+\.gguf$")]
    """Name of the file in the package."""


class Adapter(_Frozen):
    """A LoRA adapter of ours, put on the weights while they run."""

    file: Annotated[str, Field(pattern=r"^[\w.-]+\.gguf$")]
    """Name of the file, beside this description."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of that file."""


class Entry(_Frozen):
    alias: Annotated[str, Field(pattern=ALIAS)]
    """What people type, before "-q4"; the name of the file without .toml."""

    title: Annotated[str, Field(min_length=1)]
    """The maker's name for it."""

    family: Annotated[str, Field(pattern=ALIAS)]
    """Models of a family share a prompt format."""

    maker: Annotated[str, Field(min_length=1)]
    """Who trained it."""

    licence: Licence
    """Of the weights."""

    parameters: Annotated[int, Field(gt=0)]
    """Numbers in the weights."""

    active_parameters: Annotated[int, Field(gt=0)] | None = None
    """Numbers used for a token, when only some experts are."""

    context: Annotated[int, Field(gt=0)]
    """Tokens it was trained to see at once."""

    context_max: Annotated[int, Field(gt=0)] | None = None
    """Tokens it should be held to, when that is less."""

    kv_bytes_per_token: Annotated[int, Field(gt=0)]
    """Memory of a token of conversation, in bytes, at 16 bits: 2 x layers x key-value width x 2."""

    rank: Annotated[int, Field(ge=0, le=100)]
    """Which model is chosen when none is named: the higher. Our judgement of it for this app."""

    sampling: Sampling
    """How replies are drawn."""

    reasoning: bool
    """Whether it writes hidden thoughts before the reply."""

    notes: tuple[str, ...] = Field(default=(), strict=False)
    """What a user should know before choosing it."""

    quants: Annotated[dict[str, Quant], Field(min_length=1)]
    """By the short name that ends the alias: q4, q5, q8."""

    embedded: Embedded | None = None
    """Set for the model that comes with the app, which has one file and an alias without a quantization."""

    adapter: Adapter | None = None
    """Set where the weights are those of another entry and an adapter of ours makes the difference."""

    scenarios: tuple[str, ...] = Field(default=(), strict=False)
    """Situations (names in prompts/scenarios.toml) in which it answers, where it is installed."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in self.quants:
            if not re.fullmatch(r"q[2-8]", name):
                raise ValueError(f"a quantization is called q2 to q8, got {name!r}")
        if self.embedded and len(self.quants) != 1:
            raise ValueError(f"an embedded model has one file, got {len(self.quants)}")
        if self.context_max and self.context_max > self.context:
            raise ValueError(f"context_max must be at most {self.context}, got {self.context_max}")
        return self
