"""Random CSL programs by the grammar: mostly well typed, wrong here and there.

The maker draws every decision from a `Choices`, so that hypothesis can steer and
shrink it, or a seeded generator can make programs in bulk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Protocol, TypeVar

from csl_outcomes import OPTIONS, Program
from hypothesis import strategies as st

from pyflame.wse.language.builtins import ANY, BUILTINS
from pyflame.wse.language.builtins_operations import SIGNATURES
from pyflame.wse.language.reader import LIBRARY_FOLDER

T = TypeVar("T")

INTS = ("i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64")
FLOATS = ("f16", "f32")
SCALARS = (*INTS, *FLOATS, "bool")
ODD_TYPES = (
    *("void", "color", "direction", "comptime_int", "comptime_string", "type", "range"),
    *("mem1d_dsd", "fabin_dsd", "local_task_id", "input_queue", "*f32", "[*]i16"),
    *("[3]f32", "[2,2]u8", "*const [4]u16", "fn(i16) i16", "bf16", "anytype"),
    *("imported_module", "comptime_struct", "dsr_dest", "struct { a: u8, b: f32 }"),
    *("enum(u16) { p, q = 7 }", "[*]const f32", "*const fn() void", "union"),
    *("packed struct { a: u8, b: u8 }", "union { a: u32, b: f32 }"),
)
NUMBERS = ("0", "1", "2", "3", "7", "8", "15", "16", "31", "32", "255", "256", "65535")
EDGES = (
    *("-1", "65536", "0x7fffffff", "0xffffffff", "0x10000000000000000", "-32768"),
    *("1000000", "4294967296", "0b1", "0o7", "'a'", "99999999999999999999"),
)
REALS = ("0.0", "1.0", "-0.5", "2.25", "1e-3", "65504.0", "1e38", "1e300", "0x1p3")
ARITHMETIC = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
PLAIN_LIBRARIES = tuple(
    f"<{name}>"
    for name in "math control directions time layout random dsd_ops complex simprint "
    "types string tile_config data_utils empty tile_config/teardown".split()
)
LIBRARIES = tuple(
    f"<{p.relative_to(LIBRARY_FOLDER).with_suffix('').as_posix()}>"
    for p in sorted(LIBRARY_FOLDER.rglob("*.csl"))
)
NAMES = ("alpha", "beta", "gamma", "delta")
LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name("main", fn() void);
}
"""
HEAD = """param memcpy_params;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
"""


_OPERATIONS = {
    "f32": ("@fmovs", "@fadds", "@fmuls", "@fsubs", "@fmacs"),
    "f16": ("@fmovh", "@faddh", "@fmulh", "@fmach"),
    **dict.fromkeys(("i16", "u16"), ("@mov16", "@add16", "@sub16", "@xor16")),
    **dict.fromkeys(("i32", "u32"), ("@mov32",)),
}


class Choices(Protocol):
    def number(self, low: int, high: int) -> int: ...


class Seeded:
    """Decisions from a seed."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)


class Drawn:
    """Decisions by hypothesis, which tries small ones first when it shrinks."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))


class Maker:
    """Makes one program; `names` maps what is in scope to its type."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._names: list[dict[str, str]] = [{}]
        self._count = 0
        self._functions: dict[str, tuple[list[str], str]] = {}
        self._modules: list[str] = []
        self._arrays: dict[str, tuple[int, str]] = {}
        self._vectors: dict[str, str] = {}
        self._loops = 0
        self._vars: set[str] = set()
        self._wild = self.odds(30)  # else hardly anything is ill typed

    # --- decisions ---

    def pick(self, items: Sequence[T]) -> T:
        return items[self._choices.number(0, len(items) - 1)]

    def odds(self, percent: int) -> bool:
        return self._choices.number(0, 99) >= 100 - percent

    def some(self, low: int, high: int) -> range:
        return range(self._choices.number(low, high))

    def fresh(self) -> str:
        self._count += 1
        return f"{self.pick(NAMES)}{self._count}"

    # --- programs ---

    def program(self) -> Program:
        parts = [HEAD]
        parts += [self.import_() for _ in self.some(0, 2)]
        parts += [self.global_() for _ in self.some(1, 6)]
        parts += [self.vector() for _ in self.some(0, 3)]
        parts += [self.function() for _ in self.some(0, 3)]
        body = self.block(3, "")
        parts.append(f"fn main() void {{ {body} sys.unblock_cmd_stream(); }}")
        parts.append(self.comptime())
        files = {"layout.csl": LAYOUT, "pe.csl": "\n".join(parts)}
        if self._wild and self.odds(20):
            files["layout.csl"] = self.layout()
        return Program(files, self.options())

    def options(self) -> Any:
        arch = self.pick(("wse2", "wse3"))
        return type(OPTIONS)(
            arch=arch, fabric_dims=(16, 8), fabric_offsets=(4, 1), memcpy=True
        )

    def layout(self) -> str:
        lines = LAYOUT.splitlines()
        where = self._choices.number(3, len(lines) - 1)
        extra = self.pick(
            (
                self.builtin(2),
                f"const x = {self.value(self.pick(SCALARS), 2)};",
                '@set_tile_code(0, 0, "pe.csl");',
                "@set_rectangle(3, 3);",
                "for (@range(i16, 3)) |i| { @set_color_config(i, 0, @get_color(i), "
                ".{ .routes = .{ .rx = .{ WEST }, .tx = .{ EAST } } }); }",
            )
        )
        return "\n".join([*lines[:where], extra, *lines[where:]])

    def import_(self) -> str:
        name = self.fresh()
        self._modules.append(name)
        if not self._wild:
            return f'const {name} = @import_module("{self.pick(PLAIN_LIBRARIES)}");'
        params = self.pick(("", "", ", .{}", f", .{{ .width = {self.pick(NUMBERS)} }}"))
        return f'const {name} = @import_module("{self.pick(LIBRARIES)}"{params});'

    def packed(self) -> str:
        """A packed struct or union and a variable of it, whose fields are numbers."""
        name, type_ = self.fresh(), f"T{self.fresh()}"
        word = self.pick(("packed struct", "union", "struct", "extern struct"))
        field_types = self.pick((("u5", "i11"), ("u16", "i16"), ("f32", "u32")))
        fields = ", ".join(f"f{i}: {t}" for i, t in enumerate(field_types))
        kept = field_types[:1] if word == "union" else field_types
        given = ", ".join(
            f".f{i} = {'1.5' if t == 'f32' else '3'}" for i, t in enumerate(kept)
        )
        for i, t in enumerate(field_types):
            self._names[0][f"{name}.f{i}"] = t
            self._vars.add(f"{name}.f{i}")
        return (
            f"const {type_} = {word} {{ {fields} }};\n"
            f"var {name} = {type_} {{ {given} }};"
        )

    def global_(self) -> str:
        if self.odds(10):
            return self.packed()
        if self.odds(35):
            return self.array()
        name, type_ = self.fresh(), self.pick(SCALARS)
        if self._wild and self.odds(8):
            type_ = self.pick(ODD_TYPES)
        word = self.pick(("var", "var", "const", "export var", "param"))
        value = (
            self.constant(type_) if word != "var" or self.odds(90) else self.leaf(type_)
        )
        self._names[0][name] = type_
        if word == "var":
            self._vars.add(name)
        return f"{word} {name}: {type_} = {value};"

    def constant(self, type_: str) -> str:
        """A value that is known at comptime, unless the program is a wild one."""
        if self._wild:
            return self.value(type_, 2)
        visible, self._names = self._names, [{}]
        arrays, self._arrays = self._arrays, {}
        functions, self._functions = self._functions, {}
        value = self.value(type_, 2)
        self._names, self._arrays, self._functions = visible, arrays, functions
        return value

    def array(self) -> str:
        name, element = self.fresh(), self.pick(SCALARS)
        count = int(self.pick(("1", "2", "4", "5", "16")))
        make = self.pick(
            (
                f"@zeros([{count}]{element})",
                f"@constants([{count}]{element}, {self.constant(element)})",
                f"[{count}]{element} {{ "
                + ", ".join(self.constant(element) for _ in range(count))
                + " }",
            )
        )
        self._arrays[name] = (count, element)
        return f"var {name} = {make};"

    def vector(self) -> str:
        if not self._arrays:
            return ""
        name, array = self.fresh(), self.pick(tuple(self._arrays))
        count, element = self._arrays[array]
        self._vectors[name] = element
        extent, access = str(count), f"{array}[i]"
        if self._wild:
            extent = self.pick((extent, "2", self.pick(NUMBERS)))
            access = self.pick((access, f"{array}[2 * i + 1]", f"{array}[i, 1]"))
        word = self.pick(("const", "var"))
        return (
            f"{word} {name} = @get_dsd(mem1d_dsd, "
            f".{{ .tensor_access = |i|{{{extent}}} -> {access} }});"
        )

    def function(self) -> str:
        name = self.fresh()
        params = [(self.fresh(), self.pick(SCALARS)) for _ in self.some(0, 3)]
        result = self.pick((*SCALARS, "void"))
        generic = self.odds(15) and self._wild
        self._names.append(dict(params))
        words = [
            f"{self.pick(('comptime ', '')) if generic else ''}{n}: "
            f"{'anytype' if generic and self.odds(50) else t}"
            for n, t in params
        ]
        body = self.block(2, result)
        end = "" if result == "void" else f" return {self.value(result, 2)};"
        self._names.pop()
        self._functions[name] = ([t for _, t in params], result)
        inline = self.pick(("", "", "inline ", "export ", "noinline "))
        return f"{inline}fn {name}({', '.join(words)}) {result} {{ {body}{end} }}"

    def comptime(self) -> str:
        task = self.fresh()
        lines = ["@export_symbol(main);"]
        if self._wild:
            lines += [self.builtin(2) + ";" for _ in self.some(0, 2)]
        id_ = self.pick(("9", "10", self.pick(NUMBERS) if self._wild else "11"))
        lines.append(f"@bind_local_task({task}, @get_local_task_id({id_}));")
        if self.odds(50):
            lines.append(f"@activate(@get_local_task_id({id_}));")
        body = self.block(2, "")
        return f"task {task}() void {{ {body} }}\ncomptime {{ {' '.join(lines)} }}"

    # --- statements ---

    def block(self, depth: int, result: str) -> str:
        self._names.append({})
        text = " ".join(self.statement(depth, result) for _ in self.some(0, 4))
        self._names.pop()
        return text

    def statement(self, depth: int, result: str) -> str:
        makers = [self.local, self.assignment, self.call, self.operation]
        if depth > 0:
            makers += [
                lambda: self.if_(depth, result),
                lambda: self.for_(depth, result),
                lambda: self.while_(depth, result),
                lambda: self.switch(depth, result),
                lambda: self.labelled(depth, result),
                lambda: self.comptime_block(depth),
                lambda: self.jump(result),
            ]
        if self._wild:
            makers.append(lambda: self.builtin(2) + ";")
        return self.pick(makers)()

    def local(self) -> str:
        name, type_ = self.fresh(), self.pick(SCALARS)
        if self._wild and self.odds(10):
            type_ = self.pick(ODD_TYPES)
        value = self.value(type_, 2)
        word = self.pick(("var", "const", "comptime var", "comptime const"))
        if "comptime" in word:
            value = self.constant(type_)
        self._names[-1][name] = type_
        if word == "var":
            self._vars.add(name)
        return f"{word} {name}: {type_} = {value};"

    def assignment(self) -> str:
        scope = {
            n: t for n, t in self._visible().items() if self._wild or n in self._vars
        }
        if self._arrays and self.odds(40):
            array = self.pick(tuple(self._arrays))
            count, element = self._arrays[array]
            place = f"{array}[{self.value('u16', 1)} % @as(u16, {count})]"
        elif scope:
            place = self.pick(tuple(scope))
            element = scope[place]
        else:
            return ""
        operator = ""
        if element in INTS:
            operator = self.pick(("", "+", "-", "*", "&", "/", "%"))
        elif element in FLOATS:
            operator = self.pick(("", "+", "-", "*"))
        return f"{place} {operator}= {self.value(element, 2)};"

    def call(self) -> str:
        if self._modules and self.odds(40):
            if not self._wild:
                return ""
            member = self.pick(("exp_f32", "trace", "get_x_coord", "fmt", "opcode"))
            return f"{self.pick(self._modules)}.{member}({self.value('f32', 1)});"
        if not self._functions:
            return ""
        name = self.pick(tuple(self._functions))
        params, _ = self._functions[name]
        values = [self.value(t, 1) for t in params]
        return f"{name}({', '.join(values)});"

    def operation(self) -> str:
        if not self._vectors:
            return ""
        wide = self.pick(tuple(self._vectors.values()))
        names = _OPERATIONS.get(wide, tuple(SIGNATURES))
        name = self.pick(tuple(SIGNATURES) if self._wild else names)
        count = 4 if name.startswith("@fmac") else 2 if "mov" in name else 3
        operands = [self.operand() for _ in range(count)]
        config = (
            self.pick(("", "", ", .{ .async = true }", ", .{}")) if self._wild else ""
        )
        return f"{name}({', '.join(operands)}{config});"

    def operand(self) -> str:
        vector = self.pick(tuple(self._vectors))
        if not self._wild:
            return vector
        return self.pick((vector, vector, vector, self.value("f32", 1), f"&{vector}"))

    def if_(self, depth: int, result: str) -> str:
        text = f"if ({self.value('bool', 2)}) {{ {self.block(depth - 1, result)} }}"
        if self.odds(40):
            text += f" else {{ {self.block(depth - 1, result)} }}"
        return text

    def for_(self, depth: int, result: str) -> str:
        name = self.fresh()
        iterable, element = f"@range(i16, {self.pick(NUMBERS[:8])})", "i16"
        if self._arrays and self.odds(30):
            iterable = self.pick(tuple(self._arrays))
            element = self._arrays[iterable][1]
        elif self._wild and self.odds(10):
            iterable = f".{{ {self.value('i16', 1)}, {self.value('f32', 1)} }}"
        self._names.append({name: element})
        self._loops += 1
        body = self.block(depth - 1, result)
        self._loops -= 1
        self._names.pop()
        inline = self.pick(("", "", "inline "))
        index = self.pick(("", ", k"))
        return f"{inline}for ({iterable}) |{name}{index}| {{ {body} }}"

    def while_(self, depth: int, result: str) -> str:
        name = self.fresh()
        self._names.append({name: "u16"})
        self._loops += 1
        body = self.block(depth - 1, result)
        self._loops -= 1
        self._names.pop()
        inline = self.pick(("", "", "", "inline ")) if self._wild else ""
        kind = "comptime var" if inline else "var"
        step = self.pick((f"{name} += 1", f"{name} = {name} + 1"))
        if self._wild:
            step = self.pick((step, f"{name} += 0", f"{name} -= 1"))
        return (
            f"{{ {kind} {name}: u16 = 0; {inline}while ({name} < "
            f"{self.pick(NUMBERS[:7])}) : ({step}) {{ {body} }} }}"
        )

    def switch(self, depth: int, result: str) -> str:
        type_ = self.pick(("u16", "i8", "bool", "i32"))
        cases: Sequence[str] = sorted(
            {self.pick(NUMBERS[:6]) for _ in self.some(1, 3)} | {"0"}
        )
        if type_ == "bool":
            cases = self.pick((["true"], ["false"]))
        arms = [f"{c} => {{ {self.block(depth - 1, result)} }}" for c in cases]
        if not self._wild or self.odds(80):
            arms.append(f"else => {{ {self.block(depth - 1, result)} }}")
        return f"switch ({self.value(type_, 2)}) {{ {', '.join(arms)} }}"

    def labelled(self, depth: int, result: str) -> str:
        label = self._label()
        body = self.block(depth - 1, result)
        leave = self.pick(("", f"break :{label};"))
        return f"{label}: {{ {body} {leave} }}"

    def comptime_block(self, depth: int) -> str:
        if not self._wild:
            return f"comptime {{ const x = {self.constant('u16')}; }}"
        return f"comptime {{ {self.block(depth - 1, '')} }}"

    def jump(self, result: str) -> str:
        words = [
            f"return {self.value(result, 2)};" if result not in ("", "void") else ""
        ]
        if self._loops:
            words += ["break;", "continue;"]
        return self.pick(words)

    # --- expressions ---

    def _visible(self) -> dict[str, str]:
        return {n: t for scope in self._names for n, t in scope.items()}

    def value(self, type_: str, depth: int) -> str:
        if self._wild and self.odds(2):
            type_ = self.pick((*SCALARS, *ODD_TYPES))
        if depth <= 0 or self.odds(25):
            return self.leaf(type_)
        if type_ in INTS or type_ in FLOATS:
            return self.number_expression(type_, depth)
        if type_ == "bool":
            return self.bool_expression(depth)
        return self.odd_expression(type_, depth)

    def leaf(self, type_: str) -> str:
        same = [n for n, t in self._visible().items() if t == type_]
        arrays = [a for a, (_, e) in self._arrays.items() if e == type_]
        if same and self.odds(60):
            return self.pick(same)
        if arrays and self.odds(40):
            name = self.pick(arrays)
            last = self._arrays[name][0] - 1
            return f"{name}[{self._choices.number(0, last + 3 * self._wild)}]"
        if type_ == "bool":
            return self.pick(("true", "false"))
        if type_ in FLOATS:
            return f"@as({type_}, {self.pick(REALS)})"
        if type_ in INTS:
            edge = self._wild and self.odds(10)
            number = self.pick(EDGES if edge else NUMBERS[:9])
            return f"@as({type_}, {number})"
        return self.odd_leaf(type_)

    def odd_leaf(self, type_: str) -> str:
        leaves = {
            "void": "{}",
            "color": f"@get_color({self.pick(NUMBERS)})",
            "direction": self.pick(("NORTH", "RAMP")),
            "comptime_int": self.pick((*NUMBERS, *EDGES)),
            "comptime_string": self.pick(('"text"', '"\\x00"', '"<math>"')),
            "type": self.pick((*SCALARS, *ODD_TYPES)),
            "range": "@range(u16, 4)",
            "local_task_id": f"@get_local_task_id({self.pick(NUMBERS)})",
            "input_queue": f"@get_input_queue({self.pick(NUMBERS)})",
            "comptime_struct": self.pick((".{ .a = 1 }", ".{ 1, 2.0 }", ".{}")),
        }
        names = tuple(self._visible()) or ("main",)
        return leaves.get(type_, self.pick((f"&{self.pick(names)}", "main", "null")))

    def number_expression(self, type_: str, depth: int) -> str:
        calls = [f for f, (_, r) in self._functions.items() if r == type_]
        if calls and self.odds(25):
            name = self.pick(calls)
            values = [self.value(t, depth - 1) for t in self._functions[name][0]]
            return f"{name}({', '.join(values)})"
        left, right = self.value(type_, depth - 1), self.value(type_, depth - 1)
        operator = self.pick(ARITHMETIC[:4] if type_ in FLOATS else ARITHMETIC)
        if operator in ("<<", ">>"):
            right = self.value("u16", depth - 1)
        other = self.pick(SCALARS)
        more = ()
        if type_ in INTS:
            more = (f"(~{left})",)
        if self._wild:
            more = (
                f"@bitcast({type_}, {self.value(other, depth - 1)})",
                f"comptime {left}",
            )
        return self.pick(
            (
                *more,
                f"({left} {operator} {right})",
                f"({left} {operator} {right})",
                f"(-{left})",
                f"@as({type_}, {self.value(other, depth - 1)})",
                f"(if ({self.value('bool', depth - 1)}) {left} else {right})",
                f"{self._label()}: {{ break :{self._label(0)} {left}; }}",
                f"(switch ({self.value('u16', 1)}) {{ 1 => {left}, else => {right} }})",
            )
        )

    def _label(self, step: int = 1) -> str:
        self._count += step
        return f"lbl{self._count}"

    def bool_expression(self, depth: int) -> str:
        type_ = self.pick(SCALARS)
        left, right = self.value(type_, depth - 1), self.value(type_, depth - 1)
        words = COMPARISONS[:2] if type_ == "bool" else COMPARISONS
        compare = f"({left} {self.pick(words)} {right})"
        both = f"({self.value('bool', depth - 1)} {self.pick(('and', 'or'))} {compare})"
        return self.pick((compare, compare, both, f"!{compare}"))

    def odd_expression(self, type_: str, depth: int) -> str:
        return self.pick(
            (
                self.odd_leaf(type_),
                self.builtin(depth - 1),
                f"{self.value('f32', depth - 1)}.field",
                f"{self.value('u16', depth - 1)}.*",
            )
        )

    def builtin(self, depth: int) -> str:
        name = self.pick(tuple(BUILTINS))
        row = BUILTINS[name]
        high = row.low + 2 if row.high == ANY else row.high
        count = self._choices.number(row.low, min(high, 5))
        kinds = (*SCALARS, *ODD_TYPES, "type", "comptime_int", "comptime_string")
        values = [self.value(self.pick(kinds), depth - 1) for _ in range(count)]
        return f"{name}({', '.join(values)})"
