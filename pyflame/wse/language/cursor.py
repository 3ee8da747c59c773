"""A place in a token list, and how the parser moves it and complains there."""

from __future__ import annotations

from pyflame.wse.errors import CslError
from pyflame.wse.language import tokens
from pyflame.wse.language.source import Span
from pyflame.wse.language.tokens import Tokens

# Text from strangers must not exhaust the interpreter's stack: nesting deeper than
# this, or longer chains of one-level operators, have no place in a real program.
MAX_NESTING = 64
MAX_CHAIN = 200

Note = tuple[str, Span | None]


class Cursor:
    """Reads tokens left to right. `kinds[position]` is the token at hand."""

    def __init__(self, source_tokens: Tokens) -> None:
        self.tokens = source_tokens
        self.source = source_tokens.source
        self.kinds = source_tokens.kinds
        self.position: int = 0
        self.nesting: int = 0

    def at(self, kind: str) -> bool:
        return self.kinds[self.position] == kind

    def after(self, kind: str) -> bool:
        """Whether the token after the one at hand is of a kind."""
        return self.kinds[self.position + 1 : self.position + 2] == [kind]

    def skip(self, kind: str) -> bool:
        """Steps over the token at hand if it is of a kind; says whether it was."""
        if self.kinds[self.position] != kind:
            return False
        self.position += 1
        return True

    def expect(self, kind: str, where: str, help: str = "") -> None:
        """Steps over a token of a kind.

        Raises:
            CslError: another token is there; `where` completes the sentence
                "expected 'kind' ...".
        """
        if self.kinds[self.position] != kind:
            raise self.error(f"expected '{kind}' {where}", help=help)
        self.position += 1

    def expect_name(self, what: str) -> str:
        """The text of an identifier, stepped over; `what` says what it names."""
        if self.kinds[self.position] == tokens.IDENTIFIER:
            self.position += 1
            return self.tokens.text(self.position - 1)
        if self.kinds[self.position] in tokens.KEYWORDS:
            rule = f"'{self.kinds[self.position]}' is a keyword and cannot be a name"
            raise self.error(f"expected {what}", notes=((rule, None),))
        raise self.error(f"expected {what}")

    def end_statement(self, what: str, help: str = "") -> None:
        """Steps over the `;` that ends `what`."""
        if self.kinds[self.position] == ";":
            self.position += 1
            return
        found = self.tokens.describe(self.position)
        end = self.tokens.ends[self.position - 1]
        place = Span(self.source, end, end)
        raise CslError(f"expected ';' after {what}, found {found}", place, help=help)

    def error(
        self, message: str, notes: tuple[Note, ...] = (), help: str = ""
    ) -> CslError:
        """An error at the token at hand that tells what was found there."""
        found = self.tokens.describe(self.position)
        span = self.tokens.span(self.position)
        return CslError(f"{message}, found {found}", span, notes, help)

    def span_from(self, start: int) -> Span:
        """From token `start` to the last token stepped over."""
        begin, end = self.tokens.starts[start], self.tokens.ends[self.position - 1]
        return Span(self.source, begin, max(begin, end))

    def enter(self) -> None:
        """One level deeper; the caller takes it back with `nesting -= 1`."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            message = f"this nests deeper than {MAX_NESTING} levels"
            raise CslError(
                message,
                self.tokens.span(self.position),
                help="name a part of it with a const, or move it into a function",
            )

    def check_chain(self, length: int, what: str) -> None:
        if length > MAX_CHAIN:
            raise CslError(
                f"more than {MAX_CHAIN} {what} in a row",
                self.tokens.span(self.position),
                help="name a part of it with a const, or move it into a function",
            )
