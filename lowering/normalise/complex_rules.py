"""What equations on complex numbers become on pairs: moves, sums, products, parts."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.normalise.complex_arithmetic import (
    divide,
    hypot,
    larger,
    of_real,
    smaller,
    square,
    times,
)
from lowering.normalise.complex_pairs import (
    ComplexRule,
    Pair,
    complex_rule,
    is_complex,
    on_pairs,
)
from lowering.normalise.registry import REWRITES


@complex_rule(
    *"add sub add_any neg broadcast_in_dim reshape transpose rev squeeze "
    "slice dynamic_slice dynamic_update_slice concatenate stack unstack tile pad split "
    "select_n copy copy_p name reshard reduce_sum cumsum reduce_window_sum "
    "reduce_precision device_put optimization_barrier stop_gradient".split()
)
def _part_by_part(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """What moves numbers or adds them does the same to each part."""
    re, im = (jaxprs.bind(eqn, _parts(args, part)) for part in (0, 1))
    return [Pair(*both) for both in zip(re, im, strict=True)]


def _parts(args: Sequence[Any], part: int) -> list[Any]:
    return [arg[part] if isinstance(arg, Pair) else arg for arg in args]


@complex_rule("gather")
def _gather(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """What is filled in is real: NaN, unless the program says otherwise."""
    operand, indices = args
    fill = eqn.params["fill_value"]
    fills = (None, 0) if fill is None else (np.real(fill), np.imag(fill))

    def gathered(part: Any, value: Any) -> Any:
        params = {**eqn.params, "fill_value": value}
        return jaxprs.bind(eqn, [part, indices], params)[0]

    return [Pair(*map(gathered, operand, fills))]


def _scatters(scatter: Callable[..., Any]) -> Callable[..., list[Any]]:
    def rule(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
        operand, indices, updates = args
        options = {
            name: eqn.params[name]
            for name in ("indices_are_sorted", "unique_indices", "mode")
        }
        numbers = eqn.params["dimension_numbers"]
        pairs = zip(operand, updates, strict=True)
        return [
            Pair(*(scatter(x, indices, new, numbers, **options) for x, new in pairs))
        ]

    return rule


complex_rule("scatter")(_scatters(lax.scatter))
complex_rule("scatter-add")(_scatters(lax.scatter_add))
complex_rule("scatter-sub")(_scatters(lax.scatter_sub))


@complex_rule("real")
def _real(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    del eqn
    return [args[0].re]


@complex_rule("imag")
def _imag(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    del eqn
    return [args[0].im]


@complex_rule("complex")
def _complex(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    shape = jaxprs.shape_of(eqn.outvars[0])
    return [Pair(*(jnp.broadcast_to(part, shape) for part in args))]


@complex_rule("conj")
def _conj(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    del eqn
    z = args[0]
    if isinstance(z, Pair):
        return [Pair(z.re, -z.im)]
    return [of_real(z)]


@complex_rule("convert_element_type")
def _convert(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """To real numbers the real part, to booleans whether it is not 0."""
    z, dtype = args[0], eqn.params["new_dtype"]
    if is_complex(eqn.outvars[0]):
        if isinstance(z, Pair):
            return [z]
        return [of_real(lax.convert_element_type(z, np.float32))]
    if dtype == np.bool_:
        return [(z.re != 0) | (z.im != 0)]
    return [lax.convert_element_type(z.re, dtype)]


@complex_rule("iota")
def _iota(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    params = {**eqn.params, "dtype": np.dtype(np.float32)}
    return [of_real(jaxprs.bind(eqn, args, params)[0])]


@complex_rule("eq")
def _eq(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    del eqn
    x, y = args
    return [(x.re == y.re) & (x.im == y.im)]


@complex_rule("ne")
def _ne(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    del eqn
    x, y = args
    return [(x.re != y.re) | (x.im != y.im)]


@complex_rule("div")
def _div(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    del eqn
    return [divide(*args)]


@complex_rule("abs")
def _abs(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    del eqn
    return [hypot(*args[0])]


@complex_rule("square")
def _square(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    del eqn
    return [square(args[0])]


@complex_rule("dot_general", "conv_general_dilated")
def _products(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """Both are linear in each operand: four real products, or two."""
    params = dict(eqn.params)
    if params.get("preferred_element_type") is not None:
        params["preferred_element_type"] = np.dtype(np.float32)
    x, y = (arg if isinstance(arg, Pair) else Pair(arg, None) for arg in args)

    def product(a: Any, b: Any) -> Any:
        return None if a is None or b is None else jaxprs.bind(eqn, [a, b], params)[0]

    re = _difference(product(x.re, y.re), product(x.im, y.im))
    im = _sum(product(x.re, y.im), product(x.im, y.re))
    return [Pair(re, im)]


def _difference(a: Any, b: Any) -> Any:
    return a if b is None else a - b


def _sum(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return b if a is None else a
    return a + b


Combine = Callable[[Pair, Pair], Pair]


def _reduces(combine: Combine) -> ComplexRule:
    """Halves of each dimension combined, until one number is left."""

    def rule(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
        z = args[0]
        for axis in sorted(eqn.params["axes"], reverse=True):
            z = _reduced_along(combine, z, axis)
        return [z]

    return rule


def _reduced_along(combine: Combine, z: Pair, axis: int) -> Pair:
    odd: list[Pair] = []
    while (size := z.shape[axis]) > 1:
        half = size // 2
        if size % 2:
            odd.append(_between(z, axis, size - 1, size))
        z = combine(_between(z, axis, 0, half), _between(z, axis, half, 2 * half))
    for last in odd:
        z = combine(z, last)
    return Pair(*(lax.squeeze(part, [axis]) for part in z))


def _between(z: Pair, axis: int, start: int, end: int) -> Pair:
    return Pair(*(lax.slice_in_dim(part, start, end, axis=axis) for part in z))


def _cumulates(combine: Combine) -> ComplexRule:
    def rule(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
        axis, reverse = eqn.params["axis"], eqn.params["reverse"]
        return [lax.associative_scan(combine, args[0], reverse=reverse, axis=axis)]

    return rule


def _combines(combine: Combine) -> ComplexRule:
    def rule(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
        del eqn
        return [combine(*args)]

    return rule


for _name, _combine in (("prod", times), ("max", larger), ("min", smaller)):
    complex_rule(f"reduce_{_name}")(_reduces(_combine))
    complex_rule(f"cum{_name}")(_cumulates(_combine))
for _name, _combine in (("mul", times), ("max", larger), ("min", smaller)):
    complex_rule(_name)(_combines(_combine))


@complex_rule("bitcast_convert_type")
def _bitcast(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """Of numbers of 64 bits there are only complex ones."""
    del eqn
    return [args[0]]


@complex_rule("cholesky", "custom_linear_solve", "lu", "qr", "triangular_solve")
def _factors(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """The loops that real matrices become, staged on complex ones."""

    def function(*matrices: Any) -> list[Any]:
        results = REWRITES[eqn.primitive.name](*matrices, **eqn.params)
        return results if eqn.primitive.multiple_results else [results]

    staged = jaxprs.trace(function, [atom.aval for atom in eqn.invars])
    return on_pairs(staged)(*args)


def _turned(a: Any, b: Any) -> list[Any]:
    z = lax.complex(a, b)
    z = z * jnp.conj(z) / (z + 3j)
    return [jnp.real(z), jnp.imag(z), jnp.abs(z)]


def _power(a: Any, b: Any) -> list[Any]:
    z = lax.complex(a, b) @ lax.complex(b, a).T
    return [jnp.real(z), jnp.imag(jnp.sum(z, 0))]


CASES = [
    Case("complex quotients", _turned, ("f32[n,m]", "f32[n,m]")),
    Case("complex products", _power, ("f32[n,m]", "f32[n,m]")),
]
