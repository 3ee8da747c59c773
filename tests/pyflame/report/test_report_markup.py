"""Markup: what stands in it is escaped, whatever it is."""

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflame.report.markup import Markup, element, escape, number, text_width


def test_elements_nest_and_attributes_are_spelled_as_in_svg() -> None:
    inner = element("b", "1 < 2")
    text = element("p", inner, " & more", class_="a", fill_opacity=0.5, rx=None)
    assert text == '<p class="a" fill-opacity="0.5"><b>1 &lt; 2</b> &amp; more</p>'


@given(st.text(), st.text())
def test_any_text_survives_as_text(text: str, value: str) -> None:
    parsed = ElementTree.fromstring(element("p", text, title=value))
    assert len(parsed) == 0
    assert set(parsed.attrib) == {"title"}
    printable = [c for c in text if c.isprintable() and c != " "]
    shown = [c for c in parsed.text or "" if c != "\N{REPLACEMENT CHARACTER}"]
    assert [c for c in shown if c not in " \n"] == [
        c for c in printable if c != "\N{REPLACEMENT CHARACTER}"
    ]


def test_what_would_run_is_text() -> None:
    text = element("p", "<script>alert(1)</script>", title='" onload="x')
    assert "<script>" not in text
    assert 'title="&quot; onload=&quot;x"' in text


def test_markup_is_not_escaped_twice() -> None:
    assert escape(Markup("<b>")) == "<b>"
    assert escape("a\tb\x1b\u202e") == "a b\N{REPLACEMENT CHARACTER}" + (
        "\N{REPLACEMENT CHARACTER}"
    )


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.125, "0.12"), (-0.001, "0"), (12.5, "12.5")]
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_wide_characters_take_two_places() -> None:
    assert text_width("漢字", 10) == text_width("abcd", 10)
