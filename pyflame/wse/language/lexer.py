"""Source text to tokens, with one compiled regular expression."""

from __future__ import annotations

import re
from typing import NoReturn

from pyflame.wse.errors import CslError
from pyflame.wse.language import tokens
from pyflame.wse.language.source import Source, Span
from pyflame.wse.language.tokens import Tokens

# One token and the white space and comments before it, which are never given back: a
# wrong character behind them must not be searched for in all ways to cut them up.
# Group names are token kinds;
# numbers swallow the word characters after them, so that `12ab` is one bad number.
_TOKEN = re.compile(
    r"""
    (?: \s++ | //[^\n]*+ )*+
    (?:
      (?P<identifier> [A-Za-z_]\w* )
    | (?P<punctuation>
          <<= | >>= | && | \|\| | \+\+ | -- | /\* | => | -> | \.\*
        | << | >> | [=!<>+\-*/%&|^]=
        | [-+*/%&|^~!=<>.,:;()\[\]{}] )
    | (?P<float>
          0x [0-9a-fA-F_]+ (?: \. [0-9a-fA-F_]+ (?: [pP][+-]?[0-9_]+ )?
                             | [pP][+-]?[0-9_]+ ) \w*
        | [0-9][0-9_]* (?: \. [0-9][0-9_]* (?: [eE][+-]?[0-9_]+ )?
                         | [eE][+-]?[0-9_]+ ) \w* )
    | (?P<integer> [0-9]\w* )
    | (?P<builtin> @[A-Za-z_]\w* )
    | (?P<string> " (?: [^"\\\n] | \\[^\n] )* " )
    | (?P<character> ' (?: [^'\\\n] | \\[^\n] )* ' )
    | (?P<end> \Z )
    )
    """,
    re.VERBOSE | re.ASCII,
)
_BLANK = re.compile(r"(?:\s++|//[^\n]*+)*+", re.ASCII)
_INTEGER = re.compile(r"(?:0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+|[0-9][0-9_]*)\Z")
_FLOAT = re.compile(r"(?:0x[0-9a-fA-F_.]+(?:[pP][+-]?[0-9_]+)?|[0-9._eE+-]+)\Z")

# Operators of other languages that would otherwise be read as two operators.
_FOREIGN = {
    "&&": "write 'and'",
    "||": "write 'or'",
    "++": "write 'x += 1'; strings are joined by @strcat",
    "--": "write 'x -= 1', or '- -x' for a double negation",
    "/*": "use '//' on every line: CSL has no block comments",
}
_FOREIGN_CHARACTERS = {
    "?": "choose with: if (condition) a else b",
    "#": "modules are imported by @import_module, constants declared with 'const'",
}


def lex(source: Source) -> Tokens:
    """All tokens of a source, END last.

    Raises:
        CslError: a character that starts no token, an unfinished string, a malformed
            number, or an operator that CSL does not have.
    """
    kinds: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    keywords = tokens.KEYWORDS
    match_at = _TOKEN.match
    text = source.text
    position = 0
    while match := match_at(text, position):
        kind = match.lastgroup
        assert kind is not None, "every alternative of the token pattern is named"
        start, position = match.span(kind)
        if kind == "identifier":
            word = text[start:position]
            kind = word if word in keywords else kind
        elif kind == "punctuation":
            kind = _punctuation(source, start, position)
        elif kind in ("integer", "float"):
            _check_number(source, kind, start, position)
        elif kind == "end":
            kind = tokens.END
        kinds.append(kind)
        starts.append(start)
        ends.append(position)
        if kind == tokens.END:
            return Tokens(source, kinds, starts, ends)
    _refuse(source, position)


def _punctuation(source: Source, start: int, end: int) -> str:
    text = source.text[start:end]
    if text in _FOREIGN:
        span = Span(source, start, end)
        raise CslError(f"CSL has no '{text}'", span, help=_FOREIGN[text])
    return text


def _check_number(source: Source, kind: str, start: int, end: int) -> None:
    text = source.text[start:end]
    if (_INTEGER if kind == "integer" else _FLOAT).match(text):
        return
    rule = "numbers are 12, 0x1F, 0o17, 0b101, 12.5, 1.5e-3 or 0x1.8p3"
    span = Span(source, start, end)
    raise CslError(f"malformed number '{text}'", span, ((rule, None),))


def _refuse(source: Source, position: int) -> NoReturn:
    """Says what is wrong with the text that no token pattern matches."""
    blank = _BLANK.match(source.text, position)
    assert blank is not None, "the pattern of blanks matches the empty string"
    start = blank.end()
    character = source.text[start]
    if character in "\"'":
        _refuse_unfinished(source, start)
    span = Span(source, start, start + 1)
    if character == "@":
        raise CslError("expected the name of a builtin after '@'", span)
    shown = character if character.isprintable() else f"\\x{ord(character):02x}"
    help = _FOREIGN_CHARACTERS.get(character, "")
    raise CslError(f"unexpected character '{shown}'", span, help=help)


def _refuse_unfinished(source: Source, start: int) -> NoReturn:
    what = "string" if source.text[start] == '"' else "character"
    line, column = source.line_column(start)
    end = start + len(source.line_text(line)) - column + 1
    raise CslError(
        f"unfinished {what} literal",
        Span(source, start, max(end, start + 1)),
        ((f"a {what} literal ends on the line it starts on", None),),
        help=f"close it with {source.text[start]}",
    )
