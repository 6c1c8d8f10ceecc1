"""Size against divergence as a small SVG, written by hand: one point a file. Knows not how they were measured."""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from math import ceil, floor, log10

from convert.verify.report import Report

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 40, 52  # room for labels, pixels
LEAST = 1e-12  # nats: what is drawn for a divergence of nothing
Scale = Callable[[float], float]
_INK, _GRID, _POINT = "#57606a", "#d0d7de", "#0969da"  # readable on white and on near-black


def svg(reports: Sequence[Report]) -> str:
    """A whole file; both axes say their unit."""
    sizes = [report.size / 1e6 for report in reports]
    kls = [max(LEAST, report.numbers.kl_mean) for report in reports]
    most = 1.15 * max(sizes)
    low, high = floor(log10(min(kls))), ceil(log10(max(kls)))
    high = max(high, low + 1)

    def x(size: float) -> float:
        return LEFT + size / most * (WIDTH - LEFT - RIGHT)

    def y(kl: float) -> float:
        return TOP + (high - log10(kl)) / (high - low) * (HEIGHT - TOP - BOTTOM)

    body = [
        *_levels(low, high, y),
        *_ticks(most, x),
        _text(LEFT, 22, "Divergence from the original model, by size", "start", 15),
        _text(WIDTH - RIGHT, HEIGHT - 10, "size, MB", "end"),
        _text(LEFT, TOP - 4, "KL, nats a token", "start", 11),
    ]
    for report, size, kl in sorted(zip(reports, sizes, kls, strict=True), key=lambda point: point[1]):
        body.append(f'<circle cx="{x(size):.1f}" cy="{y(kl):.1f}" r="5" fill="{_POINT}"/>')
        beyond = x(size) > WIDTH - 110
        body.append(_text(x(size) + (-9 if beyond else 9), y(kl) + 4, report.kind, "end" if beyond else "start"))
    spoken = "; ".join(f"{report.kind}: {report.size / 1e6:.0f} MB, {report.numbers.kl_mean:.1e}" for report in reports)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif">\n'
        f"<title>Divergence from the original model, by size</title>\n<desc>{escape(spoken)}</desc>\n"
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _levels(low: int, high: int, y: Scale) -> Iterator[str]:
    step = max(1, (high - low) // 8)
    for power in range(low, high + 1, step):
        at = y(10.0**power)
        yield f'<line x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}" stroke="{_GRID}"/>'
        yield _text(LEFT - 8, at + 4, f"1e{power}", "end")


def _ticks(most: float, x: Scale) -> Iterator[str]:
    step = _round(most / 6)
    for i in range(int(most / step) + 1):
        yield _text(x(i * step), HEIGHT - BOTTOM + 18, f"{i * step:g}", "middle")


def _round(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step)


def _text(x: float, y: float, text: str, anchor: str, size: int = 12) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text {place} fill="{_INK}">{escape(text)}</text>'
