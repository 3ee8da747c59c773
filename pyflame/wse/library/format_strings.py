"""The format strings of <simprint> and <string>, taken apart at compile time."""

from __future__ import annotations

import re

from pyflame.wse.errors import CslError
from pyflame.wse.language.types import Struct, Type

SPECIFIERS = ("d", "X", "b", "f")

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|\{|[^{}]+|\}")


def parse_format(text: str) -> tuple[list[str], list[str]]:
    """The literal pieces of a format string and the specifiers between them.

    `{{` and `}}` stand for one brace each. There is one piece more than specifiers.

    Raises:
        CslError: for a specifier that does not exist, or an open brace.
    """
    pieces, specifiers = [""], list[str]()
    for match in _TOKEN.finditer(text):
        token, name = match[0], match[1]
        if name is not None:
            _check_specifier(name, text)
            specifiers.append(name)
            pieces.append("")
        elif token == "{":
            raise CslError(
                f'a brace is left open in the format string "{text}"',
                help="write {{ for a brace",
            )
        else:
            pieces[-1] += token[0] if token in ("{{", "}}") else token
    return pieces, specifiers


def _check_specifier(name: str, text: str) -> None:
    if name not in SPECIFIERS:
        known = ", ".join(f"{{{s}}}" for s in SPECIFIERS)
        raise CslError(
            f'the format string "{text}" has the unknown specifier {{{name}}}',
            help=f"specifiers are {known}; write {{{{ for a brace",
        )


def format_count(text: str, arguments: Type) -> int:
    """The number of specifiers, checked against the tuple type of the arguments.

    Raises:
        CslError: if the arguments are no tuple of that length.
    """
    count = len(parse_format(text)[1])
    if not isinstance(arguments, Struct) or (arguments.names and count):
        raise CslError(
            f"the arguments of a format string are a tuple, not '{arguments}'",
            help="write .{ a, b }, or .{} for none",
        )
    if len(arguments.types) != count:
        raise CslError(
            f'the format string "{text}" takes {count} arguments, '
            f"but {len(arguments.types)} are given"
        )
    return count


def format_literal(text: str, index: int) -> str:
    """The text before specifier number `index`, or after the last one."""
    return parse_format(text)[0][index]


def format_specifier(text: str, index: int) -> str:
    """The letter of specifier number `index`."""
    return parse_format(text)[1][index]


def format_value(specifier: str, value: int | float | bool) -> str:
    """A comptime number in the notation of a specifier, without padding.

    Raises:
        CslError: if the specifier is for another kind of number.
    """
    if specifier == "f" and isinstance(value, float):
        return str(value)
    if specifier != "f" and isinstance(value, int) and not isinstance(value, bool):
        return format(value, specifier)
    wanted = "a float" if specifier == "f" else "an integer"
    raise CslError(f"the specifier {{{specifier}}} takes {wanted}, not {value!r}")
