"""Whatever the program, only CslError and MachineFault come out: a sample of run.py."""

from random import Random

import pytest
from csl_grammar import Drawn, Maker, Seeded
from csl_mutations import mutated, own_programs
from csl_outcomes import Outcome, Program, outcome_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def check(program: Program) -> Outcome:
    outcome = outcome_of(program)
    assert outcome.kind != "escape", f"{program.show()}\n{outcome.detail}"
    return outcome


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_programs_by_the_grammar(data: st.DataObject) -> None:
    check(Maker(Drawn(data.draw)).program())


def test_many_grammatical_programs_run() -> None:
    kinds = [check(Maker(Seeded(Random(n))).program()).kind for n in range(60)]
    assert kinds.count("finished") > 12


def test_broken_programs_of_these_tests() -> None:
    random = Random(1)
    kinds = [check(mutated(random, own_programs())).kind for _ in range(120)]
    assert kinds.count("refused") > 60
    assert kinds.count("finished") > 3


@pytest.mark.parametrize(
    "text",
    [
        "const x = " + "(" * 500 + "1" + ")" * 500 + ";",
        "const x = " + "-" * 5000 + "1;",
        "const x = 1" + " + 1" * 5000 + ";",
        "const x: " + "*" * 5000 + "u8 = 1;",
        "fn f() void {" + "{" * 5000 + "}" * 5000 + "}",
        "fn f() void {" + "if (a) {} else " * 3000 + "{} }",
        "const x = " + "9" * 100_000 + ";",
        'const x = "' + "a" * 3_000_000 + '";',
        "fn f(n: u16) u16 { return f(n + 1); } comptime { const x = f(0); }",
        "const a = b; const b = c; const c = a; comptime { const x = a; }",
        'const m = @import_module("pe.csl");',
        'const m = @import_module("../../../../etc/passwd");',
        'const m = @import_module("<../../etc/passwd>");',
        'const m = @import_comptime_value(u16, "/etc/passwd");',
        "comptime { while (true) {} }",
        "".join(
            f"inline fn f{n}() void {{ f{n + 1}(); f{n + 1}(); }}" for n in range(30)
        )
        + "inline fn f30() void {} fn main() void { f0(); }"
        + "comptime { @export_symbol(main); }",
        "fn f(comptime n: u32) void { f(n + 1); } fn main() void { f(0); }"
        "comptime { @export_symbol(main); }",
        "var c = true; fn main() void { " + "while (c) { " * 40 + "}" * 40 + "}"
        "comptime { @export_symbol(main); }",
        "const x = 1;" + " \n" * 20_000 + "é",
        "const x = 1;" + "// comment\n  " * 5_000 + "é",
        "fn main() void { while (true) {} } comptime { @export_symbol(main); }",
        "fn f() void { f(); } fn main() void { f(); }\n"
        "comptime { @export_symbol(main); }",
    ],
    ids=lambda text: text[:40],
)
def test_hostile_programs(text: str) -> None:
    layout = """layout {
      @set_rectangle(1, 1); @set_tile_code(0, 0, "pe.csl");
      @export_name("main", fn() void);
    }"""
    outcome = check(Program({"layout.csl": layout, "pe.csl": text}))
    assert outcome.seconds < 20
