"""Training on some scenarios only: which dialogues those are, and one adapter for each of the paper's families.

The paper finds that no model is best in all situations and asks whether several tuned ones would be (its section 6).
Knows no loop.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from tide_chat import atomic
from tide_chat.errors import DataError, UsageError
from training import folders
from training.data import origins, split
from training.data.families import Family, families, family_of
from training.data.schema import Dialogue
from training.sft import metrics

if TYPE_CHECKING:
    from training.commands import Options
    from training.recipe import Recipe
    from training.sft.prepared import Job, Prepare

SUMMARY = "families.json"
CarryOut = Callable[["Job", "Prepare", bool], None]


def matching(dialogues: Sequence[Dialogue], wanted: Sequence[str]) -> list[Dialogue]:
    """Those of the scenarios and families in `wanted`; all when it names none."""
    names = set(wanted)
    return [one for one in dialogues if not names or one.scenario in names or family_of(one.scenario) in names]


def check(names: Iterable[str], wanted: Sequence[str]) -> None:
    """names: the scenarios of the data. Raises UsageError when one that is wanted is neither of them nor a family."""
    there = set(names) - {""}
    known = sorted(there | {family for one in there if (family := family_of(one))})
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.6)
            raise UsageError(
                f"The data have no scenario '{name}'.",
                help=f"Did you mean {' or '.join(near)}?"
                if near
                else f"There are: {', '.join(known) or 'none named'}.",
            )


@dataclass(frozen=True, slots=True)
class Loaded:
    """A split, verified, as far as training reads it. files: all of its files and their SHA-256."""

    train: tuple[Dialogue, ...]
    held: tuple[Dialogue, ...]
    scenarios: frozenset[str]
    files: dict[str, str]
    origins: tuple[origins.Origin, ...]


def load(folder: Path) -> Loaded:
    """Raises DataError."""
    manifest = split.verified(folder)
    parts = manifest.splits.values()
    return Loaded(
        split.read(folder, manifest, "train"),
        split.read(folder, manifest, "validation"),
        frozenset(name for part in parts for name in part.scenarios),
        {part.file: part.sha256 for part in parts},
        origins.of(manifest.sources),
    )


def job(given: "Options", recipe: "Recipe", loaded: Loaded) -> "Job":
    """A run of the recipe on the scenarios it names. Raises UsageError."""
    from training.sft.prepared import Job

    wanted = recipe.data.scenarios
    check(loaded.scenarios, wanted)
    train, held = ([one.conversation for one in matching(part, wanted)] for part in (loaded.train, loaded.held))
    return Job(
        recipe,
        given.model,
        given.out,
        train,
        held,
        loaded.files,
        given.template,
        given.device,
        given.resume,
        given.start,
        loaded.origins,
    )


def each_family(given: "Options", carry_out: CarryOut, tell: Callable[[str], None]) -> None:
    """A run for each family, in the folder of its name, and a summary beside them, which the leader alone writes.

    Raises UsageError, DataError.
    """
    from training.sft import devices, loop, prepared

    leads = devices.from_environment().leads
    note = tell if leads else loop.silent
    recipe = given.recipe()
    if recipe.data.scenarios:
        raise UsageError("The families choose the scenarios themselves.", help="Leave data.scenarios out.")
    if not given.resume:
        folders.require_new(given.out, "Go on with --resume.")
    loaded = load(given.data)
    found = [family for family in families() if loaded.scenarios & set(family.scenarios)]
    if not found:
        raise DataError("The data hold no scenario of a family.", details=str(given.data))
    for family in found:
        out = given.out / family.name
        run = metrics.read_run(out)
        if run.get("outcome"):
            note(f"{family.name}: finished before.")
            continue
        note(f"{family.name}: {', '.join(family.scenarios)}")
        named = recipe.model_copy(update={"data": recipe.data.model_copy(update={"scenarios": (family.name,)})})
        carry_out(job(replace(given, out=out, resume=bool(run)), named, loaded), prepared.prepare, given.dry_run)
    if leads and not given.dry_run:
        _summarise(given.out, found, tell)


def _summarise(out: Path, found: Sequence[Family], tell: Callable[[str], None]) -> None:
    """What training on each family brought: held-out loss before (None without --from) and after."""
    from training.sft.loop import METRICS

    rows = {}
    for family in found:
        run = out / family.name
        lines = metrics.read(run / METRICS)
        before = next((line["held_loss"] for line in lines if line["step"] == 0 and "held_loss" in line), None)
        after = metrics.read_run(run)["outcome"]["best"]
        rows[family.name] = {"scenarios": family.scenarios, "held_loss_before": before, "held_loss": after}
        tell(f"{family.name:<12} held-out loss {_number(before)} before, {_number(after)} after")
    atomic.write_text(out / SUMMARY, json.dumps(rows, indent=2) + "\n")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
