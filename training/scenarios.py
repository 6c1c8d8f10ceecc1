"""Training on some scenarios only: which dialogues those are, and one adapter for each of the paper's families.

The paper finds that no model is best in all situations and asks whether several tuned ones would be (its section 6).
Knows no loop.
"""

import json
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tide_chat import atomic
from tide_chat.errors import DataError, UsageError
from training.data import origins, split
from training.data.families import Family, families, family_of
from training.data.schema import Dialogue

if TYPE_CHECKING:
    from training.commands import Options
    from training.recipe import Recipe
    from training.sft.loop import Job, Prepare

SUMMARY = "families.json"
CarryOut = Callable[["Job", "Prepare", bool], None]


def matching(dialogues: Sequence[Dialogue], wanted: Sequence[str]) -> list[Dialogue]:
    """Those of the scenarios and families in `wanted`; all when it names none."""
    names = set(wanted)
    return [one for one in dialogues if not names or one.scenario in names or family_of(one.scenario) in names]


def check(dialogues: Sequence[Dialogue], wanted: Sequence[str]) -> None:
    """Raises UsageError for a name that is neither a scenario of these dialogues nor a family of one."""
    there = {one.scenario for one in dialogues} - {""}
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


def job(given: "Options", recipe: "Recipe", out: Path, *, resume: bool | None = None) -> "Job":
    """A run of the recipe on the scenarios it names. Raises UsageError, DataError."""
    from training.sft.loop import Job

    manifest = split.verified(given.data)
    parts = {part: split.read(given.data, manifest, part) for part in manifest.splits}
    wanted = recipe.data.scenarios
    check([one for part in parts.values() for one in part], wanted)
    chosen = {part: [one.conversation for one in matching(found, wanted)] for part, found in parts.items()}
    return Job(
        recipe,
        given.model,
        out,
        chosen.get("train", []),
        chosen.get("validation", []),
        {part.file: part.sha256 for part in manifest.splits.values()},
        given.template,
        given.device,
        given.resume if resume is None else resume,
        given.start,
        origins.of(manifest.sources),
    )


def each_family(given: "Options", carry_out: CarryOut, tell: Callable[[str], None]) -> None:
    """A run for each family, in the folder of its name, and a summary beside them. Raises UsageError, DataError."""
    from training.sft import loop

    recipe = given.recipe()
    if recipe.data.scenarios:
        raise UsageError("The families choose the scenarios themselves.", help="Leave data.scenarios out.")
    if not given.resume and given.out.is_dir() and any(given.out.iterdir()):
        raise UsageError("The output exists already.", details=str(given.out), help="Go on with --resume.")
    manifest = split.verified(given.data)
    there = {one.scenario for part in manifest.splits for one in split.read(given.data, manifest, part)}
    found = [family for family in families() if there & set(family.scenarios)]
    if not found:
        raise DataError("The data hold no scenario of a family.", details=str(given.data))
    for family in found:
        out = given.out / family.name
        if (run := _run(out)) and run.get("outcome"):
            tell(f"{family.name}: finished before.")
            continue
        tell(f"{family.name}: {', '.join(family.scenarios)}")
        named = recipe.model_copy(update={"data": recipe.data.model_copy(update={"scenarios": (family.name,)})})
        carry_out(job(given, named, out, resume=run is not None), loop.prepare, given.dry_run)
    if not given.dry_run:
        _summarise(given.out, found, tell)


def _run(out: Path) -> dict[str, Any] | None:
    from training.sft import loop

    try:
        found: dict[str, Any] = json.loads((out / loop.RUN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError("The run cannot be read.", details=f"{out}: {error}") from error
    return found


def _summarise(out: Path, found: Sequence[Family], tell: Callable[[str], None]) -> None:
    """What training on each family brought: held-out loss before (None without --from) and after."""
    from training.sft import loop, metrics

    rows = {}
    for family in found:
        held = [line for line in metrics.read(out / family.name / loop.METRICS) if "held_loss" in line]
        before = next((line["held_loss"] for line in held if line["step"] == 0), None)
        after = min((line["held_loss"] for line in held), default=None)
        rows[family.name] = {"scenarios": family.scenarios, "held_loss_before": before, "held_loss": after}
        tell(f"{family.name:<12} held-out loss {_number(before)} before, {_number(after)} after")
    atomic.write_text(out / SUMMARY, json.dumps(rows, indent=2) + "\n")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
