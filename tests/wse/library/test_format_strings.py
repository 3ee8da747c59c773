"""Format strings of <simprint>."""

import pytest

from pyflame.wse.errors import CslError
from pyflame.wse.language.types import F32, I32, U16, Struct
from pyflame.wse.library.format_strings import format_count, parse_format


@pytest.mark.parametrize(
    ("text", "pieces", "specifiers"),
    [
        ("", [""], []),
        ("plain", ["plain"], []),
        ("x = {d}", ["x = ", ""], ["d"]),
        ("{X} {b}:{f}!", ["", " ", ":", "!"], ["X", "b", "f"]),
        ("{{{d}}}", ["{", "}"], ["d"]),
        ("a } b", ["a } b"], []),
    ],
)
def test_a_format_string_comes_apart(
    text: str, pieces: list[str], specifiers: list[str]
) -> None:
    assert parse_format(text) == (pieces, specifiers)


def test_an_unknown_specifier_is_refused() -> None:
    with pytest.raises(CslError) as caught:
        parse_format("x{q}")
    assert str(caught.value) == (
        'error: the format string "x{q}" has the unknown specifier {q}\n'
        "help: specifiers are {d}, {X}, {b}, {f}; write {{ for a brace"
    )


def test_an_open_brace_is_refused() -> None:
    with pytest.raises(CslError) as caught:
        parse_format("x{")
    assert str(caught.value) == (
        'error: a brace is left open in the format string "x{"\n'
        "help: write {{ for a brace"
    )


def test_arguments_are_counted() -> None:
    assert format_count("{d}{f}", Struct(None, (U16, F32))) == 2
    assert format_count("none", Struct((), ())) == 0
    with pytest.raises(CslError) as caught:
        format_count("{d}{d}", Struct(None, (U16,)))
    assert caught.value.message == (
        'the format string "{d}{d}" takes 2 arguments, but 1 are given'
    )
    with pytest.raises(CslError) as caught:
        format_count("{d}", I32)
    assert caught.value.message == (
        "the arguments of a format string are a tuple, not 'i32'"
    )
