"""The part of the parser that reads statements and switches."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from pyflame.wse.errors import CslError
from pyflame.wse.language import tokens, tree
from pyflame.wse.language.parse_expressions import ExpressionParser
from pyflame.wse.language.tokens import Tokens

# An assignment's token, to the binary operator it applies.
ASSIGNMENTS = {"=": ""} | {
    operator + "=": operator
    for operator in ("+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^")
}
_ATTRIBUTES = ("align", "linksection", "linkname")
_TOP_LEVEL = ("param", "layout", "export", "noinline")
_DECLARING = (
    "declare a variable with 'var x: T = ...;', a constant with 'const x = ...;'"
)


class StatementParser(ExpressionParser):
    """Statements come in two kinds.

    Compound ones (blocks, if, for, while, switch) end by themselves; simple ones end
    with `;`, which only their surroundings know whether to ask for: not in front of
    an `else`, not in a switch arm.
    """

    def __init__(self, source_tokens: Tokens) -> None:
        super().__init__(source_tokens)
        # the brace of the innermost open block
        self._block: int = 0

    def parse_block(self) -> tree.Block:
        start = self.position
        header, self._header = self._header, ""
        self.expect("{", "before a block")
        outer, self._block = self._block, start
        statements: list[tree.Statement] = []
        while not self.at("}"):
            if self.at(tokens.END):
                opening = ("the block starts here", self.tokens.span(start))
                raise self.error("expected '}' after a block", notes=(opening,))
            statements.append(self.parse_statement())
        self.position += 1
        self._header = header
        self._block = outer
        return tree.Block(self.span_from(start), tuple(statements))

    def parse_statement(self) -> tree.Statement:
        self.enter()
        compound = self._parse_optional_compound(terminated=True)
        parsed = compound or self._parse_terminated()
        self.nesting -= 1
        return parsed

    def _parse_terminated(self) -> tree.Statement:
        kind = self.kinds[self.position]
        parse = self._declarations.get(kind)
        if parse is not None:
            return parse(self)
        if kind in _TOP_LEVEL or (
            kind in ("fn", "task") and self.after(tokens.IDENTIFIER)
        ):
            raise self._misplaced(kind)
        parsed, what = self._parse_simple()
        lone = isinstance(parsed, tree.ExpressionStatement) and isinstance(
            parsed.expression, tree.Name
        )
        declares = lone and self.at(tokens.IDENTIFIER)
        self.end_statement(what, _DECLARING if declares else "")
        return parsed

    def _misplaced(self, kind: str) -> CslError:
        opening = ("the block that is still open", self.tokens.span(self._block))
        return CslError(
            f"'{kind}' can only stand at the top level of a file",
            self.tokens.span(self.position),
            (opening,),
            help="close the block with '}' before it",
        )

    # --- simple statements --------------------------------------------------------

    def _parse_simple(self) -> tuple[tree.Statement, str]:
        """A statement without its `;`, and what diagnostics call it."""
        parse = self._simple.get(self.kinds[self.position])
        if parse is not None:
            what = f"'{self.kinds[self.position]}'"
            return parse(self), what
        if self.kinds[self.position] in ("}", "else", ";", tokens.END):
            raise self.error("expected a statement")
        start = self.position
        place = self.parse_expression()
        if self.kinds[self.position] in ASSIGNMENTS:
            return self._parse_assignment(start, place), "an assignment"
        return tree.ExpressionStatement(place.span, place), "an expression"

    def _parse_assignment(self, start: int, place: tree.Expression) -> tree.Assignment:
        if self.kinds[self.position] not in ASSIGNMENTS:
            raise self.error("expected an assignment operator such as '=' or '+='")
        operator = ASSIGNMENTS[self.kinds[self.position]]
        self.position += 1
        value = self.parse_expression()
        return tree.Assignment(self.span_from(start), place, operator, value)

    def _parse_return(self) -> tree.Statement:
        start = self.position
        self.position += 1
        value = None if self._at_end_of_simple() else self.parse_expression()
        return tree.ReturnStatement(self.span_from(start), value)

    def _parse_break(self) -> tree.Statement:
        start = self.position
        self.position += 1
        label = self._parse_optional_target("break")
        value = None
        if label is not None and not self._at_end_of_simple():
            value = self.parse_expression()
        return tree.BreakStatement(self.span_from(start), label, value)

    def _parse_continue(self) -> tree.Statement:
        start = self.position
        self.position += 1
        label = self._parse_optional_target("continue")
        return tree.ContinueStatement(self.span_from(start), label)

    def _parse_optional_target(self, keyword: str) -> str | None:
        if not self.skip(":"):
            return None
        return self.expect_name(f"a label after '{keyword} :'")

    def _at_end_of_simple(self) -> bool:
        return self.kinds[self.position] in (";", "else", ",", "}")

    def _parse_local(self) -> tree.Statement:
        start = self.position
        comptime = self.skip("comptime")
        mutable = self.at("var")
        keyword = self.kinds[self.position]
        self.position += 1
        name = self.expect_name(f"a name after '{keyword}'")
        kind = self.parse_optional_annotation(name)
        attributes = self.parse_attributes()
        value = self.parse_expression() if self.skip("=") else None
        self.end_statement(f"the declaration of '{name}'")
        span = self.span_from(start)
        return tree.LocalDeclaration(
            span, name, mutable, comptime, kind, value, attributes
        )

    def parse_optional_annotation(self, name: str) -> tree.Expression | None:
        """`: T` behind a declared name."""
        if not self.skip(":"):
            return None
        return self.parse_type(f"the type of '{name}'")

    def parse_attributes(self) -> tuple[tree.FieldInit, ...]:
        """`align(...)`, `linksection(...)`, `linkname(...)`, any number of them."""
        attributes: list[tree.FieldInit] = []
        while (name := self.kinds[self.position]) in _ATTRIBUTES:
            start = self.position
            self.position += 1
            self.expect("(", f"after '{name}'")
            value = self.parse_expression()
            self.expect(")", f"after the value of '{name}'")
            attributes.append(tree.FieldInit(self.span_from(start), name, value))
        return tuple(attributes)

    def _parse_comptime_statement(self) -> tree.Statement:
        """`comptime {...}`, `comptime var x = 0;` or `comptime f(x);`"""
        start = self.position
        if self.after("const") or self.after("var"):
            return self._parse_local()
        if not self.after("{"):
            expression = self.parse_expression()
            self.end_statement("an expression")
            return tree.ExpressionStatement(self.span_from(start), expression)
        self.position += 1
        body = self.parse_block()
        self.skip(";")
        return tree.ComptimeBlock(self.span_from(start), body)

    # --- compound statements ------------------------------------------------------

    def _parse_optional_compound(self, terminated: bool) -> tree.Statement | None:
        """A statement that ends by itself, if one starts here.

        `terminated` says whether a simple statement at its very end wants a `;`.
        """
        kind = self.kinds[self.position]
        if kind == "if":
            return self._parse_if(terminated)
        if kind in ("for", "while", "inline"):
            return self._parse_loop(self.position, None, terminated)
        if kind == "switch":
            return self._parse_switch_statement()
        if kind == "{":
            return self._parse_plain_block()
        if kind == tokens.IDENTIFIER and self.after(":"):
            return self._parse_labelled(terminated)
        return None

    def _parse_plain_block(self) -> tree.Block:
        block = self.parse_block()
        self.skip(";")
        return block

    def _parse_switch_statement(self) -> tree.Statement:
        switch = self.parse_switch(statement=True)
        self.skip(";")
        return tree.SwitchStatement(switch.span, switch)

    def _parse_labelled(self, terminated: bool) -> tree.Statement:
        start = self.position
        label = self.expect_name("a label")
        self.expect(":", "after a label")
        if self.kinds[self.position] in ("for", "while", "inline"):
            return self._parse_loop(start, label, terminated)
        if not self.at("{"):
            raise self.error(f"expected a block or a loop after the label '{label}'")
        body = self.parse_block()
        self.skip(";")
        return tree.LabelledBlock(self.span_from(start), label, body)

    def _parse_body(self, terminated: bool) -> tree.Statement:
        """What an if or a loop governs: a block, or one statement without braces."""
        if self.at("{"):
            return self.parse_block()
        self.enter()
        parsed = self._parse_optional_compound(terminated)
        if parsed is None:
            parsed, what = self._parse_simple()
            if terminated and not self.at("else"):
                self.end_statement(what)
        self.nesting -= 1
        return parsed

    def _parse_if(self, terminated: bool) -> tree.Statement:
        """An if and its `else if`s, read in a loop because such chains get long."""
        arms: list[tuple[int, tree.Expression, tree.Statement]] = []
        otherwise: tree.Statement | None = None
        while True:
            start = self.position
            self.position += 1
            condition = self.parse_header("if")
            arms.append((start, condition, self._parse_body(terminated)))
            self.check_chain(len(arms), "'else if's")
            if not self.skip("else"):
                break
            if not self.at("if"):
                otherwise = self._parse_body(terminated)
                break
        for start, condition, then in reversed(arms):
            span = self.span_from(start)
            otherwise = tree.IfStatement(span, condition, then, otherwise)
        assert otherwise is not None, "an if has at least one arm"
        return otherwise

    def _parse_loop(
        self, start: int, label: str | None, terminated: bool
    ) -> tree.Statement:
        inline = self.skip("inline")
        if self.at("for"):
            return self._parse_for(start, label, inline, terminated)
        if self.at("while"):
            return self._parse_while(start, label, inline, terminated)
        raise self.error("expected 'for' or 'while' after 'inline'")

    def _parse_for(
        self, start: int, label: str | None, inline: bool, terminated: bool
    ) -> tree.Statement:
        self.position += 1
        iterable = self.parse_header("for")
        self.expect("|", "before the loop variable", help="write 'for (x) |v| {...}'")
        element = self.expect_name("the name of the loop variable")
        index = self.expect_name("the name of the index") if self.skip(",") else None
        self.expect("|", "after the loop variable")
        body = self._parse_body(terminated)
        span = self.span_from(start)
        return tree.ForStatement(span, label, inline, iterable, element, index, body)

    def _parse_while(
        self, start: int, label: str | None, inline: bool, terminated: bool
    ) -> tree.Statement:
        self.position += 1
        condition = self.parse_header("while")
        step = self._parse_step() if self.skip(":") else None
        body = self._parse_body(terminated)
        span = self.span_from(start)
        return tree.WhileStatement(span, label, condition, step, body, inline)

    def _parse_step(self) -> tree.Assignment:
        self.expect("(", "before the continuation of 'while'")
        start = self.position
        step = self._parse_assignment(start, self.parse_expression())
        self.expect(")", "after the continuation of 'while'")
        return step

    # --- switch -------------------------------------------------------------------

    def parse_switch(self, statement: bool) -> tree.SwitchExpression:
        """A switch; as a statement, its arms may be any statement without `;`."""
        start = self.position
        self.expect("switch", "before the operand of a switch")
        value = self.parse_header("switch")
        header, self._header = self._header, ""
        self.expect("{", "before the arms of a switch")
        arms: list[tree.SwitchArm] = []
        while not self.at("}"):
            arms.append(self._parse_arm(statement))
            if not self.skip(","):
                break
        self.expect("}", "after the arms of a switch", help="arms are separated by ','")
        self._header = header
        return tree.SwitchExpression(self.span_from(start), value, tuple(arms))

    def _parse_arm(self, statement: bool) -> tree.SwitchArm:
        start = self.position
        values = None if self.skip("else") else self._parse_arm_values()
        self.expect("=>", "after the values of a switch arm")
        self.enter()
        body = self._parse_arm_body(statement)
        self.nesting -= 1
        return tree.SwitchArm(self.span_from(start), values, body)

    def _parse_arm_values(self) -> tuple[tree.Expression, ...]:
        values = [self.parse_expression()]
        while self.skip(",") and not self.at("=>"):
            values.append(self.parse_expression())
        return tuple(values)

    def _parse_arm_body(self, statement: bool) -> tree.Expression:
        kind = self.kinds[self.position]
        start = self.position
        if kind == "{":
            return self.parse_expression()
        if statement and kind in ("if", "for", "while", "inline", "switch"):
            governed = self._parse_optional_compound(terminated=False)
            assert governed is not None, "the keyword starts a compound statement"
            return tree.StatementArm(self.span_from(start), governed)
        simple, _ = self._parse_simple()
        if isinstance(simple, tree.ExpressionStatement):
            return simple.expression
        return tree.StatementArm(simple.span, simple)

    # --- tables -------------------------------------------------------------------

    _simple: ClassVar[dict[str, Callable[[StatementParser], tree.Statement]]] = {
        "return": _parse_return,
        "break": _parse_break,
        "continue": _parse_continue,
    }
    _declarations: ClassVar[dict[str, Callable[[StatementParser], tree.Statement]]] = {
        "const": _parse_local,
        "var": _parse_local,
        "comptime": _parse_comptime_statement,
    }
