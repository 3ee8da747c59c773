"""Branches, loops, jumps, block values, cycles and the budget."""

import numpy as np
import pytest

from pyflame.wse.errors import CslError, MachineFault
from pyflame.wse.language import code, types
from pyflame.wse.language.types import F32, I16, U16, U32
from pyflame.wse.machine.costs import WSE3


def test_while_with_step_runs_it_after_continue(b):
    i, total = b.local("i"), b.local("total")
    skip = b.when(b.cmp("==", i, 3), [b.again("while")])
    function = b.fn(
        I16,
        [],
        b.let(i, 0),
        b.let(total, 0),
        b.repeat(
            b.cmp("<", i, 6),
            [skip, b.set(total, b.op("+", total, i))],
            [b.set(i, b.op("+", i, 1))],
        ),
        b.give(b.op("+", b.op("*", total, 100), i)),
    )
    assert b.run(function) == (0 + 1 + 2 + 4 + 5) * 100 + 6


def test_break_leaves_the_innermost_loop(b):
    i = b.local("i")
    function = b.fn(
        I16,
        [],
        b.loop(i, b.range(0, 9), [b.when(b.cmp("==", i, 4), [b.give(i)])]),
        b.give(-1),
    )
    assert b.run(function) == 4


@pytest.mark.parametrize(("action", "expected"), [("break", 3), ("continue", 12)])
def test_jumps_to_an_outer_loop_cross_inner_ones(b, action, expected):
    """Counts the (i, j) met before j reaches i + 3 of 0..9, in 4 rows."""
    i, j, count = b.local("i"), b.local("j"), b.local("count")
    jump = b.leave("for i") if action == "break" else b.again("for i")
    inner = b.loop(
        j,
        b.range(0, 10),
        [
            b.block(
                "inside",
                b.when(b.cmp("==", j, 3), [jump]),
                b.when(b.cmp("==", j, 8), [b.leave("inside")]),
                b.set(count, b.op("+", count, 1)),
            )
        ],
    )
    after = b.set(count, b.op("+", count, 100))
    function = b.fn(
        I16,
        [],
        b.let(count, 0),
        b.loop(i, b.range(0, 4), [inner, after]),
        b.give(count),
    )
    assert b.run(function) == expected


def test_continue_of_an_outer_while_runs_its_step(b):
    i, j, count = b.local("i"), b.local("j"), b.local("count")
    inner = b.loop(
        j, b.range(0, 5), [b.again("while"), b.set(count, b.op("+", count, 100))]
    )
    function = b.fn(
        I16,
        [],
        b.let(i, 0),
        b.let(count, 0),
        b.repeat(
            b.cmp("<", i, 3),
            [b.set(count, b.op("+", count, 1)), inner],
            [b.set(i, b.op("+", i, 1))],
        ),
        b.give(count),
    )
    assert b.run(function) == 3


@pytest.mark.parametrize(
    ("start", "stop", "step", "expected"),
    [
        (0, 5, 1, [0, 1, 2, 3, 4]),
        (5, 0, -2, [5, 3, 1]),
        (2, 2, 1, []),
        (0, -3, 1, []),
        (-3, 3, 4, [-3, 1]),
    ],
)
def test_ranges_by_constants_and_by_variables(b, start, stop, step, expected):
    i, n, place = b.local("i"), b.local("n"), b.local("place", U16)
    items = b.glob("items", types.Array((8,), I16))
    for bounds in (b.range(start, stop, step), b.range(start, n, step)):
        function = b.fn(
            types.VOID,
            [n],
            b.loop(i, bounds, [b.set(b.at(items, place), i)], index=place),
        )
        b.run(function, stop)
        first = b.address_in_memory(items) // 2
        assert list(b.pe.memory.i16[first : first + len(expected)]) == expected


def test_for_over_an_array_sees_its_elements(b):
    x, total = b.local("x", types.U8), b.local("total", types.U8)
    items = b.glob("items", types.Array((2, 3), types.U8))
    function = b.fn(
        types.U8,
        [],
        b.loop(
            i := b.local("i"),
            b.range(0, 3),
            [b.set(b.at(items, 1, i), b.cast(types.U8, b.op("+", i, 1)))],
        ),
        b.let(total, b.k(0, types.U8)),
        b.each(x, items, [b.set(total, b.op("+", total, x))]),
        b.give(total),
    )
    assert b.run(function) == 6


def test_switch_takes_the_arm_of_the_value(b):
    x, y = b.local("x", U16), b.local("y")
    arms = [((0,), [b.set(y, 10)]), ((1, 2), [b.set(y, 12)])]
    node = code.Switch(b.span, b.var(x), arms, [b.set(y, 99)])
    function = b.fn(I16, [x], b.let(y, 0), node, b.give(y))
    assert [b.run(function, v) for v in range(4)] == [10, 12, 12, 99]


def test_exhaustive_switch_and_switch_without_arms(b):
    x, y = b.local("x", U16), b.local("y")
    arms = [((0,), [b.set(y, 5)]), ((1,), [b.set(y, 6)])]
    exhaustive = code.Switch(b.span, b.var(x), arms, None)
    only_else = code.Switch(b.span, b.var(x), [], [b.set(y, b.op("+", y, 10))])
    function = b.fn(I16, [x], b.let(y, 0), exhaustive, only_else, b.give(y))
    assert [b.run(function, v) for v in range(2)] == [15, 16]


def test_labelled_block_value_with_breaks(b):
    """blk: { if (x > 3) break :blk 1; break :blk 2; }"""
    x, result = b.local("x"), b.local("result")

    def leave(value):
        return [b.set(result, value), b.leave("blk")]

    value = code.Sequence(
        I16,
        b.span,
        [
            b.let(result),
            b.block("blk", b.when(b.cmp(">", x, 3), leave(1)), *leave(2)),
        ],
        b.var(result),
    )
    function = b.fn(I16, [x], b.give(b.op("+", b.op("*", value, 10), x)))
    assert b.run(function, 4) == 14
    assert b.run(function, 3) == 23


def test_operands_before_a_block_value_are_evaluated_first(b):
    x, y = b.local("x"), b.local("y")
    change = code.Sequence(I16, b.span, [b.set(x, 50), b.let(y, 1)], b.var(y))
    function = b.fn(I16, [], b.let(x, 7), b.give(b.op("+", x, change)))
    assert b.run(function) == 8


def test_short_circuit_skips_the_statements_of_its_right_side(b):
    x, hits = b.local("x"), b.glob("hits", I16, 0)
    right = code.Sequence(
        types.BOOL,
        b.span,
        [b.set(hits, b.op("+", hits, 1))],
        b.k(True, types.BOOL),
    )
    both = b.fn(types.BOOL, [x], b.give(b.logic("and", b.cmp("==", x, 1), right)))
    either = b.fn(types.BOOL, [x], b.give(b.logic("or", b.cmp("==", x, 1), right)))
    count = b.fn(I16, [], b.give(hits))
    results = []
    for function, value in ((both, 0), (both, 1), (either, 0), (either, 1)):
        outcome = b.run(function, value)
        results.append((outcome, b.compiled.function(count).call(b.pe)))
    assert results == [(False, 0), (True, 1), (True, 1), (True, 0)]


def test_conditions_that_need_statements_are_tested_every_round(b):
    x = b.local("x")
    step = code.Sequence(
        types.BOOL,
        b.span,
        [b.set(x, b.op("+", x, 1))],
        b.cmp("<", x, 5),
    )
    function = b.fn(I16, [], b.let(x, 0), b.repeat(step, []), b.give(x))
    assert b.run(function) == 5


def test_deep_expressions_compile(b):
    value = b.var(x := b.local("x"))
    for _ in range(100):
        value = b.op("+", value, 1)
    function = b.fn(I16, [x], b.give(value))
    assert b.run(function, 3) == 103


def test_code_that_nests_beyond_python_is_refused(b):
    value = b.var(x := b.local("x"))
    for _ in range(2000):
        value = b.op("+", value, 1)
    function = b.fn(I16, [x], b.give(value))
    with pytest.raises(CslError) as error:
        b.run(function, 3)
    assert str(error.value) == (
        "error: the code of 'pe.csl' nests too deeply: RecursionError\n"
        "help: split it into more functions"
    )


def _factorial(b, **local):
    n, result = b.local("n", U32), b.local("r", U32, **local)
    function = b.fn(U32, [n], name="factorial")
    one = b.k(1, U32)
    function.body += [
        b.let(result, one),
        b.when(
            b.cmp(">", n, one),
            [b.set(result, b.op("*", n, b.call(function, b.op("-", n, one))))],
        ),
        b.give(result),
    ]
    return function


def test_recursion(b):
    assert b.run(_factorial(b), 10) == 3628800


def test_endless_recursion_is_a_fault(b):
    x = b.local("x")
    function = b.fn(I16, [x], name="f")
    function.body.append(b.give(b.op("+", b.call(function, x), 1)))
    with pytest.raises(MachineFault) as fault:
        b.run(function, 1)
    assert str(fault.value) == (
        "pe.csl:1:5: fault: PE(2,1): calls of 'f' nest too deeply" + EXCERPT
    )


def test_recursion_with_locals_in_memory_is_refused(b):
    with pytest.raises(CslError) as error:
        b.run(_factorial(b, in_memory=True), 3)
    assert str(error.value) == (
        "pe.csl:1:5: error: 'factorial' calls itself, but its 'r' has one fixed place "
        f"in memory{EXCERPT}\n"
        "help: pass a pointer to a global instead, or use a loop"
    )


def test_loops_nested_beyond_python_are_refused(b):
    body = []
    for number in range(21):
        body = [b.loop(b.local(f"i{number}"), b.range(0, 2), body)]
    function = b.fn(types.VOID, [], *body)
    with pytest.raises(CslError) as error:
        b.run(function)
    assert str(error.value) == (
        "error: the code of 'pe.csl' nests too deeply: too many statically nested "
        "blocks\nhelp: split it into more functions"
    )


def test_calls_pass_values_and_count_cycles(b):
    x = b.local("x")
    y = b.local("y")
    square = b.fn(I16, [x], b.let(y, b.op("*", x, x)), b.give(y))
    function = b.fn(I16, [], b.give(b.op("+", b.call(square, 5), 1)))
    assert b.run(function) == 26
    assert b.pe.clock == WSE3.call_cycles + 2 * WSE3.issue_cycles


def test_a_call_of_a_function_of_one_statement_is_inlined(b):
    x = b.local("x")
    square = b.fn(I16, [x], b.give(b.op("*", x, x)))
    function = b.fn(I16, [], b.give(b.op("+", b.call(square, 5), 1)))
    assert b.run(function) == 26
    assert b.pe.clock == 2 * WSE3.issue_cycles


def test_a_float_operation_waits_for_one_before_it(b):
    """FAB 8: two cycles if it needs the last result, one if its operands are there."""
    one = b.k(np.float32(1.5), F32)
    function = b.fn(F32, [], b.give(b.op("*", b.op("+", one, one), one)))
    assert b.run(function) == 4.5
    assert b.pe.clock == WSE3.issue_cycles + WSE3.dependent_float_cycles


# --- cycles -----------------------------------------------------------------------


def _clock(b, function, *arguments):
    b.pe.clock = 0
    b.run(function, *arguments)
    return b.pe.clock


def test_a_loop_of_equal_iterations_costs_their_sum(b):
    i, x = b.local("i"), b.local("x")
    function = b.fn(
        types.VOID,
        [x],
        b.loop(i, b.range(0, 10), [b.set(x, b.op("+", x, i))]),
    )
    each = WSE3.issue_cycles + WSE3.loop_edge_cycles
    assert _clock(b, function, 0) == 10 * each + WSE3.branch_taken_cycles


def test_known_and_unknown_trip_counts_cost_the_same(b):
    i, x, n = b.local("i"), b.local("x"), b.local("n")

    def total(stop):
        body = [b.set(x, b.op("+", x, i))]
        return b.fn(types.VOID, [n], b.let(x, 0), b.loop(i, b.range(0, stop), body))

    assert _clock(b, total(37), 37) == _clock(b, total(n), 37)


def test_branches_charge_the_path_taken(b):
    x, y = b.local("x"), b.local("y")
    three = b.op("+", b.op("+", b.op("+", x, 1), 1), 1)
    function = b.fn(
        I16, [x], b.let(y, 0), b.when(b.cmp("==", x, 1), [b.set(y, three)]), b.give(y)
    )
    test = WSE3.issue_cycles
    taken, not_taken = WSE3.branch_taken_cycles, WSE3.branch_not_taken_cycles
    assert _clock(b, function, 1) == test + not_taken + 3 * WSE3.issue_cycles
    assert _clock(b, function, 0) == test + taken


def test_early_return_charges_what_ran(b):
    x = b.local("x")
    body = [b.when(b.cmp("==", x, 1), [b.give(x)]), b.give(b.op("+", x, 1))]
    function = b.fn(I16, [x], *body)
    test = WSE3.issue_cycles
    assert _clock(b, function, 1) == test + WSE3.branch_not_taken_cycles
    assert _clock(b, function, 2) == 2 * test + WSE3.branch_taken_cycles


# --- budget -----------------------------------------------------------------------

EXCERPT = "\n    1 | x = here + there;\n      |     ^^^^"


def test_an_endless_while_spends_the_budget(b):
    b.pe.max_cycles = 250_000
    function = b.fn(types.VOID, [], b.repeat(True, []))
    with pytest.raises(MachineFault) as fault:
        b.run(function)
    assert str(fault.value) == (
        "pe.csl:1:5: fault: PE(2,1): the loop has not ended after 300,005 cycles; "
        "the budget is 250,000 cycles" + EXCERPT
    )


def test_an_endless_loop_around_a_clock_reader_spends_the_budget(b):
    b.pe.max_cycles = 5_000
    gate = b.builtin("@get_config", U16, b.k(3, U16))
    b.pe.config_read = lambda address: 0
    x = b.local("x", U16)
    function = b.fn(types.VOID, [], b.repeat(True, [b.let(x, gate)]))
    with pytest.raises(MachineFault, match=r"the loop has not ended after 5,0\d\d cyc"):
        b.run(function)


def test_a_long_counted_loop_is_refused_before_it_runs(b):
    i, x = b.local("i", U32), b.local("x", U32)
    bounds = b.range(b.k(0, U32), b.k(4_000_000_000, U32), b.k(1, U32))
    body = [b.set(x, b.op("+", x, i))]
    function = b.fn(types.VOID, [], b.let(x, b.k(0, U32)), b.loop(i, bounds, body))
    with pytest.raises(MachineFault) as fault:
        b.run(function)
    assert str(fault.value) == (
        "pe.csl:1:5: fault: PE(2,1): the loop would take 44,000,000,000 cycles after "
        "the 0 so far; the budget is 1,000,000 cycles" + EXCERPT
    )
