"""The values that literals stand for."""

from __future__ import annotations

import re

from pyflame.wse.errors import CslError
from pyflame.wse.language.source import Span

# Python converts decimal strings up to this length; longer ones are surely a mistake.
_MAX_DIGITS = 4000

_SIMPLE_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
_ESCAPE = re.compile(
    r"\\(?:([nrt\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.?))",
    re.DOTALL,
)
_ESCAPE_RULE = (
    r"the escapes are \n, \r, \t, \\, \', \", \xHH (one byte), \uHHHH and \UHHHHHH"
)


def parse_int(text: str, span: Span) -> int:
    """The value of a decimal, `0x`, `0o` or `0b` literal, `_` between digits allowed.

    Raises:
        CslError: misplaced `_`, or more digits than any integer type could hold.
    """
    _check_underscores(text, span)
    if len(text) > _MAX_DIGITS:
        raise CslError(f"integer literal of {len(text)} characters is too long", span)
    base = {"0x": 16, "0o": 8, "0b": 2}.get(text[:2], 10)
    return int(text[2:] if base != 10 else text, base)


def parse_float(text: str, span: Span) -> float:
    """The IEEE double nearest to a decimal or hexadecimal float literal.

    Raises:
        CslError: misplaced `_`, or a value beyond the largest double.
    """
    _check_underscores(text, span)
    plain = text.replace("_", "")
    try:
        value = float.fromhex(plain) if plain.startswith("0x") else float(plain)
    except OverflowError:
        value = float("inf")
    except ValueError:
        raise CslError(f"malformed number '{text}'", span) from None
    if value == float("inf"):
        raise CslError(
            f"float literal '{text}' does not fit",
            span,
            (("a comptime_float is an IEEE double, at most 1.8e308", None),),
        )
    return value


def _check_underscores(text: str, span: Span) -> None:
    if "_" in text and re.search(r"(?<![0-9a-fA-F])_|_(?![0-9a-fA-F])", text):
        raise CslError(
            f"misplaced '_' in number '{text}'",
            span,
            (("'_' may only stand between two digits", None),),
        )


def parse_string(text: str, span: Span) -> str:
    """The bytes of a string literal given with its quotes, decoded as latin-1.

    Raises:
        CslError: an unknown escape.
    """
    body = text[1:-1]
    if "\\" not in body:
        return body if body.isascii() else _bytes_of(body)
    parts: list[str] = []
    position = 0
    for match in _ESCAPE.finditer(body):
        parts.append(_bytes_of(body[position : match.start()]))
        parts.append(_escape_bytes(match, span))
        position = match.end()
    parts.append(_bytes_of(body[position:]))
    return "".join(parts)


def parse_character(text: str, span: Span) -> int:
    """The byte that a character literal, given with its quotes, stands for.

    Raises:
        CslError: an unknown escape, or not exactly one byte.
    """
    value = parse_string(text, span)
    if len(value) != 1:
        raise CslError(
            f"character literal {text} stands for {len(value)} bytes",
            span,
            (("a character literal is exactly one byte", None),),
            help='use a string literal ("...") for text',
        )
    return ord(value)


def _bytes_of(text: str) -> str:
    return text.encode("utf-8").decode("latin-1")


def _escape_bytes(match: re.Match[str], span: Span) -> str:
    simple, byte, short, long, _ = match.groups()
    if simple:
        return _SIMPLE_ESCAPES[simple]
    if byte:
        return chr(int(byte, 16))
    if short or long:
        return _code_point_bytes(int(short or long, 16), match, span)
    raise _escape_error(f"unknown escape '{match[0]}'", match, span)


def _code_point_bytes(code: int, match: re.Match[str], span: Span) -> str:
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise _escape_error(f"'{match[0]}' is not a Unicode character", match, span)
    return _bytes_of(chr(code))


def _escape_error(message: str, match: re.Match[str], span: Span) -> CslError:
    start = span.start + 1 + match.start()
    place = Span(span.source, start, start + len(match[0]))
    return CslError(message, place, ((_ESCAPE_RULE, None),))
