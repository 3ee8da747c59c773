"""From the text of one file to its tree: top-level items, and the door to the rest.

The parser is one class in four layers, each reading what the next is made of:
Cursor (tokens), TypeParser, ExpressionParser, StatementParser, and Parser here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from pyflame.wse.errors import CslError
from pyflame.wse.language import tokens, tree
from pyflame.wse.language.lexer import lex
from pyflame.wse.language.parse_statements import StatementParser
from pyflame.wse.language.source import Source
from pyflame.wse.language.tokens import Tokens


def parse(source: Source) -> tree.File:
    """The syntax tree of a file.

    Raises:
        CslError: the text breaks the grammar; the error's span is in `source`.
    """
    return Parser(lex(source)).parse_file()


class Parser(StatementParser):
    """Top-level items: declarations, functions, tasks, comptime and layout blocks."""

    def __init__(self, source_tokens: Tokens) -> None:
        super().__init__(source_tokens)
        self._globals: list[tree.GlobalDeclaration] = []
        self._functions: list[tree.FunctionDeclaration] = []
        self._comptime_blocks: list[tree.Block] = []
        self._layout_blocks: list[tree.Block] = []

    def parse_file(self) -> tree.File:
        while not self.at(tokens.END):
            self._parse_item()
        return tree.File(
            self.span_from(0),
            self.source,
            tuple(self._globals),
            tuple(self._functions),
            tuple(self._comptime_blocks),
            tuple(self._layout_blocks),
        )

    def _parse_item(self) -> None:
        start = self.position
        storage = self._parse_optional_storage()
        parse = self._items.get(self.kinds[self.position])
        if parse is None:
            raise self._missing_item(storage)
        parse(self, start, storage)

    def _parse_optional_storage(self) -> str:
        if not (self.at("export") or self.at("extern")):
            return ""
        self.position += 1
        return self.kinds[self.position - 1]

    def _missing_item(self, storage: str) -> CslError:
        if storage:
            return self.error(f"expected a declaration after '{storage}'")
        rule = (
            "the top level of a file holds const, var, param, fn and task "
            "declarations, comptime blocks and a layout block"
        )
        return self.error("expected a declaration", notes=((rule, None),))

    def _parse_comptime_block(self, start: int, storage: str) -> None:
        self._refuse_storage(start, storage)
        self.position += 1
        self._comptime_blocks.append(self.parse_block())
        self.skip(";")

    def _parse_layout_block(self, start: int, storage: str) -> None:
        self._refuse_storage(start, storage)
        self.position += 1
        self._layout_blocks.append(self.parse_block())

    def _refuse_storage(self, start: int, storage: str) -> None:
        if storage:
            what = self.kinds[self.position]
            message = f"'{storage}' cannot stand before a {what} block"
            raise CslError(message, self.tokens.span(start))

    def _parse_global(self, start: int, storage: str) -> None:
        kind = self.kinds[self.position]
        self.position += 1
        name = self.expect_name(f"a name after '{kind}'")
        annotation = self.parse_optional_annotation(name)
        attributes = self.parse_attributes()
        value = self.parse_expression() if self.skip("=") else None
        self.end_statement(f"the declaration of '{name}'")
        span = self.span_from(start)
        self._globals.append(
            tree.GlobalDeclaration(
                span, name, kind, storage, annotation, value, attributes
            )
        )

    # --- functions ----------------------------------------------------------------

    def _parse_function(self, start: int, storage: str) -> None:
        inlining = ""
        if self.at("inline") or self.at("noinline"):
            inlining = self.kinds[self.position]
            self.position += 1
        task = self.at("task")
        if not (task or self.at("fn")):
            raise self.error(f"expected 'fn' after '{inlining}'")
        self.position += 1
        name = self.expect_name(f"the name of the {'task' if task else 'function'}")
        params = self._parse_parameters(name, storage)
        attributes = self.parse_attributes()
        result = self._parse_result(name)
        attributes += self.parse_attributes()
        self._check_inline(name, inlining, attributes)
        body = self._parse_function_body(name, storage)
        self._functions.append(
            tree.FunctionDeclaration(
                self.span_from(start),
                *(name, task, storage, inlining, params, result, body, attributes),
            )
        )

    def _check_inline(
        self, name: str, inlining: str, attributes: tuple[tree.FieldInit, ...]
    ) -> None:
        for attribute in attributes:
            if inlining == "inline" and attribute.name == "linkname":
                rule = "an inline function is expanded at its calls: it has no symbol"
                raise CslError(
                    f"inline function '{name}' cannot have a linkname",
                    attribute.span,
                    ((rule, None),),
                )

    def _parse_result(self, name: str) -> tree.Expression:
        if self.at("{"):
            help = f"write 'fn {name}(...) void {{' for a function without a result"
            raise self.error(f"expected the result type of '{name}'", help=help)
        return self.parse_type(f"the result type of '{name}'")

    def _parse_parameters(self, name: str, storage: str) -> tuple[tree.Parameter, ...]:
        self.expect("(", f"after the name '{name}'")
        params: list[tree.Parameter] = []
        while not self.at(")"):
            params.append(self._parse_parameter(storage))
            if not self.skip(","):
                break
        self.expect(")", f"after the parameters of '{name}'")
        return tuple(params)

    def _parse_parameter(self, storage: str) -> tree.Parameter:
        start = self.position
        comptime = self.skip("comptime")
        if storage == "extern" and not self.after(":"):
            kind = self.parse_type("the type of a parameter")
            return tree.Parameter(self.span_from(start), "", kind, comptime)
        name = self.expect_name("the name of a parameter")
        self.expect(":", f"after the parameter '{name}'")
        kind = self._parse_parameter_type(name)
        return tree.Parameter(self.span_from(start), name, kind, comptime)

    def _parse_parameter_type(self, name: str) -> tree.Expression:
        if self.skip("anytype"):
            return tree.AnyType(self.tokens.span(self.position - 1))
        return self.parse_type(f"the type of parameter '{name}'")

    def _parse_function_body(self, name: str, storage: str) -> tree.Block | None:
        if storage != "extern":
            return self.parse_block()
        if self.at("{"):
            rule = "an extern function is defined elsewhere"
            message = f"the extern function '{name}' cannot have a body"
            span = self.tokens.span(self.position)
            raise CslError(message, span, ((rule, None),), help="end it with ';'")
        self.end_statement(f"the declaration of '{name}'")
        return None

    _items: ClassVar[dict[str, Callable[[Parser, int, str], None]]] = {
        **dict.fromkeys(("const", "var", "param"), _parse_global),
        **dict.fromkeys(("fn", "task", "inline", "noinline"), _parse_function),
        "comptime": _parse_comptime_block,
        "layout": _parse_layout_block,
    }
