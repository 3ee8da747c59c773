"""How many floating-point operations a jaxpr does, counted from its equations.

One flop is one addition, subtraction, multiplication, division, minimum, maximum or
elementary function (`exp`, `tanh`, `sqrt`, ...) of one element, whatever its dtype; a
multiply-add is two. Moving, converting, comparing and selecting cost nothing; nor does
arithmetic on single integers, by which positions are worked out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import jax.numpy as jnp

from lowering.jaxprs import ClosedJaxpr, JaxprEqn, dtype_of, shape_of, sub_jaxprs

_FREE = frozenset(
    "and argmax argmin bitcast_convert_type broadcast broadcast_in_dim concatenate "
    "convert_element_type copy device_put dynamic_slice dynamic_update_slice "
    "empty eq expand_dims full gather ge gt iota is_finite le lt ne "
    "not opt_barrier optimization_barrier or pad population_count pvary random_bits "
    "random_seed random_unwrap random_wrap real reduce_and reduce_or reduce_precision "
    "reshape rev scatter select_and_gather_add select_n shift_left "
    "shift_right_arithmetic shift_right_logical slice sort split squeeze stack "
    "stop_gradient threefry2x32 top_k transpose unstack xor".split()
)
_REDUCTIONS = frozenset("reduce_sum reduce_max reduce_min reduce_prod".split())
_CUMULATIVE = frozenset("cumsum cumprod cummax cummin cumlogsumexp".split())
_WINDOWS = frozenset(
    "reduce_window_sum reduce_window_max reduce_window_min reduce_window".split()
)
_SCATTERS = frozenset(
    "scatter-add scatter_add scatter_mul scatter_min scatter_max scatter_sub".split()
)


def flops_of(closed: ClosedJaxpr) -> int:
    """The flops of a jaxpr. A loop of unknown length counts as one pass; of the
    branches of a condition, the longest counts."""
    return sum(map(equation_flops, closed.jaxpr.eqns))


def equation_flops(eqn: JaxprEqn) -> int:
    """The flops of one equation with all that it calls."""
    name = eqn.primitive.name
    if name in _FREE:
        return 0
    rule = _RULES.get(name)
    if rule is not None:
        return rule(eqn)
    if called := sub_jaxprs(eqn):
        return sum(map(flops_of, called))
    return 0 if _is_position(eqn) else _out_size(eqn)


def _is_position(eqn: JaxprEqn) -> bool:
    result = eqn.outvars[0]
    return shape_of(result) == () and jnp.issubdtype(dtype_of(result), jnp.integer)


def _dot_general(eqn: JaxprEqn) -> int:
    """2 m n k for each matrix of a batch."""
    (contracted, _), _ = eqn.params["dimension_numbers"]
    shape = shape_of(eqn.invars[0])
    return 2 * _out_size(eqn) * math.prod(shape[d] for d in contracted)


def _convolution(eqn: JaxprEqn) -> int:
    """2 per tap of each output element; taps in the padding count, the holes of a
    dilated input (gradients of strided convolutions have them) do not."""
    out_channels_dim = eqn.params["dimension_numbers"].rhs_spec[0]
    kernel = shape_of(eqn.invars[1])
    taps = math.prod(kernel) // max(kernel[out_channels_dim], 1)
    holes = math.prod(eqn.params["lhs_dilation"])
    return 2 * _out_size(eqn) * taps // holes


def _reduction(eqn: JaxprEqn) -> int:
    """One for each element beyond the first of each result."""
    return max(_size(eqn.invars[0]) - _out_size(eqn), 0)


def _window(eqn: JaxprEqn) -> int:
    return _out_size(eqn) * (math.prod(eqn.params["window_dimensions"]) - 1)


def _integer_pow(eqn: JaxprEqn) -> int:
    """The multiplications of repeated squaring; one division for a negative power."""
    power = abs(eqn.params["y"])
    steps = max(power.bit_length() - 1 + power.bit_count() - 1, 0)
    return _out_size(eqn) * (steps + (eqn.params["y"] < 0))


def _scan(eqn: JaxprEqn) -> int:
    return eqn.params["length"] * flops_of(eqn.params["jaxpr"])


def _cond(eqn: JaxprEqn) -> int:
    return max(map(flops_of, eqn.params["branches"]))


def _clamp(eqn: JaxprEqn) -> int:
    return 2 * _out_size(eqn)


def _operand(eqn: JaxprEqn) -> int:
    return _size(eqn.invars[0])


def _updates(eqn: JaxprEqn) -> int:
    return _size(eqn.invars[2])


def _call(eqn: JaxprEqn) -> int:
    """A function with rules of its own for gradients is only itself."""
    return flops_of(sub_jaxprs(eqn)[0])


def _for_all(
    names: Iterable[str], rule: Callable[[JaxprEqn], int]
) -> dict[str, Callable[[JaxprEqn], int]]:
    return dict.fromkeys(names, rule)


_RULES: dict[str, Callable[[JaxprEqn], int]] = {
    "dot_general": _dot_general,
    "conv_general_dilated": _convolution,
    "integer_pow": _integer_pow,
    "scan": _scan,
    "cond": _cond,
    "clamp": _clamp,
    "select_and_scatter_add": _operand,
    "custom_jvp_call": _call,
    "custom_vjp_call": _call,
    **_for_all(_REDUCTIONS, _reduction),
    **_for_all(_CUMULATIVE, _operand),
    **_for_all(_WINDOWS, _window),
    **_for_all(_SCATTERS, _updates),
}


def _out_size(eqn: JaxprEqn) -> int:
    return _size(eqn.outvars[0])


def _size(atom: Any) -> int:
    return math.prod(shape_of(atom))
