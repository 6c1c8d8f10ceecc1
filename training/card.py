"""The model card of a run: README.md in its folder, written from run.json and from nothing else.

Markdown with the hub's front matter. Says what is known, and of what is not recorded that it is not. Of the base it
knows what models/*.toml say, and its makers' name for it on the hub.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tide_chat import atomic
from tide_chat.registry.catalogue import load_entries
from tide_chat.registry.machine import human_size
from training.data import origins
from training.sft import metrics

if TYPE_CHECKING:
    from tide_chat.registry.schema import Entry

NAME = "README.md"
Run = Mapping[str, Any]

MAKERS = {  # the base's name on the hub
    "smollm2-135m": "HuggingFaceTB/SmolLM2-135M-Instruct",
    "qwen2.5-0.5b": "Qwen/Qwen2.5-0.5B-Instruct",
    "qwen2.5-1.5b": "Qwen/Qwen2.5-1.5B-Instruct",
    "qwen2.5-3b": "Qwen/Qwen2.5-3B-Instruct",
    "r1-distill-qwen-1.5b": "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
    "llama-3.2-1b": "meta-llama/Llama-3.2-1B-Instruct",
    "llama-3.2-3b": "meta-llama/Llama-3.2-3B-Instruct",
    "phi-3.5-mini": "microsoft/Phi-3.5-mini-instruct",
    "granite-3.1-3b-a800m": "ibm-granite/granite-3.1-3b-a800m-instruct",
}
HUB_LICENCES = {"Apache-2.0": "apache-2.0", "MIT": "mit", "Llama 3.2 Community License": "llama3.2"}
OTHER = "other"  # as the hub calls a licence that it has no name for

WROTE = {
    origins.OURS: "written by an AI for this project; no message of a real person is in it",
    origins.TIDE: "TIDE (arXiv 2505.15065), its replies written by an AI; not for commercial use",
    "": "not recorded",
}
NOT_FOR = (
    "Not for crisis: it does not notice danger. tide-chat keeps such messages from it; other programs may not.",
    "Not for diagnosis, treatment or advice about medicine, and not a replacement for a person.",
    "No clinician has reviewed this model, its data or what it writes.",
    "Like every small model it can be wrong, repeat itself, or miss what was said; the loss below does not show that.",
)


def write(run: Path) -> None:
    """README.md in a run folder. Raises OSError, DataError."""
    atomic.write_text(run / NAME, text(metrics.read_run(run)))


def text(run: Run) -> str:
    """The card. run: what run.json holds at the end of a run."""
    alias = run["recipe"]["model"]["name"]
    base = next((one for one in load_entries() if one.alias == alias), None)
    blocks = (
        _front_matter(run, base),
        *_about(run, base),
        "## Limits\n\n" + _bullets((*_data_limits(run), *NOT_FOR)),
        *_data(run),
        *_training(run),
        "## Results\n\n" + _table(("measure", "value"), _results(run)),
        _use(),
    )
    return "\n\n".join(blocks) + "\n"


# The head, for the hub


def licence(run: Run, base: "Entry | None") -> str:
    """The strictest of what the base and the data ask; "other" where one of them is not known."""
    found = _licences(run)
    if origins.TIDE in found:
        return origins.TIDE.lower()
    if base is None or not found or "" in found:
        return OTHER
    return HUB_LICENCES.get(base.licence.name, OTHER)


def _licences(run: Run) -> set[str]:
    """Of the data; "" where one is not known."""
    return {one["licence"] for one in run.get("origins", ())}


def _front_matter(run: Run, base: "Entry | None") -> str:
    alias = run["recipe"]["model"]["name"]
    lines = [f"license: {licence(run, base)}", "library_name: peft", "pipeline_tag: text-generation"]
    if alias in MAKERS:
        lines += [f"base_model: {MAKERS[alias]}", "base_model_relation: adapter"]
    found = _licences(run)
    if origins.TIDE in found:
        lines += ["datasets:", "- yenopoya/TIDE"]
    if found and "" not in found:
        lines += ["language:", "- en"]
    return "\n".join(("---", *lines, "tags:", "- lora", "- tide-chat", "---"))


# What it is


def _about(run: Run, base: "Entry | None") -> Iterator[str]:
    recipe = run["recipe"]
    yield f"# {recipe['name']}"
    title = base.title if base else recipe["model"]["name"]
    yield (
        f"A LoRA adapter for {title}, trained with tide-chat {run['tide_chat']} to answer people who live with PTSD "
        f"briefly and warmly. {recipe['about']}".rstrip()
    )
    if base:
        yield f"Base: {base.title} by {base.maker}, {base.licence.name}. {base.licence.conditions}"
    if licence(run, base) == origins.TIDE.lower():
        yield "**Not for commercial use**: it was trained on data under CC BY-NC 4.0, whose authors must be named."
    if licence(run, base) == OTHER:
        yield "**Licence**: no single one is known. Before sharing this, see what the base and the data below ask for."


def _data_limits(run: Run) -> Iterator[str]:
    found = _licences(run)
    if found & {origins.OURS, origins.TIDE}:
        yield "It learnt from text that an AI wrote. What people really write differs; nobody measured how much."
    if not found or "" in found:
        yield "Who wrote its data, and under which licence, is not recorded."


def _data(run: Run) -> Iterator[str]:
    yield "## Data"
    counts = run["counts"]
    yield (
        f"{counts['train']['dialogues']:,} dialogues to train on, {counts['train']['tokens']:,} tokens, of which "
        f"{counts['train']['targets']:,} are learnt: the replies. {counts['held']:,} dialogues are held out."
    )
    rows = [
        (one["name"], f"{one['rows']:,}", one["licence"] or "not recorded", WROTE[one["licence"]], one["sha256"])
        for one in run.get("origins", ())
    ]
    if rows:
        yield _table(("source", "rows", "licence", "who wrote it", "SHA-256"), rows)
    yield _table(("file of the split", "SHA-256"), sorted(run["data"].items()))


def _training(run: Run) -> Iterator[str]:
    yield "## Training"
    git, versions = run.get("git"), run["versions"]
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    state = f"commit {git['commit'][:12]}{' with changes' if git['changed'] else ''}; " if git else ""
    start = run.get("start")
    yield (
        f"On {run['device']}, {run['processes']} process{'' if run['processes'] == 1 else 'es'}, {run['precision']}. "
        f"Begun {run['started']}. tide-chat {run['tide_chat']}, {state}Python {run['python']}, {libraries}."
    )
    if start:
        found = ", ".join(f"{name} ({digest})" for name, digest in start.items())
        yield f"It goes on from another adapter: {found}."
    values = "\n".join(f"{name} = {json.dumps(value)}" for name, value in _fields(run["recipe"]))
    yield f"The recipe, each field (`tide-train recipes --fields` explains them):\n\n```toml\n{values}\n```"


def _fields(recipe: Run) -> Iterator[tuple[str, Any]]:
    for section, values in recipe.items():
        if isinstance(values, Mapping):
            yield from ((f"{section}.{name}", value) for name, value in values.items())


def _results(run: Run) -> Iterator[tuple[str, str]]:
    done = run["outcome"]
    if done["best"] is not None:
        yield "held-out loss", f"{done['best']:.4f}, at step {done['best_step']}; lower is better"
    yield "steps", f"{done['steps']:,}{', stopped early' if done['stopped_early'] else ''}"
    yield "tokens read", f"{done['tokens']:,}"
    yield "time", f"{_duration(done['seconds'])} (estimated {_duration(run['plan']['seconds'])})"
    if done["peak_memory"]:
        yield "peak memory", f"{human_size(done['peak_memory'])} (estimated {human_size(run['plan']['memory'])})"
    trained, whole = run["plan"]["trained"], run["plan"]["parameters"]
    yield "parameters trained", f"{trained:,} of {whole:,} ({trained / whole:.2%})"


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _use() -> str:
    return (
        "## Use\n\nWith the base as an HF folder (`tide-convert dequantize` makes one of a GGUF file):\n\n"
        "```\ntide-convert all RUN --base BASE --install\ntide-chat\n```\n\nRUN is this folder. "
        "`metrics.jsonl` holds every step, `samples.jsonl` what the model wrote at each evaluation."
    )


# Markdown


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]] | Sequence[tuple[str, ...]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
