"""Wraps are left out where bounds prove them needless: is the proof ever wrong?

Random expressions over loop variables, parameters and constants, against direct
evaluation with a wrap after every operator.
"""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyflame.wse.language.types import I16, I32, U16

OPERATORS = ("+", "-", "*", "&", "|", "^", ">>", "%", "/")


def _expressions(type_):
    numbers = st.integers(type_.minimum, type_.maximum)
    small = st.integers(0, 20)
    leaf = st.one_of(st.sampled_from(["i", "x"]), small, numbers)
    return st.recursive(
        leaf,
        lambda inner: st.tuples(st.sampled_from(OPERATORS), inner, inner),
        max_leaves=8,
    )


def _evaluate(tree, type_, i, x):
    if tree == "i":
        return i
    if tree == "x":
        return x
    if isinstance(tree, int):
        return tree
    operator, left, right = tree
    a, c = _evaluate(left, type_, i, x), _evaluate(right, type_, i, x)
    if operator == ">>":
        return a >> (c & 7)
    if operator in "/%":
        c = (c & 7) + 1
        quotient = abs(a) // c if a >= 0 else -(abs(a) // c)
        return quotient if operator == "/" else a - quotient * c
    results = {"+": a + c, "-": a - c, "*": a * c, "&": a & c, "|": a | c, "^": a ^ c}
    return type_.wrap(results[operator])


def _node(b, tree, type_, names):
    if isinstance(tree, str):
        return b.var(names[tree])
    if isinstance(tree, int):
        return b.k(tree, type_)
    operator, left, right = tree
    a, c = _node(b, left, type_, names), _node(b, right, type_, names)
    if operator == ">>":
        c = b.cast(U16, b.op("&", c, b.k(7, type_)))
    elif operator in "/%":
        c = b.op("+", b.op("&", c, b.k(7, type_)), b.k(1, type_))
    return b.op(operator, a, c)


@st.composite
def _cases(draw):
    type_ = draw(st.sampled_from([I16, U16, I32]))
    start = draw(st.integers(max(-5, type_.minimum), 40))
    x = draw(st.integers(type_.minimum, type_.maximum))
    return type_, draw(_expressions(type_)), start, x


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_cases())
def test_random_expressions_agree_with_the_definition(new_builder, case):
    type_, tree, start, x_value = case
    b = new_builder()
    i, x, y = b.local("i", type_), b.local("x", type_), b.local("y", type_)
    total = b.local("total", type_)
    stop = start + 3
    bounds = b.range(*(b.k(n, type_) for n in (start, stop, 1)))
    value = _node(b, tree, type_, {"i": i, "x": x})
    # The value goes through a constant local: bounds travel with it.
    three = b.k(3, type_)
    body = [b.let(y, value), b.set(total, b.op("+", b.op("*", total, three), y))]
    function = b.fn(
        type_, [x], b.let(total, b.k(0, type_)), b.loop(i, bounds, body), b.give(total)
    )
    expected = 0
    for index in range(start, stop):
        item = _evaluate(tree, type_, index, x_value)
        expected = type_.wrap(type_.wrap(expected * 3) + item)
    assert b.run(function, x_value) == expected
