"""Activation functions, with PyTorch's arguments; `inplace` as of `replaced`."""

from __future__ import annotations

from typing import Any

from pyflame import functions
from pyflame.errors import ArgumentError
from pyflame.nn.functional.inplace import replaced
from pyflame.ops import nonlinearity as ops
from pyflame.tensors import apply


def relu(input: Any, inplace: bool = False) -> Any:
    """max(x, 0), with gradient 0 at 0."""
    return replaced("relu", input, functions.relu(input), inplace)


def silu(input: Any, inplace: bool = False) -> Any:
    """x * sigmoid(x)."""
    return replaced("silu", input, functions.silu(input), inplace)


def gelu(input: Any, approximate: str = "none") -> Any:
    """x times the normal distribution function of x, or "tanh", a formula near it.

    Raises: ArgumentError, for another `approximate`.
    """
    check_approximate("gelu", approximate)
    if approximate == "tanh":
        return apply(ops.gelu_tanh, input)
    return functions.gelu(input)


def check_approximate(name: str, approximate: Any) -> None:
    """Raises: ArgumentError, unless it is "none" or "tanh"."""
    if approximate not in ("none", "tanh"):
        raise ArgumentError(
            f"{name}: approximate={approximate!r} is not known",
            rule="approximate is 'none' or 'tanh'",
        )


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x above 0, negative_slope * x elsewhere."""
    result = apply(ops.leaky_relu, input, float(negative_slope))
    return replaced("leaky_relu", input, result, inplace)


def prelu(input: Any, weight: Any) -> Any:
    """leaky_relu with slopes [1] for all, or [C] for the channels of [N, C, ...].

    Raises: ShapeError, for another number of slopes.
    """
    return apply(ops.prelu, input, weight)


def relu6(input: Any, inplace: bool = False) -> Any:
    """min(max(x, 0), 6)."""
    return replaced("relu6", input, apply(ops.hardtanh, input, 0.0, 6.0), inplace)


def hardtanh(
    input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Any:
    """x, held between `min_val` and `max_val`.

    Raises: ArgumentError, if the first is above the second.
    """
    if min_val > max_val:
        raise ArgumentError(
            f"hardtanh: min_val={min_val} is above max_val={max_val}",
            rule="min_val is at most max_val",
        )
    result = apply(ops.hardtanh, input, float(min_val), float(max_val))
    return replaced("hardtanh", input, result, inplace)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x above 0, alpha (exp(x) - 1) elsewhere."""
    return replaced("elu", input, apply(ops.elu, input, float(alpha)), inplace)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x above 0, alpha (exp(x / alpha) - 1) elsewhere.

    Raises: ArgumentError, if `alpha` is 0.
    """
    if not alpha:
        raise ArgumentError("celu: alpha=0", rule="alpha is not 0: x is divided by it")
    return replaced("celu", input, apply(ops.celu, input, float(alpha)), inplace)


def selu(input: Any, inplace: bool = False) -> Any:
    """elu, scaled so that layers keep mean 0 and variance 1."""
    return replaced("selu", input, apply(ops.selu, input), inplace)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + exp(beta x)) / beta; x itself where beta x is above `threshold`."""
    return apply(ops.softplus, input, float(beta), float(threshold))


def hardswish(input: Any, inplace: bool = False) -> Any:
    """x * relu6(x + 3) / 6."""
    return replaced("hardswish", input, apply(ops.hardswish, input), inplace)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """relu6(x + 3) / 6."""
    return replaced("hardsigmoid", input, apply(ops.hardsigmoid, input), inplace)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """0 from -lambd to lambd, x elsewhere."""
    return apply(ops.hardshrink, input, float(lambd))


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """x moved towards 0 by `lambd`, no further than 0.

    Raises: ArgumentError, if `lambd` is negative.
    """
    if not lambd >= 0:
        raise ArgumentError(f"softshrink: lambd={lambd}", rule="lambd is 0 or more")
    return apply(ops.softshrink, input, float(lambd))


def tanhshrink(input: Any) -> Any:
    """x - tanh(x)."""
    return apply(ops.tanhshrink, input)


def softsign(input: Any) -> Any:
    """x / (1 + |x|)."""
    return apply(ops.softsign, input)


def logsigmoid(input: Any) -> Any:
    """log(sigmoid(x)), stable for any x."""
    return apply(ops.logsigmoid, input)


def mish(input: Any, inplace: bool = False) -> Any:
    """x * tanh(softplus(x))."""
    return replaced("mish", input, apply(ops.mish, input), inplace)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """x above `threshold`, `value` elsewhere."""
    result = apply(ops.threshold, input, float(threshold), float(value))
    return replaced("threshold", input, result, inplace)


def glu(input: Any, dim: int = -1) -> Any:
    """The first half along `dim` times the sigmoid of the second.

    Raises: ShapeError, if the size is odd or `dim` out of range.
    """
    return apply(ops.glu, input, dim=dim)


def softmin(input: Any, dim: int = -1) -> Any:
    """softmax(-x) along `dim`."""
    return functions.softmax(functions.neg(input), dim)
