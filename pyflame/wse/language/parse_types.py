"""The part of the parser that reads types: what only a type can look like."""

from __future__ import annotations

from abc import ABC, abstractmethod

from pyflame.wse.errors import CslError
from pyflame.wse.language import tokens, tree
from pyflame.wse.language.cursor import Cursor


class TypeParser(Cursor, ABC):
    """Types are expressions, so the general case is left to the expression parser."""

    @abstractmethod
    def parse_expression(self) -> tree.Expression: ...

    @abstractmethod
    def parse_type_operand(self) -> tree.Expression:
        """A name, member or call chain without a typed initialiser behind it."""

    def parse_type(self, what: str) -> tree.Expression:
        """A type; `what` says whose, for the error if there is none."""
        self.enter()
        if self.kinds[self.position] in _NO_TYPE:
            raise self._missing_type(what)
        parsed = self.parse_type_operand()
        self.nesting -= 1
        return parsed

    def _missing_type(self, what: str) -> CslError:
        if self.at("anytype"):
            rule = "'anytype' is only the type of a function's parameter"
            return self.error(f"expected {what}", notes=((rule, None),))
        return self.error(f"expected {what}")

    def parse_pointer_type(self) -> tree.Expression:
        """`*T`, `*const T`"""
        start = self.position
        self.expect("*", "before the type that a pointer points to")
        const = self.skip("const")
        pointee = self.parse_type("the type that a pointer points to")
        return tree.PointerType(self.span_from(start), pointee, const, many=False)

    def parse_bracket_type(self) -> tree.Expression:
        """`[*]T`, `[*]const T` or `[d0, d1]T`"""
        if self.after("*") and self.kinds[self.position + 2] == "]":
            return self._parse_many_pointer()
        start = self.position
        self.expect("[", "before the dimensions of an array type")
        dims = [self.parse_expression()]
        while self.skip(","):
            dims.append(self.parse_expression())
        self.expect("]", "after the dimensions of an array type")
        element = self.parse_type("the element type of the array after ']'")
        return tree.ArrayType(self.span_from(start), tuple(dims), element)

    def _parse_many_pointer(self) -> tree.Expression:
        start = self.position
        self.position += 3
        const = self.skip("const")
        pointee = self.parse_type("the type that a pointer points to")
        return tree.PointerType(self.span_from(start), pointee, const, many=True)

    def parse_function_type(self) -> tree.Expression:
        """`fn(A, B) R`, `task(A) R`"""
        start = self.position
        task = self.at("task")
        keyword = self.kinds[self.position]
        self.position += 1
        self.expect("(", f"after '{keyword}' in a type")
        params: list[tree.Expression] = []
        while not self.at(")"):
            params.append(self.parse_type("the type of a parameter"))
            if not self.skip(","):
                break
        self.expect(")", "after the parameter types")
        result = self.parse_type(f"the result type of the {keyword} type")
        return tree.FunctionType(self.span_from(start), tuple(params), result, task)

    def parse_struct_type(self) -> tree.Expression:
        """`struct {...}`, `union {...}`, either after `extern` or `packed`."""
        start = self.position
        layout = ""
        if self._word() in ("extern", "packed"):
            layout = self._word()
            self.position += 1
        if self._word() not in ("struct", "union"):
            raise self.error(f"expected 'struct' or 'union' after '{layout}'")
        union = self._word() == "union"
        what = "union" if union else "struct"
        self.position += 1
        self.expect("{", f"before the fields of a {what}")
        fields: list[tree.FieldDeclaration] = []
        while not self.at("}"):
            fields.append(self._parse_field_declaration(what))
            if not self.skip(","):
                break
        self.expect("}", f"after the fields of a {what}")
        return tree.StructType(self.span_from(start), tuple(fields), layout, union)

    def _word(self) -> str:
        return self.tokens.text(self.position)

    def _parse_field_declaration(self, what: str) -> tree.FieldDeclaration:
        start = self.position
        name = self.expect_name(f"the name of a {what} field")
        self.expect(":", f"after the name of field '{name}'")
        kind = self.parse_type(f"the type of field '{name}'")
        return tree.FieldDeclaration(self.span_from(start), name, kind)

    def parse_enum_type(self) -> tree.Expression:
        """`enum(T) { a, b = 4 }`; the backing type may be left out."""
        start = self.position
        self.expect("enum", "before an enum type")
        backing = None
        if self.skip("("):
            backing = self.parse_type("the backing type of the enum")
            self.expect(")", "after the backing type of an enum")
        self.expect("{", "before the items of an enum")
        items = [self._parse_enum_item()]
        while self.skip(",") and not self.at("}"):
            items.append(self._parse_enum_item())
        self.expect("}", "after the items of an enum")
        return tree.EnumType(self.span_from(start), backing, tuple(items))

    def _parse_enum_item(self) -> tree.EnumItem:
        start = self.position
        name = self.expect_name("the name of an enum item")
        value = self.parse_expression() if self.skip("=") else None
        return tree.EnumItem(self.span_from(start), name, value)


# Tokens that certainly start no type: better refused as a missing type than as a
# malformed expression.
_NO_TYPE = frozenset(
    (
        *("{", "}", ")", "]", ",", ";", ":", "=", "=>", "->", "anytype"),
        *("align", "linkname", "linksection", "const", "var", "return"),
        *(tokens.INTEGER, tokens.FLOAT, tokens.STRING, tokens.CHARACTER, tokens.END),
    )
)
