"""Measures the first safety route on labelled lines: `python tools/check_route.py [FOLDER] [--files a,c,e] [--misses]`.
With `--encoder`, rules and encoder together. With `--transforms`, what is left of it when the lines are disguised.

A line is routed when its tier comes out as T2 or higher. Prints recall by tier, false alarms, flags and, on request,
every miss.
Knows nothing of the labels' quality: read the README beside them.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tide_chat.safety.assessment import Assessment, Flag, Tier
from tide_chat.safety.classifier import Classifier
from tide_chat.safety.encoder import default_folder
from tide_chat.safety.join import is_reduced
from tide_chat.safety.router import Router
from training.evaluation.safety.transforms import TRANSFORMS

FOLDER = Path(__file__).parent.parent / "training" / "data_files" / "risk"
Route = Callable[[str], Assessment]


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled line and what the route made of it."""

    place: str
    kind: str
    text: str
    tier: Tier
    flags: frozenset[str]
    got: Assessment

    @property
    def routed(self) -> bool:
        return self.got.tier >= Tier.T2


def judge(folder: Path, names: Sequence[str], route: Route) -> Iterator[Judged]:
    for name in names:
        lines = (folder / f"train-{name}.jsonl").read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            yield Judged(
                f"{name}:{number}",
                row["kind"],
                row["text"],
                Tier[row["tier"]],
                frozenset(row["flags"]),
                route(row["text"]),
            )


def share(part: int, whole: int) -> str:
    return f"{part / whole:.3f} ({part}/{whole})" if whole else "-"


def tiers(judged: Sequence[Judged]) -> list[str]:
    """Recall and false alarms, one line a measure."""

    def count(wanted: tuple[Tier, ...], least: Tier) -> str:
        of = [j for j in judged if j.tier in wanted]
        return share(sum(j.got.tier >= least for j in of), len(of))

    return [
        f"T3/T4 routed as T2 or higher  {count((Tier.T3, Tier.T4), Tier.T2)}",
        f"T3/T4 routed as T3 or higher  {count((Tier.T3, Tier.T4), Tier.T3)}",
        f"T2 routed as T2 or higher     {count((Tier.T2,), Tier.T2)}",
        f"T1 raised to T2 or higher     {count((Tier.T1,), Tier.T2)}",
        f"T0 raised to T2 or higher     {count((Tier.T0,), Tier.T2)}",
    ]


def flags(judged: Sequence[Judged]) -> list[str]:
    """Precision and recall of each flag."""
    lines = []
    for flag in Flag:
        wanted = sum(flag.value in j.flags for j in judged)
        got = sum(flag in j.got.flags for j in judged)
        both = sum(flag.value in j.flags and flag in j.got.flags for j in judged)
        lines.append(f"{flag.value:20s} precision {share(both, got):18s} recall {share(both, wanted)}")
    return lines


def misses(judged: Sequence[Judged]) -> list[str]:
    """Every T2-T4 line that was not routed, and every T0 line that was, with the words that did it."""
    missed = [
        f"MISSED {j.tier.name} {j.place} {j.kind}: {j.text}" for j in judged if j.tier >= Tier.T2 and not j.routed
    ]
    alarms = [
        f"ALARM T0->{j.got.tier.name} {j.place} {j.kind}: {j.text}\n      {' / '.join(map(str, j.got.reasons))}"
        for j in judged
        if j.tier is Tier.T0 and j.routed
    ]
    return [*missed, *alarms]


def retention(judged: Sequence[Judged], route: Route, listed: bool) -> Iterator[str]:
    """Of the T2-T4 lines that are routed, the share that still is after each disguise."""
    plain = [j for j in judged if j.tier >= Tier.T2 and j.routed]
    single = {j.place for j in plain if j.kind not in ("obfuscated", "multilingual")}
    yield f"routed as written: {len(plain)}, of them in English and not disguised already: {len(single)}"
    for name, transform in TRANSFORMS.items():
        texts = {j.place: transform(j.text, random.Random(j.place)) for j in plain}
        kept = {place for place, text in texts.items() if route(text).tier >= Tier.T2}
        once = share(len(kept & single), len(single))
        yield f"{name:18s} all {share(len(kept), len(plain)):18s} English, plain before {once}"
        if listed:
            yield from (f"    LOST {place}: {text}" for place, text in texts.items() if place in single - kept)


def report(title: str, judged: Sequence[Judged]) -> None:
    print(f"\n{title}: {len(judged)} lines")
    print("\n".join(f"  {line}" for line in tiers(judged)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--files", default="a,c,e", help="letters of the files, with commas")
    parser.add_argument("--misses", action="store_true", help="list every miss")
    parser.add_argument("--encoder", action="store_true", help="rules and encoder; without it rules alone")
    parser.add_argument("--transforms", action="store_true", help="disguise the lines in every way")
    options = parser.parse_args()
    classifier = Classifier(default_folder(), patience=5) if options.encoder else None
    try:
        measure(options, Router(classifier).assess)
    finally:
        if classifier:
            classifier.close()


def measure(options: argparse.Namespace, route: Route) -> None:
    names = options.files.split(",")
    route("")
    started = time.perf_counter()
    judged = list(judge(options.folder, names, route))
    spent = (time.perf_counter() - started) / max(len(judged), 1)
    if any(is_reduced(j.got) for j in judged):
        sys.exit("The encoder did not take part in every message: these would not be its figures.")
    for name in names:
        report(f"train-{name}", [j for j in judged if j.place.startswith(f"{name}:")])
    report("together", judged)
    kinds = Counter(j.kind for j in judged if j.tier >= Tier.T2)
    caught = Counter(j.kind for j in judged if j.tier >= Tier.T2 and j.routed)
    print(
        "\nT2 to T4 routed, by kind: "
        + ", ".join(f"{kind} {share(caught[kind], n)}" for kind, n in kinds.most_common())
    )
    print("\nflags:\n" + "\n".join(f"  {line}" for line in flags(judged)))
    print(f"\n{spent * 1000:.1f} ms a line on this machine")
    if options.misses and not options.transforms:
        print("\n" + "\n".join(misses(judged)))
    if options.transforms:
        print("\nretention:")
        for line in retention(judged, route, options.misses):
            print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
