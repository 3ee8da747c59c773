"""The class Tensor: operators, and functions of the API as its methods."""

from __future__ import annotations

from typing import Any

from pyflame.ops import arithmetic as bits
from pyflame.ops import elementwise, linalg
from pyflame.recorded import Recorded, apply, as_node, binary, detached, make
from pyflame.surface import (
    arithmetic,
    conversion,
    in_place,
    indexing,
    pointwise,
    products,
    reductions,
    selection,
    shapes,
)
from pyflame.surface.in_place import augmented
from pyflame.surface.in_place import in_place as changing

__all__ = ["Tensor", "apply", "as_node", "detached"]


class Tensor(Recorded):
    """An array that is computed when its values are asked for.

    Made by `pf.tensor`, `pf.zeros`, ... and by every op. Inside `jax.jit`, `grad`,
    `vmap` and `scan` a Tensor holds a tracer, and ops apply to it at once.
    """

    __slots__ = ()

    # arithmetic

    def __add__(self, other: Any) -> Any:
        return binary(elementwise.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return binary(elementwise.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return binary(elementwise.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return binary(elementwise.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return binary(elementwise.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return binary(elementwise.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return binary(elementwise.div, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return binary(elementwise.div, other, self)

    def __floordiv__(self, other: Any) -> Any:
        if type(other) is int and other == 0:
            return arithmetic.floor_divide(self, other)  # which refuses integers
        return binary(bits.floor_divide, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return binary(bits.floor_divide, other, self)

    def __mod__(self, other: Any) -> Any:
        if type(other) is int and other == 0:
            return arithmetic.remainder(self, other)
        return binary(bits.remainder, self, other)

    def __rmod__(self, other: Any) -> Any:
        return binary(bits.remainder, other, self)

    def __pow__(self, exponent: Any) -> Any:
        if elementwise.is_small_power(exponent):
            return apply(elementwise.integer_pow, self, exponent=exponent)
        return binary(elementwise.pow, self, exponent)

    def __rpow__(self, base: Any) -> Any:
        return binary(elementwise.pow, base, self)

    def __matmul__(self, other: Any) -> Any:
        return binary(linalg.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return binary(linalg.matmul, other, self)

    def __neg__(self) -> Any:
        return apply(elementwise.neg, self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return apply(elementwise.abs, self)

    # bits, and logic of booleans

    def __and__(self, other: Any) -> Any:
        return binary(bits.bitwise_and, self, other)

    def __rand__(self, other: Any) -> Any:
        return binary(bits.bitwise_and, other, self)

    def __or__(self, other: Any) -> Any:
        return binary(bits.bitwise_or, self, other)

    def __ror__(self, other: Any) -> Any:
        return binary(bits.bitwise_or, other, self)

    def __xor__(self, other: Any) -> Any:
        return binary(bits.bitwise_xor, self, other)

    def __rxor__(self, other: Any) -> Any:
        return binary(bits.bitwise_xor, other, self)

    def __lshift__(self, other: Any) -> Any:
        return binary(bits.bitwise_left_shift, self, other)

    def __rlshift__(self, other: Any) -> Any:
        return binary(bits.bitwise_left_shift, other, self)

    def __rshift__(self, other: Any) -> Any:
        return binary(bits.bitwise_right_shift, self, other)

    def __rrshift__(self, other: Any) -> Any:
        return binary(bits.bitwise_right_shift, other, self)

    def __invert__(self) -> Any:
        return apply(bits.bitwise_not, self)

    # comparisons, element by element; so a Tensor is hashed by identity

    def __eq__(self, other: Any) -> Any:
        return binary(elementwise.eq, self, other)

    def __ne__(self, other: Any) -> Any:
        return binary(elementwise.ne, self, other)

    def __lt__(self, other: Any) -> Any:
        return binary(elementwise.lt, self, other)

    def __le__(self, other: Any) -> Any:
        return binary(elementwise.le, self, other)

    def __gt__(self, other: Any) -> Any:
        return binary(elementwise.gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return binary(elementwise.ge, self, other)

    __hash__ = object.__hash__

    # arithmetic

    add = arithmetic.add
    sub = arithmetic.sub
    mul = arithmetic.mul
    div = arithmetic.div
    floor_divide = arithmetic.floor_divide
    remainder = arithmetic.remainder
    fmod = arithmetic.fmod
    pow = arithmetic.pow
    maximum = arithmetic.maximum
    minimum = arithmetic.minimum
    clamp = arithmetic.clamp
    atan2 = arithmetic.atan2
    hypot = arithmetic.hypot
    logaddexp = arithmetic.logaddexp
    lerp = arithmetic.lerp
    addcmul = arithmetic.addcmul
    addcdiv = arithmetic.addcdiv
    eq = arithmetic.eq
    ne = arithmetic.ne
    lt = arithmetic.lt
    le = arithmetic.le
    gt = arithmetic.gt
    ge = arithmetic.ge
    logical_and = arithmetic.logical_and
    logical_or = arithmetic.logical_or
    logical_xor = arithmetic.logical_xor
    logical_not = arithmetic.logical_not
    bitwise_and = arithmetic.bitwise_and
    bitwise_or = arithmetic.bitwise_or
    bitwise_xor = arithmetic.bitwise_xor
    bitwise_not = arithmetic.bitwise_not
    bitwise_left_shift = arithmetic.bitwise_left_shift
    bitwise_right_shift = arithmetic.bitwise_right_shift
    isclose = arithmetic.isclose
    allclose = arithmetic.allclose
    equal = arithmetic.equal

    # pointwise

    neg = pointwise.neg
    abs = pointwise.abs
    sqrt = pointwise.sqrt
    rsqrt = pointwise.rsqrt
    square = pointwise.square
    reciprocal = pointwise.reciprocal
    exp = pointwise.exp
    exp2 = pointwise.exp2
    expm1 = pointwise.expm1
    log = pointwise.log
    log2 = pointwise.log2
    log10 = pointwise.log10
    log1p = pointwise.log1p
    sin = pointwise.sin
    cos = pointwise.cos
    tan = pointwise.tan
    asin = pointwise.asin
    acos = pointwise.acos
    atan = pointwise.atan
    sinh = pointwise.sinh
    cosh = pointwise.cosh
    tanh = pointwise.tanh
    asinh = pointwise.asinh
    acosh = pointwise.acosh
    atanh = pointwise.atanh
    erf = pointwise.erf
    erfc = pointwise.erfc
    erfinv = pointwise.erfinv
    deg2rad = pointwise.deg2rad
    rad2deg = pointwise.rad2deg
    floor = pointwise.floor
    ceil = pointwise.ceil
    trunc = pointwise.trunc
    frac = pointwise.frac
    sign = pointwise.sign
    isnan = pointwise.isnan
    isinf = pointwise.isinf
    isfinite = pointwise.isfinite
    logit = pointwise.logit
    relu = pointwise.relu
    sigmoid = pointwise.sigmoid
    gelu = pointwise.gelu
    silu = pointwise.silu
    softmax = pointwise.softmax
    log_softmax = pointwise.log_softmax
    round = pointwise.round
    nan_to_num = pointwise.nan_to_num

    # reductions

    sum = reductions.sum
    mean = reductions.mean
    max = reductions.max
    min = reductions.min
    prod = reductions.prod
    any = reductions.any
    all = reductions.all
    count_nonzero = reductions.count_nonzero
    argmax = reductions.argmax
    argmin = reductions.argmin
    var = reductions.var
    std = reductions.std
    norm = reductions.norm
    logsumexp = reductions.logsumexp
    cumsum = reductions.cumsum
    cumprod = reductions.cumprod

    # shapes

    reshape = shapes.reshape
    flatten = shapes.flatten
    ravel = shapes.ravel
    unflatten = shapes.unflatten
    transpose = shapes.transpose
    t = shapes.t
    permute = shapes.permute
    movedim = shapes.movedim
    squeeze = shapes.squeeze
    unsqueeze = shapes.unsqueeze
    expand = shapes.expand
    broadcast_to = shapes.broadcast_to
    repeat = shapes.repeat
    tile = shapes.tile
    repeat_interleave = shapes.repeat_interleave
    flip = shapes.flip
    roll = shapes.roll
    narrow = shapes.narrow
    select = shapes.select
    unbind = shapes.unbind
    split = shapes.split
    chunk = shapes.chunk
    diagonal = shapes.diagonal
    diag = shapes.diag
    tril = shapes.tril
    triu = shapes.triu

    # products

    matmul = products.matmul
    mm = products.mm
    bmm = products.bmm
    mv = products.mv
    dot = products.dot
    outer = products.outer

    # selection

    masked_fill = selection.masked_fill
    masked_select = selection.masked_select
    nonzero = selection.nonzero
    gather = selection.gather
    scatter = selection.scatter
    scatter_add = selection.scatter_add
    index_select = selection.index_select
    index_add = selection.index_add
    take_along_dim = selection.take_along_dim
    argsort = selection.argsort
    sort = selection.sort
    topk = selection.topk

    # other names of the same

    subtract = arithmetic.subtract
    multiply = arithmetic.multiply
    divide = arithmetic.divide
    true_divide = arithmetic.true_divide
    absolute = pointwise.absolute
    negative = pointwise.negative
    arcsin = pointwise.arcsin
    arccos = pointwise.arccos
    arctan = pointwise.arctan
    arctan2 = arithmetic.arctan2
    clip = arithmetic.clip
    greater = arithmetic.greater
    greater_equal = arithmetic.greater_equal
    less = arithmetic.less
    less_equal = arithmetic.less_equal
    not_equal = arithmetic.not_equal
    amax = reductions.amax
    amin = reductions.amin
    view = shapes.reshape
    swapaxes = shapes.swapaxes
    swapdims = shapes.swapdims
    moveaxis = shapes.moveaxis

    # conversion

    to = conversion.to
    astype = conversion.to
    type = conversion.to
    type_as = conversion.to
    float = conversion.to_float32
    half = conversion.to_float16
    bfloat16 = conversion.to_bfloat16
    int = conversion.to_int32
    short = conversion.to_int16
    char = conversion.to_int8
    bool = conversion.to_bool
    double = conversion.no_float64
    long = conversion.no_int64
    is_floating_point = conversion.is_floating_point
    element_size = conversion.element_size
    size = conversion.size
    dim = conversion.rank
    contiguous = conversion.contiguous
    tolist = conversion.tolist

    # what differs from the function of that name

    where = selection.where_of
    reshape_as = shapes.reshape_as
    view_as = shapes.reshape_as
    expand_as = shapes.expand_as
    T = property(shapes.reverse_dims)
    mT = property(shapes.matrix_transpose)

    # what Python and other libraries ask for

    __getitem__ = indexing.getitem
    __setitem__ = in_place.setitem
    __contains__ = conversion.contains
    __index__ = conversion.index
    __format__ = conversion.formatted
    __reduce__ = conversion.reduced
    __deepcopy__ = conversion.deep_copy
    __dlpack__ = conversion.dlpack
    __dlpack_device__ = conversion.dlpack_device

    # changes in place

    fill_ = in_place.fill_
    zero_ = in_place.zero_
    copy_ = in_place.copy_
    add_ = changing(arithmetic.add, "add_")
    sub_ = changing(arithmetic.sub, "sub_")
    mul_ = changing(arithmetic.mul, "mul_")
    div_ = changing(arithmetic.div, "div_")
    pow_ = changing(arithmetic.pow, "pow_")
    floor_divide_ = changing(arithmetic.floor_divide, "floor_divide_")
    remainder_ = changing(arithmetic.remainder, "remainder_")
    lerp_ = changing(arithmetic.lerp, "lerp_")
    addcmul_ = changing(arithmetic.addcmul, "addcmul_")
    addcdiv_ = changing(arithmetic.addcdiv, "addcdiv_")
    clamp_ = changing(arithmetic.clamp, "clamp_")
    clip_ = changing(arithmetic.clamp, "clip_")
    neg_ = changing(pointwise.neg, "neg_")
    abs_ = changing(pointwise.abs, "abs_")
    sqrt_ = changing(pointwise.sqrt, "sqrt_")
    rsqrt_ = changing(pointwise.rsqrt, "rsqrt_")
    square_ = changing(pointwise.square, "square_")
    reciprocal_ = changing(pointwise.reciprocal, "reciprocal_")
    exp_ = changing(pointwise.exp, "exp_")
    log_ = changing(pointwise.log, "log_")
    sin_ = changing(pointwise.sin, "sin_")
    cos_ = changing(pointwise.cos, "cos_")
    tanh_ = changing(pointwise.tanh, "tanh_")
    floor_ = changing(pointwise.floor, "floor_")
    ceil_ = changing(pointwise.ceil, "ceil_")
    round_ = changing(pointwise.round, "round_")
    trunc_ = changing(pointwise.trunc, "trunc_")
    sign_ = changing(pointwise.sign, "sign_")
    relu_ = changing(pointwise.relu, "relu_")
    sigmoid_ = changing(pointwise.sigmoid, "sigmoid_")
    masked_fill_ = changing(selection.masked_fill, "masked_fill_")
    scatter_ = changing(selection.scatter, "scatter_")
    scatter_add_ = changing(selection.scatter_add, "scatter_add_")
    index_add_ = changing(selection.index_add, "index_add_")
    tril_ = changing(shapes.tril, "tril_")
    triu_ = changing(shapes.triu, "triu_")
    __iadd__ = augmented(arithmetic.add, "+=")
    __isub__ = augmented(arithmetic.sub, "-=")
    __imul__ = augmented(arithmetic.mul, "*=")
    __itruediv__ = augmented(arithmetic.div, "/=")
    __ifloordiv__ = augmented(arithmetic.floor_divide, "//=")
    __imod__ = augmented(arithmetic.remainder, "%=")
    __ipow__ = augmented(arithmetic.pow, "**=")
    __iand__ = augmented(arithmetic.bitwise_and, "&=")
    __ior__ = augmented(arithmetic.bitwise_or, "|=")
    __ixor__ = augmented(arithmetic.bitwise_xor, "^=")
    __ilshift__ = augmented(arithmetic.bitwise_left_shift, "<<=")
    __irshift__ = augmented(arithmetic.bitwise_right_shift, ">>=")


make(Tensor)
