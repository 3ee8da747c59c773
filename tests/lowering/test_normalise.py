import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import Primitive

from lowering import jaxprs
from lowering.errors import (
    SeveralErrors,
    UnsupportedDtypeError,
    UnsupportedPrimitiveError,
)
from lowering.normalise.check import supported_primitives
from lowering.normalise.core_set import CORE
from lowering.normalise.normalise import normalise
from lowering.normalise.registry import REWRITES

RANDOM = np.random.default_rng(0)
X = jnp.asarray(RANDOM.standard_normal((3, 4)), jnp.float32)
W = jnp.asarray(RANDOM.standard_normal((4, 5)), jnp.float32)
SUPPORTED = ", ".join(supported_primitives())


mystery, riddle = map(Primitive, ("mystery", "riddle"))  # as a future JAX may have
for strange in (mystery, riddle):
    strange.def_abstract_eval(lambda x: x)


def names(closed):
    return [eqn.primitive.name for eqn in closed.jaxpr.eqns]


@jax.custom_vjp
def doubled(x):
    return x * 2


doubled.defvjp(lambda x: (x * 2, None), lambda _, ct: (ct * 2,))

PROGRAMS = {
    "layer": lambda x, w: jax.nn.relu(x @ w + 1),
    "softmax": lambda x, w: jax.nn.softmax(x @ w),
    "sigmoid, gelu": lambda x, w: (jax.nn.sigmoid(x), jax.nn.gelu(w)),
    "powers": lambda x, w: (x**2, x**3, x**5, (x * x + 1) ** -2, x**0),
    "moments": lambda x, w: (jnp.mean(x), jnp.var(w, axis=0), jnp.linalg.norm(x)),
    "calls": lambda x, w: jax.checkpoint(jax.jit(doubled))(x),
    "gradient": jax.grad(lambda x, w: jnp.sum(jax.nn.relu(x @ w) ** 2)),
    "products": lambda x, w: (x[0] @ w, w.T @ x.T, (x @ w).T, x[0] @ w[:, 0]),
    "tensordot": lambda x, w: jnp.tensordot(x[None], w[:, None], 1),
    "two contracted": lambda x, w: jnp.tensordot(x, x),
    "clip": lambda x, w: jnp.clip(x, -0.5, 0.5),
    "any, finite": lambda x, w: ((x > 1).any(), jnp.isfinite(w / 0).all(0)),
    "two uses": jax.grad(lambda x, w: jnp.sum(jnp.tanh(x @ w) * jnp.exp(x @ w))),
    "logic": lambda x, w: (x > 0) ^ (x < 1),
    "remainder": lambda x, w: jax.lax.rem((x * 9).astype(int), jnp.int32(4)),
    "constants": lambda x, w: x + np.float32(2) * jnp.sum(jnp.ones(3)),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_values_are_kept_in_core_primitives(program):
    normal = normalise(jax.make_jaxpr(program)(X, W))
    assert set(names(normal)) <= CORE
    for got, want in zip(
        jaxprs.jaxpr_as_fun(normal)(X, W),
        jax.tree.leaves(program(X, W)),
        strict=True,
    ):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_normalising_twice_changes_nothing():
    normal = normalise(jax.make_jaxpr(PROGRAMS["gradient"])(X, W))
    assert str(normalise(normal)) == str(normal)


def test_transposes_become_dimension_numbers():
    normal = normalise(jax.make_jaxpr(lambda x, w: (w.T @ x.T).T)(X, W))
    assert names(normal) == ["dot_general"]
    assert normal.jaxpr.eqns[0].params["dimension_numbers"] == (
        ((1,), (0,)),
        ((), ()),
    )


HALVES = (X.astype(jnp.float16), W.astype(jnp.float16))
PRECISIONS = [
    "highest",
    jax.lax.DotAlgorithmPreset.F16_F16_F16,
    jax.lax.DotAlgorithmPreset.F16_F16_F32,
]


@pytest.mark.parametrize("result", ["float16", "float32"])
def test_products_of_halves_are_added_in_float32_and_rounded_if_asked(result):
    def product(x, w, precision=None):
        return jax.lax.dot(x, w, precision=precision, preferred_element_type=result)

    normal = normalise(jax.make_jaxpr(product)(*HALVES))
    assert normal.jaxpr.eqns[0].params["preferred_element_type"] == jnp.float32
    rounding = ["convert_element_type"] if result == "float16" else []
    assert names(normal) == ["dot_general", *rounding]
    for precision in PRECISIONS:
        other = normalise(
            jax.make_jaxpr(partial(product, precision=precision))(*HALVES)
        )
        assert names(other) == names(normal)
        got = jaxprs.jaxpr_as_fun(other)(*HALVES)[0]
        wanted = jaxprs.jaxpr_as_fun(normal)(*HALVES)[0]
        np.testing.assert_array_equal(got, wanted)


def test_a_product_used_twice_is_not_computed_twice():
    normal = normalise(jax.make_jaxpr(lambda x, w: ((x @ w).T, x @ w))(X, W))
    again = normalise(jax.make_jaxpr(lambda x, w: (lambda p: (p.T, p))(x @ w))(X, W))
    assert names(again).count("dot_general") == 1
    assert names(normal).count("dot_general") == 2


def test_dead_equations_and_neutral_ones_go():
    def program(x, w):
        jnp.exp(w)
        return jnp.maximum(x * 1.0, -jnp.inf).T.T / 1

    assert names(normalise(jax.make_jaxpr(program)(X, W))) == []


# What changes nothing, or the same in one step, and the equations that are left of it.
FOLDED = {
    "sums of one": (lambda x, w: jnp.sum(x[:, None], 1) * 2, ["mul"]),
    "extremes of one": (lambda x, w: x[None].max(0) - x[..., None].min(2), ["sub"]),
    "totals of one": (lambda x, w: jnp.cumsum(x[0:1], 0), ["slice"]),
    "padding by nothing": (lambda x, w: jnp.pad(x, 0) * 2, ["mul"]),
    "there and back": (lambda x, w: x.reshape(12).reshape(3, 4) + x, ["add"]),
    "units": (lambda x, w: x.reshape(3, 1, 4).reshape(1, 3, 4), ["reshape"]),
    "two negations": (lambda x, w: jnp.negative(-x) * 2, ["mul"]),
    "negative terms": (
        lambda x, w: (x + -w[:3, :4], -x + w[:3, :4]),
        ["slice", "sub"] * 2,
    ),
    "a negative difference": (lambda x, w: x - -(x * x), ["mul", "add"]),
    "products of one": (
        lambda x, w: x[:, :1] @ w[:1],
        ["slice"] * 2 + ["squeeze"] * 2 + ["broadcast_in_dim"] * 2 + ["mul"],
    ),
    "batches of products of one": (
        lambda x, w: jnp.einsum("bi,bj->bij", x, w[:3]),
        ["slice", *["broadcast_in_dim"] * 2, "mul"],
    ),
    "equal moves": (
        lambda x, w: x.reshape(2, 6) * jnp.tanh(x.reshape(2, 6)),
        ["reshape", "tanh", "mul"],
    ),
    "contracted first": (
        lambda x, w: (lambda y: jnp.einsum("abi,abj->ij", y, y))(x.reshape(3, 2, 2)),
        ["reshape", "reshape", "dot_general"],
    ),
}


@pytest.mark.parametrize(("program", "left"), FOLDED.values(), ids=FOLDED)
def test_what_changes_nothing_goes(program, left):
    normal = normalise(jax.make_jaxpr(program)(X, W))
    for mine, wanted in zip(
        jaxprs.jaxpr_as_fun(normal)(X, W),
        jax.tree.leaves(program(X, W)),
        strict=True,
    ):
        np.testing.assert_allclose(mine, wanted, rtol=1e-6)
    assert names(normal) == left


HIDDEN = {
    "products": lambda x, w: jax.nn.relu(x).reshape(3, 4) @ w,
    "softmax": lambda x, w: jax.nn.softmax(x),
    "comparison": lambda x, w: jnp.maximum(x, w[:, 0]) > x.max(),
    "sum": lambda x, w: jnp.maximum(x, w[:, 0]).sum(),
    "gradient": jax.grad(lambda x, w: (jax.nn.relu(x) @ w).sum(), 1),
    "absolute values": lambda x, w: -jnp.abs(x - 1).T.max(0),
    "squares": lambda x, w: (-(x * x).max(), jnp.maximum(x * x, jnp.exp(x))),
}
SHOWN = {
    "output": lambda x, w: jnp.maximum(x, w[:, 0]),
    "divisor": lambda x, w: 1 / jnp.maximum(x, w[:, 0]).T > 0,
    "in a loop": lambda x, w: jax.lax.fori_loop(0, 3, lambda _, x: jax.nn.relu(x), x),
    "reduction": lambda x, w: -x.max(0),
}


@pytest.mark.parametrize("program", HIDDEN.values(), ids=HIDDEN)
def test_maxima_are_the_machines_where_no_sign_of_zero_shows(program):
    text = str(normalise(jax.make_jaxpr(program)(X, W)))
    assert "max" in text
    assert not {"maximum", "cond"} & set(re.findall(r"\w+", text))


@pytest.mark.parametrize("program", SHOWN.values(), ids=SHOWN)
def test_maxima_are_exact_where_a_sign_of_zero_shows(program):
    text = str(normalise(jax.make_jaxpr(program)(X, W)))
    assert "maximum" in text or "cond" in text


def test_a_constant_is_folded():
    normal = normalise(jax.make_jaxpr(lambda x: x * (np.float32(2) ** 2 + 1))(X))
    assert names(normal) == ["mul"]


def test_places_are_the_users_lines():
    def program(x):
        y = jnp.where(x > 0, x, 0)
        return jax.nn.relu(y)

    places = [jaxprs.place_of(e) for e in normalise(jax.make_jaxpr(program)(X)).eqns]
    assert {place.text for place in places} == {
        "y = jnp.where(x > 0, x, 0)",
        "return jax.nn.relu(y)",
    }


def test_every_unsupported_primitive_is_listed():
    def program(x):
        y = riddle.bind(x)
        z = mystery.bind(y)
        return z + riddle.bind(x)

    first = program.__code__.co_firstlineno
    with pytest.raises(UnsupportedPrimitiveError) as caught:
        normalise(jax.make_jaxpr(program)(X[0]))
    assert str(caught.value) == (
        "2 primitives have no rule: mystery, riddle\n"
        f"  riddle    (f32[4]) -> f32[4]  at test_normalise.py:{first + 1}"
        "  y = riddle.bind(x)\n"
        f"  mystery   (f32[4]) -> f32[4]  at test_normalise.py:{first + 2}"
        "  z = mystery.bind(y)\n"
        f"  riddle    (f32[4]) -> f32[4]  at test_normalise.py:{first + 3}"
        "  return z + riddle.bind(x)\n"
        f"  rule      supported are {SUPPORTED}\n"
        "  help      write it with supported primitives, or compute it with JAX "
        "on the host"
    )


def test_what_a_branch_cannot_do_is_refused_with_its_place():
    def program(x):
        return jax.lax.cond(x[0, 0] > 0, riddle.bind, jnp.exp, x)

    first = program.__code__.co_firstlineno
    with pytest.raises(UnsupportedPrimitiveError) as caught:
        normalise(jax.make_jaxpr(program)(X))
    line = f"at test_normalise.py:{first + 1}  return jax.lax.cond(x[0, 0] > 0, "
    assert str(caught.value) == (
        "1 primitive has no rule: riddle\n"
        f"  riddle    (f32[3,4]) -> f32[3,4]  {line}riddle.bind, jnp.exp, x)\n"
        f"  rule      supported are {SUPPORTED}\n"
        "  help      write it with supported primitives, or compute it with JAX on "
        "the host"
    )


@pytest.mark.parametrize("wrapped", [jax.jit, jax.checkpoint, lambda f: f])
def test_what_is_refused_is_refused_in_calls_too(wrapped):
    """Rewriting while inlining once let through what nobody had checked."""
    program = wrapped(lambda x: riddle.bind(x))
    with pytest.raises(UnsupportedPrimitiveError, match="riddle"):
        normalise(jax.make_jaxpr(program)(X))


def test_a_shard_map_is_refused():
    auto = (jax.sharding.AxisType.Auto,)
    mesh = jax.make_mesh((1,), ("i",), axis_types=auto)
    spec = jax.sharding.PartitionSpec("i", None)
    body = jax.shard_map(lambda x: x * 2, mesh=mesh, in_specs=spec, out_specs=spec)
    with pytest.raises(UnsupportedPrimitiveError) as caught:
        normalise(jax.make_jaxpr(jax.jit(body))(X))
    assert caught.value.message.endswith("shard_map")


def test_dtypes_without_arithmetic():
    with pytest.raises(UnsupportedDtypeError) as caught:
        normalise(jax.make_jaxpr(lambda x: x + x)(X.astype(jnp.float8_e4m3fn)))
    place = caught.value.notes[1][1].split("  at ")[1]
    assert str(caught.value) == (
        "the wafer has no arithmetic for float8_e4m3fn\n"
        "  input 0   f8_e4m3fn[3,4]\n"
        "  add       (f8_e4m3fn[3,4], f8_e4m3fn[3,4]) -> f8_e4m3fn[3,4]  "
        f"at {place}\n"
        "  rule      supported are bfloat16, bool, float16, float32, int16, int32, "
        "int8, uint16, uint32, uint8\n"
        "  help      convert with x.astype(jnp.float32) or x.astype(jnp.int32)"
    )


def _life(i, x):
    return jnp.roll(x, (1, 0), (0, 1)) + i


WITH_EMPTY_PARTS = {
    "rolled in a loop": lambda x: jax.lax.fori_loop(0, 2, _life, x),
    "parts of a split": lambda x: jnp.split(x, [3], 0)[0],
    "an empty piece": lambda x: jnp.concatenate([x, x[:0]]),
    "a border of nothing": lambda x: jnp.pad(x[:, :0], ((0, 0), (1, 1))),
    "updates of nothing": lambda x: x.at[jnp.zeros(0, int)].add(2),
    "totals of nothing": lambda x: [
        *(f(x[:0], 0) for f in (jnp.sum, jnp.prod)),
        *(f(x[:0] > 0, 0) for f in (jnp.any, jnp.all)),
        x[:, :0] @ x[:0],
    ],
}


@pytest.mark.parametrize("name", list(WITH_EMPTY_PARTS))
def test_what_has_no_elements_falls_away(name):
    function = WITH_EMPTY_PARTS[name]
    normalised = normalise(jax.make_jaxpr(function)(X))
    got = jaxprs.jaxpr_as_fun(normalised)(X)
    want = jax.tree.leaves(function(X))
    for mine, reference in zip(got, want, strict=True):
        assert mine.dtype == reference.dtype
        np.testing.assert_array_equal(mine, reference)


def test_primitives_and_dtypes_are_reported_together():
    with pytest.raises(SeveralErrors) as caught:
        normalise(jax.make_jaxpr(lambda x: riddle.bind(x).astype(jnp.float8_e4m3fn))(X))
    assert [type(error) for error in caught.value.errors] == [
        UnsupportedPrimitiveError,
        UnsupportedDtypeError,
    ]


def test_a_rewrite_into_what_has_no_rule_is_refused(monkeypatch):
    # It was tried again and again.
    monkeypatch.setitem(REWRITES, "riddle", mystery.bind)
    with pytest.raises(UnsupportedPrimitiveError, match="no rule: mystery"):
        normalise(jax.make_jaxpr(riddle.bind)(X))
