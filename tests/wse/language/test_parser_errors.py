"""Every diagnostic of the parser, word for word."""

import pytest

from pyflame.wse.errors import CslError
from pyflame.wse.language import parser
from pyflame.wse.language.source import Source


def error_of(text):
    with pytest.raises(CslError) as caught:
        parser.parse(Source("t.csl", text))
    return caught.value


TOP_LEVEL = [
    ("x = 1;", "expected a declaration, found 'x'"),
    ("export 1", "expected a declaration after 'export', found '1'"),
    ("export layout {}", "'export' cannot stand before a layout block"),
    ("const = 1;", "expected a name after 'const', found '='"),
    ("const task = 1;", "expected a name after 'const', found the keyword 'task'"),
    ("const a = 1", "expected ';' after the declaration of 'a', found end of file"),
    (
        "var a: u16 var",
        "expected ';' after the declaration of 'a', found the keyword 'var'",
    ),
    ("var a: = 1;", "expected the type of 'a', found '='"),
    ("var a: anytype;", "expected the type of 'a', found the keyword 'anytype'"),
    ("inline x", "expected 'fn' after 'inline', found 'x'"),
    ("fn (", "expected the name of the function, found '('"),
    ("task 1", "expected the name of the task, found '1'"),
    ("fn f {}", "expected '(' after the name 'f', found '{'"),
    ("fn f(x) void {}", "expected ':' after the parameter 'x', found ')'"),
    ("fn f(1) void {}", "expected the name of a parameter, found '1'"),
    ("fn f(x: u16", "expected ')' after the parameters of 'f', found end of file"),
    ("fn f(x:) void {}", "expected the type of parameter 'x', found ')'"),
    ("fn f() {}", "expected the result type of 'f', found '{'"),
    ("fn f() void;", "expected '{' before a block, found ';'"),
    ("extern fn f() void {}", "the extern function 'f' cannot have a body"),
    (
        "extern fn f() void",
        "expected ';' after the declaration of 'f', found end of file",
    ),
    ("fn f() void {", "expected '}' after a block, found end of file"),
    ("comptime f();", "expected '{' before a block, found 'f'"),
]

STATEMENTS = [
    ("x = 1", "expected ';' after an assignment, found '}'"),
    ("f() g();", "expected ';' after an expression, found 'g'"),
    ("return 1 2;", "expected ';' after 'return', found '2'"),
    ("break 1;", "expected ';' after 'break', found '1'"),
    ("break : 1;", "expected a label after 'break :', found '1'"),
    ("else {}", "expected a statement, found the keyword 'else'"),
    (";", "expected a statement, found ';'"),
    ("l: x = 1;", "expected a block or a loop after the label 'l', found 'x'"),
    ("if c {}", "expected '(' after 'if', found 'c'"),
    ("if (c {}", "a typed initialiser cannot stand in the header of 'if'"),
    ("if (c; {}", "expected ')' after the operand of 'if', found ';'"),
    ("for (x) {}", "expected '|' before the loop variable, found '{'"),
    ("for (x) |1| {}", "expected the name of the loop variable, found '1'"),
    ("for (x) |i {}", "expected '|' after the loop variable, found '{'"),
    ("inline x;", "expected 'for' or 'while' after 'inline', found 'x'"),
    (
        "while (c) : i += 1 {}",
        "expected '(' before the continuation of 'while', found 'i'",
    ),
    (
        "while (c) : (i) {}",
        "expected an assignment operator such as '=' or '+=', found ')'",
    ),
    ("switch (x) { 1 => f(); }", "expected '}' after the arms of a switch, found ';'"),
    (
        "switch (x) { 1: f() }",
        "expected '=>' after the values of a switch arm, found ':'",
    ),
    ("var 1 = 2;", "expected a name after 'var', found '1'"),
]

EXPRESSIONS = [
    ("", "expected an expression, found ';'"),
    ("1 +", "expected an expression, found ';'"),
    ("a < b < c", "comparisons cannot be chained: '<' follows '<'"),
    ("a == b != c", "comparisons cannot be chained: '!=' follows '=='"),
    ("(1", "expected ')' after the expression in parentheses, found ';'"),
    ("f(1 2)", "expected ')' after the arguments of a call, found '2'"),
    ("@as", "expected '(' after '@as', found ';'"),
    ("@as(f32, 1", "expected ')' after the arguments of '@as', found ';'"),
    ("a[]", "expected an index after '[', found ']'"),
    ("a[1", "expected ']' after the indices, found ';'"),
    ("a.1", "expected the name of a member after '.', found '1'"),
    ("a.while", "expected the name of a member after '.', found the keyword 'while'"),
    (". 1", "expected '{' after '.', found '1'"),
    (".{ .a 1 }", "expected '=' after the name of field 'a', found '1'"),
    (".{ .a = 1, b }", "expected '.' before the name of a field, found 'b'"),
    (".{ .a = 1", "expected '}' after the fields of an initialiser, found ';'"),
    (".{ 1", "expected '}' after the values of a tuple, found ';'"),
    ("[2]u16{ 1", "expected '}' after the values of an initialiser, found ';'"),
    ("[2]", "expected the element type of the array after ']', found ';'"),
    ("[2", "expected ']' after the dimensions of an array type, found ';'"),
    ("fn(u16)", "expected the result type of the fn type, found ';'"),
    ("struct { a }", "expected ':' after the name of field 'a', found '}'"),
    ("struct { a: u16", "expected '}' after the fields of a struct, found ';'"),
    ("union { 1 }", "expected the name of a union field, found '1'"),
    ("extern u16", "expected 'struct' or 'union' after 'extern', found 'u16'"),
    ("enum {}", "expected the name of an enum item, found '}'"),
    ("|i| A[i]", "expected '{' before the extents of a tensor access, found 'A'"),
    ("|i|{1} A[i]", "expected '->' after the extents of a tensor access, found 'A'"),
    ("|i|{1} -> A", "a tensor access must end in an indexed tensor"),
    ("asm (1", "expected ')' after the operands of 'asm', found end of file"),
    ("1.5 'c'", "expected ';' after the declaration of 'x', found 'c'"),
]


@pytest.mark.parametrize(("text", "message"), TOP_LEVEL)
def test_top_level(text, message):
    assert error_of(text).message == message


@pytest.mark.parametrize(("text", "message"), STATEMENTS)
def test_statements(text, message):
    assert error_of(f"fn f() void {{ {text} }}").message == message


@pytest.mark.parametrize(("text", "message"), EXPRESSIONS)
def test_expressions(text, message):
    assert error_of(f"const x = {text};").message == message


@pytest.mark.parametrize(
    "text",
    [
        "const x = " + "(" * 5000 + ")" * 5000 + ";",
        "const x = " + "-" + " -" * 5000 + "1;",
        "const x: " + "*" * 5000 + "u16;",
        "const x = " + "[1]" * 5000 + "u16;",
        "const x = " + ".{" * 5000 + "}" * 5000 + ";",
        "fn f() void " + "{" * 5000 + "}" * 5000,
        "fn f() void { " + "if (c) " * 5000 + "x = 1; }",
        "fn f() void { " + "while (c) " * 5000 + "x = 1; }",
        "const x = " + "comptime " * 5000 + "1;",
        "const x = " + "if (a) " * 5000 + "1;",
        "const x = " + "switch (a) { else => " * 5000 + "1;",
        "const x = " + "f(" * 5000 + ";",
        "const x = " + "|i|{" * 5000 + ";",
        "const x = " + "fn(" * 5000 + ";",
        "const x = " + "struct { a: " * 5000 + ";",
        "const x = " + "enum(" * 5000 + ";",
    ],
)
def test_deep_nesting_is_refused(text):
    assert error_of(text).message == "this nests deeper than 64 levels"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("const x = " + "1 + " * 5000 + "1;", "more than 200 operators in a row"),
        (
            "const x = a" + ".b" * 5000 + ";",
            "more than 200 postfix operators in a row",
        ),
        (
            "fn f() void { " + "if (c) {} else " * 5000 + "{} }",
            "more than 200 'else if's in a row",
        ),
    ],
)
def test_long_chains_are_refused(text, message):
    assert error_of(text).message == message


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        (
            "const a = 1\nconst b = 2;",
            [
                "t.csl:1:12: error: expected ';' after the declaration of 'a', found "
                "the keyword 'const'",
                "    1 | const a = 1",
                "      |            ^",
            ],
        ),
        (
            "var for: u16;",
            [
                "t.csl:1:5: error: expected a name after 'var', found the keyword "
                "'for'",
                "    1 | var for: u16;",
                "      |     ^^^",
                "note: 'for' is a keyword and cannot be a name",
            ],
        ),
        (
            "fn f() {}",
            [
                "t.csl:1:8: error: expected the result type of 'f', found '{'",
                "    1 | fn f() {}",
                "      |        ^",
                "help: write 'fn f(...) void {' for a function without a result",
            ],
        ),
        (
            "const x = a < b < c;",
            [
                "t.csl:1:17: error: comparisons cannot be chained: '<' follows '<'",
                "    1 | const x = a < b < c;",
                "      |                 ^",
                "note: the comparison operators are not associative",
                "help: join two comparisons with 'and', or use parentheses",
            ],
        ),
        (
            "x = 1;",
            [
                "t.csl:1:1: error: expected a declaration, found 'x'",
                "    1 | x = 1;",
                "      | ^",
                "note: the top level of a file holds const, var, param, fn and task "
                "declarations, comptime blocks and a layout block",
            ],
        ),
        (
            "fn f() void {\n  g();\n",
            [
                "t.csl:3:1: error: expected '}' after a block, found end of file",
                "    3 | ",
                "      | ^",
                "t.csl:1:13: note: the block starts here",
                "    1 | fn f() void {",
                "      |             ^",
            ],
        ),
        (
            "const x = if (P{ .a = 1 }.a) 1 else 2;",
            [
                "t.csl:1:16: error: a typed initialiser cannot stand in the header "
                "of 'if'",
                "    1 | const x = if (P{ .a = 1 }.a) 1 else 2;",
                "      |                ^",
                "help: close the header with ')', or put the initialiser in "
                "parentheses",
            ],
        ),
        (
            "extern fn f() void {}",
            [
                "t.csl:1:20: error: the extern function 'f' cannot have a body",
                "    1 | extern fn f() void {}",
                "      |                    ^",
                "note: an extern function is defined elsewhere",
                "help: end it with ';'",
            ],
        ),
        (
            "fn f(x: u16, y: fn(anytype) void) void {}",
            [
                "t.csl:1:20: error: expected the type of a parameter, found the "
                "keyword 'anytype'",
                "    1 | fn f(x: u16, y: fn(anytype) void) void {}",
                "      |                    ^^^^^^^",
                "note: 'anytype' is only the type of a function's parameter",
            ],
        ),
    ],
)
def test_rendered(text, rendered):
    assert error_of(text).render() == "\n".join(rendered)


def test_parentheses_allow_an_initialiser_in_a_header():
    parser.parse(Source("t.csl", "const x = if ((P{ .a = true }).a) 1 else 2;"))
    parser.parse(Source("t.csl", "const x = if (f(P{ .a = true })) 1 else 2;"))
