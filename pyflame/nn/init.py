"""Initial values, with PyTorch's distributions and names; each changes its tensor.

Random values come from `pf.rand` and `pf.randn`: see `pf.manual_seed`.
"""

from __future__ import annotations

import math

from pyflame.creation import full, rand, randn
from pyflame.errors import ArgumentError, ShapeError
from pyflame.grad_mode import no_grad
from pyflame.ops import initial
from pyflame.tensors import Tensor, apply


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Uniform values from `a` to `b`."""
    return _set(tensor, a + (b - a) * rand(tensor.shape, tensor.dtype))


@no_grad()
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Normal values."""
    return _set(tensor, mean + std * randn(tensor.shape, tensor.dtype))


@no_grad()
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0
) -> Tensor:
    """Normal values of `mean` and `std`, those outside `a` to `b` drawn again."""
    uniform = rand(tensor.shape, tensor.dtype)
    return _set(
        tensor,
        apply(initial.truncated_normal, uniform, *map(float, (mean, std, a, b))),
    )


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """`val` everywhere."""
    return _set(tensor, full(tensor.shape, val, tensor.dtype))


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return constant_(tensor, 1.0)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Uniform within gain * sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""
    bound = gain * math.sqrt(6.0 / sum(_fans("xavier_uniform_", tensor)))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Normal of deviation gain * sqrt(2 / (fan_in + fan_out))."""
    std = gain * math.sqrt(2.0 / sum(_fans("xavier_normal_", tensor)))
    return normal_(tensor, 0.0, std)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
) -> Tensor:
    """Uniform within gain * sqrt(3 / fan) (He et al. 2015)."""
    std = _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -math.sqrt(3.0) * std, math.sqrt(3.0) * std)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
) -> Tensor:
    """Normal of deviation gain / sqrt(fan) (He et al. 2015)."""
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std)


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """gain times a matrix of orthonormal rows, or columns (Saxe et al. 2013).

    Of more than two dimensions, all but the first count as one.
    """
    _check_rank("orthogonal_", tensor, 2)
    if 0 in tensor.shape:
        return tensor
    normal = randn(tensor.shape, tensor.dtype)
    return _set(tensor, apply(initial.orthogonal, normal, float(gain)))


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """1 on the diagonal of a matrix, 0 elsewhere."""
    _check_rank("eye_", tensor, 2, 2)
    static = {"shape": tuple(tensor.shape), "dtype": tensor.dtype.value}
    return _set(tensor, apply(initial.eye, **static))


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The weight [O, C, ...] of a convolution that passes its channels on.

    Raises: ArgumentError, if the groups do not divide the outputs.
    """
    _check_rank("dirac_", tensor, 3, 5)
    if groups < 1 or tensor.shape[0] % groups:
        raise ArgumentError(
            f"dirac_: {tensor.shape[0]} outputs in groups={groups} do not divide",
            rule="the first size is a multiple of groups",
        )
    static = {"shape": tuple(tensor.shape), "dtype": tensor.dtype.value}
    return _set(tensor, apply(initial.dirac, **static, groups=groups))


@no_grad()
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01) -> Tensor:
    """Normal, with 0 in that share of the rows of each column (Martens 2010).

    Raises: ArgumentError, unless `sparsity` is from 0 to 1.
    """
    _check_rank("sparse_", tensor, 2, 2)
    if not 0 <= sparsity <= 1:
        raise ArgumentError(
            f"sparse_: sparsity={sparsity} is no share", rule="sparsity is from 0 to 1"
        )
    shape, zeros = tensor.shape, math.ceil(sparsity * tensor.shape[0])
    normal = std * randn(shape, tensor.dtype)
    return _set(tensor, apply(initial.sparse, normal, rand(shape), zeros=zeros))


_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance through a nonlinearity.

    `param` is the negative slope of "leaky_relu", 0.01 unless given.

    Raises: ArgumentError, for another nonlinearity.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ArgumentError(
            f"calculate_gain: {nonlinearity!r} is no known nonlinearity",
            rule=f"one of leaky_relu, {', '.join(_GAINS)}",
        )
    return _GAINS[nonlinearity]


def affine_(weight: Tensor, bias: Tensor | None) -> None:
    """Both uniform within 1 / sqrt(fan_in), as Linear and Conv begin in PyTorch."""
    kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        bound = 1 / math.sqrt(_fans("affine_", weight)[0])
        uniform_(bias, -bound, bound)


@no_grad()
def zero_row_(tensor: Tensor, row: int) -> Tensor:
    """0 in one row; the others stay."""
    return _set(tensor, apply(initial.zero_row, tensor, row=row))


def _set(tensor: Tensor, value: Tensor) -> Tensor:
    tensor._assign(value)
    return tensor


def _check_rank(name: str, tensor: Tensor, least: int, most: int = 32) -> None:
    if not least <= tensor.ndim <= most:
        more = f" to {most}" if most < 32 else " or more"
        raise ShapeError(
            f"{name} of {tensor.dtype.name}{tensor.shape}: {tensor.ndim} dimensions",
            rule=f"the tensor has {least}{more if most > least else ''} dimensions",
        )


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, kind: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(
            f"{name}: mode={mode!r} is not known", rule="mode is fan_in or fan_out"
        )
    fan_in, fan_out = _fans(name, tensor)
    fan = fan_in if mode == "fan_in" else fan_out
    return calculate_gain(kind, a) / math.sqrt(fan)


def _fans(name: str, tensor: Tensor) -> tuple[int, int]:
    """Inputs and outputs of one unit: sizes 1 and 0, times the receptive field."""
    sizes = tensor.shape
    if len(sizes) < 2 or 0 in sizes:
        raise ShapeError(
            f"{name} of {tensor.dtype.name}{sizes}: fans are not defined",
            rule="a weight has at least two dimensions, none of them 0",
        )
    field = math.prod(sizes[2:])
    return sizes[1] * field, sizes[0] * field
