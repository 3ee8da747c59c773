"""Whatever the text, the parser gives a tree or a CslError with a place in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyflame.wse.errors import CslError
from pyflame.wse.language import parser, tokens
from pyflame.wse.language.source import Source

WORDS = [
    *sorted(tokens.KEYWORDS),
    *("x", "y", "union", "packed", "@as", "@range", "1", "0x1F", "2.5", '"s"', "'c'"),
    *"+ - * / % << >> & | ^ ~ ! == < >= = += .* . ( ) [ ] { } , ; : -> =>".split(),
]
BODY = "fn f() void { const a = .{ .x = 1 }; if (c) { g(); } else return; }"


def refusal_of(text):
    """The error of a text, None if it parses."""
    try:
        parser.parse(Source("t.csl", text))
    except CslError as error:
        return error
    return None


def check(text):
    error = refusal_of(text)
    if error is not None:
        assert error.span is not None
        assert 0 <= error.span.start <= error.span.end <= len(text)
        assert error.render()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_words(words):
    check(" ".join(words))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_any_words_in_a_function(words):
    check("fn f() void { " + " ".join(words) + " }")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_characters(text):
    check(text)


@pytest.mark.parametrize("length", range(len(BODY)))
def test_a_program_cut_anywhere(length):
    check(BODY[:length])
