"""The part of the parser that reads expressions.

Binary operators by precedence climbing; everything else by the token it starts with.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from pyflame.wse.errors import CslError
from pyflame.wse.language import literals, tokens, tree
from pyflame.wse.language.parse_types import TypeParser
from pyflame.wse.language.source import Span
from pyflame.wse.language.tokens import Tokens

# Tighter operators have higher levels. There is no official table: this is Zig's
# order, which official programs rely on (`x & 1 == 0` is `(x & 1) == 0`).
_COMPARISON = 3
PRECEDENCE: dict[str, int] = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), _COMPARISON),
    **dict.fromkeys(("&", "^", "|"), 4),
    **dict.fromkeys(("<<", ">>"), 5),
    **dict.fromkeys(("+", "-"), 6),
    **dict.fromkeys(("*", "/", "%"), 7),
}
_UNARY = frozenset("-~!&")

_PostfixRule = Callable[["ExpressionParser", int, tree.Expression], tree.Expression]
_PrimaryRule = Callable[["ExpressionParser"], tree.Expression]


# Expressions whose value can be a type, so that `{` after them starts an initialiser.
_MAY_BE_TYPE = (
    tree.Name,
    tree.Member,
    tree.Call,
    tree.BuiltinCall,
    tree.ArrayType,
    tree.StructType,
)


class ExpressionParser(TypeParser):
    """Expressions; blocks inside them are left to the statement parser."""

    def __init__(self, source_tokens: Tokens) -> None:
        super().__init__(source_tokens)
        # What forbids `T{...}` at the moment: the keyword of an open header.
        self._header = ""

    @abstractmethod
    def parse_block(self) -> tree.Block: ...

    @abstractmethod
    def parse_switch(self, statement: bool) -> tree.SwitchExpression: ...

    # --- operators ----------------------------------------------------------------

    def parse_expression(self) -> tree.Expression:
        self.enter()
        parsed = self._parse_binary(1)
        self.nesting -= 1
        return parsed

    def _parse_binary(self, minimum: int) -> tree.Expression:
        start = self.position
        left = self._parse_unary()
        length = 0
        while (level := PRECEDENCE.get(self.kinds[self.position], 0)) >= minimum:
            operator = self.kinds[self.position]
            self.position += 1
            right = self._parse_binary(level + 1)
            left = tree.Binary(self.span_from(start), operator, left, right)
            if level == _COMPARISON:
                self._check_unchained(operator)
            length += 1
            self.check_chain(length, "operators")
        return left

    def _check_unchained(self, operator: str) -> None:
        second = self.kinds[self.position]
        if PRECEDENCE.get(second) != _COMPARISON:
            return
        raise CslError(
            f"comparisons cannot be chained: '{second}' follows '{operator}'",
            self.tokens.span(self.position),
            (("the comparison operators are not associative", None),),
            help="join two comparisons with 'and', or use parentheses",
        )

    def _parse_unary(self) -> tree.Expression:
        operator = self.kinds[self.position]
        if operator not in _UNARY:
            return self._parse_postfix(braces=True)
        start = self.position
        self.enter()
        self.position += 1
        operand = self._parse_unary()
        self.nesting -= 1
        return tree.Unary(self.span_from(start), operator, operand)

    # --- postfix forms ------------------------------------------------------------

    def parse_type_operand(self) -> tree.Expression:
        return self._parse_postfix(braces=False)

    def _parse_postfix(self, braces: bool) -> tree.Expression:
        start = self.position
        parsed = self._parse_primary()
        length = 0
        while True:
            kind = self.kinds[self.position]
            if kind == "{":
                if not braces or not isinstance(parsed, _MAY_BE_TYPE):
                    return parsed
                parsed = self._parse_typed_initialiser(start, parsed)
            elif kind in self._postfix:
                parsed = self._postfix[kind](self, start, parsed)
            else:
                return parsed
            length += 1
            self.check_chain(length, "postfix operators")

    def _parse_member(self, start: int, base: tree.Expression) -> tree.Expression:
        self.position += 1
        name = self.expect_name("the name of a member after '.'")
        return tree.Member(self.span_from(start), base, name)

    def _parse_deref(self, start: int, base: tree.Expression) -> tree.Expression:
        self.position += 1
        return tree.Deref(self.span_from(start), base)

    def _parse_index(self, start: int, base: tree.Expression) -> tree.Expression:
        self.position += 1
        indices = self._parse_list("]")
        if not indices:
            raise self.error("expected an index after '['")
        self.expect("]", "after the indices")
        return tree.Index(self.span_from(start), base, indices)

    def _parse_call(self, start: int, base: tree.Expression) -> tree.Expression:
        self.position += 1
        arguments = self._parse_list(")")
        self.expect(")", "after the arguments of a call")
        return tree.Call(self.span_from(start), base, arguments)

    def _parse_list(self, closing: str) -> tuple[tree.Expression, ...]:
        """Expressions up to a closing bracket, which stays; a last comma is fine."""
        header, self._header = self._header, ""
        values: list[tree.Expression] = []
        while not self.at(closing):
            values.append(self.parse_expression())
            if not self.skip(","):
                break
        self._header = header
        return tuple(values)

    def _parse_typed_initialiser(
        self, start: int, kind: tree.Expression
    ) -> tree.Expression:
        """`T{ .x = 1 }`, `[3]T{ a, b, c }`, with T already read."""
        if self._header:
            message = (
                f"a typed initialiser cannot stand in the header of '{self._header}'"
            )
            raise CslError(
                message,
                self.tokens.span(self.position),
                help="close the header with ')', or put the initialiser in parentheses",
            )
        self.position += 1
        if self._at_field():
            fields = self._parse_fields()
            return tree.StructLiteral(self.span_from(start), kind, fields)
        values = self._parse_list("}")
        self.expect("}", "after the values of an initialiser")
        span = self.span_from(start)
        if values or isinstance(kind, tree.ArrayType):
            return tree.ArrayLiteral(span, kind, values)
        return tree.StructLiteral(span, kind, ())

    def _at_field(self) -> bool:
        return self.at(".") and not self.after("{")

    def _parse_fields(self) -> tuple[tree.FieldInit, ...]:
        """`.a = 1, .b = 2}`, the closing brace included."""
        header, self._header = self._header, ""
        fields: list[tree.FieldInit] = []
        while not self.at("}"):
            fields.append(self._parse_field())
            if not self.skip(","):
                break
        self._header = header
        self.expect("}", "after the fields of an initialiser")
        return tuple(fields)

    def _parse_field(self) -> tree.FieldInit:
        start = self.position
        self.expect(".", "before the name of a field")
        name = self.expect_name("the name of a field after '.'")
        self.expect("=", f"after the name of field '{name}'")
        value = self.parse_expression()
        return tree.FieldInit(self.span_from(start), name, value)

    # --- primary forms ------------------------------------------------------------

    def _parse_primary(self) -> tree.Expression:
        parse = self._primary.get(self.kinds[self.position])
        if parse is None:
            raise self.error("expected an expression")
        return parse(self)

    def _parse_name(self) -> tree.Expression:
        start = self.position
        if self.after(":") and self.kinds[start + 2] == "{":
            return self._parse_block_expression()
        text = self.tokens.text(start)
        if self._starts_layout_type(text):
            return self.parse_struct_type()
        self.position += 1
        return tree.Name(self.tokens.span(start), text)

    def _starts_layout_type(self, text: str) -> bool:
        """`packed` and `union` are words only in front of a type's body."""
        if text == "union":
            return self.after("{")
        if text != "packed":
            return False
        return self.after("struct") or (
            self.after(tokens.IDENTIFIER)
            and self.tokens.text(self.position + 1) == "union"
        )

    def _parse_builtin(self) -> tree.Expression:
        start = self.position
        name = self.tokens.text(start)
        self.position += 1
        self.expect("(", f"after '{name}'")
        arguments = self._parse_list(")")
        self.expect(")", f"after the arguments of '{name}'")
        return tree.BuiltinCall(self.span_from(start), name, arguments)

    def _parse_integer(self) -> tree.Expression:
        span = self._step()
        text = self.source.text[span.start : span.end]
        return tree.IntLiteral(span, literals.parse_int(text, span))

    def _parse_float(self) -> tree.Expression:
        span = self._step()
        text = self.source.text[span.start : span.end]
        return tree.FloatLiteral(span, literals.parse_float(text, span))

    def _parse_string(self) -> tree.Expression:
        span = self._step()
        text = self.source.text[span.start : span.end]
        return tree.StringLiteral(span, literals.parse_string(text, span))

    def _parse_character(self) -> tree.Expression:
        span = self._step()
        text = self.source.text[span.start : span.end]
        return tree.IntLiteral(span, literals.parse_character(text, span))

    def _parse_bool(self) -> tree.Expression:
        value = self.at("true")
        return tree.BoolLiteral(self._step(), value)

    def _step(self) -> Span:
        self.position += 1
        return self.tokens.span(self.position - 1)

    def _parse_group(self) -> tree.Expression:
        self.position += 1
        header, self._header = self._header, ""
        inner = self.parse_expression()
        self._header = header
        self.expect(")", "after the expression in parentheses")
        return inner

    def _parse_anonymous(self) -> tree.Expression:
        """`.{ .a = 1 }`, `.{ 1, 2 }`, `.{}`"""
        start = self.position
        self.position += 1
        self.expect("{", "after '.'", help=self._struct_help())
        if self.at("}") or self._at_field():
            fields = self._parse_fields()
            return tree.StructLiteral(self.span_from(start), None, fields)
        values = self._parse_list("}")
        help = "a named field begins with a dot: .x = ..." if self.at("=") else ""
        self.expect("}", "after the values of a tuple", help)
        return tree.TupleLiteral(self.span_from(start), values)

    def _struct_help(self) -> str:
        if not self.at(tokens.IDENTIFIER):
            return ""
        name = self.tokens.text(self.position)
        if self.after("="):
            return f"a struct begins with a dot: .{{ .{name} = ... }}"
        return f"items of an enum are written with its name: E.{name}"

    def _parse_if_expression(self) -> tree.Expression:
        start = self.position
        self.position += 1
        condition = self.parse_header("if")
        then = self.parse_expression()
        otherwise = self.parse_expression() if self.skip("else") else None
        return tree.IfExpression(self.span_from(start), condition, then, otherwise)

    def parse_header(self, keyword: str) -> tree.Expression:
        """The parenthesised operand of `if`, `for`, `while` or `switch`."""
        self.expect("(", f"after '{keyword}'", help=f"write '{keyword} (...)'")
        if keyword == "for" and self.at("var"):
            help = (
                "for loops go over ranges and arrays: for (@range(i16, n)) |i| { ... }"
            )
            raise self.error("expected a range or an array", help=help)
        outer, self._header = self._header, keyword
        operand = self.parse_expression()
        self._header = outer
        self.expect(")", f"after the operand of '{keyword}'")
        return operand

    def _parse_switch_expression(self) -> tree.Expression:
        return self.parse_switch(statement=False)

    def _parse_comptime(self) -> tree.Expression:
        start = self.position
        self.position += 1
        operand = self.parse_expression()
        return tree.ComptimeExpression(self.span_from(start), operand)

    def _parse_block_expression(self) -> tree.Expression:
        start = self.position
        label = None
        if self.at(tokens.IDENTIFIER):
            label = self.tokens.text(start)
            self.position += 2
        body = self.parse_block()
        return tree.BlockExpression(self.span_from(start), label, body)

    def _parse_tensor_access(self) -> tree.Expression:
        """`|i, j|{n, m} -> A[i, j]`"""
        start = self.position
        self.position += 1
        variables = [self.expect_name("the name of an induction variable after '|'")]
        while self.skip(","):
            variables.append(self.expect_name("the name of an induction variable"))
        self.expect("|", "after the induction variables")
        self.expect("{", "before the extents of a tensor access")
        extents = self._parse_list("}")
        self.expect("}", "after the extents of a tensor access")
        self.expect("->", "after the extents of a tensor access")
        access = self._parse_postfix(braces=False)
        if not isinstance(access, tree.Index):
            raise CslError(
                "a tensor access must end in an indexed tensor",
                access.span,
                help="write it as '|i|{n} -> A[i]'",
            )
        span = self.span_from(start)
        return tree.TensorAccess(span, tuple(variables), extents, access)

    def _parse_asm(self) -> tree.Expression:
        """`asm volatile (...)`, kept as text up to the closing parenthesis."""
        start = self.position
        self.position += 1
        self.skip("volatile")
        self.expect("(", "after 'asm'")
        depth = 1
        while depth:
            if self.at(tokens.END):
                raise self.error("expected ')' after the operands of 'asm'")
            depth += {"(": 1, ")": -1}.get(self.kinds[self.position], 0)
            self.position += 1
        span = self.span_from(start)
        return tree.AsmExpression(span, self.source.text[span.start : span.end])

    # --- tables -------------------------------------------------------------------

    _postfix: ClassVar[dict[str, _PostfixRule]] = {
        ".": _parse_member,
        ".*": _parse_deref,
        "[": _parse_index,
        "(": _parse_call,
    }
    _primary: ClassVar[dict[str, _PrimaryRule]] = {
        tokens.IDENTIFIER: _parse_name,
        tokens.BUILTIN: _parse_builtin,
        tokens.INTEGER: _parse_integer,
        tokens.FLOAT: _parse_float,
        tokens.STRING: _parse_string,
        tokens.CHARACTER: _parse_character,
        "true": _parse_bool,
        "false": _parse_bool,
        "(": _parse_group,
        ".": _parse_anonymous,
        "{": _parse_block_expression,
        "|": _parse_tensor_access,
        "if": _parse_if_expression,
        "switch": _parse_switch_expression,
        "comptime": _parse_comptime,
        "asm": _parse_asm,
        "*": TypeParser.parse_pointer_type,
        "[": TypeParser.parse_bracket_type,
        "fn": TypeParser.parse_function_type,
        "task": TypeParser.parse_function_type,
        "struct": TypeParser.parse_struct_type,
        "extern": TypeParser.parse_struct_type,
        "enum": TypeParser.parse_enum_type,
    }
