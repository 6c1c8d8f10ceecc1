"""Only shapes, text and their looks of an SVG reach the report."""

import pytest

from tests.unit.training.report_runs import FIGURE
from training.evaluation.report import svg

HOSTILE = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="alert(1)">
<script>alert(1)</script><style>*{display:none}</style><foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>
<a xlink:href="javascript:alert(1)"><rect width="1"/></a><use href="https://elsewhere.example/x.svg#a"/>
<image href="https://elsewhere.example/p.png"/><image href="data:image/svg+xml;base64,AAAA"/>
<image xlink:href="data:image/png;base64,AAAA"/><animate attributeName="href" to="javascript:alert(1)"/>
<path d="M 0 0" onclick="alert(1)" fill="url(https://elsewhere.example/)" style="fill: url('//elsewhere.example');
 stroke: red; background: red; font-family: u\\72l(x); clip-path: url(#c)"/><set/><path class="hidden"/></svg>"""


def test_what_could_act_or_reach_out_is_left_out() -> None:
    made = svg.standalone(svg.parsed(HOSTILE))
    for one in ("script", "alert", "elsewhere", "foreign", "onclick", "onload", "<style", "<a", "animate", "svg+xml",
                "background", "72l", "class"):  # fmt: skip
        assert one not in made
    assert 'style="stroke: red; clip-path: url(#c)"' in made
    assert 'href="data:image/png;base64,AAAA"' in made


def test_ids_get_the_prefix_wherever_they_are_used() -> None:
    made = svg.inline(svg.parsed(FIGURE), "r1-f1-", "A <title>", "What & where")
    assert 'id="r1-f1-m1"' in made
    assert 'href="#r1-f1-m1"' in made
    assert 'clip-path="url(#r1-f1-c1)"' in made
    assert '<title id="r1-f1-title">A &lt;title&gt;</title>' in made
    assert 'stroke-linejoin="round"' in made


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>',
        '<!DOCTYPE svg SYSTEM "file:///etc/passwd"><svg/>',
        "<html><svg/></html>",
        "<g>" * 5 + "</g>" * 5,
        "<svg>" + "<g>" * 5000 + "</g>" * 5000 + "</svg>",
    ],
)
def test_what_is_no_plain_drawing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"entities|not an SVG|too deeply"):
        svg.parsed(text)


def test_cleaning_twice_is_cleaning_once() -> None:
    for text in (HOSTILE, FIGURE):
        once = svg.standalone(svg.parsed(text))
        assert svg.standalone(svg.parsed(once)) == once
