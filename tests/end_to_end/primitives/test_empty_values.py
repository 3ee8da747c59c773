"""Values without elements: at the ends of programs, inside them, of every primitive."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import AbstractMesh, PartitionSpec
from primitive_programs import PROGRAMS, Program
from same_values import difference

import pyflame as pf
from lowering import jaxprs
from lowering.empty_ends import EmptyEnds
from lowering.normalise.normalise import normalise

X = np.arange(12, dtype=np.float32).reshape(3, 4)
NONE = np.zeros((0, 4), np.float32)


def _emptied(program: Program, size: int) -> Program:
    """The program on operands that have no elements along dimensions of this size."""
    operands = tuple(re.sub(rf"\b{size}\b", "0", each) for each in program.operands)
    return Program(program.function, operands)


# `top_k` of more than there is and the like: JAX has no such program.
_NO_PROGRAM = (TypeError, ValueError, NotImplementedError, IndexError, AssertionError)
_NO_PROGRAM += (ZeroDivisionError,)


@pytest.mark.parametrize("size", [3, 5])
def test_no_primitive_keeps_values_without_elements(size: int) -> None:
    count = 0
    for name, program in PROGRAMS.items():
        emptied = _emptied(program, size)
        dtype = "i32" if program.staged("f32") is None else "f32"
        given = [np.zeros(spec.shape, spec.dtype) for spec in emptied.specs(dtype)]
        try:
            closed = jax.make_jaxpr(emptied.function)(*given)
            want = jax.jit(emptied.function)(*given)
        except _NO_PROGRAM:
            continue
        if emptied == program or any(map(_is_key, jax.tree.leaves(want))):
            continue
        count += 1
        normal = normalise(closed)
        trimmed = EmptyEnds.of(normal).trimmed(normal)
        assert not re.search(r"\[(\d+,)*0(,\d+)*\]", str(trimmed)), name
        got = jaxprs.jaxpr_as_fun(normal)(*given)
        assert difference(got, jax.tree.leaves(want)) == "", name
    assert count > 100


def _is_key(value: Any) -> bool:
    return jax.dtypes.issubdtype(value.dtype, jax.dtypes.extended)


def _loops(x: jax.Array, none: jax.Array) -> Any:
    def step(carry: Any, y: Any) -> Any:
        total, nothing = carry
        return (total + 1, nothing), (total.sum() + y.sum(), nothing)

    def longer(state: Any) -> Any:
        return state[0] + 1, state[1] * 2

    return [
        lax.scan(step, (x, none), jnp.zeros((3, 0))),
        lax.scan(lambda total, row: (total + row, row), x[0], none),
        lax.while_loop(lambda state: state[0].sum() < 100, longer, (x, none)),
        lax.cond(x[0, 1] > 0, lambda *xs: xs, lambda x, y: (-x, y * 2), x, none),
    ]


def _totals(x: jax.Array, none: jax.Array) -> Any:
    return [
        *(none.sum(0), none.prod(), lax.reduce_max(none, (0,)), none.T @ none),
        *(x.at[jnp.zeros(0, int)].set(none), jnp.concatenate([none, x]), x[:, :0]),
        jnp.pad(none, ((1, 1), (0, 0)), constant_values=2.5),
        jax.grad(lambda x, y: (jnp.concatenate([x, y]) ** 2).sum(), (0, 1))(x, none),
        jnp.linalg.qr(none.T, mode="complete"),
    ]


def _only_nothing(x: jax.Array, none: jax.Array) -> Any:
    return jnp.sort(none * 2, 1)


@pytest.mark.parametrize("program", [_loops, _totals, _only_nothing])
def test_ends_without_elements_are_the_hosts(program: Any, tmp_path: Path) -> None:
    options = pf.CodeGenOptions(
        output_dir=str(tmp_path), fabric_width=2, fabric_height=2
    )
    compiled = pf.compile_to_csl(program, X, NONE, options=options)
    assert compiled.success, compiled.error_message
    got = compiled.simulate(X, NONE).outputs
    assert difference(got, program(jnp.asarray(X), jnp.asarray(NONE))) == ""


def test_what_is_carried_is_numbered_without_empty_ends(tmp_path: Path) -> None:
    def program(none: jax.Array, x: jax.Array, step: jax.Array) -> Any:
        return {"nothing": none, "next": x + step, "more": none[:, :1]}

    layout = pf.MeshLayout.grid(2, 2)
    compiled = pf.compile_to_csl(
        program,
        NONE,
        X,
        np.float32(2),
        options=pf.CodeGenOptions(output_dir=str(tmp_path)),
        in_layouts=[layout, layout, None],
        carry={"x": "out.next", "none": "out.nothing"},
    )
    assert compiled.success, compiled.error_message
    session = compiled.session()
    session.run(NONE, X, np.float32(2))
    outputs = session.run(..., ..., np.float32(3)).outputs
    assert difference(outputs, program(NONE, X + 2, np.float32(3))) == ""


def test_what_a_pe_takes_has_elements() -> None:
    mesh, spec = AbstractMesh((2, 2), ("rows", "cols")), PartitionSpec("rows", "cols")

    def program(x: jax.Array, none: jax.Array) -> Any:
        add = jax.shard_map(
            lambda x, y: x + y.sum(), mesh=mesh, in_specs=(spec, spec), out_specs=spec
        )
        return add(x, none)

    nothing = np.zeros((4, 0), np.float32)
    failed = pf.compile_to_csl(program, np.ones((4, 4), np.float32), nothing)
    place = failed.error_message.split("  at ")[1].splitlines()[0]
    assert failed.error_message == (
        "the program keeps values without elements\n"
        f"  shard_map  (f32[4,4], f32[4,0]) -> f32[4,4]  at {place}\n"
        "  rule      every value on the wafer has at least one element\n"
        "  help      leave such values out, or compute them with JAX on the host"
    )
