"""What the parser makes of every form of the grammar."""

from dataclasses import fields

import pytest

from pyflame.wse.language import parser, tree
from pyflame.wse.language.source import Source


def parse(text):
    return parser.parse(Source("t.csl", text))


def show(node):
    """A tree as one S-expression, spans left out."""
    if isinstance(node, tuple):
        return "[" + " ".join(show(item) for item in node) + "]"
    if not isinstance(node, tree.Node):
        return repr(node) if isinstance(node, str) else str(node)
    parts = [show(getattr(node, f.name)) for f in fields(node) if f.name != "span"]
    return "(" + " ".join([type(node).__name__, *parts]) + ")"


def short(node):
    """Expressions as text with every grouping in parentheses."""
    match node:
        case tree.Binary(_, operator, left, right):
            return f"({short(left)} {operator} {short(right)})"
        case tree.Unary(_, operator, operand):
            return f"({operator}{short(operand)})"
        case tree.Name(_, name):
            return name
        case tree.IntLiteral(_, value):
            return str(value)
        case _:
            return show(node)


def expression(text):
    value = parse(f"const x = {text};").globals[0].value
    assert value is not None
    return value


def statement(text):
    (parsed,) = parse(f"fn f() void {{ {text} }}").functions[0].body.statements
    return parsed


def statements(text):
    return parse(f"fn f() void {{ {text} }}").functions[0].body.statements


# --- expressions ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a | b << 22", "(a | (b << 22))"),
        ("x & 1 == 0", "((x & 1) == 0)"),
        ("a & b | c ^ d", "(((a & b) | c) ^ d)"),
        ("a << 1 + b", "(a << (1 + b))"),
        ("a or b and c == d", "(a or (b and (c == d)))"),
        ("-a * ~b", "((-a) * (~b))"),
        ("!a and b", "((!a) and b)"),
        ("- -a", "(-(-a))"),
        ("(a + b) * c", "((a + b) * c)"),
        ("a % b / c", "((a % b) / c)"),
        ("a < b or c >= d", "((a < b) or (c >= d))"),
    ],
)
def test_precedence(text, grouped):
    assert short(expression(text)) == grouped


@pytest.mark.parametrize(
    ("text", "tree_text"),
    [
        ("12", "(IntLiteral 12)"),
        ("'a'", "(IntLiteral 97)"),
        ("0x1.8p1", "(FloatLiteral 3.0)"),
        (r'"a\n"', r"(StringLiteral 'a\n')"),
        ("true", "(BoolLiteral True)"),
        ("@as(f32, x,)", "(BuiltinCall '@as' [(Name 'f32') (Name 'x')])"),
        ("f()", "(Call (Name 'f') [])"),
        ("m.f(1)", "(Call (Member (Name 'm') 'f') [(IntLiteral 1)])"),
        ("p.*[i]", "(Index (Deref (Name 'p')) [(Name 'i')])"),
        ("(p.*)[i, 1]", "(Index (Deref (Name 'p')) [(Name 'i') (IntLiteral 1)])"),
        ("&a.b", "(Unary '&' (Member (Name 'a') 'b'))"),
        (".{}", "(StructLiteral None [])"),
        (".{ .a = 1, }", "(StructLiteral None [(FieldInit 'a' (IntLiteral 1))])"),
        (".{ 1, .{} }", "(TupleLiteral [(IntLiteral 1) (StructLiteral None [])])"),
        (".{ .{ 1 } }", "(TupleLiteral [(TupleLiteral [(IntLiteral 1)])])"),
        (
            "P { .x = 1 }",
            "(StructLiteral (Name 'P') [(FieldInit 'x' (IntLiteral 1))])",
        ),
        ("m.P{}", "(StructLiteral (Member (Name 'm') 'P') [])"),
        (
            "complex(f32){ .re = 1 }.re",
            "(Member (StructLiteral (Call (Name 'complex') [(Name 'f32')]) "
            "[(FieldInit 're' (IntLiteral 1))]) 're')",
        ),
        (
            "[2]u16 { 1, 2, }",
            "(ArrayLiteral (ArrayType [(IntLiteral 2)] (Name 'u16')) "
            "[(IntLiteral 1) (IntLiteral 2)])",
        ),
        ("[0]u16{}", "(ArrayLiteral (ArrayType [(IntLiteral 0)] (Name 'u16')) [])"),
        ("V { 1 }", "(ArrayLiteral (Name 'V') [(IntLiteral 1)])"),
        (
            "if (c) a else b",
            "(IfExpression (Name 'c') (Name 'a') (Name 'b'))",
        ),
        ("if (c) f()", "(IfExpression (Name 'c') (Call (Name 'f') []) None)"),
        (
            "switch (x) { 1, 2 => a, else => b }",
            "(SwitchExpression (Name 'x') "
            "[(SwitchArm [(IntLiteral 1) (IntLiteral 2)] (Name 'a')) "
            "(SwitchArm None (Name 'b'))])",
        ),
        ("{}", "(BlockExpression None (Block []))"),
        (
            "l: { break :l 1; }",
            "(BlockExpression 'l' (Block [(BreakStatement 'l' (IntLiteral 1))]))",
        ),
        ("comptime f(x)", "(ComptimeExpression (Call (Name 'f') [(Name 'x')]))"),
        (
            "1 + comptime f(x)",
            "(Binary '+' (IntLiteral 1) "
            "(ComptimeExpression (Call (Name 'f') [(Name 'x')])))",
        ),
        (
            "|i| {n} -> A[i]",
            "(TensorAccess ['i'] [(Name 'n')] (Index (Name 'A') [(Name 'i')]))",
        ),
        (
            "| i, j |{2,3}->m.A[ i, j+1 ]",
            "(TensorAccess ['i' 'j'] [(IntLiteral 2) (IntLiteral 3)] "
            "(Index (Member (Name 'm') 'A') "
            "[(Name 'i') (Binary '+' (Name 'j') (IntLiteral 1))]))",
        ),
        (
            'asm volatile ("mov %[a]" : [a] "=r" (x))',
            '(AsmExpression \'asm volatile ("mov %[a]" : [a] "=r" (x))\')',
        ),
    ],
)
def test_expressions(text, tree_text):
    assert show(expression(text)) == tree_text


@pytest.mark.parametrize(
    ("text", "tree_text"),
    [
        ("*f32", "(PointerType (Name 'f32') False False)"),
        ("*const f32", "(PointerType (Name 'f32') True False)"),
        ("[*]f32", "(PointerType (Name 'f32') False True)"),
        ("[*]const f32", "(PointerType (Name 'f32') True True)"),
        ("[n, 2]f32", "(ArrayType [(Name 'n') (IntLiteral 2)] (Name 'f32'))"),
        (
            "*const fn(i16, f32) void",
            "(PointerType (FunctionType [(Name 'i16') (Name 'f32')] (Name 'void') "
            "False) True False)",
        ),
        ("task () void", "(FunctionType [] (Name 'void') True)"),
        (
            "struct { a: u16, b: [2]f32, }",
            "(StructType [(FieldDeclaration 'a' (Name 'u16')) (FieldDeclaration 'b' "
            "(ArrayType [(IntLiteral 2)] (Name 'f32')))] '' False)",
        ),
        (
            "extern struct { a: u16 }",
            "(StructType [(FieldDeclaration 'a' (Name 'u16'))] 'extern' False)",
        ),
        (
            "packed struct { a: u16 }",
            "(StructType [(FieldDeclaration 'a' (Name 'u16'))] 'packed' False)",
        ),
        (
            "union { a: u16 }",
            "(StructType [(FieldDeclaration 'a' (Name 'u16'))] '' True)",
        ),
        (
            "extern union { a: u16 }",
            "(StructType [(FieldDeclaration 'a' (Name 'u16'))] 'extern' True)",
        ),
        (
            "packed union { a: u16 }",
            "(StructType [(FieldDeclaration 'a' (Name 'u16'))] 'packed' True)",
        ),
        (
            "enum(u16) { a, b = 4, }",
            "(EnumType (Name 'u16') "
            "[(EnumItem 'a' None) (EnumItem 'b' (IntLiteral 4))])",
        ),
        ("enum { A }", "(EnumType None [(EnumItem 'A' None)])"),
    ],
)
def test_types_are_expressions(text, tree_text):
    assert show(expression(text)) == tree_text


def test_packed_and_union_may_be_names():
    assert short(expression("packed + union")) == "(packed + union)"


# --- statements -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tree_text"),
    [
        (
            "var x: u16 align(4) = 1;",
            "(LocalDeclaration 'x' True False (Name 'u16') (IntLiteral 1) "
            "[(FieldInit 'align' (IntLiteral 4))])",
        ),
        ("const y = a;", "(LocalDeclaration 'y' False False None (Name 'a') [])"),
        (
            "comptime var z = 0;",
            "(LocalDeclaration 'z' True True None (IntLiteral 0) [])",
        ),
        ("x = 1;", "(Assignment (Name 'x') '' (IntLiteral 1))"),
        ("x <<= 1;", "(Assignment (Name 'x') '<<' (IntLiteral 1))"),
        (
            "p.*[i] ^= 1;",
            "(Assignment (Index (Deref (Name 'p')) [(Name 'i')]) '^' (IntLiteral 1))",
        ),
        ("return;", "(ReturnStatement None)"),
        ("return a;", "(ReturnStatement (Name 'a'))"),
        ("break;", "(BreakStatement None None)"),
        ("break :l;", "(BreakStatement 'l' None)"),
        ("continue :l;", "(ContinueStatement 'l')"),
        ("f();", "(ExpressionStatement (Call (Name 'f') []))"),
        (
            "comptime { f(); };",
            "(ComptimeBlock (Block [(ExpressionStatement (Call (Name 'f') []))]))",
        ),
        (
            "comptime f();",
            "(ExpressionStatement (ComptimeExpression (Call (Name 'f') [])))",
        ),
        ("{ };", "(Block [])"),
        ("l: { };", "(LabelledBlock 'l' (Block []))"),
        (
            "if (c) x = 1;",
            "(IfStatement (Name 'c') (Assignment (Name 'x') '' (IntLiteral 1)) None)",
        ),
        (
            "if (c) x = 1 else return;",
            "(IfStatement (Name 'c') (Assignment (Name 'x') '' (IntLiteral 1)) "
            "(ReturnStatement None))",
        ),
        (
            "if (a) {} else if (b) {} else {}",
            "(IfStatement (Name 'a') (Block []) "
            "(IfStatement (Name 'b') (Block []) (Block [])))",
        ),
        (
            "for (@range(u16, 4)) |i| x += i;",
            "(ForStatement None False (BuiltinCall '@range' "
            "[(Name 'u16') (IntLiteral 4)]) 'i' None "
            "(Assignment (Name 'x') '+' (Name 'i')))",
        ),
        (
            "l: inline for (a) |_, i| {}",
            "(ForStatement 'l' True (Name 'a') '_' 'i' (Block []))",
        ),
        (
            "l: while (c) : (i += 1) {}",
            "(WhileStatement 'l' (Name 'c') "
            "(Assignment (Name 'i') '+' (IntLiteral 1)) (Block []) False)",
        ),
        (
            "while (c) f();",
            "(WhileStatement None (Name 'c') None "
            "(ExpressionStatement (Call (Name 'f') [])) False)",
        ),
        (
            "switch (x) { 1 => y = 2, 2 => return, else => {} }",
            "(SwitchStatement (SwitchExpression (Name 'x') "
            "[(SwitchArm [(IntLiteral 1)] (StatementArm "
            "(Assignment (Name 'y') '' (IntLiteral 2)))) "
            "(SwitchArm [(IntLiteral 2)] (StatementArm (ReturnStatement None))) "
            "(SwitchArm None (BlockExpression None (Block [])))]))",
        ),
        (
            "switch (x) { 1 => if (c) y = 2 else f(), else => {}, };",
            "(SwitchStatement (SwitchExpression (Name 'x') "
            "[(SwitchArm [(IntLiteral 1)] (StatementArm (IfStatement (Name 'c') "
            "(Assignment (Name 'y') '' (IntLiteral 2)) "
            "(ExpressionStatement (Call (Name 'f') []))))) "
            "(SwitchArm None (BlockExpression None (Block [])))]))",
        ),
    ],
)
def test_statements(text, tree_text):
    assert show(statement(text)) == tree_text


def test_else_belongs_to_the_inner_if():
    outer = statement("if (a) if (b) f() else g();")
    assert outer.otherwise is None
    assert outer.then.otherwise is not None


def test_switch_as_an_expression_takes_value_arms():
    declaration = statement("const v = switch (x) { 1 => if (c) 2 else 3, else => 4 };")
    assert isinstance(declaration.value.arms[0].body, tree.IfExpression)


def test_block_statements_need_no_semicolon():
    text = "switch (x) { else => {} } l: {} if (c) {} while (c) {} comptime {} f();"
    assert len(statements(text)) == 6


def test_long_else_if_chain_is_read():
    chain = " else ".join(f"if (x == {i}) {{}}" for i in range(150))
    assert isinstance(statement(chain), tree.IfStatement)


# --- top level --------------------------------------------------------------------


def test_globals():
    file = parse(
        'export var a: [2]f32 align(16) linksection("s") = @zeros([2]f32);\n'
        "extern const b: u16;\nparam p;\nparam q: u16 = 3;"
    )
    assert [(g.name, g.kind, g.storage) for g in file.globals] == [
        ("a", "var", "export"),
        ("b", "const", "extern"),
        ("p", "param", ""),
        ("q", "param", ""),
    ]
    assert [a.name for a in file.globals[0].attributes] == ["align", "linksection"]
    assert show(file.globals[3].value) == "(IntLiteral 3)"


def test_functions():
    file = parse(
        "fn a(comptime n: u16, x: anytype, y: [n]f32,) void {}\n"
        "task t() void {}\n"
        'export fn e() linkname("z") void {}\n'
        "extern fn g(f32, x: i16) f32;\n"
        "inline fn i () T {}\nnoinline fn k() @type_of(x) {}"
    )
    a, t, e, g, i, k = file.functions
    assert [p.comptime for p in a.params] == [True, False, False]
    assert isinstance(a.params[1].type, tree.AnyType)
    assert (t.task, a.task) == (True, False)
    assert (e.storage, e.attributes[0].name) == ("export", "linkname")
    assert (g.body, [p.name for p in g.params]) == (None, ["", "x"])
    assert (i.inlining, k.inlining) == ("inline", "noinline")
    assert show(k.result) == "(BuiltinCall '@type_of' [(Name 'x')])"


def test_result_type_may_be_a_struct():
    (function,) = parse("fn f() struct { a: u16 } { return g(); }").functions
    assert isinstance(function.result, tree.StructType)
    assert len(function.body.statements) == 1


def test_blocks_keep_their_order():
    file = parse("comptime { a(); } comptime { b(); }; layout { c(); }")
    names = [b.statements[0].expression.function.name for b in file.comptime_blocks]
    assert names == ["a", "b"]
    assert len(file.layout_blocks) == 1


def test_empty_file():
    assert show(parse("// nothing\n")).startswith("(File")


def test_spans_cover_what_was_written():
    text = "const x = a + f(b)[1];"
    value = parse(text).globals[0].value
    assert text[value.span.start : value.span.end] == "a + f(b)[1]"
    index = value.right
    assert text[index.span.start : index.span.end] == "f(b)[1]"
    whole = parse(text).globals[0]
    assert text[whole.span.start : whole.span.end] == text


def test_nesting_within_the_limit_is_read():
    expression("(" * 60 + "1" + ")" * 60)
