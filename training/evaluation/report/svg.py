"""SVG files that can stand inside a page: only shapes, text and their looks are kept, whatever the file holds.

Elements, attributes and style properties that are not listed here are left out: scripts, foreign objects, links,
handlers, style sheets, addresses outside the drawing. A file with its own entities is refused.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tide_chat.errors import DataError

ELEMENTS = frozenset(
    """svg g defs path rect circle ellipse line polyline polygon text tspan use clipPath image linearGradient
    stop""".split()
)
LOOKS = frozenset(
    """clip-path clip-rule fill fill-opacity fill-rule opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap
    stroke-linejoin stroke-miterlimit stroke-opacity stroke-width stop-color stop-opacity font font-family font-size
    font-style font-weight text-anchor dominant-baseline""".split()
)
ATTRIBUTES = LOOKS | frozenset(
    """id d x y x1 x2 y1 y2 dx dy cx cy r rx ry width height points transform viewBox preserveAspectRatio offset
    clipPathUnits gradientUnits gradientTransform""".split()
)
_DOCTYPE = re.compile(r"<!DOCTYPE\s+svg(\s+PUBLIC\s+\"[^\"]*\"\s+\"[^\"]*\")?\s*>")  # plots have it; nobody fetches it
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)  # plots write there what they draw as outlines
_INSIDE = re.compile(r"#([\w.:-]+)")
_URL = re.compile(r"url\(\s*['\"]?#([\w.:-]+)['\"]?\s*\)")
_IMAGE = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]*")
_MOST_DEEP, _MOST_WORDS = 100, 60


@dataclass(frozen=True, slots=True)
class Drawing:
    """root: clean, without namespaces. words: written on it, numbers left out. title: its own, or empty."""

    root: ET.Element
    title: str
    words: tuple[str, ...]


def read(path: Path) -> Drawing:
    """Raises DataError."""
    try:
        return parsed(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, ET.ParseError) as error:
        raise DataError("A figure cannot be used.", details=f"{path}: {error}") from error


def parsed(text: str) -> Drawing:
    """Raises ValueError, ParseError."""
    text = _DOCTYPE.sub("", text, count=1)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it declares its own document type or entities")
    root = ET.fromstring(text)  # noqa: S314 - without entities, see above
    clean = _cleaned(root, 0) if _local(root) == "svg" else None
    if clean is None:
        raise ValueError("it is not an SVG drawing")
    title = next((_words(one) for one in root if _local(one) == "title"), "")
    written = [" ".join(one.split()) for one in (*_COMMENT.findall(text), *map(_words, clean.iter("text")))]
    words = dict.fromkeys(one for one in written if any(sign.isalpha() for sign in one))
    telling = sorted(words, key=lambda one: " " not in one)  # sentences first: a map has a word on each state
    return Drawing(clean, title, tuple(telling)[:_MOST_WORDS])


def inline(drawing: Drawing, prefix: str, title: str, description: str) -> str:
    """For a page. prefix: makes the ids the page's only ones."""
    root = _prefixed(drawing.root, prefix)
    named = {"title": title, "desc": description}
    for place, (name, text) in enumerate(named.items()):
        one = ET.Element(name, id=f"{prefix}{name}")
        one.text = text
        root.insert(place, one)
    root.attrib |= {"role": "img", "aria-labelledby": f"{prefix}title", "aria-describedby": f"{prefix}desc"}
    return ET.tostring(root, encoding="unicode")


def standalone(drawing: Drawing) -> str:
    """A file of its own."""
    root = _prefixed(drawing.root, "")
    root.set("xmlns", "http://www.w3.org/2000/svg")
    return ET.tostring(root, encoding="unicode") + "\n"


def _cleaned(element: ET.Element, depth: int) -> ET.Element | None:
    """A copy of what is allowed; None: nothing is."""
    name = _local(element)
    if name not in ELEMENTS:
        return None
    if depth > _MOST_DEEP:
        raise ValueError("its elements are nested too deeply")
    copy = ET.Element(name, dict(_attributes(element)))
    copy.text, copy.tail = element.text, element.tail
    copy.extend([one for child in element if (one := _cleaned(child, depth + 1)) is not None])
    return copy


def _attributes(element: ET.Element) -> Iterator[tuple[str, str]]:
    for qualified, value in element.attrib.items():
        name = qualified.rpartition("}")[2]
        if name == "href" and _linked(element, value):
            yield name, value
        elif name == "style" and (kept := "; ".join(_styles(value))):
            yield name, kept
        elif qualified in ATTRIBUTES and _harmless(value):
            yield name, value
    if element.find("{*}defs/{*}style") is not None:  # plots say this in a style sheet, which would reach the page
        yield from (("stroke-linejoin", "round"), ("stroke-linecap", "butt"))


def _linked(element: ET.Element, value: str) -> bool:
    allowed = {"use": _INSIDE, "linearGradient": _INSIDE, "image": _IMAGE}.get(_local(element))
    return allowed is not None and allowed.fullmatch(value) is not None


def _styles(value: str) -> Iterator[str]:
    for declaration in value.split(";"):
        name, _, said = (part.strip() for part in declaration.partition(":"))
        if name in LOOKS and _harmless(said):
            yield f"{name}: {said}"


def _harmless(value: str) -> bool:
    """No address but of a part of the drawing, and none of CSS's ways to hide one."""
    rest = _URL.sub("", value).casefold()
    return not any(sign in rest for sign in ("url", "\\", "@", "/*", "javascript:", "data:", "image("))


def _prefixed(element: ET.Element, prefix: str) -> ET.Element:
    copy = ET.Element(element.tag, {name: _renamed(name, value, prefix) for name, value in element.attrib.items()})
    copy.text, copy.tail = element.text, element.tail
    copy.extend([_prefixed(child, prefix) for child in element])
    return copy


def _renamed(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return prefix + value
    if name == "href" and value.startswith("#"):
        return f"#{prefix}{value[1:]}"
    return _URL.sub(lambda found: f"url(#{prefix}{found[1]})", value)


def _words(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _local(element: ET.Element) -> str:
    """Without the namespace."""
    return element.tag.rpartition("}")[2]
