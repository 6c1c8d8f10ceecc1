"""The report as Markdown, from its JSON form alone: a full page, a short block for the documents, the list of misses.

Knows nothing of how a figure came about.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from training.evaluation.safety.figures import GOALS, MACRO_F1, RETENTION
from training.evaluation.safety.surroundings import KINDS

Json = Mapping[str, Any]
NOTHING = "–"
TITLES = {"rules": "rules alone", "encoder": "encoder alone", "both": "both", "reduced": "without the encoder"}


def page(report: Json) -> str:
    """safety.md."""
    parts = ["# Safety report", source(report), *_goals(report), *_tiers(report)]
    for title, key in (
        ("T2 to T4 routed, by kind", "routed_by_kind"),
        ("T2 to T4 routed, by language", "routed_by_language"),
        ("False alarms (T0 and T1 raised to T2 or higher), by kind", "alarms_by_kind"),
        ("False alarms, by language", "alarms_by_language"),
    ):
        parts += [f"## {title}", _side_by_side(report, key)]
    parts += [*_flags(report), *_axes(report), *_calibration(report)]
    parts += [*_retention(report), *_surrounded(report), *_turns(report), *_latency(report), *_counts(report)]
    return "\n\n".join(parts) + "\n"


def block(report: Json) -> str:
    """What stands between the markers of a document: the goals, and what a reader asks next."""
    parts = [
        source(report),
        *_goals(report)[1:],
        *_retention(report)[1:],
        *_surrounded(report)[1:],
        *list(_turns(report))[1:],
    ]
    parts += _latency(report)[1:]
    return "\n\n".join(parts)


def source(report: Json) -> str:
    """One sentence: which data, how many lines, which encoder."""
    files = ", ".join(f"`{one['file']}` ({one['lines']} lines, {one['sha256'][:12]})" for one in report["data"])
    tiers = ", ".join(f"{name} {count}" for name, count in report["rows"].items())
    encoder = f" Encoder: {report['encoder'][:12]}." if report.get("encoder") else ""
    return f"Printed by `tide-eval safety`. Data: {files}; {tiers}.{encoder} In brackets: 95% Wilson intervals."


def _modes(report: Json) -> list[str]:
    return list(report["modes"])


def _titles(report: Json) -> list[str]:
    return [TITLES[mode] for mode in _modes(report)]


def _goals(report: Json) -> list[str]:
    rows = []
    for goal in GOALS:
        cells = [_judged(report["modes"][mode]["goals"][goal.name]) for mode in _modes(report)]
        rows.append([goal.name, f"{'≥' if goal.least else '≤'} {goal.limit:.2f}", *cells])
    lowest = [_lowest(report["modes"][mode]["retention"]) for mode in _modes(report)]
    rows.append(["lowest retention of a disguise", f"≥ {RETENTION:.2f}", *lowest])
    scores = [report["modes"][mode]["flags"] for mode in _modes(report)]
    rows.append(
        ["flags, macro-F1", f"≥ {MACRO_F1:.2f}", *(_verdict(number(one["macro_f1"]), one["met"]) for one in scores)]
    )
    return ["## Goals", _table(["measure", "goal", *_titles(report)], rows)]


def _lowest(retention: Json) -> str:
    measured = {name: one for name, one in retention.items() if one["share"] is not None}
    if not measured:
        return NOTHING
    name = min(measured, key=lambda each: measured[each]["share"])
    return _verdict(f"{number(measured[name]['share'])} ({name})", measured[name]["met"])


def _tiers(report: Json) -> Iterator[str]:
    yield "## What became of each tier"
    for mode in _modes(report):
        tiers = report["modes"][mode]["tiers"]
        rows = [
            [name, *map(str, one["got"].values()), share(one["exact"]), share(one["routed"])]
            for name, one in tiers.items()
        ]
        yield f"### {TITLES[mode].capitalize()}"
        yield _table(["labelled", *(f"as {name}" for name in tiers), "exact", "as T2 or higher"], rows)


def _side_by_side(report: Json, key: str) -> str:
    """One row for each name, one column for each mode."""
    modes = [report["modes"][mode][key] for mode in _modes(report)]
    rows = [[name, *(share(mode[name]) for mode in modes)] for name in modes[0]]
    return _table(["", *_titles(report)], rows) if rows else "Nothing of this in the data."


def _flags(report: Json) -> Iterator[str]:
    yield "## Flags"
    for mode in _modes(report):
        each = report["modes"][mode]["flags"]["each"]
        rows = [[name, share(one["precision"]), share(one["recall"]), number(one["f1"])] for name, one in each.items()]
        yield f"### {TITLES[mode].capitalize()}"
        yield _table(["flag", "precision", "recall", "F1"], rows)


def _axes(report: Json) -> list[str]:
    rows = [[name, *(share(report["modes"][mode][name]) for mode in _modes(report))] for name in ("subject", "time")]
    return ["## Subject and time, exactly right", _table(["axis", *_titles(report)], rows)]


def _calibration(report: Json) -> Iterator[str]:
    if not report.get("calibration"):
        return
    yield "## Calibration of the encoder"
    for name, one in report["calibration"].items():
        yield f"Chance of {name}: expected calibration error {number(one['expected_calibration_error'])}."
        rows = [
            [
                f"{each['low']:.1f} to {each['high']:.1f}",
                str(each["count"]),
                number(each["chance"]),
                number(each["held"]),
            ]
            for each in one["bins"]
        ]
        yield _table(["chance", "lines", "mean chance", "share that are"], rows)


def _retention(report: Json) -> list[str]:
    modes = [report["modes"][mode]["retention"] for mode in _modes(report)]
    if not modes[0]:
        return ["## Disguises", "Disguises were not measured in this run."]
    rows = [[name, str(one["changed"]), *(_judged(mode[name]) for mode in modes)] for name, one in modes[0].items()]
    said = "Of the T2 to T4 lines that are routed as written, the share that stays routed when disguised."
    return [
        "## Disguises",
        f"{said} Goal: {RETENTION:.2f}.",
        _table(["disguise", "texts altered", *_titles(report)], rows),
    ]


def _surrounded(report: Json) -> list[str]:
    modes = [report["modes"][mode]["surrounded"] for mode in _modes(report)]
    if not modes[0]:
        return []
    whose = {"grave": "T2 to T4 that stay routed", "others": "T0 and T1 that are raised"}
    rows = [
        [f"between {KINDS[kind]}: {said}", *(share(mode[kind][which]) for mode in modes)]
        for kind in modes[0]
        for which, said in whose.items()
    ]
    said = "Of the lines that come out right as written, what becomes of them in the middle of a longer message."
    return ["## Between other messages", said, _table(["", *_titles(report)], rows)]


def _turns(report: Json) -> Iterator[str]:
    if not report["scripts"]:
        return
    yield "## Conversations of several turns"
    modes = [report["modes"][mode]["turns"] for mode in _modes(report)]
    rows = [[name, *(share(mode["by_pattern"][name]) for mode in modes)] for name in modes[0]["by_pattern"]]
    rows.append(["all scripts", *(share(mode["scripts"]) for mode in modes)])
    rows.append(["all turns", *(share(mode["turns"]) for mode in modes)])
    yield _table(["scripts in which every turn is as expected", *_titles(report)], rows)


def _latency(report: Json) -> list[str]:
    rows = []
    for name, one in report["timings"].items():
        late = f", {one['late']} came without the encoder" if one["late"] else ""
        goal = f"≤ {one['p95_limit_ms']:g}"
        rows.append([TITLES[name], f"{one['p50_ms']:.1f}", _verdict(f"{one['p95_ms']:.1f}{late}", one["met"]), goal])
        if "loading_ms" in one:
            rows.append(["loading the encoder", f"{one['loading_ms']:.0f}", _verdict("", one["loading_met"]), "≤ 300"])
    if not rows:
        return ["## Time", "Times were not measured in this run."]
    said = "Milliseconds for a text of 60 words, on the machine and at the time of this run."
    return ["## Time", said, _table(["", "p50", "p95", "goal"], rows)]


def _counts(report: Json) -> list[str]:
    names = {
        "missed": "T2 to T4 that were not routed",
        "understated": "T3 and T4 routed as T2 only",
        "alarm": "T0 and T1 raised to T2 or higher",
        "flags": "lines with a wrong flag",
        "lost": "lost when disguised",
        "hidden": "lost between other messages",
        "drawn": "raised between other messages",
        "turn": "turns off their course",
    }
    rows = [[said, *(str(report["modes"][m]["misses"][key]) for m in _modes(report))] for key, said in names.items()]
    return ["## What went wrong", "Each is listed in misses.md and misses.jsonl.", _table(["", *_titles(report)], rows)]


def misses_page(misses: Sequence[Json]) -> str:
    """misses.md. Flags, disguised texts and longer messages are in misses.jsonl only."""
    said = "Whoever reads these has seen the data: lines read here are no longer held out."
    parts = ["# Misses and false alarms", said]
    titles = {
        "missed": "Not routed",
        "understated": "Routed as T2 only",
        "alarm": "False alarms",
        "turn": "Turns off their course",
    }
    for mode in dict.fromkeys(one["mode"] for one in misses):
        for what, title in titles.items():
            found = [one for one in misses if (one["mode"], one["what"]) == (mode, what)]
            if found:
                parts += [
                    f"## {TITLES[mode].capitalize()}: {title[0].lower()}{title[1:]} ({len(found)})",
                    _listed(found),
                ]
    return "\n\n".join(parts) + "\n"


def _listed(found: Iterable[Json]) -> str:
    return "\n".join(map(_item, found))


def _item(one: Json) -> str:
    what = one.get("kind") or f"{one['pattern']}, turn {one['turn']}"
    said = " ".join(one["text"].split())
    why = " / ".join(one["reasons"]) or "no reason"
    return f"- {one['tier']} as {one['got']}, {one['place']}, {what}: {said}\n  {why}"


# -- cells -----------------------------------------------------------------------------------------------------------


def share(one: Json) -> str:
    """`0.913 (21/23) [0.732, 0.976]`"""
    if one["share"] is None:
        return NOTHING
    low, high = one["wilson95"]
    return f"{number(one['share'])} ({one['part']}/{one['whole']}) [{low:.3f}, {high:.3f}]"


def number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"


def _judged(one: Json) -> str:
    return _verdict(share(one), one["met"])


def _verdict(said: str, met: bool | None) -> str:
    return said if met is None else f"{said} {'met' if met else '**not met**'}".strip()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
