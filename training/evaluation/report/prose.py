"""Markdown that an evaluation wrote, as a part of the report: harmless, its headings below the report's own.

A model may have written some of it: links, pictures and HTML in it stay text.
"""

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

BELOW = 2  # levels: a file's ## stands under the report's ###
_HEADING = re.compile(r"^(#{1,4}) ", re.MULTILINE)
_TITLE = re.compile(r"\A# .*\n+")
_LIVE = re.compile(r"(?<!\\)(<|!(?=\[)|(?<=\])\()")
_NAMED = re.compile(r"`([^`]+)`")
_BOX = '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>\n'  # wide ones scroll on their own


def html(text: str) -> str:
    """Without the file's own title."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")
    parser.add_render_rule("table_open", lambda *_: _BOX)
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    parser.disable(["link", "image", "autolink", "reference", "lheading", "hr"])
    tokens = parser.parse(_TITLE.sub("", text))
    quoted = 0
    for token in tokens:
        quoted += {"blockquote_open": 1, "blockquote_close": -1}.get(token.type, 0)
        _fit(token, quoted > 0)
    return str(parser.renderer.render(tokens, parser.options, {}))


def line(text: str) -> str:
    """A note of a table: plain words, in which names stand in ticks."""
    return _NAMED.sub(r"<code>\1</code>", escape(text))


def markdown(text: str) -> str:
    """The same as Markdown."""
    lowered = _HEADING.sub(lambda found: "#" * min(6, len(found[1]) + BELOW) + " ", _TITLE.sub("", text))
    return _LIVE.sub(r"\\\1", lowered).strip()


def _fit(token: "Token", quoted: bool) -> None:
    if token.type in {"heading_open", "heading_close"}:
        token.tag = "p" if quoted else f"h{min(6, int(token.tag[1]) + BELOW)}"
    elif token.type == "th_open":
        token.attrSet("scope", "col")
