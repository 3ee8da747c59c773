"""A small program for every primitive that there is a use for on the wafer.

PROGRAMS holds a function of arrays by the primitive's name, and the types of its
operands: "d[3,5]" has the dtype that is asked for, others name their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.ad_checkpoint
import jax.extend.core.primitives as primitives
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax._src.random import prng

DTYPES = {
    "f32": jnp.float32,
    "f16": jnp.float16,
    "bf16": jnp.bfloat16,
    "i32": jnp.int32,
    "i16": jnp.int16,
    "i8": jnp.int8,
    "u32": jnp.uint32,
    "u16": jnp.uint16,
    "u8": jnp.uint8,
    "bool": jnp.bool_,
}


@dataclass(frozen=True)
class Program:
    """A function of arrays whose jaxpr has the primitive in it."""

    function: Callable[..., Any]
    operands: tuple[str, ...] = ("d[3,5]",)

    def specs(self, dtype: str) -> list[jax.ShapeDtypeStruct]:
        """The operands for that dtype, by its short name."""
        return [_spec(operand, dtype) for operand in self.operands]

    def staged(self, dtype: str) -> Any:
        """The closed jaxpr; None if JAX has no such program."""
        try:
            return jax.make_jaxpr(self.function)(*self.specs(dtype))
        except (TypeError, ValueError, NotImplementedError):
            return None


def _spec(operand: str, dtype: str) -> jax.ShapeDtypeStruct:
    name, dims = operand.rstrip("]").split("[")
    shape = tuple(int(dim) for dim in dims.split(",") if dim)
    return jax.ShapeDtypeStruct(shape, DTYPES[dtype if name == "d" else name])


def _bound(primitive: Any, **params: Any) -> Callable[..., Any]:
    return lambda *args: primitive.bind(*args, **params)


_PAIR = ("d[3,5]", "d[3,5]")
_UNARY = (
    "abs acos acosh asin asinh atan atanh bessel_i0e bessel_i1e cbrt ceil clz cos cosh "
    "digamma erf erf_inv erfc exp exp2 expm1 floor is_finite lgamma log log1p logistic "
    "neg population_count round rsqrt sign sin sinh sqrt square stop_gradient tan tanh "
    "optimization_barrier"
)
_BINARY = (
    "add atan2 div eq ge gt igamma igammac le lt max min mul ne nextafter pow rem "
    "shift_left shift_right_arithmetic shift_right_logical sub igamma_grad_a "
    "polygamma zeta"
)
_ALONG_ROWS = "cumlogsumexp cummax cummin cumprod cumsum"
_REDUCED = (
    "reduce_and reduce_max reduce_min reduce_or reduce_prod reduce_sum reduce_xor"
)
_WINDOW: dict[str, Any] = {
    "window_dimensions": (2, 2),
    "window_strides": (1, 2),
    "padding": ((0, 1), (1, 0)),
}
_DILATION: dict[str, Any] = {"base_dilation": (1, 1), "window_dilation": (1, 1)}
_SCATTERED = ("d[3,5]", "i32[2,1]", "d[2,5]")
_ROWS = lax.ScatterDimensionNumbers((1,), (0,), (0,))


def _scattered(name: str) -> Program:
    function = getattr(lax, name)
    return Program(lambda x, i, u: function(x, i, u, _ROWS), _SCATTERED)


def _window_with(name: str) -> Program:
    primitive = getattr(primitives, f"{name}_p")
    return Program(_bound(primitive, **_WINDOW, **_DILATION))


def _gathered(x: Any, i: Any) -> Any:
    numbers = lax.GatherDimensionNumbers((1,), (0,), (0,))
    return lax.gather(x, i, numbers, (1, 5))


def _keys(function: Callable[[Any], Any]) -> Program:
    """A function of random keys, of which JAX has one dtype only."""
    return Program(lambda words: function(jax.random.wrap_key_data(words)), ("u32[2]",))


def _on_complex(function: Callable[[Any], Any]) -> Program:
    """A function of complex numbers, of which the wafer has one dtype only."""

    def parts(re: Any, im: Any) -> list[Any]:
        result = function(lax.complex(re, im))
        return [jnp.real(result), jnp.imag(result)]

    return Program(parts, ("f32[3,5]", "f32[3,5]"))


def _no_dtype(program: Callable[..., Any]) -> Program:
    return Program(lambda *args: program(*args), ("i32[]",))


def _reduced_by_both(x: Any) -> Any:
    zero = np.zeros((), x.dtype)
    return lax.reduce((x, x), (zero, zero), _sums, (1,))


def _sums(left: Any, right: Any) -> Any:
    return left[0] + right[0], left[1] - right[1]


def _product_window(x: Any) -> Any:
    one = np.ones((), x.dtype)
    return lax.reduce_window(x, one, lax.mul, (2, 2), (1, 1), "VALID")


def _from_eigenvectors(x: Any) -> Any:
    """Eigenvalues, and the matrix again: eigenvectors have any sign."""
    vectors, values = lax.linalg.eigh(_positive(x))
    return values, vectors * values @ vectors.T


def _from_singular_vectors(x: Any) -> Any:
    u, values, vt = lax.linalg.svd(x, full_matrices=False)
    return values, u * values @ vt


def _tridiagonal(x: Any) -> Any:
    beside = jnp.ones(len(x), x.dtype)
    return lax.linalg.tridiagonal_solve(beside, x[:, 0] + 3, beside, x)


def _gathered_by_windows(tangents: Any, x: Any) -> Any:
    """Of floats: JAX packs two words in one, which gives nothing for booleans."""
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError("JAX has it for floats")
    chosen = {"select_prim": primitives.ge_p, **_WINDOW, **_DILATION}
    return primitives.select_and_gather_add_p.bind(tangents, x, **chosen)


def _reflected(x: Any) -> Any:
    """Factors without the signs of their zeros, which are LAPACK's own."""
    q, r = lax.linalg.qr(x, full_matrices=False)
    return jnp.where(q == 0, 0, q), jnp.where(r == 0, 0, r)


# Names that the compiler knows, and no program here has, with the reason.
WITHOUT_PROGRAM = {
    "copy_p": "JAX's name for copy in other versions",
    "element_call": "the compiler's own",
    "machine_op": "the compiler's own",
    "replicate": "the compiler's own",
    "random_gamma_grad": "JAX stages what it is made of instead",
    "reshard": "needs a mesh of JAX devices",
}

PROGRAMS: dict[str, Program] = {
    **{name: Program(getattr(lax, name)) for name in _UNARY.split()},
    **{name: Program(getattr(lax, name), _PAIR) for name in _BINARY.split()},
    **{name: Program(getattr(lax, name)) for name in _ALONG_ROWS.split()},
    **{
        name: Program(_bound(getattr(primitives, f"{name}_p"), axes=(0,)))
        for name in _REDUCED.split()
        if name != "reduce_sum"
    },
    "add_any": Program(_bound(primitives.add_jaxvals_p), _PAIR),
    "and": Program(lax.bitwise_and, _PAIR),
    "approx_top_k": Program(lambda x: lax.approx_max_k(x, 2)),
    "argmax": Program(lambda x: lax.argmax(x, 1, jnp.int32)),
    "argmin": Program(lambda x: lax.argmin(x, 1, jnp.int32)),
    "bitcast_convert_type": Program(
        lambda x: lax.bitcast_convert_type(x, _other_of_size(x))
    ),
    "broadcast_in_dim": Program(lambda x: lax.broadcast_in_dim(x, (2, 3, 5), (1, 2))),
    "cholesky": Program(lambda x: lax.linalg.cholesky(_positive(x)), ("d[3,3]",)),
    "clamp": Program(lax.clamp, ("d[]", "d[3,5]", "d[]")),
    "complex": _on_complex(lambda z: z),
    "conj": _on_complex(lax.conj),
    "concatenate": Program(lambda x, y: lax.concatenate((x, y), 0), _PAIR),
    "cond": Program(
        lambda p, x: lax.cond(p, lambda x: x, jnp.zeros_like, x), ("bool[]", "d[3,5]")
    ),
    "conv_general_dilated": Program(
        lambda x, w: lax.conv_general_dilated(x, w, (1, 1), "SAME"),
        ("d[1,2,5,4]", "d[3,2,3,3]"),
    ),
    "convert_element_type": Program(
        lambda x: (x.astype(jnp.int32), x.astype(jnp.float32), x.astype(jnp.bool_))
    ),
    "copy": Program(_bound(primitives.copy_p)),
    "custom_linear_solve": Program(
        lambda x: jnp.linalg.solve(_positive(x), x), ("d[3,3]",)
    ),
    "device_put": Program(jax.device_put),
    "dot_general": Program(jnp.matmul, ("d[3,4]", "d[4,5]")),
    "dynamic_slice": Program(
        lambda x, i: lax.dynamic_slice(x, (i, 0), (2, 5)), ("d[3,5]", "i32[]")
    ),
    "dynamic_update_slice": Program(
        lambda x, y, i: lax.dynamic_update_slice(x, y, (i, 0)),
        ("d[3,5]", "d[2,5]", "i32[]"),
    ),
    "eq_to": Program(_bound(lax.eq_to_p), _PAIR),
    "fft": _on_complex(jnp.fft.fft),
    "gather": Program(_gathered, ("d[3,5]", "i32[2,1]")),
    "iota_2x32_shape": Program(lambda x: prng.iota_2x32_shape((3, 5)), ("i32[]",)),
    "imag": _on_complex(lax.imag),
    "integer_pow": Program(lambda x: lax.integer_pow(x, 3)),
    "iota": Program(lambda x: lax.broadcasted_iota(x.dtype, (3, 5), 1), ("d[]",)),
    "le_to": Program(_bound(lax.le_to_p), _PAIR),
    "lt_to": Program(_bound(lax.lt_to_p), _PAIR),
    "lu": Program(lax.linalg.lu),
    "mulhi": Program(lax.mulhi, _PAIR),
    "name": Program(lambda x: jax.ad_checkpoint.checkpoint_name(x, "x")),
    "not": Program(lax.bitwise_not),
    "or": Program(lax.bitwise_or, _PAIR),
    "pad": Program(
        lambda x, v: lax.pad(x, v, ((1, 0, 1), (0, -1, 0))), ("d[3,5]", "d[]")
    ),
    "random_bits": _keys(lambda key: jax.random.bits(key, (3, 5))),
    "random_clone": _keys(lambda key: jax.random.key_data(jax.random.clone(key))),
    "random_fold_in": _keys(
        lambda key: jax.random.key_data(jax.random.fold_in(key, 3))
    ),
    "random_gamma": _keys(lambda key: jax.random.gamma(key, 2.0, (3,))),
    "random_seed": _no_dtype(lambda seed: jax.random.bits(jax.random.key(seed), (3,))),
    "random_split": _keys(lambda key: jax.random.key_data(jax.random.split(key, 3))),
    "random_unwrap": _keys(jax.random.key_data),
    "random_wrap": _keys(jax.random.key_data),
    "platform_index": Program(
        lambda x: lax.platform_dependent(x, cpu=lambda x: x[::-1], default=lambda x: x)
    ),
    "eigh": Program(_from_eigenvectors, ("d[3,3]",)),
    "svd": Program(_from_singular_vectors),
    "qr": Program(_reflected),
    "real": _on_complex(lax.real),
    "reduce": Program(_reduced_by_both),
    "reduce_precision": Program(lambda x: lax.reduce_precision(x, 5, 3)),
    "reduce_sum": Program(
        _bound(primitives.reduce_sum_p, axes=(0,), out_sharding=None)
    ),
    "reduce_window": Program(_product_window),
    "reduce_window_max": _window_with("reduce_window_max"),
    "reduce_window_min": _window_with("reduce_window_min"),
    "reduce_window_sum": _window_with("reduce_window_sum"),
    "regularized_incomplete_beta": Program(lax.betainc, ("d[3]", "d[3]", "d[3]")),
    "reshape": Program(lambda x: lax.reshape(x, (5, 3))),
    "rev": Program(lambda x: lax.rev(x, (0, 1))),
    "rng_bit_generator": Program(
        lambda key: lax.rng_bit_generator(key, (3, 5)), ("u32[4]",)
    ),
    "rng_uniform": Program(lambda a, b: lax.rng_uniform(a, b, (3, 5)), ("d[]", "d[]")),
    "scan": Program(
        lambda x: lax.scan(lambda c, row: (c + row, row), jnp.zeros_like(x[0]), x)
    ),
    "scatter": _scattered("scatter"),
    "scatter-add": _scattered("scatter_add"),
    "scatter-max": _scattered("scatter_max"),
    "scatter-min": _scattered("scatter_min"),
    "scatter-mul": _scattered("scatter_mul"),
    "scatter-sub": _scattered("scatter_sub"),
    "select_and_gather_add": Program(_gathered_by_windows, _PAIR),
    "select_and_scatter_add": Program(
        _bound(
            primitives.select_and_scatter_add_p,
            select_prim=primitives.ge_p,
            window_dimensions=(1, 2),
            window_strides=(1, 2),
            padding=((0, 0), (0, 1)),
        ),
        ("d[3,3]", "d[3,5]"),
    ),
    "select_n": Program(lax.select_n, ("bool[3,5]", "d[3,5]", "d[3,5]")),
    "slice": Program(lambda x: lax.slice(x, (1, 0), (3, 5), (1, 2))),
    "sort": Program(lax.sort),
    "split": Program(lambda x: lax.split(x, (2, 3), 1)),
    "squeeze": Program(lambda x: lax.squeeze(x, (0,)), ("d[1,5]",)),
    "stack": Program(lambda x: jnp.stack([x, x], 1)),
    "threefry2x32": Program(
        _bound(primitives.threefry2x32_p), ("u32[3]", "u32[3]", "u32[3]", "u32[3]")
    ),
    "tile": Program(lambda x: lax.tile(x, (2, 1))),
    "top_k": Program(lambda x: lax.top_k(x, 2)),
    "transpose": Program(lambda x: lax.transpose(x, (1, 0))),
    "tridiagonal_solve": Program(_tridiagonal),
    "triangular_solve": Program(
        lambda x: lax.linalg.triangular_solve(_positive(x), x, left_side=True),
        ("d[3,3]",),
    ),
    "unstack": Program(lambda x: jnp.unstack(x, axis=1)),
    "while": Program(lambda x: lax.while_loop(_is_small, lambda x: x + x, x)),
    "xor": Program(lax.bitwise_xor, _PAIR),
}


def _positive(x: Any) -> Any:
    """A matrix with a Cholesky factor."""
    return x @ x.T + np.eye(3, dtype=x.dtype)


def _is_small(x: Any) -> Any:
    return x[0, 0] < np.ones((), x.dtype)


def _other_of_size(x: Any) -> Any:
    """A dtype of as many bits, of another kind."""
    whole = {4: jnp.int32, 2: jnp.int16, 1: jnp.int8}[x.dtype.itemsize]
    return whole if x.dtype != whole else jnp.dtype(f"uint{8 * x.dtype.itemsize}")
