"""Run folders for the report's tests, written by the evaluations' own writers."""

import json
from pathlib import Path
from typing import Any

from training.evaluation.auto import samples
from training.evaluation.replies import Reply
from training.evaluation.tables import Table

HOSTILE = (
    '<script>alert(1)</script> & <b>"x"</b> | [link](https://elsewhere.example/) ![p](https://elsewhere.example/p)'
)
FIGURE = """<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="100pt" height="50pt" viewBox="0 0 100 50"
 xmlns="http://www.w3.org/2000/svg" version="1.1">
 <metadata><x/></metadata><defs><style type="text/css">*{stroke-linejoin: round}</style></defs>
 <g id="axes_1"><!-- Cosine --><path id="m1" d="M 0 0 L 9 9" clip-path="url(#c1)" style="fill: #0072b2; stroke: none"/>
 <use xlink:href="#m1" x="4" y="4"/><text x="1" y="9" style="font-size: 10px">zero-shot</text><text>0.5</text></g>
 <defs><clipPath id="c1"><rect x="0" y="0" width="90" height="40"/></clipPath></defs>
</svg>
"""
AUTO = {
    "kind": "auto",
    "command": "tide-eval auto --model m --data d",
    "tide_chat": "0.1.0",
    "python": "3.11.7",
    "system": "Linux x86_64",
    "versions": {"torch": "2.13.0"},
    "git": {"commit": "68a30d9", "changed": True},
    "started": "2026-11-26T12:18:58+00:00",
    "hardware": {"processor": "AMD EPYC", "cores": 2, "memory": 8 * 1024**3},
    "conditions": [
        {
            "name": "m",
            "state": state,
            "model": {"name": "m.gguf", "sha256": "b179"},
            "adapter": {"name": "a.gguf", "sha256": "ad42"} if state == "ft" else None,
            "sampling": {"temperature": 0.2},
            "sampling_from": "the app's default",
        }
        for state in ("zs", "ft")
    ],
    "data": [{"name": "test.jsonl", "sha256": "1900", "rows": 198}],
    "items": 10,
    "seed": 7,
}


def table(name: str, cell: str = "a", command: str = "") -> Table:
    rows = ((cell, 0.5, 3), ("b", None, 4))
    return Table(name, f"Title of {name}", ("what", "mean", "count"), rows, f"Note of {name}.", command)


def write(folder: Path, about: dict[str, Any], *made: Table, figures: tuple[str, ...] = ()) -> Path:
    for one in made:
        one.write(folder)
    for name in figures:
        path = folder / "figures" / f"{name}.svg"
        path.parent.mkdir(exist_ok=True)
        path.write_text(FIGURE, encoding="utf-8")
    (folder / "run.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def automatic(folder: Path) -> Path:
    said = Reply(item="d/0", model="m", state="zs", scenario="grief", said=("hello",), text=f"# Big\n{HOSTILE}",
                 reference="yes", tokens=3, finish="stop")  # fmt: skip
    made = write(folder, AUTO, table("one", HOSTILE), table("two", command="tide-eval two"), figures=("by-family", "b"))
    samples.write(made, [said], 0)
    (made / "misses.md").write_text(f"# Misses\n\n## Not routed (1)\n\n- T2 as T0: {HOSTILE}\n", encoding="utf-8")
    return made


def simulated(folder: Path) -> Path:
    about = {"command": "", "simulated": True, "data": {"r.csv": "ff4f"}, "seed": 0, "bounds": {"minutes": [10, 75]}}
    return write(folder, about, table("study"), figures=("by-family",))
