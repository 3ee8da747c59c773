"""The words of CSL, and the tokens of one file as parallel lists.

A token's kind is its own text for keywords and punctuation, and one of the names
below for everything else. Source of the keyword list: the official syntax pages and
the vendor's editor syntax file.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyflame.wse.language.source import Source, Span

IDENTIFIER = "identifier"
BUILTIN = "builtin"
INTEGER = "integer"
FLOAT = "float"
STRING = "string"
CHARACTER = "character"
END = "end of file"

KEYWORDS = frozenset(
    "align and anytype asm break comptime const continue else enum export extern "
    "false fn for if inline layout linkname linksection noinline or param return "
    "struct switch task true var volatile while".split()
)

# Kinds whose text differs from token to token.
_OPEN_KINDS = frozenset((IDENTIFIER, BUILTIN, INTEGER, FLOAT, STRING, CHARACTER))


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Token `i` is `source.text[starts[i]:ends[i]]` of kind `kinds[i]`.

    The last token is END, so that looking one token ahead is always legal.
    """

    source: Source
    kinds: list[str]
    starts: list[int]
    ends: list[int]

    def text(self, index: int) -> str:
        return self.source.text[self.starts[index] : self.ends[index]]

    def span(self, index: int) -> Span:
        return Span(self.source, self.starts[index], self.ends[index])

    def describe(self, index: int) -> str:
        """How a diagnostic names the token: quoted text, or `end of file`."""
        kind = self.kinds[index]
        if kind == END:
            return END
        if kind in KEYWORDS:
            return f"the keyword '{kind}'"
        text = self.text(index) if kind in _OPEN_KINDS else kind
        return text if kind in (STRING, CHARACTER) else f"'{text}'"
