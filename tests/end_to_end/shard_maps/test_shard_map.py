"""A user's `shard_map` on the simulated wafer: its collectives between PEs."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import shard_map_programs
from jax import lax
from jax.sharding import AbstractMesh
from jax.sharding import PartitionSpec as P
from shard_map_programs import NAMES, SHAPE, inputs, programs

import pyflame as pf

MESH = AbstractMesh(SHAPE, NAMES)
X = np.ones((4, 8), np.float32)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    path = tmp_path_factory.mktemp("devices") / "expected.npz"
    flags = "--xla_force_host_platform_device_count=8"
    subprocess.run(
        [sys.executable, shard_map_programs.__file__, path],
        check=True,
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )
    return np.load(path)


@pytest.mark.parametrize("name", list(programs(MESH)))
def test_pes_compute_what_devices_do(name, expected, tmp_path):
    function, shapes = programs(MESH)[name]
    arrays = inputs(shapes)
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    options.generate_debug_info = True
    result = pf.compile_to_csl(function, *arrays, options=options)
    assert result.success, result.error_message
    assert (
        "const width: u16 = 4;\nconst height: u16 = 2;" in result.sources["layout.csl"]
    )
    outputs = jax.tree.leaves(result.simulate(*arrays).outputs)
    wanted = [expected[f"{name} {n}"] for n in range(len(outputs))]
    for have, want in zip(outputs, wanted, strict=True):
        assert have.dtype == want.dtype
        np.testing.assert_allclose(have, want, rtol=2e-5, atol=2e-5)


def refusal(function, *args, **kwargs):
    result = pf.compile_to_csl(function, *args, pf.CodeGenOptions(**kwargs))
    assert not result.success
    return "\n".join(
        line for line in result.error_message.split("\n") if "  at " not in line
    )


GRID = P("rows", "cols")


def over(body, mesh=MESH, ins=GRID, outs=GRID):
    return jax.shard_map(body, mesh=mesh, in_specs=ins, out_specs=outs)


def test_meshes_of_more_than_two_axes():
    mesh = AbstractMesh((2, 2, 2), ("x", "y", "z"))
    ins = P("x", "y", "z")
    assert refusal(over(jnp.sin, mesh, ins, ins), np.ones((2, 2, 2), np.float32)) == (
        "shard_map over x=2 x y=2 x z=2\n"
        "  rule      a mesh of PEs has two axes, rows and columns\n"
        "  help      join axes of the mesh, so that two are left"
    )


def test_meshes_that_disagree():
    assert refusal(over(jnp.sin), X, fabric_width=3, fabric_height=2) == (
        "one program with shard_map over 2x4 PEs, a fabric of 2x3 PEs\n"
        "  rule      a shard_map runs on all PEs of the program's mesh (rows x "
        "columns)\n"
        "  help      give all of them the same mesh"
    )


def test_collectives_over_both_axes_at_once():
    ring = [(i, (i + 1) % 8) for i in range(8)]
    assert refusal(over(lambda x: lax.ppermute(x, NAMES, ring)), X) == (
        "ppermute over the axes rows, cols together\n"
        "  rule      ppermute works along one axis of PEs\n"
        "  help      write one ppermute per axis, one after the other"
    )


def test_one_inside_another():
    def body(x):
        inner = jax.shard_map(
            jnp.sin,
            in_specs=P(None, "cols"),
            out_specs=P(None, "cols"),
            axis_names={"cols"},
        )
        return inner(x)

    rows = P("rows", None)
    function = jax.shard_map(
        body, mesh=MESH, in_specs=rows, out_specs=rows, axis_names={"rows"}
    )
    assert refusal(function, X) == (
        "shard_map inside a shard_map\n"
        "  rule      a shard_map is the program of one PE\n"
        "  help      write one shard_map over both axes"
    )


def test_groups_of_an_axis():
    def body(x):
        return lax.all_gather(x, "cols", axis_index_groups=[[0, 1], [2, 3]], tiled=True)

    function = jax.shard_map(
        body,
        mesh=MESH,
        in_specs=P("rows", "cols"),
        out_specs=P("rows", "cols"),
        check_vma=False,
    )
    assert refusal(function, X) == (
        "all_gather with axis_index_groups=((0, 1), (2, 3))\n"
        "  rule      a collective works on all PEs of an axis\n"
        "  help      give the groups an axis of their own in the mesh"
    )


def test_a_collective_that_some_pes_do_not_enter():
    def body(x):
        return lax.cond(
            lax.axis_index("cols") > 0, lambda x: lax.psum(x, "cols"), lambda x: x, x
        )

    function = jax.shard_map(
        body,
        mesh=MESH,
        in_specs=P("rows", "cols"),
        out_specs=P("rows", "cols"),
        check_vma=False,
    )
    assert refusal(function, X).startswith(
        "mesh_all_reduce along cols stands under a predicate that differs between the "
        "PEs of one line of cols\n"
    )


def test_one_axis_goes_over_the_columns(tmp_path):
    mesh = AbstractMesh((3,), ("devices",))
    function = over(
        lambda x: x - lax.pmean(x, "devices"), mesh, P("devices"), P("devices")
    )
    x = inputs([(6, 2)])[0]
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse2")
    result = pf.compile_to_csl(function, x, options)
    assert (
        "const width: u16 = 3;\nconst height: u16 = 1;" in result.sources["layout.csl"]
    )
    want = x - np.tile(x.reshape(3, 2, 2).mean(0), (3, 1))
    np.testing.assert_allclose(result.simulate(x).outputs, want, rtol=1e-5, atol=1e-6)
